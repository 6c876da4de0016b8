use serde_json::json;

use super::*;
use crate::capif::invoker::{
    APIInvokerEnrolmentDetails, APIInvokerEnrolmentDetailsPatch, MAX_CRITERIA, OnboardingNotification,
};
use crate::capif::provider::{
    APIProviderEnrolmentDetails, APIProviderEnrolmentDetailsPatch, ApiProviderFuncRole, MAX_FUNCTIONS,
};
use crate::capif::{CapifRole, MAX_DESCRIPTION, MAX_LIST, MAX_NAME, MAX_PEM, MAX_SECRET};

#[test]
fn samples_go_through_unchanged() {
    unchanged::<APIProviderEnrolmentDetails>(&sample!("capif_body/APIProviderEnrolmentDetails.json"));
    unchanged::<APIProviderEnrolmentDetailsPatch>(&sample!(
        "capif_body/APIProviderEnrolmentDetailsPatch.json"
    ));
    unchanged::<APIInvokerEnrolmentDetails>(&sample!("capif_body/APIInvokerEnrolmentDetails.json"));
    unchanged::<APIInvokerEnrolmentDetailsPatch>(&sample!("capif_body/APIInvokerEnrolmentDetailsPatch.json"));
    unchanged::<OnboardingNotification>(&sample!("capif_body/OnboardingNotification.json"));
}

#[test]
fn a_spoilt_domain_is_refused() {
    let domain = sample!("capif_body/APIProviderEnrolmentDetails.json");
    let function = domain["apiProvFuncs"][0].clone();
    #[rustfmt::skip] // a table stays a table
    refused::<APIProviderEnrolmentDetails>(&domain, vec![
        ("no secret", "/regSec", Gone, "/regSec"), ("empty secret", "/regSec", set(""), "/regSec"),
        ("long secret", "/regSec", long(MAX_SECRET + 1), "/regSec"), ("secret of another type", "/regSec", set(1), "/regSec"),
        ("domain", "/apiProvDomId", set("D-1"), "/apiProvDomId"),
        ("no function", "/apiProvFuncs", many(0, 0), "/apiProvFuncs"),
        ("too many functions", "/apiProvFuncs", many(function, MAX_FUNCTIONS + 1), "/apiProvFuncs"),
        ("no key", "/apiProvFuncs/0/regInfo/apiProvPubKey", Gone, "/apiProvFuncs/0/regInfo/apiProvPubKey"),
        ("empty key", "/apiProvFuncs/0/regInfo/apiProvPubKey", set(""), "/apiProvFuncs/0/regInfo/apiProvPubKey"),
        ("long key", "/apiProvFuncs/0/regInfo/apiProvPubKey", long(MAX_PEM + 1), "/apiProvFuncs/0/regInfo/apiProvPubKey"),
        ("key that is no text of lines", "/apiProvFuncs/0/regInfo/apiProvPubKey", set("a\u{0}b"), "/apiProvFuncs/0/regInfo/apiProvPubKey"),
        ("certificate", "/apiProvFuncs/0/regInfo/apiProvCert", set("é"), "/apiProvFuncs/0/regInfo/apiProvCert"),
        ("no registration", "/apiProvFuncs/1/regInfo", Gone, "/apiProvFuncs/1/regInfo"),
        ("no role", "/apiProvFuncs/2/apiProvFuncRole", Gone, "/apiProvFuncs/2/apiProvFuncRole"),
        ("empty role", "/apiProvFuncs/2/apiProvFuncRole", set(""), "/apiProvFuncs/2/apiProvFuncRole"),
        ("empty function", "/apiProvFuncs/0/apiProvFuncId", set(""), "/apiProvFuncs/0/apiProvFuncId"),
        ("long information of a function", "/apiProvFuncs/0/apiProvFuncInfo", long(MAX_DESCRIPTION + 1), "/apiProvFuncs/0/apiProvFuncInfo"),
        ("long information", "/apiProvDomInfo", long(MAX_DESCRIPTION + 1), "/apiProvDomInfo"),
        ("features", "/suppFeat", set("g"), "/suppFeat"),
        ("long reason", "/failReason", long(MAX_DESCRIPTION + 1), "/failReason"),
        ("long name", "/apiProvName", long(MAX_NAME + 1), "/apiProvName"),
    ]);
    #[rustfmt::skip] // a table stays a table
    taken::<APIProviderEnrolmentDetails>(&domain, vec![
        ("longest secret", "/regSec", long(MAX_SECRET)), ("role of later", "/apiProvFuncs/0/apiProvFuncRole", set("XYZ")),
        ("no functions", "/apiProvFuncs", Gone),
    ]);
    for (role, of) in [
        ("AEF", Some(CapifRole::Aef)),
        ("APF", Some(CapifRole::Apf)),
        ("AMF", Some(CapifRole::Amf)),
        ("aef", None),
    ] {
        assert_eq!(ApiProviderFuncRole::from(role).certificate_role(), of, "{role}");
    }
}

#[test]
fn a_domain_is_patched_without_its_secret() {
    let mut kept: APIProviderEnrolmentDetails =
        read(sample!("capif_body/APIProviderEnrolmentDetails.json")).unwrap();
    assert!(!format!("{kept:?}").contains("s3cret"));
    kept.reg_sec = None;
    let after =
        kept.patched(&json!({"apiProvDomInfo": "new", "apiProvDomId": "OTHER", "regSec": "x"})).unwrap();
    assert_eq!(after.api_prov_dom_info.as_deref(), Some("new"));
    assert_eq!((after.api_prov_dom_id, after.reg_sec), (kept.api_prov_dom_id.clone(), None));
    for (patch, param) in [
        (json!(1), ""),
        (json!({"apiProvFuncs": []}), "/apiProvFuncs"),
        (json!({"apiProvFuncs": [{}]}), "/apiProvFuncs/0/regInfo"),
    ] {
        assert_eq!(kept.patched(&patch).unwrap_err()[0].param, param, "{patch}");
    }
}

#[test]
fn a_spoilt_invoker_is_refused() {
    let invoker = sample!("capif_body/APIInvokerEnrolmentDetails.json");
    let criteria = invoker["onboardingInformation"]["onboardingCriteria"][0].clone();
    let at = "/onboardingInformation/onboardingCriteria/0";
    let place = |path: &str| format!("{at}{path}");
    let (methods, related) = (place("/secMethods"), place("/relatedCriteria"));
    let (aefs, apis) = (place("/relatedCriteria/aefIds"), place("/relatedCriteria/apis"));
    let versions = place("/relatedCriteria/apis/0/supportedApiVersions");
    let categories = place("/relatedCriteria/serviceAPICategories");
    #[rustfmt::skip] // a table stays a table
    refused::<APIInvokerEnrolmentDetails>(&invoker, vec![
        ("identifier", "/apiInvokerId", set("a/b"), "/apiInvokerId"),
        ("no information", "/onboardingInformation", Gone, "/onboardingInformation"),
        ("no key", "/onboardingInformation/apiInvokerPublicKey", Gone, "/onboardingInformation/apiInvokerPublicKey"),
        ("long key", "/onboardingInformation/apiInvokerPublicKey", long(MAX_PEM + 1), "/onboardingInformation/apiInvokerPublicKey"),
        ("certificate", "/onboardingInformation/apiInvokerCertificate", set(""), "/onboardingInformation/apiInvokerCertificate"),
        ("secret", "/onboardingInformation/onboardingSecret", set(""), "/onboardingInformation/onboardingSecret"),
        ("no criterion", "/onboardingInformation/onboardingCriteria", many(0, 0), "/onboardingInformation/onboardingCriteria"),
        ("too many criteria", "/onboardingInformation/onboardingCriteria", many(criteria, MAX_CRITERIA + 1), "/onboardingInformation/onboardingCriteria"),
        ("no method", &methods, Gone, &methods), ("empty methods", &methods, many("", 0), &methods),
        ("about nothing", &related, set(json!({})), &related), ("no function", &aefs, many("", 0), &aefs),
        ("too many functions", &aefs, many("AEF1", MAX_LIST + 1), &aefs), ("no API", &apis, many("", 0), &apis),
        ("no version", &versions, many("", 0), &versions), ("empty category", &categories, many("", 1), &place("/relatedCriteria/serviceAPICategories/0")),
        ("no destination", "/notificationDestination", Gone, "/notificationDestination"),
        ("no URI", "/notificationDestination", set("vs-1"), "/notificationDestination"),
        ("test", "/requestTestNotification", set("true"), "/requestTestNotification"),
        ("address", "/websockNotifConfig/websocketUri", set(""), "/websockNotifConfig/websocketUri"),
        ("empty list", "/apiList/serviceAPIDescriptions", many(0, 0), "/apiList/serviceAPIDescriptions"),
        ("API in the list", "/apiList/serviceAPIDescriptions/0/aefProfiles/0/versions", many(0, 0), "/apiList/serviceAPIDescriptions/0/aefProfiles/0/versions"),
        ("long information", "/apiInvokerInformation", long(MAX_DESCRIPTION + 1), "/apiInvokerInformation"),
        ("end", "/expTime", set("never"), "/expTime"), ("features", "/supportedFeatures", set("-"), "/supportedFeatures"),
        ("no reason", "/failureReasons", many(0, 0), "/failureReasons"),
        ("reason without a code", "/failureReasons/0/failureCode", Gone, "/failureReasons/0/failureCode"),
        ("reason without a name", "/failureReasons/0/apiName", Gone, "/failureReasons/0/apiName"),
        ("vendor", "/vendorSpecific-", set(1), "/vendorSpecific-"),
    ]);
    // What the clients of OpenCAPIF send.
    taken::<APIInvokerEnrolmentDetails>(
        &invoker,
        vec![("a word for an address", "/websockNotifConfig/websocketUri", set("websocketUri"))],
    );
}

#[test]
fn an_invoker_is_patched() {
    let before: APIInvokerEnrolmentDetails =
        read(sample!("capif_body/APIInvokerEnrolmentDetails.json")).unwrap();
    assert!(!format!("{before:?}").contains("s3cret"));
    let patch =
        json!({"expTime": null, "notificationDestination": "https://new.example/", "apiInvokerId": "OTHER"});
    let after = before.patched(&patch).unwrap();
    assert_eq!((after.exp_time, after.notification_destination.as_str()), (None, "https://new.example/"));
    assert_eq!(after.api_invoker_id, before.api_invoker_id);
    for (patch, param) in [
        (json!({"notificationDestination": null}), "/notificationDestination"),
        (
            json!({"onboardingInformation": {"apiInvokerPublicKey": null}}),
            "/onboardingInformation/apiInvokerPublicKey",
        ),
    ] {
        assert_eq!(before.patched(&patch).unwrap_err()[0].param, param, "{patch}");
    }
}

#[test]
fn a_spoilt_notification_is_refused() {
    let told = sample!("capif_body/OnboardingNotification.json");
    #[rustfmt::skip] // a table stays a table
    refused::<OnboardingNotification>(&told, vec![
        ("no result", "/result", Gone, "/result"), ("no URI", "/resourceLocation", set("x"), "/resourceLocation"),
        ("invoker", "/apiInvokerEnrolmentDetails/notificationDestination", set("x"), "/apiInvokerEnrolmentDetails/notificationDestination"),
        ("list", "/apiList/serviceAPIDescriptions", many(0, 0), "/apiList/serviceAPIDescriptions"),
        ("reason", "/failReason", set(""), "/failReason"),
    ]);
}
