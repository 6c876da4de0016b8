//! Getting an access token of the CAPIF core function (TS 29.222 8.5.4.2.6 to 8.5.4.2.8, TS 33.122 C.2).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids::ApiInvokerId;
use super::{MAX_NAME, MAX_SECRET};
use crate::ids::Gpsi;
use crate::problem::InvalidParam;
use crate::secret::Secret;
use crate::strict_json;
use crate::validate::{Faults, MAX_URI, Validate};

/// Longest scope, in bytes. Own value.
pub const MAX_SCOPE: usize = 8 * 1024;

/// Longest `authorization_details`, in bytes. Own value.
pub const MAX_DETAILS: usize = 8 * 1024;

/// Deepest nesting of JSON in a member of the form. Own value.
const MAX_DEPTH: usize = 8;

open_enum! {
    /// `grant_type` of a request.
    GrantType {
        /// RFC 6749 4.4.
        ClientCredentials = "client_credentials",
        /// RFC 6749 4.1.
        AuthorizationCode = "authorization_code",
        /// RFC 6749 6; beyond TS 29.222.
        RefreshToken = "refresh_token",
        /// RFC 8693; beyond TS 29.222.
        TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange",
        /// OpenID CIBA 10; beyond TS 29.222.
        Ciba = "urn:openid:params:grant-type:ciba",
    }
}

open_enum! {
    /// Error of a token request (TS 29.222 `AccessTokenErr`, RFC 6749 5.2).
    TokenError {
        /// Malformed.
        InvalidRequest = "invalid_request",
        /// Client authentication failed.
        InvalidClient = "invalid_client",
        /// Code or other proof is not good.
        InvalidGrant = "invalid_grant",
        /// The client may not do this.
        UnauthorizedClient = "unauthorized_client",
        /// No such grant.
        UnsupportedGrantType = "unsupported_grant_type",
        /// Scope unknown, malformed or too wide.
        InvalidScope = "invalid_scope",
        /// RFC 9396 5; only for a request with details.
        InvalidAuthorizationDetails = "invalid_authorization_details",
        /// OpenID CIBA 11; only for a request that can wait.
        AuthorizationPending = "authorization_pending",
        /// OpenID CIBA 11.
        SlowDown = "slow_down",
        /// OpenID CIBA 11.
        AccessDenied = "access_denied",
        /// OpenID CIBA 11.
        ExpiredToken = "expired_token",
    }
}

/// A resource owner (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ResOwnerId {
    /// GPSI.
    pub gpsi: Gpsi,
}

impl ResOwnerId {
    /// Reads what a form carries: an object in JSON, or the GPSI alone as in Rel-18.
    ///
    /// # Errors
    /// It is neither.
    pub fn from_form(text: &str) -> Result<Self, InvalidParam> {
        let fault = || InvalidParam::new("resOwnerId", "is not a resource owner");
        if text.trim_start().starts_with(['{', '[', '"']) {
            return strict_json::from_slice(text.as_bytes(), MAX_DEPTH).map_err(|_| fault());
        }
        text.parse().map(|gpsi| Self { gpsi }).map_err(|_| fault())
    }
}

/// The form of a token request, decoded. What is a secret shows nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessTokenReq {
    /// `grant_type`
    pub grant_type: GrantType,
    /// `client_id`
    pub client_id: ApiInvokerId,
    /// `client_secret`: the onboarding secret.
    pub client_secret: Option<Secret>,
    /// `scope`, not read yet.
    pub scope: Option<String>,
    /// `resOwnerId`, or `gpsi` where a client has written the object's members instead.
    pub res_owner_id: Option<ResOwnerId>,
    /// `authCode`, or `code` as RFC 6749 calls it.
    pub auth_code: Option<Secret>,
    /// `redirect_uri`
    pub redirect_uri: Option<String>,
    /// `code_verifier` (RFC 7636 4.5).
    pub code_verifier: Option<Secret>,
    /// `authorization_details` (RFC 9396 5): a list in JSON, its elements not read yet.
    pub authorization_details: Option<Vec<Value>>,
    /// `ask_mode=poll` (own): the client can wait for the owner of a resource.
    pub ask_mode: Option<String>,
    /// `scope_mode=flat` (own): details as scope tokens.
    pub scope_mode: Option<String>,
}

/// One member of the form, at most `max` bytes; an empty one counts as absent (RFC 6749 3.2).
fn member<'f>(
    form: &impl Fn(&str) -> Option<&'f str>,
    faults: &mut Faults,
    name: &'static str,
    max: usize,
) -> Option<&'f str> {
    let text = form(name).filter(|text| !text.is_empty())?;
    if text.len() > max {
        faults.add(name, "is too long");
        return None;
    }
    Some(text)
}

/// One of two names for the same member; both only if they say the same.
fn either<'f>(
    faults: &mut Faults,
    name: &'static str,
    one: Option<&'f str>,
    other: Option<&'f str>,
) -> Option<&'f str> {
    if let (Some(one), Some(other)) = (one, other)
        && one != other
    {
        faults.add(name, "stands there twice");
    }
    one.or(other)
}

impl AccessTokenReq {
    /// Reads the form. `form` gives the member of a name; that none stands there twice is known.
    ///
    /// # Errors
    /// Every member that is missing, too long or malformed, by its name: `invalid_request`.
    pub fn from_form<'f>(form: impl Fn(&str) -> Option<&'f str>) -> Result<Self, Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let grant_type = member(&form, &mut faults, "grant_type", MAX_NAME).map(GrantType::from);
        let client_id = member(&form, &mut faults, "client_id", MAX_NAME).map(str::parse::<ApiInvokerId>);
        let secret = |text: &str| Secret::new(text);
        let client_secret = member(&form, &mut faults, "client_secret", MAX_SECRET).map(secret);
        let scope = member(&form, &mut faults, "scope", MAX_SCOPE).map(str::to_owned);
        let (code, short) = (
            member(&form, &mut faults, "authCode", MAX_SECRET),
            member(&form, &mut faults, "code", MAX_SECRET),
        );
        let auth_code = either(&mut faults, "authCode", code, short).map(secret);
        let redirect_uri = member(&form, &mut faults, "redirect_uri", MAX_URI).map(str::to_owned);
        let code_verifier = member(&form, &mut faults, "code_verifier", 128).map(secret);
        let ask_mode = member(&form, &mut faults, "ask_mode", MAX_NAME).map(str::to_owned);
        let scope_mode = member(&form, &mut faults, "scope_mode", MAX_NAME).map(str::to_owned);
        let res_owner_id = owner(&form, &mut faults);
        let authorization_details = details(&form, &mut faults);
        for (name, present) in [("grant_type", grant_type.is_some()), ("client_id", client_id.is_some())] {
            if !present {
                faults.add(name, crate::validate::MISSING);
            }
        }
        if matches!(client_id, Some(Err(_))) {
            faults.add("client_id", "is not a valid identifier");
        }
        faults.done()?;
        let (Some(grant_type), Some(Ok(client_id))) = (grant_type, client_id) else {
            return Err(vec![InvalidParam::new("grant_type", crate::validate::MISSING)]);
        };
        Ok(Self {
            grant_type,
            client_id,
            client_secret,
            scope,
            res_owner_id,
            auth_code,
            redirect_uri,
            code_verifier,
            authorization_details,
            ask_mode,
            scope_mode,
        })
    }
}

/// The resource owner: an object in a form can be written in three ways, which must say the same.
fn owner<'f>(form: &impl Fn(&str) -> Option<&'f str>, faults: &mut Faults) -> Option<ResOwnerId> {
    let mut read = |name| {
        let text = member(form, faults, name, MAX_NAME)?;
        ResOwnerId::from_form(text).map_err(|fault| faults.merge(Err(vec![fault]))).ok()
    };
    let (whole, gpsi) = (read("resOwnerId"), read("gpsi"));
    if whole.is_some() && gpsi.is_some() && whole != gpsi {
        faults.add("resOwnerId", "stands there twice");
    }
    whole.or(gpsi)
}

fn details<'f>(form: &impl Fn(&str) -> Option<&'f str>, faults: &mut Faults) -> Option<Vec<Value>> {
    let text = member(form, faults, "authorization_details", MAX_DETAILS)?;
    match strict_json::parse(text.as_bytes(), MAX_DEPTH) {
        Ok(Value::Array(elements)) => Some(elements),
        _ => {
            faults.add("authorization_details", "is not a list in JSON");
            None
        }
    }
}

/// The answer to a token request (TS 29.222). `authorization_details` stands there only if the request had it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AccessTokenRsp {
    /// The access token.
    pub access_token: Secret,
    /// `Bearer`.
    pub token_type: String,
    /// Seconds that the token lives.
    pub expires_in: u32,
    /// The scope granted, if it is another than asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// What was granted in detail (RFC 9396 7).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Vec<crate::oauth::AuthorizationDetail>>)]
    pub authorization_details: Option<Vec<Value>>,
}

/// The refusal of a token request (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AccessTokenErr {
    /// The error.
    pub error: TokenError,
    /// Constant per error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_description: Option<String>,
    /// Where more is said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error_uri: Option<String>,
}

impl Validate for AccessTokenErr {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.word(self.error.as_str(), at, "error");
        faults.opt_text(self.error_description.as_ref(), super::MAX_DESCRIPTION, at, "error_description");
        faults.opt_text(self.error_uri.as_ref(), MAX_URI, at, "error_uri");
        faults.done()
    }
}

impl Validate for AccessTokenRsp {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let length = self.access_token.expose().len();
        faults.require((1..=super::MAX_TOKEN).contains(&length), at, "access_token", "is empty or too long");
        let bearer = self.token_type.eq_ignore_ascii_case("Bearer");
        faults.require(bearer, at, "token_type", "is not Bearer");
        faults.opt_text(self.scope.as_ref(), MAX_SCOPE, at, "scope");
        faults.done()
    }
}
