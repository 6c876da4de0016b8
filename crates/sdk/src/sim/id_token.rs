//! The checks of an ID token that comes straight from the token endpoint (OpenID Connect Core 3.1.3.7).
//!
//! TLS to the issuer stands in for the signature there (item 6); the claims are checked.

use jose::HeaderPolicy;
use serde_json::Value;

use crate::error::SdkError;

/// Clock skew that is forgiven, in seconds (TS 33.434 A.2.1.2).
const LEEWAY_S: i64 = 30;

/// Checks an ID token.
pub(super) fn check(
    token: &str,
    issuer: &str,
    client_id: &str,
    nonce: Option<&str>,
    now_s: i64,
) -> Result<(), SdkError> {
    let parsed = jose::compact::parse(token, &HeaderPolicy::id_token())
        .map_err(|_| SdkError::Malformed("ID token"))?;
    let claims = parsed.unverified_claims();
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(issuer) {
        return Err(SdkError::IssuerWrong);
    }
    let aud = match claims.get("aud") {
        Some(Value::String(one)) => one == client_id,
        Some(Value::Array(list)) => list.len() == 1 && list[0] == client_id,
        _ => false,
    };
    let alive =
        claims.get("exp").and_then(Value::as_i64).is_some_and(|exp| now_s < exp.saturating_add(LEEWAY_S));
    let same_nonce = nonce.is_none_or(|nonce| text("nonce") == Some(nonce));
    if aud && alive && same_nonce { Ok(()) } else { Err(SdkError::Malformed("ID token")) }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    fn token(claims: &Value) -> String {
        let key = jose::EcKey::generate_with(|bytes| {
            bytes.fill(9);
            Ok(())
        })
        .unwrap();
        jose::jwt::sign(&key, "JWT", claims).unwrap()
    }

    #[test]
    fn one_spoiled_claim_refuses_the_token() {
        let good =
            || json!({"iss": "https://sim", "aud": "ue-1", "sub": "s", "exp": NOW, "iat": NOW, "nonce": "n"});
        let verdict = |claims: &Value| check(&token(claims), "https://sim", "ue-1", Some("n"), NOW);
        assert!(verdict(&good()).is_ok());
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &str, Value); 6] = [
            ("other issuer", "iss", json!("https://other")), ("other client", "aud", json!("ue-2")),
            ("two audiences", "aud", json!(["ue-1", "ue-2"])), ("leeway just over", "exp", json!(NOW - 30)),
            ("other nonce", "nonce", json!("m")), ("no nonce", "nonce", json!(null)),
        ];
        for (what, claim, value) in rows {
            let mut claims = good();
            claims[claim] = value;
            assert!(verdict(&claims).is_err(), "{what}");
        }
        assert!(check("no token", "https://sim", "ue-1", None, NOW).is_err());
    }
}
