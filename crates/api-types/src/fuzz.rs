//! Entry points for fuzzing: what reads bytes from outside. None may panic.

use serde_json::Value;

use crate::admin;
use crate::capif::{
    access_control, aef_security, discover, events, invoker, logging, open_discover, provider, publish,
    resource_auth, routing, security, token,
};
use crate::geo::{LocationInfo, Pose, ServiceArea};
use crate::query::Query;
use crate::san::{SpatialAnchorsList, SpatialAnchorsListPatch, SpatialAnchorsSub};
use crate::sm::{SpatialMap, SpatialMapCreateReq, SpatialMapPatch, SpatialMapsDiscFilter};
use crate::validate::Validate;
use crate::{merge_patch, strict_json};

/// Depth that the routes use.
const DEPTH: usize = 32;

/// Strict JSON: what is read can be written and read again.
pub fn fuzz_strict_json(bytes: &[u8]) {
    if let Ok(value) = strict_json::parse(bytes, DEPTH) {
        let text = value.to_string();
        assert!(strict_json::parse(text.as_bytes(), DEPTH).is_ok() || text.len() > strict_json::MAX_BYTES);
    }
}

fn read<T: serde::de::DeserializeOwned + serde::Serialize + Validate>(bytes: &[u8]) -> Option<T> {
    let value: T = strict_json::from_slice(bytes, DEPTH).ok()?;
    let verdict = value.validate("");
    // What is valid stays valid on its way through the store.
    if verdict.is_ok() {
        let text = serde_json::to_vec(&value).unwrap_or_default();
        assert!(strict_json::from_slice::<T>(&text, strict_json::MAX_DEPTH).is_ok());
    }
    Some(value)
}

/// Bodies of `ssan-sanm`.
pub fn fuzz_san_list(bytes: &[u8]) {
    if let Some(mut list) = read::<SpatialAnchorsList>(bytes) {
        list.strip_own_members();
        assert!(!list.has_own_members());
    }
    let _ = read::<SpatialAnchorsListPatch>(bytes);
    let _ = read::<SpatialAnchorsSub>(bytes);
}

/// Bodies of `ssm-smm`.
pub fn fuzz_sm_map(bytes: &[u8]) {
    let _ = read::<SpatialMapCreateReq>(bytes);
    let _ = read::<SpatialMap>(bytes);
    let _ = read::<SpatialMapPatch>(bytes);
}

/// Service areas.
pub fn fuzz_service_area(bytes: &[u8]) {
    let _ = read::<ServiceArea>(bytes);
}

/// Queries of `ssan-disc` and `ssm-disc`.
pub fn fuzz_query(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(query) = Query::parse(text) else { return };
    let _ = query.valid::<ServiceArea>("area-int");
    let _ = query.valid::<LocationInfo>("loc-info");
    let _ = query.valid::<Pose>("pose");
    let _ = query.valid::<SpatialMapsDiscFilter>("map-disc-fltr");
    let _ = query.csv_u32("anchor-ids");
    let _ = query.base64("anch-inf");
    let _ = (query.text("svc-id"), query.text("app-svc-id"), query.raw("limit"));
}

/// Bodies of the admin API.
pub fn fuzz_admin_body(bytes: &[u8]) {
    let _ = read::<admin::User>(bytes);
    let _ = read::<admin::Client>(bytes);
    let _ = read::<admin::Service>(bytes);
    let _ = read::<admin::Policy>(bytes);
    let _ = read::<admin::PolicyExplain>(bytes);
    let _ = read::<admin::RevocationRequest>(bytes);
    let _ = read::<admin::Rotate>(bytes);
    let _ = read::<admin::Position>(bytes);
    let _ = read::<admin::TestClock>(bytes);
}

/// Bodies of the APIs of TS 29.222.
pub fn fuzz_capif_body(bytes: &[u8]) {
    let _ = read::<provider::APIProviderEnrolmentDetails>(bytes);
    let _ = read::<provider::APIProviderEnrolmentDetailsPatch>(bytes);
    let _ = read::<invoker::APIInvokerEnrolmentDetails>(bytes);
    let _ = read::<invoker::APIInvokerEnrolmentDetailsPatch>(bytes);
    let _ = read::<invoker::OnboardingNotification>(bytes);
    let _ = read::<publish::ServiceAPIDescription>(bytes);
    let _ = read::<publish::ServiceAPIDescriptionPatch>(bytes);
    let _ = read::<discover::DiscoveredAPIs>(bytes);
    let _ = read::<open_discover::OpenDiscoveryResp>(bytes);
    let _ = read::<security::ServiceSecurity>(bytes);
    let _ = read::<security::SecurityNotification>(bytes);
    let _ = read::<token::AccessTokenRsp>(bytes);
    let _ = read::<token::AccessTokenErr>(bytes);
    let _ = read::<events::EventSubscription>(bytes);
    let _ = read::<events::EventSubscriptionPatch>(bytes);
    let _ = read::<events::EventNotification>(bytes);
    let _ = read::<access_control::AccessControlPolicyList>(bytes);
    let _ = read::<logging::InvocationLog>(bytes);
    let _ = read::<logging::InvocationLogs>(bytes);
    let _ = read::<routing::RoutingInfo>(bytes);
    let _ = read::<aef_security::CheckAuthenticationReq>(bytes);
    let _ = read::<aef_security::CheckAuthenticationRsp>(bytes);
    let _ = read::<aef_security::RevokeAuthorizationReq>(bytes);
    let _ = read::<aef_security::RevokeAuthorizationRsp>(bytes);
    if let Ok(patch) = strict_json::parse(bytes, DEPTH) {
        let named = r#"{"apiName":"n","description":"d","apiStatus":{"aefIds":[]}}"#;
        if let Ok(api) = serde_json::from_str::<publish::ServiceAPIDescription>(named) {
            let _ = api.patched(&patch);
        }
    }
}

/// Bodies of `capif-resource-auth`.
pub fn fuzz_capif_resource_auth(bytes: &[u8]) {
    let _ = read::<resource_auth::ResourceAuthInfo>(bytes);
    let _ = read::<resource_auth::ResourceAuthPatch>(bytes);
    let _ = read::<resource_auth::ResourceAuthBatch>(bytes);
    let _ = read::<resource_auth::OwnerPolicies>(bytes);
    let _ = read::<resource_auth::ResourceAuthSubscription>(bytes);
    let _ = read::<resource_auth::AskDecision>(bytes);
    let _ = read::<resource_auth::ResourceAuthNotification>(bytes);
}

/// Queries of the APIs of TS 29.222.
pub fn fuzz_capif_query(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(query) = Query::parse(text) else { return };
    let _ = discover::DiscoverFilter::parse(&query);
    let _ = open_discover::OpenDiscoverFilter::parse(&query);
    let _ = logging::AuditFilter::parse(&query);
    let _ = access_control::AccessControlFilter::parse(&query);
    let _ = routing::RoutingFilter::parse(&query);
    let _ = security::TrustedInvokerQuery::parse(&query);
}

/// The form of a token request of the CAPIF core function.
pub fn fuzz_capif_token_form(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(form) = Query::parse(text) else { return };
    let _ = token::AccessTokenReq::from_form(|name| form.raw(name));
}

/// A merge patch: the first line is the target, the rest the patch.
pub fn fuzz_merge_patch(bytes: &[u8]) {
    let cut = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (target, patch) = bytes.split_at(cut);
    let (Ok(mut target), Ok(patch)) = (strict_json::parse(target, DEPTH), strict_json::parse(patch, DEPTH))
    else {
        return;
    };
    if let Ok(list) = serde_json::from_value::<SpatialAnchorsList>(target.clone()) {
        let _ = list.patched(&patch);
    }
    merge_patch::apply(&mut target, &patch);
    let once: Value = target.clone();
    merge_patch::apply(&mut target, &patch);
    assert_eq!(once, target);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn all(bytes: &[u8]) {
        fuzz_strict_json(bytes);
        fuzz_san_list(bytes);
        fuzz_sm_map(bytes);
        fuzz_service_area(bytes);
        fuzz_query(bytes);
        fuzz_admin_body(bytes);
        fuzz_merge_patch(bytes);
        fuzz_capif_body(bytes);
        fuzz_capif_resource_auth(bytes);
        fuzz_capif_query(bytes);
        fuzz_capif_token_form(bytes);
    }

    const SEED: &str = r#"{"valServInfo":{"serviceId":"m","endPt":{"uri":"https://v.example"}},"anchors":{"a1":{"posInfo":{"spaMapPos":{"spaMapId":"17"}},"visibility":"PRIVATE","rules":{"valServiceList":["m"]}}}}"#;

    /// Bodies and queries with every member.
    const CAPIF: [&str; 5] = [
        include_str!("../../../fuzz/corpus/capif_body/APIInvokerEnrolmentDetails.json"),
        include_str!("../../../fuzz/corpus/capif_body/EventSubscription.json"),
        include_str!("../../../fuzz/corpus/capif_body/ServiceSecurity.json"),
        include_str!("../../../fuzz/corpus/capif_resource_auth/resource.json"),
        include_str!("../../../fuzz/corpus/capif_query/discover.txt"),
    ];

    proptest! {
        #[test]
        fn a_spoiled_body_of_capif(which in 0..CAPIF.len(), place in any::<prop::sample::Index>(), byte in any::<u8>()) {
            let mut bytes = CAPIF[which].as_bytes().to_vec();
            let at = place.index(bytes.len());
            bytes[at] = byte;
            fuzz_capif_body(&bytes);
            fuzz_capif_resource_auth(&bytes);
            fuzz_capif_query(&bytes);
            fuzz_capif_token_form(&bytes);
        }

        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            all(&bytes);
        }

        #[test]
        fn a_spoiled_body(at in 0..SEED.len(), byte in any::<u8>(), cut in 0..SEED.len()) {
            let mut bytes = SEED.as_bytes().to_vec();
            bytes[at] = byte;
            all(&bytes);
            all(&bytes[..cut]);
        }
    }
}
