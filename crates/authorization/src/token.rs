//! The checks that a server makes on a verified access token: issuer, audience, what the issuer may assert, time
//! (TS 33.434 A.2.2, RFC 9068 4; attacks A11 to A15).
//!
//! Pure: the signature is verified before, in `jose`, and the caller passes the time.

use crate::{AccessClaims, IssuerRow, Reason};

/// Clock skew that is forgiven at `exp` and `nbf`, in seconds. TS 33.434 A.2.1.2 allows no more.
pub const LEEWAY_S: i64 = 30;
/// How far ahead `iat` may be, in seconds. Own value.
pub const IAT_AHEAD_S: i64 = 60;

/// What a token has to be for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The row under which the signature was verified.
    pub issuer: &'a IssuerRow,
    /// The url of this server.
    pub audience: &'a str,
    /// Now, in seconds since 1970-01-01T00:00:00Z.
    pub now_s: i64,
}

/// Decides whether a token is good here and now. Integers only.
///
/// # Errors
/// The first check that fails, in this order: issuer, audience, claims of another issuer, expiry, not yet valid. A token
/// is expired from `exp + LEEWAY_S` on, that second included.
pub fn check(claims: &AccessClaims, want: &Expected<'_>) -> Result<(), Reason> {
    if claims.iss != want.issuer.issuer {
        return Err(Reason::IssuerWrong);
    }
    let audience = want.issuer.audience.as_deref().unwrap_or(want.audience);
    if claims.aud.one() != Some(audience) {
        return Err(Reason::AudienceWrong);
    }
    want.issuer.may_assert(claims)?;
    check_time(claims, want.now_s)
}

/// The part of [`check`] that has to be made again whenever a cached token is used.
///
/// # Errors
/// [`Reason::Expired`] or [`Reason::NotYetValid`].
pub fn check_time(claims: &AccessClaims, now_s: i64) -> Result<(), Reason> {
    if now_s >= claims.exp.0.saturating_add(LEEWAY_S) {
        return Err(Reason::Expired);
    }
    let not_before = claims.nbf.is_some_and(|nbf| nbf.0 > now_s.saturating_add(LEEWAY_S));
    if not_before || claims.iat.0 > now_s.saturating_add(IAT_AHEAD_S) {
        return Err(Reason::NotYetValid);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{AUDIENCE, ISSUER, NOW, claims, claims_json, sim};

    fn decide(spoil: impl FnOnce(&mut Value)) -> Result<(), Reason> {
        check(&claims(spoil), &Expected { issuer: &sim(), audience: AUDIENCE, now_s: NOW })
    }

    type Row = (&'static str, fn(&mut Value), Result<(), Reason>);
    const OK: Result<(), Reason> = Ok(());

    #[test]
    fn one_spoiled_claim_is_refused_for_its_own_reason() {
        use Reason::{AudienceWrong, ClaimNotItsIssuers, Expired, IssuerWrong, NotYetValid};
        #[rustfmt::skip] // a table stays a table
        let rows: [Row; 37] = [
            ("as it is", |_| {}, OK),
            ("A15 another issuer", |c| c["iss"] = "https://sim.other.example".into(), Err(IssuerWrong)),
            ("A15 trailing slash", |c| c["iss"] = "https://sim.example/".into(), Err(IssuerWrong)),
            ("A15 upper case", |c| c["iss"] = "https://SIM.example".into(), Err(IssuerWrong)),
            ("A14 another server", |c| c["aud"] = "https://sm.example".into(), Err(AudienceWrong)),
            ("A14 trailing slash", |c| c["aud"] = "https://san.example/".into(), Err(AudienceWrong)),
            ("A14 array of its own", |c| c["aud"] = json!([AUDIENCE]), OK),
            ("A14 own and another", |c| c["aud"] = json!([AUDIENCE, "https://evil.example"]), Err(AudienceWrong)),
            ("A14 another and own", |c| c["aud"] = json!(["https://evil.example", AUDIENCE]), Err(AudienceWrong)),
            ("A14 own twice", |c| c["aud"] = json!([AUDIENCE, AUDIENCE]), Err(AudienceWrong)),
            ("A14 no audience", |c| c["aud"] = json!([]), Err(AudienceWrong)),
            ("A14 empty audience", |c| c["aud"] = "".into(), Err(AudienceWrong)),
            ("A14 both in one text", |c| c["aud"] = format!("{AUDIENCE} https://evil.example").into(), Err(AudienceWrong)),
            ("A11 exp 31 s ago", |c| c["exp"] = (NOW - 31).into(), Err(Expired)),
            ("A11 exp 30 s ago", |c| c["exp"] = (NOW - 30).into(), Err(Expired)),
            ("A11 exp 29 s ago", |c| c["exp"] = (NOW - 29).into(), OK),
            ("A11 exp now", |c| c["exp"] = NOW.into(), OK),
            ("A11 exp 1970", |c| c["exp"] = 0.into(), Err(Expired)),
            ("A13 exp at the end of time", |c| c["exp"] = i64::MAX.into(), OK),
            ("A12 nbf in 31 s", |c| c["nbf"] = (NOW + 31).into(), Err(NotYetValid)),
            ("A12 nbf in 30 s", |c| c["nbf"] = (NOW + 30).into(), OK),
            ("A12 nbf in 29 s", |c| c["nbf"] = (NOW + 29).into(), OK),
            ("A12 nbf at the end of time", |c| c["nbf"] = i64::MAX.into(), Err(NotYetValid)),
            ("A12 iat in 61 s", |c| c["iat"] = (NOW + 61).into(), Err(NotYetValid)),
            ("A12 iat in 60 s", |c| c["iat"] = (NOW + 60).into(), OK),
            ("A12 iat in 59 s", |c| c["iat"] = (NOW + 59).into(), OK),
            ("old iat", |c| c["iat"] = 0.into(), OK),
            ("expired and from the future", |c| { c["exp"] = 0.into(); c["iat"] = (NOW + 61).into(); }, Err(Expired)),
            ("Digital_profile", |c| c["Digital_profile"] = "alice bob".into(), OK),
            ("SKeyProv", |c| c["SKeyProv"] = "tour".into(), OK),
            ("resOwnerId is a CCF's", |c| c["resOwnerId"] = "alice".into(), Err(ClaimNotItsIssuers)),
            ("its own details", |c| c["authorization_details"] = json!([{ "type": "3gpp_spatial_anchor", "actions": ["read"] }]), OK),
            ("avatar details are a CCF's", |c| c["authorization_details"] = json!([{ "type": "3gpp_avatar" }]), Err(ClaimNotItsIssuers)),
            ("one of two details is a CCF's", |c| c["authorization_details"] = json!([{ "type": "3gpp_spatial_map" }, { "type": "3gpp_avatar" }]), Err(ClaimNotItsIssuers)),
            ("unknown details", |c| c["authorization_details"] = json!([{ "type": "payment" }]), Err(ClaimNotItsIssuers)),
            ("claims that nobody reads", |c| c["email"] = "a@b".into(), OK),
            ("wrong everywhere", |c| { c["iss"] = "x".into(); c["aud"] = "x".into(); c["exp"] = 0.into(); }, Err(IssuerWrong)),
        ];
        for (what, spoil, expected) in rows {
            assert_eq!(decide(spoil), expected, "{what}");
        }
    }

    #[test]
    fn another_issuer_asserts_only_what_its_row_allows() {
        let mut foreign = sim();
        foreign.claims = vec![crate::issuer_table::RestrictedClaim::Users];
        foreign.details.clear();
        let want = Expected { issuer: &foreign, audience: AUDIENCE, now_s: NOW };
        assert_eq!(check(&claims(|_| {}), &want), OK);
        for (claim, value) in [
            ("Digital_profile", json!("alice")),
            ("SKeyProv", json!("tour")),
            ("resOwnerId", json!("alice")),
            ("authorization_details", json!([{ "type": "3gpp_spatial_anchor" }])),
        ] {
            let claims = claims(|c| c[claim] = value.clone());
            assert_eq!(check(&claims, &want), Err(Reason::ClaimNotItsIssuers), "{claim}");
        }
    }

    /// A13 and the rest of the types, through a signed token, as a server reads it.
    #[test]
    fn a_claim_of_another_type_is_malformed() {
        let key = jose::EcKey::generate_with(|bytes| {
            bytes.fill(1);
            Ok(())
        })
        .unwrap();
        let read = |claims: &Value| {
            let token = jose::jwt::sign(&key, "at+jwt", claims)?;
            let parsed = jose::compact::parse(&token, &jose::HeaderPolicy::access_token())?;
            parsed.verify(&key.verifying_key().unwrap())?.claims::<AccessClaims>()
        };
        let read = |claims: &Value| read(claims).map_err(|error: jose::JoseError| Reason::from(error));
        assert!(read(&claims_json()).is_ok());
        for name in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id", "scope", "sub_type", "rev"] {
            let mut claims = claims_json();
            claims.as_object_mut().unwrap().remove(name);
            assert_eq!(read(&claims), Err(Reason::TokenMalformed), "without {name}");
        }
        for name in [
            "nbf",
            "cnf",
            "val_user_id",
            "val_ue_id",
            "val_service_id",
            "gpsi",
            "ext_id",
            "authorization_details",
            "act",
            "Digital_profile",
            "SKeyProv",
            "resOwnerId",
        ] {
            let mut claims = claims_json();
            claims.as_object_mut().unwrap().remove(name);
            assert!(read(&claims).is_ok(), "without {name}");
            claims[name] = Value::Null;
            assert_eq!(read(&claims), Err(Reason::TokenMalformed), "{name} null");
        }
        let many = |n: usize| (0..n).map(|n| n.to_string()).collect::<Vec<_>>();
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("A13 float", "exp", json!(NOW as f64 + 0.5)), ("A13 whole float", "exp", json!(NOW as f64)), ("A13 text", "exp", json!(NOW.to_string())), ("A13 negative", "exp", json!(-1)),
            ("A13 2^63", "exp", json!(1_u64 << 63)), ("A13 2^64 - 1", "exp", json!(u64::MAX)), ("A13 list", "exp", json!([NOW])), ("A13 true", "exp", json!(true)),
            ("float", "iat", json!(1.5)), ("negative", "nbf", json!(-1)), ("text", "nbf", json!("1")), ("negative", "rev", json!(-1)), ("text", "rev", json!("5")), ("float", "rev", json!(5.0)),
            ("number", "iss", json!(1)), ("empty", "sub", json!("")), ("256 bytes", "sub", json!("s".repeat(256))), ("line break", "sub", json!("a\nb")), ("list", "sub", json!(["a"])),
            ("number", "aud", json!(1)), ("list of numbers", "aud", json!([1])), ("object", "aud", json!({})),
            ("empty", "jti", json!("")), ("129 characters", "jti", json!("j".repeat(129))), ("slash", "client_id", json!("a/b")), ("empty", "client_id", json!("")),
            ("two blanks", "scope", json!("a  b")), ("list", "scope", json!(["a"])), ("too long", "scope", json!("a".repeat(4097))), ("other", "sub_type", json!("User")), ("number", "sub_type", json!(1)),
            ("unknown method", "cnf", json!({ "jkt": "k", "jwk": {} })), ("number", "cnf", json!({ "jkt": 1 })), ("null", "cnf", json!({ "jkt": null })), ("text", "cnf", json!("k")),
            ("blank", "val_user_id", json!("a b")), ("text", "val_service_id", json!("tour")), ("65 of them", "val_service_id", json!(many(65))), ("bad one", "val_service_id", json!(["a/b"])),
            ("object", "authorization_details", json!({ "type": "3gpp_spatial_map" })), ("without type", "authorization_details", json!([{}])), ("33 of them", "authorization_details", json!(vec![json!({ "type": "3gpp_spatial_map" }); 33])),
            ("text", "act", json!("vs-1")), ("without sub", "act", json!({})), ("list", "Digital_profile", json!(["alice"])), ("number", "SKeyProv", json!(1)), ("object", "resOwnerId", json!({})),
        ];
        for (what, name, value) in rows {
            let mut claims = claims_json();
            claims[name] = value;
            assert_eq!(read(&claims), Err(Reason::TokenMalformed), "{name}: {what}");
        }
        for (what, name, value) in [
            ("255 bytes", "sub", json!("s".repeat(255))),
            ("128 characters", "jti", json!("j".repeat(128))),
            ("64 of them", "val_service_id", json!(many(64))),
            ("0", "exp", json!(0)),
            ("2^63 - 1", "exp", json!(i64::MAX)),
            ("deep actor", "act", json!({ "sub": "lm", "act": { "sub": "ue-1", "extra": 1 } })),
        ] {
            let mut claims = claims_json();
            claims[name] = value;
            assert!(read(&claims).is_ok(), "{name}: {what}");
        }
    }

    #[test]
    fn claims_survive_writing_and_show_nobody() {
        let claims = claims(|c| {
            c["authorization_details"] = json!([{ "type": "3gpp_spatial_anchor", "level": "INSTANCE" }]);
            c["act"] = json!({ "sub": "lm" });
        });
        let again: AccessClaims = serde_json::from_value(serde_json::to_value(&claims).unwrap()).unwrap();
        assert_eq!(again, claims);
        let shown = format!("{claims:?}");
        for secret in ["alice", "ue-a", "msisdn", "pairwise-1", "k-1"] {
            assert!(!shown.contains(secret), "{secret}");
        }
        assert!(shown.contains(ISSUER));
    }
}
