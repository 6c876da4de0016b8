//! What an operator reads and does at the core function over `admin`: lists, limits, routes, what is open, and the end of a
//! party.

use api_types::capif::AefId;
use http::Method;
use sdk::{Answer, Request};
use serde_json::{Value, json};

use super::{Invoker, enrol, onboarded, refused};
use crate::harness::{Program, Site, json_of};

/// A request to the admin API, by its path and query below `/v1`.
async fn at(site: &Site, method: Method, path: &str, body: Option<Value>) -> Answer {
    let mut request = Request::new(method, site.path("admin", &format!("/v1/{path}")));
    if let Some(body) = body {
        request = request.json(&body);
    }
    site.operator().send(request).await.expect("an answer")
}

async fn get(site: &Site, path: &str) -> Value {
    let answer = at(site, Method::GET, path, None).await;
    assert_eq!(answer.status, 200, "{path}: {}", String::from_utf8_lossy(&answer.body));
    json_of(&answer)
}

async fn status(site: &Site, method: Method, path: &str, body: Option<Value>) -> u16 {
    at(site, method, path, body).await.status
}

/// Every item of a list, in pages of `limit`.
async fn all(site: &Site, path: &str, limit: u32) -> Vec<Value> {
    let (mut items, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = get(site, &format!("{path}?limit={limit}{cursor}")).await;
        let found = page["items"].as_array().expect("items").clone();
        assert!(found.len() <= limit as usize, "{path}");
        items.extend(found);
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return items,
        }
    }
}

async fn api_named(site: &Site, name: &str) -> String {
    let apis = all(site, "capif/apis", 3).await;
    let api = apis.iter().find(|api| api["apiName"] == name).expect("published");
    api["serviceApiId"].as_str().expect("an id").to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_operator_sees_what_is_on_record() {
    let program = Program::demo();
    let site = Site::of(&program);
    let invoker = onboarded(&site).await;
    let aef = invoker.aef("ssan-sanm").await;
    invoker.negotiate(&[&aef]).await;
    invoker.token(&aef, "ssan-sanm,ssan-disc").await.expect("a token");

    let known = all(&site, "capif/invokers", 1).await;
    assert!(known.iter().any(|one| one["apiInvokerId"] == invoker.id.as_str()), "{known:?}");
    let one = get(&site, &format!("capif/invokers/{}", invoker.id)).await;
    assert_eq!((&one["state"], &one["enrolment"]["name"]), (&json!("ONBOARDED"), &json!("of a test")));
    assert_eq!(one["certificates"][0]["counts"], true);
    assert_eq!(one["tokens"][0]["apis"], json!(["ssan-disc", "ssan-sanm"]));
    assert_eq!(one["tokens"][0]["aefId"], aef.as_str());
    assert!(one["negotiated"].as_u64().is_some_and(|number| number > 0));
    assert!(!one.to_string().contains("eyJ"), "no token is shown");

    let context = get(&site, &format!("capif/contexts/{}", invoker.id)).await;
    let methods: Vec<_> =
        context["entries"].as_array().expect("entries").iter().map(|e| &e["method"]).collect();
    assert!(!methods.is_empty() && methods.iter().all(|method| **method == "OAUTH"), "{context}");
    assert!(all(&site, "capif/contexts", 1).await.contains(&context));

    let providers = all(&site, "capif/providers", 1).await;
    let provider =
        providers.iter().find(|one| one.to_string().contains(aef.as_str())).expect("that of the anchors");
    let same =
        get(&site, &format!("capif/providers/{}", provider["registrationId"].as_str().expect("an id"))).await;
    assert_eq!(&same, provider);
    assert!(provider["functions"].as_array().expect("functions").len() >= 3);

    let api = api_named(&site, "ssan-sanm").await;
    let users = all(&site, &format!("capif/apis/{api}/invokers"), 2).await;
    let user = users.iter().find(|one| one["apiInvokerId"] == invoker.id.as_str()).expect("it may");
    assert_eq!(user["negotiated"], json!([{ "aefId": aef.as_str(), "method": "OAUTH" }]));

    // What was refused leads to why.
    let (status, reason) = refused(&site, invoker.token(&aef, "ssm-smm").await).await;
    assert_eq!((status, reason.as_str()), (Some(400), "METHOD_NOT_NEGOTIATED"));
    let refusals = get(&site, &format!("capif/refusals/{}", invoker.id)).await;
    let last = &refusals["items"][0];
    assert_eq!((&last["function"], &last["reason"]), (&json!("ccf"), &json!("METHOD_NOT_NEGOTIATED")));
    let why = get(&site, &format!("traces/{}/why", last["trace"].as_str().expect("a trace"))).await;
    assert_eq!((&why["verdict"], &why["reason"]), (&json!("deny"), &json!("METHOD_NOT_NEGOTIATED")));
    assert_eq!(status_of(&site, "capif/refusals/alice").await, 404, "of people there is none of this");
}

async fn status_of(site: &Site, path: &str) -> u16 {
    status(site, Method::GET, path, None).await
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_operator_provisions_is_there() {
    let program = Program::demo();
    let site = Site::of(&program);
    let invoker = onboarded(&site).await;
    let (api, aef): (_, AefId) = (api_named(&site, "ssan-disc").await, invoker.aef("ssan-disc").await);

    let limits = format!("capif/access-control/{}/{api}", invoker.id);
    let body = json!({ "allowedTotalInvocations": 9, "allowedInvocationsPerSecond": 2 });
    assert_eq!(status_of(&site, &limits).await, 404);
    let made = at(&site, Method::PUT, &limits, Some(body.clone())).await;
    assert_eq!((made.status, made.header("etag").is_some()), (201, true));
    let again = at(&site, Method::PUT, &format!("{limits}?aef={aef}"), Some(body)).await;
    assert_eq!(again.status, 200);
    assert_ne!(made.header("etag"), again.header("etag"));
    let kept = get(&site, &limits).await;
    assert_eq!((&kept["aefId"], &kept["allowedTotalInvocations"]), (&json!(aef.as_str()), &json!(9)));
    assert_eq!(
        status(&site, Method::PUT, &format!("capif/access-control/default/{api}"), Some(json!({}))).await,
        201
    );
    assert_eq!(
        get(&site, &format!("capif/access-control?api={api}")).await["items"].as_array().map(Vec::len),
        Some(2)
    );
    let of_one = get(&site, &format!("capif/access-control?invoker={}", invoker.id)).await;
    assert_eq!(of_one["items"], json!([kept]));
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("another function",  format!("{limits}?aef=AEF1"), json!({}), 404),
        ("another API",       format!("capif/access-control/{}/API1", invoker.id), json!({}), 404),
        ("nobody",            format!("capif/access-control/nobody/{api}"), json!({}), 400),
        ("no identifier",     format!("capif/access-control/a-b/{api}"), json!({}), 400),
        ("a bound below 0",   limits.clone(), json!({ "allowedTotalInvocations": -1 }), 400),
        ("another member",    limits.clone(), json!({ "allowed": 1 }), 400),
    ];
    for (what, path, body, expected) in rows {
        assert_eq!(status(&site, Method::PUT, &path, Some(body)).await, expected, "{what}");
    }
    assert_eq!(status(&site, Method::DELETE, &limits, None).await, 204);
    assert_eq!(status(&site, Method::DELETE, &limits, None).await, 404);

    let routing = format!("capif/routing/{api}");
    let rules = json!({ "routingRules": [{
        "ipv4AddrRanges": [{ "start": "198.51.100.1", "end": "198.51.100.9" }],
        "aefProfile": { "aefId": aef, "versions": [{ "apiVersion": "v1" }], "domainName": "a.example" },
    }] });
    assert_eq!(status_of(&site, &routing).await, 404);
    assert_eq!(status(&site, Method::PUT, &routing, Some(rules.clone())).await, 201);
    assert_eq!(get(&site, &routing).await, rules);
    assert_eq!(status(&site, Method::PUT, &routing, Some(json!({ "routingRules": [{}] }))).await, 400);
    assert_eq!(status(&site, Method::DELETE, &routing, None).await, 204);
    assert_eq!(status_of(&site, &routing).await, 404);
}

/// What anybody finds, who is not onboarded.
async fn open(site: &Site) -> Vec<String> {
    let url = site.path("ccf", "/open-api-disc/v1/service-apis");
    let answer = site.link_as(None).send(Request::get(url)).await.expect("an answer");
    let found = json_of(&answer)["discApis"].as_array().cloned().unwrap_or_default();
    found.iter().filter_map(|api| api["apiName"].as_str().map(str::to_owned)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_open_is_what_the_operator_has_written_last() {
    let program = Program::demo();
    let site = Site::of(&program);
    let before = open(&site).await;
    let list = at(&site, Method::GET, "capif/open-apis", None).await;
    assert_eq!(list.header("etag"), Some("\"0\""), "that of the configuration");
    let put =
        at(&site, Method::PUT, "capif/open-apis", Some(json!({ "names": ["ssan-disc", "nothing"] }))).await;
    assert_eq!((put.status, json_of(&put)), (201, json!({ "names": ["ssan-disc", "nothing"] })));
    assert_eq!(open(&site).await, ["ssan-disc"]);
    let disc = get(&site, &format!("capif/apis/{}", api_named(&site, "ssan-disc").await)).await;
    assert_eq!(disc["open"], true);
    for (what, body) in [
        ("no name", json!({ "names": ["a b"] })),
        ("a name twice", json!({ "names": ["ssan-disc", "ssan-disc"] })),
        ("no list", json!({})),
    ] {
        assert_eq!(status(&site, Method::PUT, "capif/open-apis", Some(body)).await, 400, "{what}");
    }
    assert_eq!(status(&site, Method::PUT, "capif/open-apis", Some(json!({ "names": [] }))).await, 200);
    assert!(open(&site).await.is_empty());
    assert_eq!(status(&site, Method::DELETE, "capif/open-apis", None).await, 204);
    assert_eq!(status(&site, Method::DELETE, "capif/open-apis", None).await, 404);
    assert_eq!(open(&site).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_party_that_the_operator_ends_is_gone() {
    let program = Program::demo();
    let site = Site::of(&program);
    let invoker: Invoker = onboarded(&site).await;
    let aef = invoker.aef("ssan-disc").await;
    invoker.negotiate(&[&aef]).await;
    let san = invoker.san(&site, "ssan-disc").await;
    let query = sdk::AnchorQuery { limit: Some(1), ..Default::default() };
    san.discover_all(&query).await.expect("found");

    let path = format!("capif/invokers/{}", invoker.id);
    assert_eq!(status(&site, Method::DELETE, &path, None).await, 204);
    let (status_seen, _) = refused(&site, san.discover_all(&query).await).await;
    assert_eq!(status_seen, Some(401), "no token of it counts when that is answered");
    let (status_seen, reason) = refused(&site, invoker.token(&aef, "ssan-disc").await).await;
    assert_eq!((status_seen, reason.as_str()), (Some(401), "CLIENT_AUTH_WRONG"));
    assert_eq!(status_of(&site, &path).await, 404);
    assert_eq!(status_of(&site, &format!("capif/contexts/{}", invoker.id)).await, 404);
    assert_eq!(status(&site, Method::DELETE, &path, None).await, 404);

    let provider = get(&site, "capif/providers?limit=1").await["items"][0].clone();
    let path = format!("capif/providers/{}", provider["registrationId"].as_str().expect("an id"));
    assert_eq!(status(&site, Method::DELETE, &path, None).await, 204);
    assert_eq!(status_of(&site, &path).await, 404);
    let left = all(&site, "capif/apis", 100).await;
    assert!(left.iter().all(|api| api["registrationId"] != provider["registrationId"]), "{left:?}");

    // An enrolment that nobody has used is taken back; its secret is worth nothing then.
    let secret = enrol(&site, "api_invoker").await;
    let waiting = all(&site, "enrolments", 2).await;
    assert!(!serde_json::to_string(&waiting).expect("JSON").contains(secret.expose()), "no secret is shown");
    let ours = waiting.iter().filter(|one| one["usedAt"].is_null() && one["name"] == "of a test");
    for one in ours {
        let path = format!("enrolments/{}", one["enrolmentId"].as_str().expect("an id"));
        assert_eq!(status(&site, Method::DELETE, &path, None).await, 204);
        assert_eq!(status(&site, Method::DELETE, &path, None).await, 404);
    }
    let (status_seen, reason) = refused(&site, super::onboard(&site, &secret).await).await;
    assert_eq!((status_seen, reason.as_str()), (Some(401), "CREDENTIALS_WRONG"));
    let filter =
        sdk::admin::RecordFilter { object: Some(format!("invokers/{}", invoker.id)), ..Default::default() };
    let acts = site.operator().audit(&filter).await.expect("records").items;
    assert!(acts.iter().any(|item| item.action == "admin.capif.invoker.delete"), "{acts:?}");
}
