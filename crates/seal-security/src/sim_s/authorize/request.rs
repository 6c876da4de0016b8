//! The authentication request (TS 33.434 A.4.2.2, OpenID Connect Core 3.1.2.1, RFC 6749 4.1.1), decided without IO.
//!
//! TS 33.434 makes `state`, `acr_values` and PKCE mandatory; they are mandatory here.

use std::collections::BTreeSet;

use api_types::ids::ValUeId;
use authorization::Reason;
use jose::pkce;
use serde::{Deserialize, Serialize};
use store::clients::ClientRecord;

use crate::sim_s::directory::{Directory, OPENID, wrong_scope, wrong_target};
use crate::sim_s::error::{ErrorCode, OAuthError};
use crate::sim_s::form::Form;
use crate::sim_s::passkey::ACR_PASSKEY;
use crate::sim_s::redirect;

/// The authentication context of a password (TS 33.434 A.4.2.2).
pub const ACR_PASSWORD: &str = "3gpp:acr:password";

/// Longest `state` and `nonce`, in characters. Own value.
const MAX_ECHO: usize = 1024;

/// A request that may be answered at its redirect URI.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// Who asks.
    pub client_id: String,
    /// Where the answer goes.
    pub redirect_uri: String,
    /// Echoed.
    pub state: String,
    /// Goes into the ID token.
    pub nonce: Option<String>,
    /// What is asked for; bare names are expanded.
    pub scopes: BTreeSet<String>,
    /// Servers that tokens may be for.
    pub audiences: BTreeSet<String>,
    /// The UE that the user is at.
    pub val_ue_id: Option<ValUeId>,
    /// How the user is authenticated.
    pub acr: String,
    /// PKCE, S256.
    pub code_challenge: String,
    /// Key that the code is bound to (RFC 9449 10).
    pub dpop_jkt: Option<String>,
    /// Whether no page may be shown.
    pub silent: bool,
    /// Oldest login that will do, in seconds.
    pub max_age_s: Option<i64>,
}

impl std::fmt::Debug for AuthorizationRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AuthorizationRequest").field("client_id", &self.client_id).finish_non_exhaustive()
    }
}

/// Where the answer to a request goes, also when it is a refusal. Checked before anything else, and told to nobody but
/// the user (RFC 6749 4.1.2.1).
///
/// # Errors
/// `redirect_uri` is absent or not one of the client's.
pub fn redirect_uri<'f>(form: &'f Form, client: &ClientRecord) -> Result<&'f str, OAuthError> {
    let asked =
        form.one("redirect_uri").ok_or(OAuthError::new(ErrorCode::InvalidRequest, Reason::RedirectWrong))?;
    if redirect::is_registered(&client.registration.redirect_uris, asked) {
        Ok(asked)
    } else {
        Err(OAuthError::new(ErrorCode::InvalidRequest, Reason::RedirectWrong))
    }
}

/// Reads the rest of the request.
///
/// # Errors
/// The first check that fails, in this order: request objects, response type and mode, state, PKCE, authentication
/// context, prompt, nonce, scope, resource, UE.
pub fn read(
    form: &Form,
    client: &ClientRecord,
    redirect_uri: &str,
    directory: &Directory,
) -> Result<AuthorizationRequest, OAuthError> {
    if form.has("request") {
        return Err(OAuthError::new(ErrorCode::RequestNotSupported, Reason::RequestMalformed));
    }
    if form.has("registration") {
        return Err(OAuthError::new(ErrorCode::RegistrationNotSupported, Reason::RequestMalformed));
    }
    match form.one("response_type") {
        Some("code") => {}
        Some(_) => return Err(OAuthError::new(ErrorCode::UnsupportedResponseType, Reason::RequestMalformed)),
        None => return Err(OAuthError::malformed()),
    }
    if form.one("response_mode").is_some_and(|mode| mode != "query") {
        return Err(OAuthError::malformed());
    }
    let state = form.one("state").filter(|text| is_echo(text)).ok_or(OAuthError::malformed())?;
    let code_challenge = challenge(form)?;
    let acr = authentication_context(form)?;
    let silent = is_silent(form)?;
    let max_age_s = match form.one("max_age") {
        Some(text) => Some(number(text).ok_or(OAuthError::malformed())?),
        None => None,
    };
    if form.one("nonce").is_some_and(|nonce| !is_echo(nonce)) {
        return Err(OAuthError::malformed());
    }
    if form.one("dpop_jkt").is_some_and(|jkt| !pkce::is_challenge(jkt)) {
        return Err(OAuthError::malformed());
    }
    let scopes =
        directory.read_scope(form.one("scope").ok_or_else(wrong_scope)?, &client.registration.scopes)?;
    if !scopes.contains(OPENID) {
        return Err(wrong_scope());
    }
    let audiences = audiences(form, &scopes, directory)?;
    let val_ue_id = match form.one("val_ue_id") {
        Some(text) => Some(ValUeId::try_from(text).map_err(|_| OAuthError::malformed())?),
        None => None,
    };
    Ok(AuthorizationRequest {
        client_id: client.client_id.as_str().to_owned(),
        redirect_uri: redirect_uri.to_owned(),
        state: state.to_owned(),
        nonce: form.one("nonce").map(str::to_owned),
        scopes,
        audiences,
        val_ue_id,
        acr,
        code_challenge,
        dpop_jkt: form.one("dpop_jkt").map(str::to_owned),
        silent,
        max_age_s,
    })
}

/// RFC 7636 4.3, and S256 alone: a challenge in the clear protects from nothing (RFC 9700 2.1.1).
fn challenge(form: &Form) -> Result<String, OAuthError> {
    let wrong = OAuthError::new(ErrorCode::InvalidRequest, Reason::PkceWrong);
    let challenge =
        form.one("code_challenge").filter(|text| pkce::is_challenge(text)).ok_or(wrong.clone())?;
    if form.one("code_challenge_method") == Some("S256") { Ok(challenge.to_owned()) } else { Err(wrong) }
}

/// The least of the client's choices that is supported: a passkey is good enough for who would take a password.
fn authentication_context(form: &Form) -> Result<String, OAuthError> {
    let wanted = form.one("acr_values").ok_or(OAuthError::malformed())?;
    let found = [ACR_PASSWORD, ACR_PASSKEY].into_iter().find(|acr| wanted.split(' ').any(|one| one == *acr));
    found
        .map(str::to_owned)
        .ok_or(OAuthError::new(ErrorCode::UnmetAuthenticationRequirements, Reason::RequestMalformed))
}

/// OpenID Connect Core 3.1.2.1: `none` stands alone.
fn is_silent(form: &Form) -> Result<bool, OAuthError> {
    let Some(prompt) = form.one("prompt") else { return Ok(false) };
    if prompt == "none" {
        return Ok(true);
    }
    let known = |word: &str| matches!(word, "login" | "consent" | "select_account");
    if prompt.split(' ').all(known) { Ok(false) } else { Err(OAuthError::malformed()) }
}

/// Each scope needs a server that takes it among the resources that are named; without any, the scopes name them.
fn audiences(
    form: &Form,
    scopes: &BTreeSet<String>,
    directory: &Directory,
) -> Result<BTreeSet<String>, OAuthError> {
    if !form.has("resource") {
        return directory.servers_of(scopes);
    }
    let named = form.all("resource").map(|resource| directory.server(resource).map(str::to_owned));
    let named: BTreeSet<String> = named.collect::<Result<_, _>>()?;
    let mut spatial = scopes.iter().filter(|scope| *scope != OPENID);
    if !spatial.all(|scope| named.iter().any(|origin| directory.serves(origin, scope))) {
        return Err(wrong_target());
    }
    Ok(named
        .into_iter()
        .filter(|origin| scopes.iter().any(|scope| directory.serves(origin, scope)))
        .collect())
}

fn is_echo(text: &str) -> bool {
    text.chars().count() <= MAX_ECHO
}

fn number(text: &str) -> Option<i64> {
    let digits = text.len() <= 9 && text.bytes().all(|b| b.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim_s::directory::example;
    use store::clients::Registration;

    const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

    fn client() -> ClientRecord {
        ClientRecord {
            client_id: "ue-1".try_into().unwrap(),
            registration: Registration {
                kind: "sim_c".into(),
                auth: "client_secret_basic".into(),
                redirect_uris: vec!["http://127.0.0.1/cb".into()],
                callback_hosts: vec![],
                scopes: vec!["3gpp:seal:san.read".into(), "3gpp:seal:sm.read".into()],
                val_services: vec![],
                jwks: None,
                subject_type: "public".into(),
                bearer: false,
            },
            secret_sha256: None,
            version: 1,
        }
    }

    fn good() -> Vec<(&'static str, &'static str)> {
        vec![
            ("response_type", "code"),
            ("scope", "openid%203gpp:seal:san.read"),
            ("state", "s"),
            ("nonce", "n"),
            ("acr_values", "3gpp:acr:strong%203gpp:acr:password"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
            ("resource", "https://san.example"),
            ("val_ue_id", "ue-a"),
            ("prompt", "login"),
        ]
    }

    fn outcome(parameters: &[(&str, &str)]) -> Result<AuthorizationRequest, ErrorCode> {
        let text =
            parameters.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("&");
        let form = Form::parse(text.as_bytes()).unwrap();
        read(&form, &client(), "http://127.0.0.1/cb", &example()).map_err(|error| error.code)
    }

    #[test]
    fn one_spoiled_parameter_is_refused_by_its_own_code() {
        use ErrorCode::{
            InvalidRequest, InvalidScope, InvalidTarget, RegistrationNotSupported, RequestNotSupported,
            UnmetAuthenticationRequirements, UnsupportedResponseType,
        };
        let request = outcome(&good()).unwrap();
        assert_eq!(request.audiences, BTreeSet::from(["https://san.example".to_owned()]));
        assert_eq!(request.acr, ACR_PASSWORD);
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &str, Option<&str>, ErrorCode); 25] = [
            ("no response type", "response_type", None, InvalidRequest),
            ("implicit", "response_type", Some("token"), UnsupportedResponseType),
            ("hybrid", "response_type", Some("code%20id_token"), UnsupportedResponseType),
            ("fragment", "response_mode", Some("fragment"), InvalidRequest),
            ("no state", "state", None, InvalidRequest),
            ("no acr", "acr_values", None, InvalidRequest),
            ("other acr", "acr_values", Some("urn:x"), UnmetAuthenticationRequirements),
            ("no challenge", "code_challenge", None, InvalidRequest),
            ("no challenge method", "code_challenge_method", None, InvalidRequest),
            ("plain challenge", "code_challenge_method", Some("plain"), InvalidRequest),
            ("short challenge", "code_challenge", Some("abc"), InvalidRequest),
            ("no scope", "scope", None, InvalidScope),
            ("no openid", "scope", Some("3gpp:seal:san.read"), InvalidScope),
            ("unknown scope", "scope", Some("openid%20x"), InvalidScope),
            ("scope of others", "scope", Some("openid%203gpp:seal:san.write"), InvalidScope),
            ("unknown resource", "resource", Some("https://evil.example"), InvalidTarget),
            ("resource of another scope", "resource", Some("https://sm.example"), InvalidTarget),
            ("scope of a server not named", "scope", Some("openid%203gpp:seal:sm.read"), InvalidTarget),
            ("prompt none and more", "prompt", Some("none%20login"), InvalidRequest),
            ("unknown prompt", "prompt", Some("x"), InvalidRequest),
            ("max_age no number", "max_age", Some("-1"), InvalidRequest),
            ("jkt no thumbprint", "dpop_jkt", Some("x"), InvalidRequest),
            ("UE no identifier", "val_ue_id", Some("a/b"), InvalidRequest),
            ("request object", "request", Some("e30.e30."), RequestNotSupported),
            ("registration", "registration", Some("{}"), RegistrationNotSupported),
        ];
        for (what, name, value, refusal) in rows {
            let mut parameters = good();
            parameters.retain(|(known, _)| *known != name);
            parameters.extend(value.map(|value| (name, value)));
            assert_eq!(outcome(&parameters).map_err(|code| code.as_str()), Err(refusal.as_str()), "{what}");
        }
    }

    #[test]
    fn several_servers_are_named_or_follow_from_the_scopes() {
        let both = BTreeSet::from(["https://san.example".to_owned(), "https://sm.example".to_owned()]);
        let mut parameters = good();
        parameters.retain(|(name, _)| *name != "resource" && *name != "scope");
        parameters.push(("scope", "openid%203gpp:seal:san.read%203gpp:seal:sm.read"));
        assert_eq!(outcome(&parameters).unwrap().audiences, both);
        parameters.push(("resource", "https://sm.example"));
        assert_eq!(outcome(&parameters).unwrap_err(), ErrorCode::InvalidTarget);
        parameters.push(("resource", "https://san.example/"));
        assert_eq!(outcome(&parameters).unwrap().audiences, both);
    }
}
