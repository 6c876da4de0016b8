//! Writing JSON Web Tokens (RFC 7519 7.1).

use serde::Serialize;
use serde_json::{Map, Value};

use crate::{JoseError, MAX_TOKEN, Signer, base64url};

/// Signs claims as a compact token with the header `alg`, `typ`, `kid`.
///
/// # Errors
/// [`JoseError::Malformed`] when the claims are no JSON or too large to be read again, else what the signer says.
pub fn sign(signer: &dyn Signer, typ: &str, claims: &impl Serialize) -> Result<String, JoseError> {
    let mut header = Map::new();
    header.insert("alg".into(), signer.alg().as_str().into());
    header.insert("typ".into(), typ.into());
    header.insert("kid".into(), signer.kid().into());
    sign_with_header(signer, &Value::Object(header), claims)
}

/// Signs claims under a header that is given whole.
///
/// # Errors
/// As [`sign`].
pub fn sign_with_header(
    signer: &dyn Signer,
    header: &Value,
    claims: &impl Serialize,
) -> Result<String, JoseError> {
    let header = serde_json::to_vec(header).map_err(|_| JoseError::Malformed)?;
    let claims = serde_json::to_vec(claims).map_err(|_| JoseError::Malformed)?;
    let mut token = String::with_capacity((header.len() + claims.len()) * 4 / 3 + 96);
    base64url::encode_onto(header, &mut token);
    token.push('.');
    base64url::encode_onto(claims, &mut token);
    let signature = signer.sign(token.as_bytes())?;
    token.push('.');
    base64url::encode_onto(signature, &mut token);
    if token.len() > MAX_TOKEN { Err(JoseError::Malformed) } else { Ok(token) }
}
