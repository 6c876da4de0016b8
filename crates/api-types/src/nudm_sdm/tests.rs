use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::*;
use crate::ids::Supi;
use crate::san::PersonalDataCategory;
use crate::strict_json;
use crate::validate::Validate;

fn read<T: DeserializeOwned + Validate>(value: Value) -> Result<T, Vec<String>> {
    let params =
        |faults: Vec<crate::InvalidParam>| faults.into_iter().map(|fault| fault.param).collect::<Vec<_>>();
    let value: T = strict_json::from_value(value).map_err(|error| params(error.invalid()))?;
    value.validate("").map_err(params)?;
    Ok(value)
}

fn subscription() -> Value {
    json!({
        "nfInstanceId": "4e1b1b5a-3e5b-4a55-8a37-0a5b2f6d1c11",
        "callbackReference": "https://san.example/nudm",
        "monitoredResourceUris": ["https://udm.example/nudm-sdm/v2/imsi-001010000000001/uc-data"],
        "expires": "2026-12-01T00:00:00Z", "subscriptionId": "SDM1", "immediateReport": true,
        "report": { "ucData": { "userConsentPerPurposeList": { "METAVERSE_LOCATION": "CONSENT_GIVEN" } } },
        "supportedFeatures": "0"
    })
}

fn notification() -> Value {
    json!({
        "notifyItems": [{
            "resourceId": "https://udm.example/nudm-sdm/v2/imsi-001010000000001/uc-data",
            "changes": [{
                "op": "REPLACE", "path": "/userConsentPerPurposeList/METAVERSE_LOCATION",
                "origValue": "CONSENT_GIVEN", "newValue": "CONSENT_NOT_GIVEN", "from": "/x"
            }]
        }],
        "subscriptionId": "SDM1"
    })
}

fn unchanged<T: DeserializeOwned + Serialize + Validate>(sample: &Value) {
    let value: T = read(sample.clone()).unwrap();
    assert_eq!(serde_json::to_value(&value).unwrap(), *sample);
    let mut more = sample.clone();
    more["unknownMember"] = true.into();
    let value: T = read(more).unwrap();
    assert_eq!(serde_json::to_value(&value).unwrap(), *sample);
}

#[test]
fn samples_go_through_unchanged() {
    unchanged::<SdmSubscription>(&subscription());
    unchanged::<ModificationNotification>(&notification());
    unchanged::<UcSubscriptionData>(&json!({ "userConsentPerPurposeList": {
        "ENERGY": "CONSENT_NOT_GIVEN", "METAVERSE_SPATIAL_DISCOVERY": "CONSENT_GIVEN", "SOMETHING": "LATER"
    }}));
    unchanged::<IdTranslationResult>(&json!({
        "supi": "imsi-001010000000001", "gpsi": "msisdn-491700000001", "supportedFeatures": "0",
        "additionalSupis": ["imsi-001010000000002"], "additionalGpsis": ["extid-alice@op-a.example"]
    }));
}

#[test]
fn one_spoilt_member_is_refused_with_its_pointer() {
    let many = |count: usize| json!(vec!["/imsi-1/uc-data"; count]);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Value, &str); 9] = [
        ("/nfInstanceId", json!("san-1"), "/nfInstanceId"),
        ("/nfInstanceId", json!("4e1b1b5a-3e5b-4a55-8a37-0a5b2f6d1c1"), "/nfInstanceId"),
        ("/callbackReference", json!(""), "/callbackReference"),
        ("/callbackReference", json!("x".repeat(2049)), "/callbackReference"),
        ("/monitoredResourceUris", many(0), "/monitoredResourceUris"),
        ("/monitoredResourceUris", many(MAX_MONITORED + 1), "/monitoredResourceUris"),
        ("/monitoredResourceUris/0", json!(""), "/monitoredResourceUris/0"),
        ("/expires", json!("tomorrow"), "/expires"),
        ("/report/ucData/userConsentPerPurposeList", json!({}), "/report/ucData/userConsentPerPurposeList"),
    ];
    assert!(read::<SdmSubscription>(subscription()).is_ok());
    for (at, value, param) in rows {
        let mut spoilt = subscription();
        *spoilt.pointer_mut(at).unwrap() = value;
        assert_eq!(read::<SdmSubscription>(spoilt).unwrap_err()[0], param, "{at}");
    }
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Value, &str); 5] = [
        ("/notifyItems", json!([]), "/notifyItems"),
        ("/notifyItems/0/changes", json!([]), "/notifyItems/0/changes"),
        ("/notifyItems/0/resourceId", json!(""), "/notifyItems/0/resourceId"),
        ("/notifyItems/0/changes/0/op", json!(""), "/notifyItems/0/changes/0/op"),
        ("/notifyItems/0/changes/0/path", json!("/".repeat(MAX_PATH + 1)), "/notifyItems/0/changes/0/path"),
    ];
    assert!(read::<ModificationNotification>(notification()).is_ok());
    for (at, value, param) in rows {
        let mut spoilt = notification();
        *spoilt.pointer_mut(at).unwrap() = value;
        assert_eq!(read::<ModificationNotification>(spoilt).unwrap_err()[0], param, "{at}");
    }
}

#[test]
fn only_the_end_and_what_is_watched_can_be_patched() {
    let before: SdmSubscription = read(subscription()).unwrap();
    let patch = json!({ "expires": "2027-01-01T00:00:00Z", "callbackReference": "https://evil.example/" });
    let after = before.patched(&patch).unwrap();
    assert_eq!(after.callback_reference, before.callback_reference);
    assert_ne!(after.expires, before.expires);
    let faults = before.patched(&json!({ "monitoredResourceUris": [] })).unwrap_err();
    assert_eq!(faults[0].param, "/monitoredResourceUris");
}

#[test]
fn what_is_not_a_known_yes_is_no_consent() {
    for (text, given) in
        [("CONSENT_GIVEN", true), ("CONSENT_NOT_GIVEN", false), ("consent_given", false), ("LATER", false)]
    {
        assert_eq!(UserConsent::from(text).is_given(), given, "{text}");
    }
}

#[test]
fn a_change_is_understood_or_read_again() {
    use ResourceChange::{Given, ReadAgain, Withdrawn};
    let location = || UcPurpose::of(PersonalDataCategory::Location);
    let at = "/userConsentPerPurposeList/METAVERSE_LOCATION";
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, &str, Value, ResourceChange); 11] = [
        ("ADD", at, json!("CONSENT_GIVEN"), Given(location())),
        ("REPLACE", at, json!("CONSENT_GIVEN"), Given(location())),
        ("REPLACE", at, json!("CONSENT_NOT_GIVEN"), Withdrawn(location())),
        ("REPLACE", at, json!("SOMETHING_NEW"), Withdrawn(location())),
        ("REPLACE", at, json!({"a": 1}), Withdrawn(location())),
        ("REMOVE", at, json!("CONSENT_GIVEN"), Withdrawn(location())),
        ("MOVE", at, json!("CONSENT_GIVEN"), ReadAgain),
        ("COPY", at, json!("CONSENT_GIVEN"), ReadAgain),
        ("REPLACE", "/userConsentPerPurposeList", json!("CONSENT_GIVEN"), ReadAgain),
        ("REPLACE", "", json!("CONSENT_GIVEN"), ReadAgain),
        ("REPLACE", "/userConsentPerPurposeList/A/B", json!("CONSENT_GIVEN"), ReadAgain),
    ];
    for (op, path, new, expected) in rows {
        let item = ChangeItem {
            op: op.into(),
            path: path.to_owned(),
            from: None,
            orig_value: None,
            new_value: Some(new),
        };
        assert_eq!(item.consent(), expected, "{op} {path}");
    }
    assert_eq!(ChangeItem::path_of(&location()), at);
    assert_eq!(ChangeItem::path_of(&"A/B~C".into()), "/userConsentPerPurposeList/A~1B~0C");
}

#[test]
fn a_supi_is_not_printed() {
    let supi = Supi::try_from("imsi-001010000000001").unwrap();
    let result = IdTranslationResult {
        supported_features: None,
        supi,
        gpsi: None,
        additional_supis: None,
        additional_gpsis: None,
    };
    assert!(!format!("{result:?}").contains("00101"));
}
