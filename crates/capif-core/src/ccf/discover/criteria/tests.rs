use super::*;
use serde_json::json;

const NOW: i64 = 1_800_000_000;

fn interface(more: Value) -> Value {
    let mut interface = json!({ "ipv4Addr": "192.0.2.1", "port": 443 });
    interface.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    interface
}

/// `v1` of AEF1 is for requests, `v2` for subscriptions; AEF2 has `v2` alone, over MQTT.
fn api() -> ServiceAPIDescription {
    let version = |name: &str, comm: &str, uri: &str| {
        json!({ "apiVersion": name, "resources": [
            { "resourceName": "things", "commType": comm, "uri": uri, "operations": ["GET"] }] })
    };
    serde_json::from_value(json!({
        "apiName": "things", "apiId": "API1",
        "aefProfiles": [
            { "aefId": "AEF1", "protocol": "HTTP_2", "dataFormat": "JSON",
              "versions": [version("v1", "REQUEST_RESPONSE", "/things"), version("v2", "SUBSCRIBE_NOTIFY", "/news")],
              "grantTypes": ["CLIENT_CREDENTIALS"],
              "interfaceDescriptions": [interface(json!({})),
                interface(json!({ "grantTypes": ["AUTHORIZATION_CODE_WITH_PKCE"] }))],
              "serviceKpis": { "maxReqRate": 100 }, "aefLocation": { "dcId": "dc-1" },
              "ueIpRange": { "ueIpv4AddrRanges": [{ "start": "198.51.100.0", "end": "198.51.100.9" }] },
              "vendorSpecific-urn:x": { "a": 1 } },
            { "aefId": "AEF2", "protocol": "MQTT", "versions": [version("v2", "SUBSCRIBE_NOTIFY", "/news")],
              "domainName": "example.com", "grantTypes": ["AUTHORIZATION_CODE", "CLIENT_CREDENTIALS"],
              "aefLocation": { "dcId": "dc-2" } },
        ],
    }))
    .unwrap()
}

/// The functions and versions that are left, as `AEF1:v1,v2 AEF2:v2`.
fn left(criteria: &Criteria<'_>, api: &ServiceAPIDescription) -> String {
    let Some(narrowed) = criteria.narrow(api) else { return String::new() };
    let profiles = narrowed.aef_profiles.iter().flatten().map(|profile| {
        let versions: Vec<_> = profile.versions.iter().map(|version| version.api_version.as_str()).collect();
        format!("{}:{}", profile.aef_id, versions.join(","))
    });
    profiles.collect::<Vec<_>>().join(" ")
}

fn now() -> Criteria<'static> {
    Criteria { now_s: NOW, ..Criteria::default() }
}

#[test]
fn profiles_and_versions_that_do_not_fit_are_dropped() {
    let aef: [AefId; 3] = ["AEF1", "AEF2", "AEF3"].map(|id| id.try_into().unwrap());
    let versions = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>();
    let (v1, v2, v12, v3) =
        (versions(&["v1"]), versions(&["v2"]), versions(&["v1", "v2"]), versions(&["v3"]));
    let comm = ["REQUEST_RESPONSE", "SUBSCRIBE_NOTIFY", "LATER"].map(CommunicationType::from);
    let protocols = ["HTTP_2", "MQTT", "HTTP_1_1"].map(Protocol::from);
    let formats = ["JSON", "XML"].map(DataFormat::from);
    let kpis = [100, 101].map(|rate| ServiceKpis { max_req_rate: Some(rate), ..ServiceKpis::default() });
    let grants = ["CLIENT_CREDENTIALS", "AUTHORIZATION_CODE", "AUTHORIZATION_CODE_WITH_PKCE"]
        .map(OAuthGrantType::from);
    let resource = |uri: &str| [ResOperInfo { resource: Some(uri.into()), ..ResOperInfo::default() }];
    let (things, news) = (resource("/things"), resource("/news"));
    let ue = |text: &str| text.parse::<IpAddr>().ok();
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<(&str, Criteria<'_>, &str)> = vec![
        ("nothing asked", now(), "AEF1:v1,v2 AEF2:v2"),
        ("function", Criteria { aef: Some(&aef[0]), ..now() }, "AEF1:v1,v2"),
        ("other function", Criteria { aef: Some(&aef[2]), ..now() }, ""),
        ("version", Criteria { versions: Some(&v1), ..now() }, "AEF1:v1"),
        ("version of both", Criteria { versions: Some(&v2), ..now() }, "AEF1:v2 AEF2:v2"),
        ("either version", Criteria { versions: Some(&v12), ..now() }, "AEF1:v1,v2 AEF2:v2"),
        ("no such version", Criteria { versions: Some(&v3), ..now() }, ""),
        ("communication", Criteria { comm_type: Some(&comm[0]), ..now() }, "AEF1:v1"),
        ("other communication", Criteria { comm_type: Some(&comm[1]), ..now() }, "AEF1:v2 AEF2:v2"),
        ("unknown communication", Criteria { comm_type: Some(&comm[2]), ..now() }, ""),
        ("protocol", Criteria { protocols: Some(&protocols[..1]), ..now() }, "AEF1:v1,v2"),
        ("one of two protocols", Criteria { protocols: Some(&protocols[..2]), ..now() }, "AEF1:v1,v2 AEF2:v2"),
        ("no such protocol", Criteria { protocols: Some(&protocols[2..]), ..now() }, ""),
        ("format", Criteria { data_format: Some(&formats[0]), ..now() }, "AEF1:v1,v2"),
        ("no such format", Criteria { data_format: Some(&formats[1]), ..now() }, ""),
        ("UE that is served", Criteria { ue: ue("198.51.100.9"), ..now() }, "AEF1:v1,v2 AEF2:v2"),
        ("UE out of a range", Criteria { ue: ue("198.51.100.10"), ..now() }, "AEF2:v2"),
        ("UE of the other family", Criteria { ue: ue("2001:db8::1"), ..now() }, "AEF2:v2"),
        ("characteristics", Criteria { kpis: Some(&kpis[0]), ..now() }, "AEF1:v1,v2"),
        ("better ones", Criteria { kpis: Some(&kpis[1]), ..now() }, ""),
        ("grant type", Criteria { grants: Some(&grants[..1]), ..now() }, "AEF1:v1,v2 AEF2:v2"),
        ("two at one interface", Criteria { grants: Some(&grants[..2]), ..now() }, "AEF2:v2"),
        ("of an interface", Criteria { grants: Some(&grants[2..]), ..now() }, "AEF1:v1,v2"),
        ("of two interfaces", Criteria { grants: Some(&grants), ..now() }, ""),
        ("resource", Criteria { res_ops: Some(&things), ..now() }, "AEF1:v1"),
        ("other resource", Criteria { res_ops: Some(&news), ..now() }, "AEF1:v2 AEF2:v2"),
        ("version and resource", Criteria { versions: Some(&v1), res_ops: Some(&news), ..now() }, ""),
        ("vendor's member", Criteria { vendor: vec![("vendorSpecific-urn:x", "{ \"a\": 1 }")], ..now() }, "AEF1:v1,v2"),
        ("vendor's other value", Criteria { vendor: vec![("vendorSpecific-urn:x", "1")], ..now() }, ""),
    ];
    for (what, criteria, expected) in rows {
        assert_eq!(left(&criteria, &api()), expected, "{what}");
    }
}

#[test]
fn what_is_inactive_or_over_is_not_there() {
    let with = |status: Value| {
        let mut api = api();
        api.api_status = serde_json::from_value(status).unwrap();
        api
    };
    for (status, expected) in [
        (json!(null), "AEF1:v1,v2 AEF2:v2"),
        (json!({ "aefIds": ["AEF1", "AEF2"] }), "AEF1:v1,v2 AEF2:v2"),
        (json!({ "aefIds": ["AEF2"] }), "AEF2:v2"),
        (json!({ "aefIds": [] }), ""),
    ] {
        assert_eq!(left(&now(), &with(status.clone())), expected, "{status}");
    }
    let mut ends = api();
    let profiles = ends.aef_profiles.as_mut().unwrap();
    profiles[0].versions[0].expiry = Some(api_types::DateTime::from_unix(NOW));
    profiles[1].versions[0].expiry = Some(api_types::DateTime::from_unix(NOW + 1));
    assert_eq!(left(&now(), &ends), "AEF1:v2 AEF2:v2");
    assert_eq!(left(&Criteria { now_s: NOW + 1, ..now() }, &ends), "AEF1:v2");
    assert_eq!(left(&now(), &ServiceAPIDescription { aef_profiles: None, ..api() }), "");
}

#[test]
fn a_wish_orders_and_excludes_nothing() {
    let wish = |centre: &str| AefLocation { dc_id: Some(centre.into()), ..AefLocation::default() };
    for (centre, expected, wished) in [
        ("dc-1", "AEF1:v1,v2 AEF2:v2", true),
        ("dc-2", "AEF2:v2 AEF1:v1,v2", true),
        ("dc-3", "AEF1:v1,v2 AEF2:v2", false),
    ] {
        let wish = wish(centre);
        let criteria = Criteria { wish: Some(&wish), ..now() };
        let api = api();
        assert_eq!(left(&criteria, &api), expected, "{centre}");
        assert_eq!(criteria.is_wished(&criteria.narrow(&api).unwrap()), wished, "{centre}");
    }
}

#[test]
fn what_fits_as_a_whole_is_not_copied_and_the_rest_of_a_narrowed_one_stays() {
    let published = ServiceAPIDescription {
        api_status: serde_json::from_value(json!({ "aefIds": ["AEF1", "AEF2"] })).unwrap(),
        ..api()
    };
    assert!(matches!(now().narrow(&published), Some(Cow::Borrowed(_))));
    let aef = AefId::try_from("AEF2").unwrap();
    let narrowed = Criteria { aef: Some(&aef), ..now() }.narrow(&published).unwrap().into_owned();
    let expected = ServiceAPIDescription {
        api_status: serde_json::from_value(json!({ "aefIds": ["AEF2"] })).unwrap(),
        aef_profiles: Some(api().aef_profiles.unwrap().split_off(1)),
        ..published
    };
    assert_eq!(narrowed, expected);
}

#[test]
fn a_member_of_a_vendor_is_equal_as_text_or_as_json() {
    let members = VendorSpecific(
        [
            ("vendorSpecific-a", json!("x")),
            ("vendorSpecific-b", json!({ "n": [1, 2] })),
            ("vendorSpecific-c", json!(true)),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
    );
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("vendorSpecific-a", "x", true), ("vendorSpecific-a", "\"x\"", true), ("vendorSpecific-a", "y", false),
        ("vendorSpecific-b", "{\"n\":[1,2]}", true), ("vendorSpecific-b", "{\"n\":[2,1]}", false),
        ("vendorSpecific-c", "true", true), ("vendorSpecific-c", "false", false), ("vendorSpecific-d", "x", false),
    ];
    for (name, value, equal) in rows {
        assert_eq!(has_member(&members, name, value), equal, "{name}={value}");
    }
}
