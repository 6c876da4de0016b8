use serde_json::json;

use super::*;
use crate::capif::discover::{DiscoveredAPIs, ResOperInfo};
use crate::capif::network::{IpAddrInfo, Ipv4AddressRange, Ipv6AddressRange};
use crate::capif::open_discover::{OpenAPIDetails, OpenDiscoveryResp};
use crate::capif::profile::{MAX_INTERFACES, MAX_METHODS, MAX_RESOURCES, MAX_VERSIONS};
use crate::capif::publish::{MAX_AEF_PROFILES, ServiceAPIDescription, ServiceAPIDescriptionPatch};
use crate::capif::{MAX_DESCRIPTION, MAX_LIST, MAX_NAME, MAX_WORD, vendor};

#[test]
fn samples_go_through_unchanged() {
    unchanged::<ServiceAPIDescription>(&sample!("capif_body/ServiceAPIDescription.json"));
    unchanged::<ServiceAPIDescriptionPatch>(&sample!("capif_body/ServiceAPIDescriptionPatch.json"));
    unchanged::<DiscoveredAPIs>(&sample!("capif_body/DiscoveredAPIs.json"));
    unchanged::<ResOperInfo>(&sample!("capif_body/ResOperInfo.json"));
    unchanged::<IpAddrInfo>(&sample!("capif_body/IpAddrInfo.json"));
    unchanged::<IpAddrInfo>(&sample!("capif_body/IpAddrInfo.v6.json"));
    unchanged::<OpenDiscoveryResp>(&sample!("capif_body/OpenDiscoveryResp.json"));
}

#[test]
fn a_spoilt_description_is_refused() {
    let api = sample!("capif_body/ServiceAPIDescription.json");
    let profile = "/aefProfiles/0";
    let at = |path: &str| format!("{profile}{path}");
    let (version, interface) = (at("/versions/0"), at("/interfaceDescriptions/0"));
    let resource = format!("{version}/resources/0");
    let v = |path: &str| format!("{version}{path}");
    let r = |path: &str| format!("{resource}{path}");
    let i = |path: &str| format!("{interface}{path}");
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("no name", "/apiName".to_owned(), Gone, "/apiName".to_owned()),
        ("blank in the name", "/apiName".into(), set("a b"), "/apiName".into()),
        ("divider of a scope in the name", "/apiName".into(), set("a:b"), "/apiName".into()),
        ("name of another type", "/apiName".into(), set(7), "/apiName".into()),
        ("hyphen in the identifier", "/apiId".into(), set("API-1"), "/apiId".into()),
        ("status without functions", "/apiStatus/aefIds".into(), Gone, "/apiStatus/aefIds".into()),
        ("status too long", "/apiStatus/aefIds".into(), many("AEF1", MAX_LIST + 1), "/apiStatus/aefIds".into()),
        ("no profile", "/aefProfiles".into(), many(0, 0), "/aefProfiles".into()),
        ("too many profiles", "/aefProfiles".into(), many(api["aefProfiles"][1].clone(), MAX_AEF_PROFILES + 1), "/aefProfiles".into()),
        ("a function twice", "/aefProfiles/1/aefId".into(), set("AEF1"), "/aefProfiles/1".into()),
        ("long description", "/description".into(), long(MAX_DESCRIPTION + 1), "/description".into()),
        ("control character", "/description".into(), set("a\u{7}"), "/description".into()),
        ("features", "/supportedFeatures".into(), set("xyz"), "/supportedFeatures".into()),
        ("sharing without yes or no", "/shareableInfo/isShareable".into(), Gone, "/shareableInfo/isShareable".into()),
        ("no domain", "/shareableInfo/capifProvDoms".into(), many("", 0), "/shareableInfo/capifProvDoms".into()),
        ("empty domain", "/shareableInfo/capifProvDoms/0".into(), set(""), "/shareableInfo/capifProvDoms/0".into()),
        ("empty category", "/serviceAPICategory".into(), set(""), "/serviceAPICategory".into()),
        ("path without functions", "/pubApiPath/ccfIds".into(), many("", 0), "/pubApiPath/ccfIds".into()),
        ("core function", "/ccfId".into(), long(MAX_NAME + 1), "/ccfId".into()),
        ("provider", "/apiProvName".into(), set(""), "/apiProvName".into()),
        ("two names of a slice", "/netSliceInfo/0/ensi".into(), set("x"), "/netSliceInfo/0".into()),
        ("slice without a name", "/netSliceInfo/2/ensi".into(), Gone, "/netSliceInfo/2".into()),
        ("slice type", "/netSliceInfo/0/snssai/sst".into(), set(256), "/netSliceInfo/0/snssai/sst".into()),
        ("slice differentiator", "/netSliceInfo/0/snssai/sd".into(), set("0a0b0"), "/netSliceInfo/0/snssai/sd".into()),
        ("vendor without a name", "/vendorSpecific-".into(), set(1), "/vendorSpecific-".into()),
        ("long member of a vendor", "/vendorSpecific-x".into(), long(vendor::MAX_BYTES), "/vendorSpecific-x".into()),
        ("no function", at("/aefId"), Gone, at("/aefId")),
        ("no version", at("/versions"), Gone, at("/versions")),
        ("empty versions", at("/versions"), many(0, 0), at("/versions")),
        ("a version twice", at("/versions"), many(json!({"apiVersion": "v1"}), 2), at("/versions/1")),
        ("too many versions", at("/versions"), many(json!({"apiVersion": "v1"}), MAX_VERSIONS + 1), at("/versions")),
        ("unknown protocol too long", at("/protocol"), long(MAX_WORD + 1), at("/protocol")),
        ("empty data format", at("/dataFormat"), set(""), at("/dataFormat")),
        ("no method", at("/securityMethods"), many("", 0), at("/securityMethods")),
        ("too many methods", at("/securityMethods"), many("PKI", MAX_METHODS + 1), at("/securityMethods")),
        ("no grant type", at("/grantTypes"), many("", 0), at("/grantTypes")),
        ("neither domain nor interfaces", at("/interfaceDescriptions"), Gone, profile.to_owned()),
        ("domain and interfaces", at("/domainName"), set("op-a.example"), profile.to_owned()),
        ("no interface", at("/interfaceDescriptions"), many(0, 0), at("/interfaceDescriptions")),
        ("too many interfaces", at("/interfaceDescriptions"), many(json!({"fqdn": "a.example"}), MAX_INTERFACES + 1), at("/interfaceDescriptions")),
        ("civic address", at("/aefLocation/civicAddr"), set("Paris"), at("/aefLocation/civicAddr")),
        ("number in a civic address", at("/aefLocation/civicAddr/HNO"), set(1), at("/aefLocation/civicAddr")),
        ("area", at("/aefLocation/geoArea/point/lat"), set(91), at("/aefLocation/geoArea/point/lat")),
        ("data centre", at("/aefLocation/dcId"), set(""), at("/aefLocation/dcId")),
        ("negative rate", at("/serviceKpis/maxReqRate"), set(-1), at("/serviceKpis/maxReqRate")),
        ("compute without unit", at("/serviceKpis/avalComp"), set("2.5"), at("/serviceKpis/avalComp")),
        ("compute in bytes", at("/serviceKpis/avalGraComp"), set("2 GB"), at("/serviceKpis/avalGraComp")),
        ("memory without whole number", at("/serviceKpis/avalMem"), set(".5 GB"), at("/serviceKpis/avalMem")),
        ("storage with two points", at("/serviceKpis/avalStor"), set("1.2.3 TB"), at("/serviceKpis/avalStor")),
        ("no addresses", at("/ueIpRange"), set(json!({})), at("/ueIpRange")),
        ("range without end", at("/ueIpRange/ueIpv4AddrRanges/0/end"), Gone, at("/ueIpRange/ueIpv4AddrRanges/0/end")),
        ("range that ends before it starts", at("/ueIpRange/ueIpv4AddrRanges/0/start"), set("192.0.3.0"), at("/ueIpRange/ueIpv4AddrRanges/0/end")),
        ("IPv6 in a range of IPv4", at("/ueIpRange/ueIpv4AddrRanges/0/end"), set("2001:db8::"), at("/ueIpRange/ueIpv4AddrRanges/0/end")),
        ("mixed notation", at("/ueIpRange/ueIpv6AddrRanges/0/start"), set("::ffff:192.0.2.1"), at("/ueIpRange/ueIpv6AddrRanges/0/start")),
        ("no major version", v("/apiVersion"), Gone, v("/apiVersion")),
        ("expiry", v("/expiry"), set("tomorrow"), v("/expiry")),
        ("no resource", v("/resources"), many(0, 0), v("/resources")),
        ("too many resources", v("/resources"), many(api.pointer(&v("/resources/1")).unwrap().clone(), MAX_RESOURCES + 1), v("/resources")),
        ("no custom operation", v("/custOperations"), many(0, 0), v("/custOperations")),
        ("custom operation without a name", v("/custOperations/0/custOpName"), Gone, v("/custOperations/0/custOpName")),
        ("custom operation without a type", v("/custOperations/0/commType"), Gone, v("/custOperations/0/commType")),
        ("no resource name", r("/resourceName"), Gone, r("/resourceName")),
        ("no type", r("/commType"), Gone, r("/commType")),
        ("no URI", r("/uri"), Gone, r("/uri")),
        ("empty URI", r("/uri"), set(""), r("/uri")),
        ("empty custom name", r("/custOpName"), set(""), r("/custOpName")),
        ("no method", r("/operations"), many("", 0), r("/operations")),
        ("empty method", r("/operations/0"), set(""), r("/operations/0")),
        ("custom operation of a resource", r("/custOperations/0/operations"), many("", 0), r("/custOperations/0/operations")),
        ("two addresses", i("/ipv4Addr"), set("192.0.2.1"), interface.clone()),
        ("no address", i("/fqdn"), Gone, interface.clone()),
        ("name without a dot", i("/fqdn"), set("localhost"), i("/fqdn")),
        ("name with an empty label", i("/fqdn"), set("a..example"), i("/fqdn")),
        ("name that ends in digits", i("/fqdn"), set("a.127"), i("/fqdn")),
        ("IPv4", at("/interfaceDescriptions/1/ipv4Addr"), set("192.0.2.256"), at("/interfaceDescriptions/1/ipv4Addr")),
        ("IPv6", at("/interfaceDescriptions/2/ipv6Addr"), set("192.0.2.1"), at("/interfaceDescriptions/2/ipv6Addr")),
        ("port", i("/port"), set(65_536), i("/port")),
        ("prefix without a slash", i("/apiPrefix"), set("exposed"), i("/apiPrefix")),
        ("no method of an interface", i("/securityMethods"), many("", 0), i("/securityMethods")),
        ("no grant type of an interface", i("/grantTypes"), many("", 0), i("/grantTypes")),
    ];
    let rows: Vec<_> = rows.into_iter().collect();
    let rows = rows.iter().map(|(what, at, spoil, param)| (*what, at.as_str(), copy(spoil), param.as_str()));
    refused::<ServiceAPIDescription>(&api, rows.collect());
}

fn copy(spoil: &Spoil) -> Spoil {
    match spoil {
        Gone => Gone,
        Set(value) => Set(value.clone()),
    }
}

#[test]
fn what_is_open_is_taken() {
    let api = sample!("capif_body/ServiceAPIDescription.json");
    #[rustfmt::skip] // a table stays a table
    let rows = vec![
        ("inactive everywhere", "/apiStatus/aefIds", many("", 0)),
        ("no profile at all", "/aefProfiles", Gone),
        ("another protocol", "/aefProfiles/0/protocol", set("HTTP_3")),
        ("longest unknown protocol", "/aefProfiles/0/protocol", long(MAX_WORD)),
        ("another method", "/aefProfiles/0/securityMethods/0", set("TLS_EXPORTER")),
        ("longest description", "/description", long(MAX_DESCRIPTION)),
        ("most interfaces", "/aefProfiles/0/interfaceDescriptions", many(json!({"fqdn": "a.example"}), MAX_INTERFACES)),
        ("one address", "/aefProfiles/0/ueIpRange/ueIpv4AddrRanges/0/end", set("192.0.2.0")),
        ("null", "/ccfId", set(Value::Null)),
    ];
    taken::<ServiceAPIDescription>(&api, rows);
}

#[test]
fn a_patch_changes_what_it_may() {
    let before: ServiceAPIDescription = read(sample!("capif_body/ServiceAPIDescription.json")).unwrap();
    let patch = json!({"apiStatus": {"aefIds": []}, "description": null, "apiName": "other", "apiId": "X", "supportedFeatures": "0"});
    let after = before.patched(&patch).unwrap();
    let mut expected = before.clone();
    expected.api_status.as_mut().unwrap().aef_ids.clear();
    expected.description = None;
    assert_eq!(after, expected);
    let aef = "AEF1".parse().unwrap();
    assert!(before.is_active_at(&aef) && !after.is_active_at(&aef));
    assert!(before.profile_of(&aef).is_some() && before.profile_of(&"AEF9".parse().unwrap()).is_none());
    for (patch, param) in [
        (json!([]), ""),
        (json!({"aefProfiles": []}), "/aefProfiles"),
        (json!({"apiStatus": {"aefIds": null}}), "/apiStatus/aefIds"),
        (json!({"aefProfiles": [{"aefId": "A", "versions": [{"apiVersion": "v1"}]}]}), "/aefProfiles/0"),
    ] {
        assert_eq!(before.patched(&patch).unwrap_err()[0].param, param, "{patch}");
    }
}

#[test]
fn anybody_learns_no_interface_and_no_method() {
    let api: ServiceAPIDescription = read(sample!("capif_body/ServiceAPIDescription.json")).unwrap();
    let text = serde_json::to_string(&OpenAPIDetails::from(api)).unwrap();
    for hidden in [
        "interfaceDescriptions",
        "securityMethods",
        "grantTypes",
        "domainName",
        "ueIpRange",
        "ccf",
        "vendor",
        "shareable",
        "netSlice",
    ] {
        assert!(!text.contains(hidden), "{hidden}");
    }
    assert!(text.contains("AEF1") && text.contains("dc-1"));
}

#[test]
fn answers_are_bounded_too() {
    let found = sample!("capif_body/OpenDiscoveryResp.json");
    #[rustfmt::skip] // a table stays a table
    refused::<OpenDiscoveryResp>(&found, vec![
        ("no list", "/discApis", Gone, "/discApis"),
        ("too long", "/discApis", many(json!({"apiName": "a"}), MAX_LIST + 1), "/discApis"),
        ("no name", "/discApis/0/apiName", Gone, "/discApis/0/apiName"),
        ("no version", "/discApis/0/aefProfiles/0/versions", many(0, 0), "/discApis/0/aefProfiles/0/versions"),
    ]);
    taken::<OpenDiscoveryResp>(&found, vec![("nothing found", "/discApis", many(0, 0))]);
    let found = sample!("capif_body/DiscoveredAPIs.json");
    let rows = vec![("empty list", "/serviceAPIDescriptions", many(0, 0), "/serviceAPIDescriptions")];
    refused::<DiscoveredAPIs>(&found, rows);
    let asked = sample!("capif_body/ResOperInfo.json");
    #[rustfmt::skip] // a table stays a table
    refused::<ResOperInfo>(&asked, vec![
        ("empty resource", "/resource", set(""), "/resource"), ("no method", "/operations", many("", 0), "/operations"),
        ("no operation", "/customServOpers", many("", 0), "/customServOpers"),
    ]);
    assert!(read::<ResOperInfo>(json!({})).is_err());
    assert!(read::<IpAddrInfo>(json!({})).is_err());
    assert!(read::<IpAddrInfo>(json!({"ipv4Addr": "192.0.2.1", "ipv6Addr": "::1"})).is_err());
}

#[test]
fn a_range_holds_both_its_ends() {
    let range = Ipv4AddressRange { start: "192.0.2.10".into(), end: "192.0.2.20".into() };
    for (address, inside) in
        [("192.0.2.9", false), ("192.0.2.10", true), ("192.0.2.20", true), ("192.0.2.21", false)]
    {
        assert_eq!(range.holds(address.parse().unwrap()), inside, "{address}");
    }
    let range = Ipv6AddressRange { start: "2001:db8::".into(), end: "2001:db8::f".into() };
    assert!(range.holds("2001:db8::f".parse().unwrap()) && !range.holds("2001:db8::10".parse().unwrap()));
}
