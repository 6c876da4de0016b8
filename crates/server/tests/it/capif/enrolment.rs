//! Secrets of enrolments: each is good once, in its time, for its kind.

use api_types::Secret;
use api_types::admin::Enrolment;
use api_types::capif::provider::ApiProviderFuncRole;
use sdk::{Request, SdkError};
use serde_json::json;

use super::{enrol, key_and_csr, onboard, stranger};
use crate::harness::{Program, Site, json_of, parsed};

async fn register(site: &Site, secret: &Secret) -> Result<(), SdkError> {
    let functions = [ApiProviderFuncRole::Amf, ApiProviderFuncRole::Aef].map(|role| (role, key_and_csr().1));
    stranger(site).register_provider(secret, "of a test", &functions).await.map(|_| ())
}

async fn show(site: &Site, kind: &str, secret: &Secret) -> Result<(), SdkError> {
    match kind {
        "api_invoker" => onboard(site, secret).await.map(|_| ()),
        _ => register(site, secret).await,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_opens_once_in_its_time_for_its_kind() {
    let program = Program::demo();
    let site = Site::of(&program);
    for (kind, other) in [("api_invoker", "api_provider"), ("api_provider", "api_invoker")] {
        let used = enrol(&site, kind).await;
        assert!(show(&site, kind, &used).await.is_ok(), "{kind}");
        let late = enrol(&site, kind).await;
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("used",       used,                      0),
            ("wrong",      Secret::new("x".repeat(43)), 0),
            ("other kind", enrol(&site, other).await, 0),
            ("expired",    late,                      60),
        ];
        for (what, secret, later_s) in rows {
            site.operator().set_clock(later_s).await.expect("the clock moves");
            let error = show(&site, kind, &secret).await.expect_err(what);
            let reason = site.reason(error.trace().map(str::to_owned)).await;
            assert_eq!((error.status(), reason.as_str()), (Some(401), "CREDENTIALS_WRONG"), "{kind}: {what}");
            site.operator().set_clock(0).await.expect("the clock moves");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_enrolment_is_an_act_of_an_operator() {
    let program = Program::demo();
    let site = Site::of(&program);
    let good = json!({ "kind": "api_invoker", "name": "VAL server 3", "expiresInS": 60 });
    let made = site.operator().enrol(&parsed::<Enrolment>(good.clone())).await.expect("enrolled");
    assert!(made.expires_at.unix() <= site.time.now_s() + 61);
    let filter =
        sdk::admin::RecordFilter { object: Some("enrolments/api_invoker".into()), ..Default::default() };
    let audited = site.operator().audit(&filter).await.expect("records").items;
    assert!(
        audited.iter().any(|item| item.action == "admin.enrol" && item.verdict == "permit"),
        "{audited:?}"
    );
    let shown = serde_json::to_string(&audited).expect("JSON");
    assert!(!shown.contains(made.secret.expose()), "the secret stands in no record");
    let url = site.operator().url(&["enrolments"]).expect("a url");
    for role in ["auditor", "disclosure"] {
        let link = site.link_as(Some(&site.identity("admin", role, "someone")));
        let answer = link.send(Request::post(url.clone()).json(&good)).await.expect("an answer");
        assert_eq!(
            (answer.status, &json_of(&answer)["cause"]),
            (403, &json!("UNAUTHORIZED_OPERATION")),
            "{role}"
        );
    }
    for (member, value) in
        [("kind", json!("aef")), ("name", json!("")), ("expiresInS", json!(0)), ("more", json!(1))]
    {
        let mut body = good.clone();
        body[member] = value;
        let answer = site.operator().send(Request::post(url.clone()).json(&body)).await.expect("an answer");
        assert_eq!(answer.status, 400, "{member}");
    }
}
