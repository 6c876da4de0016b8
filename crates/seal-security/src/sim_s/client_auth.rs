//! Client authentication (RFC 6749 2.3, RFC 7523 2.2, RFC 8705 2): exactly one method, and the one registered.

use aws_lc_rs::constant_time;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use jose::compact::{self, HeaderPolicy};
use jose::{Jwks, sha256};
use serde::Deserialize;
use service_http::peer::{CertRole, PeerCertificate};
use store::clients::ClientRecord;

use super::error::OAuthError;
use super::form::{Form, unescape_text};

/// `client_assertion_type` of RFC 7523 2.2.
pub const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Longest life of a client assertion, in seconds. Own value.
pub const MAX_ASSERTION_S: i64 = 300;

/// Clock skew that is forgiven, in seconds.
const LEEWAY_S: i64 = 30;

/// Longest `jti`, in characters. Own value.
const MAX_JTI: usize = 128;

/// Kind of the once-only rows of client assertions.
const ASSERTION_JTI: &str = "client_assertion";

/// Something that may be used once; it is used up in the transaction that grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    /// Kind of row.
    pub kind: &'static str,
    /// What.
    pub value: String,
    /// Until when it must be remembered, in seconds since 1970.
    pub expires_s: i64,
}

/// What a request shows of its client, before anything is believed.
#[derive(Clone, PartialEq, Eq)]
pub enum Presented {
    /// Secret, in the header or in the body.
    Secret {
        /// Who it says it is.
        client_id: String,
        /// The secret.
        secret: api_types::Secret,
    },
    /// Signed assertion.
    Assertion {
        /// Who it says it is.
        client_id: String,
        /// The assertion.
        jwt: String,
    },
    /// Certificate of the connection.
    Certificate {
        /// Who it says it is.
        client_id: String,
    },
    /// Certificate of a function of this system.
    Function {
        /// Its name.
        name: String,
    },
}

impl Presented {
    /// Who it says it is.
    #[must_use]
    pub fn client_id(&self) -> &str {
        match self {
            Self::Secret { client_id, .. }
            | Self::Assertion { client_id, .. }
            | Self::Certificate { client_id } => client_id,
            Self::Function { name } => name,
        }
    }
}

/// Finds the one method that a request uses.
///
/// # Errors
/// `invalid_request` for two methods at once, `invalid_client` for none, and for names that contradict each other.
pub fn presented(
    headers: &HeaderMap,
    form: &Form,
    certificate: Option<&PeerCertificate>,
) -> Result<Presented, OAuthError> {
    let named = form.one("client_id");
    let header = basic(headers)?;
    let secret = form.one("client_secret");
    let assertion = form.one("client_assertion");
    let methods =
        usize::from(header.is_some()) + usize::from(secret.is_some()) + usize::from(assertion.is_some());
    if methods > 1 {
        return Err(OAuthError::malformed());
    }
    let shown = if let Some((client_id, secret)) = header {
        Presented::Secret { client_id, secret: api_types::Secret::new(secret) }
    } else if let Some(secret) = secret {
        let client_id = named.ok_or(OAuthError::client())?.to_owned();
        Presented::Secret { client_id, secret: api_types::Secret::new(secret) }
    } else if let Some(jwt) = assertion {
        if form.one("client_assertion_type") != Some(ASSERTION_TYPE) {
            return Err(OAuthError::malformed());
        }
        let client_id = match named {
            Some(client_id) => client_id.to_owned(),
            None => assertion_issuer(jwt)?,
        };
        Presented::Assertion { client_id, jwt: jwt.to_owned() }
    } else {
        let certificate = certificate.ok_or(OAuthError::client())?;
        match certificate.role {
            CertRole::Client => {
                Presented::Certificate { client_id: named.ok_or(OAuthError::client())?.to_owned() }
            }
            CertRole::Function => Presented::Function { name: certificate.name.clone() },
            _ => return Err(OAuthError::client()),
        }
    };
    // Whoever shows two names is neither, and the name in a certificate is one (design, section 3).
    if named.is_some_and(|named| named != shown.client_id()) {
        return Err(OAuthError::client());
    }
    if certificate.is_some_and(|certificate| certificate.name != shown.client_id()) {
        return Err(OAuthError::client());
    }
    Ok(shown)
}

/// Proves that the request comes from the client. Gives what must be used up with the grant.
///
/// # Errors
/// `invalid_client`.
pub fn verify(
    shown: &Presented,
    client: &ClientRecord,
    issuer: &str,
    now_s: i64,
) -> Result<Option<Once>, OAuthError> {
    let registered = client.registration.auth.as_str();
    match (shown, registered) {
        (Presented::Secret { secret, .. }, "client_secret_basic" | "client_secret_post") => {
            let known = client.secret_sha256.as_deref().ok_or(OAuthError::client())?;
            constant_time::verify_slices_are_equal(&sha256(secret.expose().as_bytes()), known)
                .map_err(|_| OAuthError::client())?;
            Ok(None)
        }
        (Presented::Assertion { jwt, .. }, "private_key_jwt") => {
            verify_assertion(jwt, client, issuer, now_s).map(Some)
        }
        // The certificate was verified in the handshake, and its name compared above.
        (Presented::Certificate { .. }, "tls_client_auth") => Ok(None),
        _ => Err(OAuthError::client()),
    }
}

/// `client_secret_basic`: both halves are form-encoded (RFC 6749 2.3.1).
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, OAuthError> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (value, None) = (values.next(), values.next()) else { return Err(OAuthError::malformed()) };
    let Some(value) = value else { return Ok(None) };
    let text = value.to_str().map_err(|_| OAuthError::client())?;
    let (scheme, credentials) = text.split_once(' ').ok_or(OAuthError::client())?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return Err(OAuthError::client());
    }
    let decoded = STANDARD.decode(credentials.trim()).map_err(|_| OAuthError::client())?;
    let decoded = String::from_utf8(decoded).map_err(|_| OAuthError::client())?;
    let (client_id, secret) = decoded.split_once(':').ok_or(OAuthError::client())?;
    let unescape = |text| unescape_text(text).map_err(|_| OAuthError::client());
    Ok(Some((unescape(client_id)?, unescape(secret)?)))
}

#[derive(Deserialize)]
struct Assertion {
    iss: String,
    sub: String,
    // A string and nothing else: an array lets one assertion work at two servers (CVE-2025-27370).
    aud: String,
    exp: i64,
    jti: String,
    iat: Option<i64>,
    nbf: Option<i64>,
}

fn assertion_issuer(jwt: &str) -> Result<String, OAuthError> {
    let parsed = compact::parse(jwt, &HeaderPolicy::client_assertion()).map_err(|_| OAuthError::client())?;
    parsed.unverified_issuer().map(str::to_owned).ok_or(OAuthError::client())
}

/// The checks of RFC 7523 3, with the issuer as the only audience.
fn verify_assertion(jwt: &str, client: &ClientRecord, issuer: &str, now_s: i64) -> Result<Once, OAuthError> {
    let wrong = |_| OAuthError::client();
    let parsed = compact::parse(jwt, &HeaderPolicy::client_assertion()).map_err(wrong)?;
    let jwks = client.registration.jwks.as_deref().ok_or(OAuthError::client())?;
    let jwks = Jwks::parse(jwks.as_bytes()).map_err(|_| OAuthError::client())?;
    let key = match parsed.header.kid.as_deref() {
        Some(kid) => jwks.key(kid),
        // Without a name only a key that stands alone is meant.
        None => jwks.only(),
    };
    let key = key.ok_or(OAuthError::client())?;
    let claims: Assertion = parsed.verify(key).and_then(|verified| verified.claims()).map_err(wrong)?;
    let name = client.client_id.as_str();
    let is_good = claims.iss == name
        && claims.sub == name
        && claims.aud == issuer
        && (1..=MAX_JTI).contains(&claims.jti.chars().count())
        && now_s < claims.exp.saturating_add(LEEWAY_S)
        && claims.exp <= now_s.saturating_add(MAX_ASSERTION_S)
        && claims.nbf.is_none_or(|nbf| nbf <= now_s.saturating_add(LEEWAY_S))
        && claims.iat.is_none_or(|iat| iat <= now_s.saturating_add(LEEWAY_S));
    if !is_good {
        return Err(OAuthError::client());
    }
    let value = format!("{name}:{}", claims.jti);
    Ok(Once { kind: ASSERTION_JTI, value, expires_s: claims.exp.saturating_add(LEEWAY_S + 1) })
}

/// Answers alike whether the client exists or not: a name that is not registered fails at the same step.
#[must_use]
pub const fn unknown() -> OAuthError {
    OAuthError::new(super::error::ErrorCode::InvalidClient, authorization::Reason::ClientUnknown)
}
