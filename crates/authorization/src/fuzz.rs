//! Entry points for fuzzing: arbitrary bytes in, never a panic.

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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use crate::testing::claims_json;

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..256)) {
            super::fuzz_claims(&bytes);
            super::fuzz_scope(&bytes);
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
