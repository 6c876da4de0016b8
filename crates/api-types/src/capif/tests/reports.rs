use serde_json::json;

use super::*;
use crate::capif::access_control::{AccessControlPolicyList, MAX_POLICIES, TimeRangeList};
use crate::capif::events::{
    CAPIFEvent, EventNotification, EventSubscription, EventSubscriptionPatch, MAX_EVENTS,
};
use crate::capif::logging::{
    InvocationLog, InvocationLogs, InvocationLogsRetrieveRes, MAX_LOGS, MAX_PARAMETERS,
};
use crate::capif::routing::{MAX_RULES, RoutingInfo};
use crate::capif::{MAX_LIST, MAX_WORD};
use crate::date_time::DateTime;

#[test]
fn samples_go_through_unchanged() {
    unchanged::<EventSubscription>(&sample!("capif_body/EventSubscription.json"));
    unchanged::<EventSubscriptionPatch>(&sample!("capif_body/EventSubscriptionPatch.json"));
    unchanged::<EventNotification>(&sample!("capif_body/EventNotification.json"));
    unchanged::<AccessControlPolicyList>(&sample!("capif_body/AccessControlPolicyList.json"));
    unchanged::<InvocationLog>(&sample!("capif_body/InvocationLog.json"));
    unchanged::<InvocationLogs>(&sample!("capif_body/InvocationLogs.json"));
    unchanged::<RoutingInfo>(&sample!("capif_body/RoutingInfo.json"));
}

#[test]
fn a_spoilt_subscription_is_refused() {
    let subscription = sample!("capif_body/EventSubscription.json");
    #[rustfmt::skip] // a table stays a table
    refused::<EventSubscription>(&subscription, vec![
        ("no events", "/events", Gone, "/events"), ("empty events", "/events", many("", 0), "/events"),
        ("too many events", "/events", many("SERVICE_API_UPDATE", MAX_EVENTS + 1), "/events"),
        ("empty event", "/events/1", set(""), "/events/1"), ("long event", "/events/1", long(MAX_WORD + 1), "/events/1"),
        ("no filter", "/eventFilters", many(0, 0), "/eventFilters"),
        ("more filters than events", "/eventFilters", many(json!({}), 3), "/eventFilters"),
        ("no API in a filter", "/eventFilters/0/apiIds", many("", 0), "/eventFilters/0/apiIds"),
        ("API in a filter", "/eventFilters/0/apiIds/0", set("a b"), "/eventFilters/0/apiIds/0"),
        ("too many functions", "/eventFilters/0/aefIds", many("A", MAX_LIST + 1), "/eventFilters/0/aefIds"),
        ("no invoker in a filter", "/eventFilters/1/apiInvokerIds", many("", 0), "/eventFilters/1/apiInvokerIds"),
        ("report", "/eventReq/sampRatio", set(0), "/eventReq/sampRatio"),
        ("no destination", "/notificationDestination", Gone, "/notificationDestination"),
        ("no URI", "/notificationDestination", set(""), "/notificationDestination"),
        ("features", "/supportedFeatures", set("-1"), "/supportedFeatures"),
    ]);
    #[rustfmt::skip] // a table stays a table
    taken::<EventSubscription>(&subscription, vec![
        ("event of later", "/events/1", set("SOMETHING_ELSE")), ("fewer filters", "/eventFilters/1", Gone),
        ("empty request", "/eventReq", set(json!({}))), ("filter without a bound", "/eventFilters/0", set(json!({}))),
    ]);
    let read: EventSubscription = read(subscription).unwrap();
    let filtered: Vec<_> = read.filtered().map(|(event, filter)| (event.clone(), filter.is_some())).collect();
    assert_eq!(filtered, [(CAPIFEvent::ServiceApiAvailable, true), (CAPIFEvent::ApiInvokerOnboarded, true)]);
    let after = read
        .patched(&json!({"events": ["SERVICE_API_UPDATE"], "eventFilters": null, "supportedFeatures": "0"}))
        .unwrap();
    assert_eq!((after.events.len(), after.event_filters.is_none()), (1, true));
    assert_eq!(after.supported_features, read.supported_features);
    assert!(after.filtered().all(|(_, filter)| filter.is_none()));
    assert_eq!(read.patched(&json!({"events": ["X"]})).unwrap_err()[0].param, "/eventFilters");
}

#[test]
fn a_spoilt_notification_is_refused() {
    let told = sample!("capif_body/EventNotification.json");
    #[rustfmt::skip] // a table stays a table
    refused::<EventNotification>(&told, vec![
        ("no subscription", "/subscriptionId", Gone, "/subscriptionId"), ("no event", "/events", Gone, "/events"),
        ("a list of events", "/events", many("SERVICE_API_UPDATE", 1), "/events"),
        ("API", "/eventDetail/serviceAPIDescriptions", many(0, 0), "/eventDetail/serviceAPIDescriptions"),
        ("identifiers", "/eventDetail/apiIds", many("", 0), "/eventDetail/apiIds"),
        ("invokers", "/eventDetail/apiInvokerIds", many("", 0), "/eventDetail/apiInvokerIds"),
        ("policies without an API", "/eventDetail/accCtrlPolList/apiId", Gone, "/eventDetail/accCtrlPolList/apiId"),
        ("policy", "/eventDetail/accCtrlPolList/apiInvokerPolicies/0/netSliceInfo", many(0, 0), "/eventDetail/accCtrlPolList/apiInvokerPolicies/0/netSliceInfo"),
        ("logs", "/eventDetail/invocationLogs/0/logs", many(0, 0), "/eventDetail/invocationLogs/0/logs"),
        ("no rule", "/eventDetail/apiTopoHide/routingRules", many(0, 0), "/eventDetail/apiTopoHide/routingRules"),
        ("criteria", "/eventDetail/onboardingCriteria/0/secMethods", many("", 0), "/eventDetail/onboardingCriteria/0/secMethods"),
        ("no count", "/eventDetail/onboardedCount/0/count", Gone, "/eventDetail/onboardedCount/0/count"),
        ("negative count", "/eventDetail/onboardedCount/0/count", set(-1), "/eventDetail/onboardedCount/0/count"),
        ("count of nothing", "/eventDetail/discoveryCount/0", set(json!({"apiId": "A"})), "/eventDetail/discoveryCount/0"),
    ]);
}

#[test]
fn a_spoilt_policy_is_refused() {
    let list = sample!("capif_body/AccessControlPolicyList.json");
    let policy = list["apiInvokerPolicies"][0].clone();
    let ranges = "/apiInvokerPolicies/0/allowedInvocationTimeRangeList";
    let stop = format!("{ranges}/0/stopTime");
    #[rustfmt::skip] // a table stays a table
    refused::<AccessControlPolicyList>(&list, vec![
        ("no invoker", "/apiInvokerPolicies/0/apiInvokerId", Gone, "/apiInvokerPolicies/0/apiInvokerId"),
        ("too many", "/apiInvokerPolicies", many(policy, MAX_POLICIES + 1), "/apiInvokerPolicies"),
        ("negative total", "/apiInvokerPolicies/0/allowedTotalInvocations", set(-1), "/apiInvokerPolicies/0/allowedTotalInvocations"),
        ("rate that is no whole number", "/apiInvokerPolicies/0/allowedInvocationsPerSecond", set(1.5), "/apiInvokerPolicies/0/allowedInvocationsPerSecond"),
        ("window that ends before it starts", &stop, set("2025-01-01T00:00:00Z"), &stop),
        ("too many windows", ranges, many(json!({}), MAX_LIST + 1), ranges),
        ("no slice", "/apiInvokerPolicies/0/netSliceInfo", many(0, 0), "/apiInvokerPolicies/0/netSliceInfo"),
    ]);
    #[rustfmt::skip] // a table stays a table
    taken::<AccessControlPolicyList>(&list, vec![
        ("no policy", "/apiInvokerPolicies", many(0, 0)), ("no list", "/apiInvokerPolicies", Gone), ("no window", ranges, many(0, 0)),
        ("open end", &stop, Gone),
    ]);
    let at = |s: i64| Some(DateTime::from_unix(s));
    for (start, stop, now_s, inside) in [
        (at(10), at(12), 9, false),
        (at(10), at(12), 10, true),
        (at(10), at(12), 11, true),
        (at(10), at(12), 12, false),
        (None, at(12), 0, true),
        (at(10), None, 99, true),
        (None, None, 0, true),
        (at(10), None, 9, false),
    ] {
        assert_eq!(TimeRangeList { start_time: start, stop_time: stop }.holds(now_s), inside, "{now_s}");
    }
}

#[test]
fn a_spoilt_log_is_refused() {
    let log = sample!("capif_body/InvocationLog.json");
    #[rustfmt::skip] // a table stays a table
    refused::<InvocationLog>(&log, vec![
        ("no function", "/aefId", Gone, "/aefId"), ("no invoker", "/apiInvokerId", Gone, "/apiInvokerId"),
        ("no log", "/logs", Gone, "/logs"), ("empty log", "/logs", many(0, 0), "/logs"),
        ("too long", "/logs", many(log["logs"][0].clone(), MAX_LOGS + 1), "/logs"),
        ("no API", "/logs/0/apiId", Gone, "/logs/0/apiId"), ("no name", "/logs/0/apiName", Gone, "/logs/0/apiName"),
        ("no version", "/logs/0/apiVersion", Gone, "/logs/0/apiVersion"), ("no resource", "/logs/0/resourceName", Gone, "/logs/0/resourceName"),
        ("no protocol", "/logs/0/protocol", Gone, "/logs/0/protocol"), ("no result", "/logs/0/result", Gone, "/logs/0/result"),
        ("result that is a number", "/logs/0/result", set(200), "/logs/0/result"), ("empty URI", "/logs/0/uri", set(""), "/logs/0/uri"),
        ("empty method", "/logs/0/operation", set(""), "/logs/0/operation"), ("time", "/logs/0/invocationTime", set("now"), "/logs/0/invocationTime"),
        ("negative latency", "/logs/0/invocationLatency", set(-1), "/logs/0/invocationLatency"),
        ("long parameters", "/logs/0/inputParameters", long(MAX_PARAMETERS), "/logs/0/inputParameters"),
        ("long answer", "/logs/0/outputParameters", long(MAX_PARAMETERS), "/logs/0/outputParameters"),
        ("source", "/logs/0/srcInterface/ipv4Addr", set("x"), "/logs/0/srcInterface/ipv4Addr"),
        ("destination", "/logs/0/destInterface/fqdn", Gone, "/logs/0/destInterface"),
        ("forwarder", "/logs/0/fwdInterface", set(""), "/logs/0/fwdInterface"), ("slice", "/logs/0/netSliceInfo", set(json!({})), "/logs/0/netSliceInfo"),
    ]);
    let several = sample!("capif_body/InvocationLogs.json");
    refused::<InvocationLogs>(
        &several,
        vec![("none", "/multipleInvocationLogs", many(0, 0), "/multipleInvocationLogs")],
    );
    let answer = |value: Value| serde_json::from_value::<InvocationLogsRetrieveRes>(value).unwrap();
    assert!(matches!(answer(log), InvocationLogsRetrieveRes::One(_)));
    assert!(matches!(answer(several), InvocationLogsRetrieveRes::Several(_)));
}

#[test]
fn spoilt_routing_is_refused() {
    let routing = sample!("capif_body/RoutingInfo.json");
    #[rustfmt::skip] // a table stays a table
    refused::<RoutingInfo>(&routing, vec![
        ("no rules", "/routingRules", Gone, "/routingRules"), ("empty rules", "/routingRules", many(0, 0), "/routingRules"),
        ("too many", "/routingRules", many(routing["routingRules"][0].clone(), MAX_RULES + 1), "/routingRules"),
        ("no profile", "/routingRules/0/aefProfile", Gone, "/routingRules/0/aefProfile"),
        ("profile", "/routingRules/0/aefProfile/versions", many(0, 0), "/routingRules/0/aefProfile/versions"),
        ("no range", "/routingRules/0/ipv4AddrRanges", many(0, 0), "/routingRules/0/ipv4AddrRanges"),
        ("range", "/routingRules/0/ipv6AddrRanges/0/end", set("x"), "/routingRules/0/ipv6AddrRanges/0/end"),
    ]);
}
