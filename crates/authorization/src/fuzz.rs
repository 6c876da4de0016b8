//! Entry points for fuzzing: arbitrary bytes in, never a panic.

use api_types::ids::PolicyId;

use crate::area::Point;
use crate::policy::{Ask, Policy, Position, decide};
use crate::{AccessClaims, Catalogue, Reason, ScopeSet, access_rules, token};

/// Claims of a token, and what is decided from them.
pub fn fuzz_claims(bytes: &[u8]) {
    let Ok(claims) = api_types::strict_json::from_slice::<AccessClaims>(bytes, jose::MAX_DEPTH) else {
        return;
    };
    let row = crate::IssuerRow::sim(claims.iss.clone(), "https://sim.example/jwks");
    let audience = claims.aud.one().unwrap_or_default();
    for now_s in [0, 1_800_000_000, i64::MAX] {
        let _ = token::check(&claims, &token::Expected { issuer: &row, audience, now_s });
    }
    let caller = crate::Caller::from_claims(&claims, "kid", None);
    let _ = access_rules::held_by(&caller);
}

/// A scope parameter. What was read can be written and read again.
pub fn fuzz_scope(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(scopes) = ScopeSet::parse(text) else { return };
    debug_assert_eq!(ScopeSet::parse(&scopes.to_string()).as_ref(), Ok(&scopes));
    let catalogue = Catalogue::new();
    let single = catalogue.single_target(&scopes);
    debug_assert!(single.is_ok() || matches!(single, Err(Reason::ScopeUnknown | Reason::TargetWrong)));
    debug_assert!(scopes.is_subset_of(&scopes));
    let _ = catalogue.expand(&scopes);
}

/// A rule as the operator wrote it, and what it decides. A DENY is never a permit.
pub fn fuzz_policy(bytes: &[u8]) {
    let Ok(wire) = api_types::strict_json::from_slice::<api_types::admin::Policy>(bytes, 32) else { return };
    let Ok(id) = PolicyId::try_from("p-1") else { return };
    let Ok(policy) = Policy::from_wire(id, 1, &wire) else { return };
    let rules = [policy];
    for position in [Position::At(Point::new(7.4, 46.9)), Position::Unknown, Position::Later] {
        let ask = Ask {
            subjects: &["alice", "ue-1"],
            service: Some("spatial-anchor-mgmt"),
            action: None,
            resource: None,
            position,
            now_s: 1_800_000_000,
        };
        let decision = decide(&rules, &ask);
        debug_assert!(wire.effect == crate::policy::Effect::Permit || !decision.is_permit());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::testing::claims_json;

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            super::fuzz_claims(&bytes);
            super::fuzz_scope(&bytes);
            super::fuzz_policy(&bytes);
        }

        #[test]
        fn spoiled_rules_never_panic(at in 0..400_usize, byte in any::<u8>()) {
            let rule = serde_json::json!({
                "class": "local", "effect": "DENY", "subjects": ["alice"], "services": ["spatial-anchor-mgmt"],
                "period": { "startTime": "2026-01-01T00:00:00Z", "stopTime": "2036-01-01T00:00:00Z" },
                "area": { "geoServAr": { "geoArs": [{ "shape": "POINT", "point": { "lon": 7.4, "lat": 46.9 } }] } },
            });
            let mut bytes = rule.to_string().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            super::fuzz_policy(&bytes);
        }

        #[test]
        fn nearly_scopes_never_panic(text in "(3gpp:(seal|val):[a-z.]{0,8}| |openid){0,8}") {
            super::fuzz_scope(text.as_bytes());
        }

        #[test]
        fn spoiled_claims_never_panic(at in 0..400_usize, byte in any::<u8>()) {
            let mut bytes = claims_json().to_string().into_bytes();
            let at = at % bytes.len();
            bytes[at] = byte;
            super::fuzz_claims(&bytes);
        }
    }
}
