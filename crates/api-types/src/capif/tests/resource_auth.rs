use serde_json::json;

use super::*;
use crate::capif::resource_auth::{
    AskDecision, MAX_BATCH, MAX_ENTRIES, MAX_NONCE, MAX_POLICIES, OwnerPolicies, ResourceAuthBatch,
    ResourceAuthInfo, ResourceAuthNotification, ResourceAuthPatch, ResourceAuthSubscription,
};

/// Unlike the types of 3GPP, those of requests refuse what they do not know.
fn strict<T: DeserializeOwned + Serialize + Validate>(sample: &Value) {
    let value: T = read(sample.clone()).unwrap();
    assert_eq!(serde_json::to_value(&value).unwrap(), *sample);
    let mut more = sample.clone();
    more["unknownMember"] = true.into();
    assert!(read::<T>(more).is_err());
}

#[test]
fn samples_go_through_unchanged() {
    strict::<ResourceAuthInfo>(&sample!("capif_resource_auth/resource.json"));
    strict::<ResourceAuthInfo>(&sample!("capif_resource_auth/resource-small.json"));
    strict::<ResourceAuthPatch>(&sample!("capif_resource_auth/patch.json"));
    strict::<ResourceAuthBatch>(&sample!("capif_resource_auth/batch.json"));
    strict::<OwnerPolicies>(&sample!("capif_resource_auth/owner-policies.json"));
    strict::<ResourceAuthSubscription>(&sample!("capif_resource_auth/subscription.json"));
    strict::<AskDecision>(&sample!("capif_resource_auth/decision.json"));
    unchanged::<ResourceAuthNotification>(&sample!("capif_resource_auth/notification.json"));
}

#[test]
fn a_spoilt_resource_is_refused() {
    let resource = sample!("capif_resource_auth/resource.json");
    let policy = resource["authPolicies"][0].clone();
    #[rustfmt::skip] // a table stays a table
    refused::<ResourceAuthInfo>(&resource, vec![
        ("no resource", "/resourceId", Gone, "/resourceId"), ("wildcard", "/resourceId", set("L1/*"), "/resourceId"),
        ("prefix", "/resourceId", set("L1/"), "/resourceId"), ("way up", "/resourceId", set("L1/../L2"), "/resourceId"),
        ("no type", "/resourceType", Gone, "/resourceType"), ("unknown type", "/resourceType", set("3gpp_other"), "/resourceType"),
        ("no function", "/aefId", Gone, "/aefId"), ("no API", "/apiId", Gone, "/apiId"),
        ("no owner", "/owner", Gone, "/owner"), ("owner without a name", "/owner", set(json!({})), "/owner"),
        ("two owners", "/owner", set(json!({"apiInvokerId": "A", "resOwnerId": {"gpsi": "msisdn-1"}})), "/owner"),
        ("owner of another kind", "/owner", set(json!({"valUserId": "A"})), "/owner"),
        ("principal of nobody", "/owner", set(json!({"principal": {"iss": "https://sim.example", "sub": ""}})), "/owner/principal/sub"),
        ("principal of no issuer", "/owner", set(json!({"principal": {"iss": "", "sub": "A"}})), "/owner/principal/iss"),
        ("principal with more", "/owner", set(json!({"principal": {"iss": "I", "sub": "A", "gpsi": "B"}})), "/owner/gpsi"),
        ("unknown visibility", "/visibility", set("PUBLIC"), "/visibility"),
        ("unknown default", "/defaultDecision", set("PERMIT"), "/defaultDecision"),
        ("no version", "/policyVersion", Gone, "/policyVersion"), ("negative version", "/policyVersion", set(-1), "/policyVersion"),
        ("version out of range", "/policyVersion", set(u64::MAX), "/policyVersion"),
        ("too many policies", "/authPolicies", many(policy.clone(), MAX_POLICIES + 1), "/authPolicies"),
        ("a policy twice", "/authPolicies", many(policy, 2), "/authPolicies/1"),
        ("unknown member of a policy", "/authPolicies/0/except", set(1), "/authPolicies/0/except"),
        ("policy without a name", "/authPolicies/0/policyId", set(""), "/authPolicies/0/policyId"),
        ("no subject", "/authPolicies/0/subjects", many(0, 0), "/authPolicies/0/subjects"),
        ("too many subjects", "/authPolicies/0/subjects", many("ANY_ONBOARDED", MAX_ENTRIES + 1), "/authPolicies/0/subjects"),
        ("unknown subject", "/authPolicies/0/subjects/4", set("ANYBODY"), "/authPolicies/0/subjects/4"),
        ("two in one subject", "/authPolicies/0/subjects/0", set(json!({"apiInvokerId": "A", "gpsi": "B"})), "/authPolicies/0/subjects/0"),
        ("empty group", "/authPolicies/0/subjects/1", set(json!({"apiInvokerGroup": ""})), "/authPolicies/0/subjects/1/apiInvokerGroup"),
        ("no action", "/authPolicies/0/actions", many("", 0), "/authPolicies/0/actions"),
        ("unknown action", "/authPolicies/0/actions/0", set("write"), "/authPolicies/0/actions/0"),
        ("no part", "/authPolicies/0/servInfoIds", many("", 0), "/authPolicies/0/servInfoIds"),
        ("window", "/authPolicies/0/timeWindows/0/stopTime", set("2025-01-01T00:00:00Z"), "/authPolicies/0/timeWindows/0/stopTime"),
        ("area", "/authPolicies/0/serviceArea/geoServAr/geoArs", many(0, 0), "/authPolicies/0/serviceArea/geoServAr/geoArs"),
        ("purpose", "/authPolicies/0/purposes/0", set(""), "/authPolicies/0/purposes/0"),
        ("no effect", "/authPolicies/0/effect", Gone, "/authPolicies/0/effect"),
        ("unknown effect", "/authPolicies/0/effect", set("MAYBE"), "/authPolicies/0/effect"),
    ]);
    taken::<ResourceAuthInfo>(&resource, vec![("no policy", "/authPolicies", many(0, 0))]);
}

#[test]
fn other_spoilt_bodies_are_refused() {
    #[rustfmt::skip] // a table stays a table
    refused::<ResourceAuthPatch>(&sample!("capif_resource_auth/patch.json"), vec![
        ("no version", "/policyVersion", Gone, "/policyVersion"), ("owner", "/owner", set(json!({"apiInvokerId": "A"})), "/owner"),
        ("policy", "/authPolicies", many(json!({}), 1), "/authPolicies/0/policyId"),
    ]);
    let batch = sample!("capif_resource_auth/batch.json");
    let resource = batch["resources"][0].clone();
    #[rustfmt::skip] // a table stays a table
    refused::<ResourceAuthBatch>(&batch, vec![
        ("none", "/resources", many(0, 0), "/resources"), ("too many", "/resources", many(resource, MAX_BATCH + 1), "/resources"),
        ("inside", "/resources/0/authPolicies/0/actions", many("", 0), "/resources/0/authPolicies/0/actions"),
    ]);
    #[rustfmt::skip] // a table stays a table
    refused::<ResourceAuthSubscription>(&sample!("capif_resource_auth/subscription.json"), vec![
        ("no event", "/events", many("", 0), "/events"), ("no URI", "/notificationDestination", set("x"), "/notificationDestination"),
    ]);
    #[rustfmt::skip] // a table stays a table
    refused::<AskDecision>(&sample!("capif_resource_auth/decision.json"), vec![
        ("no nonce", "/nonce", Gone, "/nonce"), ("long nonce", "/nonce", long(MAX_NONCE + 1), "/nonce"),
        ("no effect", "/effect", Gone, "/effect"), ("unknown effect", "/effect", set("ASK"), "/effect"),
    ]);
    #[rustfmt::skip] // a table stays a table
    refused::<ResourceAuthNotification>(&sample!("capif_resource_auth/notification.json"), vec![
        ("no event", "/event", Gone, "/event"), ("empty nonce", "/ask/nonce", set(""), "/ask/nonce"), ("no action", "/ask/actions", many("", 0), "/ask/actions"),
    ]);
    let policies = sample!("capif_resource_auth/owner-policies.json");
    refused::<OwnerPolicies>(&policies, vec![("no list", "/authPolicies", Gone, "/authPolicies")]);
    taken::<OwnerPolicies>(&policies, vec![("none", "/authPolicies", many(0, 0))]);
}
