//! The authorization request and its response (TS 33.434 A.4, RFC 7636, RFC 9126, RFC 9207).

use api_types::Secret;
use api_types::oauth::ParResponse;
use url::Url;

use super::SimClient;
use crate::error::SdkError;
use crate::request::https_url;

/// The authentication context that a SIM-S supports at least (TS 33.434 A.4).
pub const ACR_PASSWORD: &str = "3gpp:acr:password";

/// What a user agent is to ask for.
#[derive(Debug, Clone, Default)]
pub struct AuthorizationRequest {
    /// Registered redirect URI.
    pub redirect_uri: String,
    /// Scopes, separated by spaces; `openid` is added.
    pub scope: String,
    /// Resource servers (RFC 8707).
    pub resources: Vec<String>,
    /// The VAL UE, which must be bound to the user.
    pub val_ue_id: Option<String>,
    /// Authentication contexts in order of preference; empty: `3gpp:acr:password`.
    pub acr_values: String,
    /// Whether the request is pushed first (RFC 9126).
    pub push: bool,
}

/// An authorization request under way: what its response is compared with.
#[derive(Clone)]
pub struct Pending {
    pub(crate) request: AuthorizationRequest,
    pub(crate) state: String,
    pub(crate) nonce: String,
    pub(crate) verifier: Secret,
    pub(crate) max_age_s: Option<u32>,
}

impl std::fmt::Debug for Pending {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pending")
    }
}

/// An authorization code with what is needed to redeem it.
#[derive(Clone)]
pub struct Code {
    pub(crate) code: Secret,
    pub(crate) verifier: Secret,
    pub(crate) redirect_uri: String,
    pub(crate) nonce: String,
}

impl Code {
    /// A code that came another way than by [`Pending::response`].
    #[must_use]
    pub fn new(code: &str, pending: &Pending) -> Self {
        Self {
            code: Secret::new(code),
            verifier: pending.verifier.clone(),
            redirect_uri: pending.request.redirect_uri.clone(),
            nonce: pending.nonce.clone(),
        }
    }

    /// The code itself.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.code.expose()
    }
}

impl std::fmt::Debug for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Code")
    }
}

impl Pending {
    /// The same request for a login that is no older than this, in seconds (OpenID Connect Core 3.1.2.1, RFC 9470 4).
    #[must_use]
    pub fn no_older_than(mut self, seconds: u32) -> Self {
        self.max_age_s = Some(seconds);
        self
    }

    /// The parameters of the request, without those that authenticate the client.
    pub(crate) fn parameters(&self, client_id: &str) -> Vec<(&'static str, String)> {
        let request = &self.request;
        let mut scope = request.scope.clone();
        if !scope.split(' ').any(|s| s == "openid") {
            scope = format!("openid {scope}").trim_end().to_owned();
        }
        let acr = if request.acr_values.is_empty() { ACR_PASSWORD } else { &request.acr_values };
        let mut pairs = vec![
            ("response_type", "code".to_owned()),
            ("client_id", client_id.to_owned()),
            ("scope", scope),
            ("redirect_uri", request.redirect_uri.clone()),
            ("state", self.state.clone()),
            ("nonce", self.nonce.clone()),
            ("acr_values", acr.to_owned()),
            ("code_challenge", jose::pkce::s256(self.verifier.expose())),
            ("code_challenge_method", "S256".to_owned()),
        ];
        pairs.extend(request.resources.iter().map(|resource| ("resource", resource.clone())));
        pairs.extend(self.max_age_s.map(|seconds| ("max_age", seconds.to_string())));
        pairs.extend(request.val_ue_id.iter().map(|ue| ("val_ue_id", ue.clone())));
        pairs
    }

    /// Reads the authorization response: the address to which the user agent was sent.
    ///
    /// # Errors
    /// [`SdkError::StateWrong`] and [`SdkError::IssuerWrong`] (such a code must not be used), the error that the
    /// server answered, or a response that is none.
    pub fn response(&self, location: &str, issuer: &str, iss_expected: bool) -> Result<Code, SdkError> {
        let url = Url::parse(location).map_err(|_| SdkError::Malformed("redirect"))?;
        let registered =
            Url::parse(&self.request.redirect_uri).map_err(|_| SdkError::Unusable("redirect URI"))?;
        let mut bare = url.clone();
        bare.set_query(registered.query());
        bare.set_fragment(None);
        if bare != registered {
            return Err(SdkError::Malformed("redirect"));
        }
        let mut parameters = std::collections::BTreeMap::new();
        for (name, value) in url.query_pairs() {
            if parameters.insert(name.into_owned(), value.into_owned()).is_some() {
                return Err(SdkError::Malformed("redirect"));
            }
        }
        let text = |name: &str| parameters.get(name).map(String::as_str);
        if !text("state").is_some_and(|state| jose::equal(state, &self.state)) {
            return Err(SdkError::StateWrong);
        }
        match text("iss") {
            Some(iss) if iss == issuer => {}
            None if !iss_expected => {}
            _ => return Err(SdkError::IssuerWrong),
        }
        if let Some(error) = text("error") {
            let description = text("error_description").map(str::to_owned);
            return Err(SdkError::OAuth { status: 302, error: error.to_owned(), description, trace: None });
        }
        text("code").map(|code| Code::new(code, self)).ok_or(SdkError::Malformed("redirect"))
    }
}

impl SimClient {
    /// Begins an authorization request: draws `state`, `nonce` and the PKCE verifier.
    #[must_use]
    pub fn begin(&self, request: AuthorizationRequest) -> Pending {
        Pending {
            request,
            state: self.ambient.unguessable(),
            nonce: self.ambient.unguessable(),
            verifier: Secret::new(self.ambient.unguessable()),
            max_age_s: None,
        }
    }

    /// Pushes an authorization request (RFC 9126 2).
    ///
    /// # Errors
    /// The refusal of the server, or no answer.
    pub async fn par(&self, pending: &Pending) -> Result<ParResponse, SdkError> {
        let aliases = self.metadata.mtls_endpoint_aliases.as_ref();
        let mutual = aliases.and_then(|a| a.pushed_authorization_request_endpoint.as_ref());
        let url = self.endpoint(self.metadata.pushed_authorization_request_endpoint.as_ref(), mutual)?;
        let mut pairs = pending.parameters(self.client_id());
        // The authentication adds the client where it does not stand in a header.
        if !matches!(self.auth, super::ClientAuth::SecretBasic { .. }) {
            pairs.retain(|(name, _)| *name != "client_id");
        }
        let answer = self.post(url, pairs).await?.expect(&[201, 200])?;
        answer.json()
    }

    /// The address at which the user agent begins: with a reference where the request was pushed, plain otherwise.
    ///
    /// # Errors
    /// The push was refused, or the metadata have no usable endpoint.
    pub async fn authorization_url(&self, pending: &Pending) -> Result<Url, SdkError> {
        let mut url = https_url(&self.metadata.authorization_endpoint)?;
        if pending.request.push {
            let pushed = self.par(pending).await?;
            url.query_pairs_mut()
                .append_pair("client_id", self.client_id())
                .append_pair("request_uri", &pushed.request_uri);
        } else {
            url.query_pairs_mut().extend_pairs(pending.parameters(self.client_id()));
        }
        Ok(url)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ISSUER: &str = "https://localhost:8444";

    fn pending() -> Pending {
        Pending {
            request: AuthorizationRequest {
                redirect_uri: "http://127.0.0.1:4711/cb".into(),
                scope: "3gpp:seal:san.discover".into(),
                resources: vec!["https://localhost:8445".into()],
                ..AuthorizationRequest::default()
            },
            state: "STATE".into(),
            nonce: "NONCE".into(),
            verifier: Secret::new("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"),
            max_age_s: None,
        }
    }

    type Expected = fn(&SdkError) -> bool;

    #[test]
    fn one_spoiled_parameter_refuses_the_response() {
        let good = "http://127.0.0.1:4711/cb?code=abc&state=STATE&iss=https%3A%2F%2Flocalhost%3A8444";
        assert_eq!(pending().response(good, ISSUER, true).unwrap().expose(), "abc");
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &str, Expected); 12] = [
            ("other state", "http://127.0.0.1:4711/cb?code=abc&state=OTHER&iss=https://localhost:8444", |e| matches!(e, SdkError::StateWrong)),
            ("no state", "http://127.0.0.1:4711/cb?code=abc&iss=https://localhost:8444", |e| matches!(e, SdkError::StateWrong)),
            ("other issuer", "http://127.0.0.1:4711/cb?code=abc&state=STATE&iss=https://evil.example", |e| matches!(e, SdkError::IssuerWrong)),
            ("slash behind the issuer", "http://127.0.0.1:4711/cb?code=abc&state=STATE&iss=https://localhost:8444/", |e| matches!(e, SdkError::IssuerWrong)),
            ("no issuer", "http://127.0.0.1:4711/cb?code=abc&state=STATE", |e| matches!(e, SdkError::IssuerWrong)),
            ("error of another state", "http://127.0.0.1:4711/cb?error=access_denied&state=OTHER&iss=https://localhost:8444", |e| matches!(e, SdkError::StateWrong)),
            ("error", "http://127.0.0.1:4711/cb?error=access_denied&state=STATE&iss=https://localhost:8444", |e| matches!(e, SdkError::OAuth { error, .. } if error == "access_denied")),
            ("no code", "http://127.0.0.1:4711/cb?state=STATE&iss=https://localhost:8444", |e| matches!(e, SdkError::Malformed(_))),
            ("state twice", "http://127.0.0.1:4711/cb?code=abc&state=STATE&state=STATE&iss=https://localhost:8444", |e| matches!(e, SdkError::Malformed(_))),
            ("other path", "http://127.0.0.1:4711/other?code=abc&state=STATE&iss=https://localhost:8444", |e| matches!(e, SdkError::Malformed(_))),
            ("other host", "http://evil.example/cb?code=abc&state=STATE&iss=https://localhost:8444", |e| matches!(e, SdkError::Malformed(_))),
            ("no address", "cb?code=abc&state=STATE", |e| matches!(e, SdkError::Malformed(_))),
        ];
        for (what, location, expected) in rows {
            let error = pending().response(location, ISSUER, true).unwrap_err();
            assert!(expected(&error), "{what}: {error:?}");
        }
        // A server that does not announce RFC 9207 may leave `iss` out, and still must not send a wrong one.
        let without = "http://127.0.0.1:4711/cb?code=abc&state=STATE";
        assert!(pending().response(without, ISSUER, false).is_ok());
        let wrong = format!("{without}&iss=https://evil.example");
        assert!(matches!(pending().response(&wrong, ISSUER, false), Err(SdkError::IssuerWrong)));
    }

    #[test]
    fn the_request_has_what_the_source_demands() {
        let pairs = pending().parameters("ue-1");
        let value = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| v.as_str());
        assert_eq!(value("scope"), Some("openid 3gpp:seal:san.discover"));
        assert_eq!(value("acr_values"), Some(ACR_PASSWORD));
        assert_eq!(value("code_challenge"), Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
        assert_eq!(value("code_challenge_method"), Some("S256"));
        assert_eq!(value("resource"), Some("https://localhost:8445"));
    }

    #[test]
    fn nothing_secret_is_shown() {
        let shown = format!("{:?} {:?}", pending(), Code::new("CODE", &pending()));
        assert!(!shown.contains("STATE") && !shown.contains("CODE") && !shown.contains("dBj"));
    }
}
