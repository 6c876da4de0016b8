use crate::InvalidParam;
use crate::capif::access_control::AccessControlFilter;
use crate::capif::discover::DiscoverFilter;
use crate::capif::logging::AuditFilter;
use crate::capif::open_discover::OpenDiscoverFilter;
use crate::capif::profile::{OAuthGrantType, Operation, Protocol};
use crate::capif::routing::RoutingFilter;
use crate::capif::security::TrustedInvokerQuery;
use crate::query::Query;

macro_rules! query {
    ($name:literal) => {
        Query::parse(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../fuzz/corpus/capif_query/",
            $name
        )))
        .unwrap()
    };
}

/// A query with braces, quotes and hashes as they are.
fn query(text: &str) -> Query {
    let escaped = text.replace('"', "%22").replace('{', "%7B").replace('}', "%7D");
    Query::parse(&escaped).unwrap()
}

fn first<T: std::fmt::Debug>(read: Result<T, Vec<InvalidParam>>) -> String {
    read.unwrap_err().remove(0).param
}

#[test]
fn a_discovery_has_its_filters() {
    let filter = DiscoverFilter::parse(&query!("discover.txt")).unwrap();
    assert_eq!(filter.api_invoker_id.as_str(), "INV1");
    assert_eq!(filter.api_name.as_ref().unwrap().as_str(), "ssan-sanm");
    assert_eq!(filter.protocol, Some(Protocol::Http2));
    assert_eq!(filter.req_api_prov_name.as_deref(), Some("Operator A"));
    assert_eq!(filter.preferred_aef_loc.as_ref().unwrap().dc_id.as_deref(), Some("dc-1"));
    assert_eq!(filter.ue_ip_addr.as_ref().unwrap().ipv4_addr.as_deref(), Some("192.0.2.9"));
    assert_eq!(filter.service_kpis.as_ref().unwrap().max_req_rate, Some(10));
    assert_eq!(filter.net_slice_info.as_ref().unwrap().len(), 1);
    assert_eq!(filter.grant_types, Some(vec![OAuthGrantType::ClientCredentials]));
    assert_eq!(filter.res_ops.as_ref().unwrap()[0].operations, Some(vec![Operation::Get]));
    assert!(filter.api_supported_features.unwrap().has(1));
    assert_eq!(filter.vendor_specific["vendorSpecific-metaseal"], "1");
    let filter = DiscoverFilter::parse(&query!("discover-ids.txt")).unwrap();
    assert_eq!(filter.api_ids.unwrap().len(), 2);
    // Both ways of writing a list.
    for text in ["grant-types=CLIENT_CREDENTIALS,X", "grant-types=[\"CLIENT_CREDENTIALS\",\"X\"]"] {
        let filter = DiscoverFilter::parse(&query(&format!("api-invoker-id=I&{text}"))).unwrap();
        assert_eq!(filter.grant_types.unwrap().len(), 2, "{text}");
    }
    assert!(DiscoverFilter::parse(&query("api-invoker-id=I&unknown=1")).is_ok());
}

#[test]
fn a_spoilt_discovery_is_refused() {
    let long = "x".repeat(257);
    let many = ["A"; 257].join(",");
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("nobody asks", "api-name=a", "api-invoker-id"), ("who asks", "api-invoker-id=a:b", "api-invoker-id"),
        ("name", "api-invoker-id=I&api-name=a%20b", "api-name"), ("version", "api-invoker-id=I&api-version=", "api-version"),
        ("long version", &format!("api-invoker-id=I&api-version={long}"), "api-version"),
        ("type", "api-invoker-id=I&comm-type=", "comm-type"), ("long protocol", &format!("api-invoker-id=I&protocol={long}"), "protocol"),
        ("function", "api-invoker-id=I&aef-id=a-b", "aef-id"), ("place", "api-invoker-id=I&preferred-aef-loc=x", "preferred-aef-loc"),
        ("place inside", "api-invoker-id=I&preferred-aef-loc={\"dcId\":\"\"}", "preferred-aef-loc/dcId"),
        ("features without a name", "api-invoker-id=I&api-supported-features=1", "api-supported-features"),
        ("features", "api-invoker-id=I&api-name=a&api-supported-features=z", "api-supported-features"),
        ("two addresses", "api-invoker-id=I&ue-ip-addr={\"ipv4Addr\":\"192.0.2.1\",\"ipv6Addr\":\"::1\"}", "ue-ip-addr"),
        ("indicator", "api-invoker-id=I&service-kpis={\"avalMem\":\"x\"}", "service-kpis/avalMem"),
        ("no slice", "api-invoker-id=I&net-slice-info=[]", "net-slice-info"), ("slice", "api-invoker-id=I&net-slice-info=[{}]", "net-slice-info/0"),
        ("no grant type", "api-invoker-id=I&grant-types=[]", "grant-types"), ("empty grant type", "api-invoker-id=I&grant-types=A,,B", "grant-types"),
        ("identifiers beside a filter", "api-invoker-id=I&api-ids=A&api-cat=x", "api-ids"),
        ("identifiers beside a vendor", "api-invoker-id=I&api-ids=A&vendorSpecific-x=1", "api-ids"),
        ("identifier", "api-invoker-id=I&api-ids=A,b%20c", "api-ids"), ("too many identifiers", &format!("api-invoker-id=I&api-ids={many}"), "api-ids"),
        ("operation", "api-invoker-id=I&res-ops=[{}]", "res-ops/0"), ("no list", "api-invoker-id=I&res-ops={}", "res-ops"),
    ];
    for (what, text, param) in rows {
        assert_eq!(first(DiscoverFilter::parse(&query(text))), param, "{what}");
    }
    // Every fault at once.
    let faults = DiscoverFilter::parse(&query("api-name=a%20b&aef-id=-&comm-type=")).unwrap_err();
    assert_eq!(faults.len(), 4);
}

#[test]
fn an_open_discovery_has_its_filters() {
    let filter = OpenDiscoverFilter::parse(&query!("open-discover.txt")).unwrap();
    assert_eq!(filter.api_names.as_ref().unwrap().len(), 2);
    assert_eq!(filter.api_versions.as_ref().unwrap()["ssan-sanm"], ["v1"]);
    assert_eq!(filter.protocols, Some(vec![Protocol::Http11, Protocol::Http2]));
    assert!(filter.api_supported_features.as_ref().unwrap()["ssan-sanm"].has(1));
    assert_eq!(OpenDiscoverFilter::parse(&query("")), Ok(OpenDiscoverFilter::default()));
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("name", "api-names=a,b%20c", "api-names"), ("empty map", "api-versions={}", "api-versions"), ("empty versions", "api-versions={\"a\":[]}", "api-versions"),
        ("empty version", "api-versions={\"a\":[\"\"]}", "api-versions"), ("no map", "api-versions=v1", "api-versions"),
        ("features without names", "api-supported-features={\"a\":\"1\"}", "api-supported-features"),
        ("empty features", "api-names=a&api-supported-features={}", "api-supported-features"),
        ("operations without names", "res-ops=[{\"resource\":\"/a\"}]", "res-ops"), ("empty category", "api-cats=", "api-cats"),
        ("protocol", "protocols=,", "protocols"), ("indicator", "service-kpis=x", "service-kpis"),
    ];
    for (what, text, param) in rows {
        assert_eq!(first(OpenDiscoverFilter::parse(&query(text))), param, "{what}");
    }
}

#[test]
fn an_audit_has_its_filters() {
    let filter = AuditFilter::parse(&query!("audit.txt")).unwrap();
    assert_eq!(filter.time_range_end.unwrap().unix() - filter.time_range_start.unwrap().unix(), 23 * 3600);
    assert_eq!(filter.src_interface.as_ref().unwrap().ipv4_addr.as_deref(), Some("192.0.2.9"));
    assert_eq!(AuditFilter::parse(&query("")), Ok(AuditFilter::default()));
    // A plus that nobody escaped.
    assert!(AuditFilter::parse(&query("time-range-start=2026-01-01T00:00:00+01:00")).is_ok());
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("function", "aef-id=a-b", "aef-id"), ("invoker", "api-invoker-id=*", "api-invoker-id"), ("API", "api-id=", "api-id"),
        ("time", "time-range-start=yesterday", "time-range-start"), ("empty time", "time-range-end=", "time-range-end"),
        ("backwards", "time-range-start=2026-01-02T00:00:00Z&time-range-end=2026-01-01T00:00:00Z", "time-range-end"),
        ("name", "api-name=a,b", "api-name"), ("version", "api-version=", "api-version"), ("protocol", "protocol=", "protocol"),
        ("method", "operation=", "operation"), ("result", "result=", "result"), ("resource", "resource-name=", "resource-name"),
        ("source", "src-interface={}", "src-interface"), ("destination", "dest-interface=x", "dest-interface"), ("slice", "net-slice-info=[{}]", "net-slice-info/0"),
        ("features", "supported-features=z", "supported-features"),
    ];
    for (what, text, param) in rows {
        assert_eq!(first(AuditFilter::parse(&query(text))), param, "{what}");
    }
}

#[test]
fn small_queries_are_read() {
    let filter = AccessControlFilter::parse(&query!("access-control.txt")).unwrap();
    assert_eq!((filter.aef_id.as_str(), filter.api_invoker_id.unwrap().as_str()), ("AEF1", "INV1"));
    assert!(RoutingFilter::parse(&query!("access-control.txt")).unwrap().supp_feat.unwrap().has(1));
    for text in ["", "api-invoker-id=I", "aef-id=a-b"] {
        assert_eq!(first(AccessControlFilter::parse(&query(text))), "aef-id", "{text}");
        assert_eq!(first(RoutingFilter::parse(&query(text))), "aef-id", "{text}");
    }
    let both = TrustedInvokerQuery { authentication_info: true, authorization_info: true };
    assert_eq!(TrustedInvokerQuery::parse(&query!("trusted-invoker.txt")), Ok(both));
    assert_eq!(
        TrustedInvokerQuery::parse(&query("authenticationInfo=false")),
        Ok(TrustedInvokerQuery::default())
    );
    assert_eq!(first(TrustedInvokerQuery::parse(&query("authorizationInfo=1"))), "authorizationInfo");
}
