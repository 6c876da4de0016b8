//! Entry points for fuzzing: arbitrary bytes in, never a panic.

use api_types::ids::PolicyId;

use crate::area::Point;
use crate::capif::details::{Details, Element};
use crate::capif::invocation::{Grants, OPERATIONS};
use crate::capif::owner_policy::{Ask as OwnerAsk, Asker, ResourceAuth, Target, is_narrowing};
use crate::capif::scope::CapifScope;
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

/// A scope of CAPIF, as parameter and as claim. What was read can be written and read again.
pub fn fuzz_capif_scope(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(scope) = text.parse::<CapifScope>() else { return };
    debug_assert_eq!(scope.to_string().parse().as_ref(), Ok(&scope));
    debug_assert!(scope.is_subset_of(&scope) && scope.aefs().all(|aef| scope.apis(aef).count() > 0));
    if let Ok(claim) = scope.to_scope_set() {
        debug_assert_eq!(CapifScope::of(&claim).as_ref(), Ok(&scope));
    }
    let grants = Grants::new(&scope, &Details::default(), scope.aefs().next().unwrap_or_default());
    for operation in OPERATIONS {
        debug_assert_eq!(grants.check_operation(operation).is_ok(), grants.permits_api(operation.api));
    }
}

/// `authorization_details`, and what they grant. What was read can be written and read again; a detail more never opens
/// what a coarse token does not.
pub fn fuzz_authorization_details(bytes: &[u8]) {
    let others = ["3gpp_digital_asset", "3gpp_avatar"];
    let Ok(details) = Details::read(bytes, &others) else { return };
    debug_assert_eq!(Details::of_claim(&details.to_claim(), &others).as_ref(), Ok(&details));
    let Ok(scope) = CapifScope::of_aef("aef1", OPERATIONS.iter().map(|operation| operation.api)) else {
        return;
    };
    let narrow = Grants::new(&scope, &details, "aef1");
    let coarse = Grants::new(&scope, &Details::default(), "aef1");
    for operation in OPERATIONS {
        debug_assert!(
            narrow.check_operation(operation).is_err() || coarse.check_operation(operation).is_ok()
        );
    }
    for element in details.elements().iter().filter_map(Element::spatial) {
        let Some(instance) = element.level.instance() else { continue };
        for action in &element.actions {
            debug_assert!(!narrow.permits_instance(instance, *action) || narrow.any(element.kind, *action));
        }
    }
}

/// What an owner allows, as it was published. The owner may do everything; nothing is narrower than itself.
pub fn fuzz_owner_policy(bytes: &[u8]) {
    use api_types::capif::resource_auth::{DefaultDecision, ResourceAction, ResourceAuthInfo, ResourceOwner};
    let Ok(info) = api_types::strict_json::from_slice::<ResourceAuthInfo>(bytes, 32) else { return };
    let Ok(auth) = ResourceAuth::from_wire(&info, &[], DefaultDecision::Deny, true) else { return };
    debug_assert!(!is_narrowing(&auth, &auth));
    let owner = match &auth.owner {
        ResourceOwner::ApiInvokerId(id) => Asker { invoker: id.as_str(), ..Asker::default() },
        ResourceOwner::ResOwnerId(owner) => Asker { gpsi: Some(owner.gpsi.as_str()), ..Asker::default() },
        // Nobody at the core function is that owner.
        ResourceOwner::Principal(_) => return,
    };
    let part = ["menu".to_owned()];
    for who in [owner, Asker { invoker: "vs2", ..Asker::default() }] {
        for action in ResourceAction::ALL.iter().copied() {
            for target in [Target::Whole, Target::AllParts, Target::Parts(&part)] {
                let position = Position::Later;
                let ask = OwnerAsk { who, action, target, purpose: None, position, now_s: 1_800_000_000 };
                let decision = auth.decide(&ask);
                debug_assert!(who != owner || decision.verdict == crate::capif::grant::Verdict::Permit);
            }
        }
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
            super::fuzz_capif_scope(&bytes);
            super::fuzz_authorization_details(&bytes);
            super::fuzz_owner_policy(&bytes);
        }

        #[test]
        fn nearly_capif_scopes_never_panic(text in "3gpp#([a-c]{0,2}|[:;, ]|ssan-sanm){0,12}") {
            super::fuzz_capif_scope(text.as_bytes());
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
