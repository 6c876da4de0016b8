//! Two core functions over CAPIF-6: what is shared is found at the other one, and nothing else; each check has its row.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use api_types::capif::ServiceApiId;
use api_types::capif::publish::ServiceAPIDescription;
use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use capif_core::ccf::{CcfConfig, Federation, LinkError, Partner, PartnerLink, Take};
use http::{Method, Request};
use rcgen::{CertificateParams, KeyPair, SanType};
use serde_json::{Value, json};
use service_http::peer::{CertRole, PeerCertificate, identity_uri};
use tokio::time::{sleep, timeout};

use crate::harness::{Answer, Ccf, Holder, ccf_with, json_request, send, text};
use crate::publish::{api, published};

const PATIENCE: Duration = Duration::from_secs(20);

/// The certificate of a core function, as the edge would show it.
fn core_function(id: &str) -> Holder {
    let mut params = CertificateParams::default();
    let uri = identity_uri(CertRole::Ccf, id).try_into().unwrap();
    params.subject_alt_names.push(SanType::URI(uri));
    let leaf = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
    Holder { id: id.to_owned(), certificate: PeerCertificate::of(leaf.der()).unwrap() }
}

/// The way from one core function to the router of another one, which can be cut.
struct Wire {
    from: Holder,
    to: OnceLock<Router>,
    cut: AtomicBool,
}

impl Wire {
    fn from(id: &str) -> Arc<Self> {
        Arc::new(Self { from: core_function(id), to: OnceLock::new(), cut: AtomicBool::new(false) })
    }

    async fn ask(&self, request: Request<Body>, status: u16) -> Result<Answer, LinkError> {
        let to = self.to.get().filter(|_| !self.cut.load(Ordering::SeqCst));
        let to = to.ok_or_else(|| LinkError("cut".to_owned()))?;
        let answer = send(to, request, Some(&self.from)).await;
        if answer.status == status { Ok(answer) } else { Err(LinkError(answer.body)) }
    }

    fn at(&self, id: Option<&ServiceApiId>) -> String {
        let list = format!("/published-apis/v1/{}/service-apis", self.from.id);
        id.map_or(list.clone(), |id| format!("{list}/{id}"))
    }
}

fn bare(method: Method, target: &str) -> Request<Body> {
    Request::builder().method(method).uri(target).body(Body::empty()).unwrap()
}

#[async_trait]
impl PartnerLink for Wire {
    async fn published(&self) -> Result<Vec<ServiceAPIDescription>, LinkError> {
        let answer = self.ask(bare(Method::GET, &self.at(None)), 200).await?;
        Ok(serde_json::from_value(answer.json()).unwrap())
    }

    async fn publish(&self, api: &ServiceAPIDescription) -> Result<(), LinkError> {
        let body = serde_json::to_value(api).unwrap();
        self.ask(json_request(Method::POST, &self.at(None), &body), 201).await.map(drop)
    }

    async fn republish(&self, id: &ServiceApiId, api: &ServiceAPIDescription) -> Result<(), LinkError> {
        let body = serde_json::to_value(api).unwrap();
        self.ask(json_request(Method::PUT, &self.at(Some(id)), &body), 200).await.map(drop)
    }

    async fn unpublish(&self, id: &ServiceApiId) -> Result<(), LinkError> {
        self.ask(bare(Method::DELETE, &self.at(Some(id))), 204).await.map(drop)
    }

    async fn discover(&self) -> Result<Vec<ServiceAPIDescription>, LinkError> {
        let target = format!("/service-apis/v1/allServiceAPIs?api-invoker-id={}", self.from.id);
        let found = self.ask(bare(Method::GET, &target), 200).await?.json();
        Ok(serde_json::from_value(found["serviceAPIDescriptions"].clone()).unwrap_or_default())
    }
}

/// A core function `own` with one partner.
async fn node(own: &str, partner: &str, apis: &[&str], take: Take, wire: &Arc<Wire>) -> Ccf {
    let partner = Partner {
        ccf_id: partner.to_owned(),
        domain: partner.to_lowercase(),
        apis: apis.iter().map(|name| (*name).to_owned()).collect(),
        take,
        link: wire.clone(),
    };
    let federation = Federation { ccf_id: own.to_owned(), partners: vec![partner] };
    ccf_with(|config: &mut CcfConfig| config.federation = Some(federation)).await
}

/// A and B, each the other's partner; B takes what A has in this way.
async fn two(take: Take) -> (Ccf, Arc<Wire>, Ccf, Arc<Wire>) {
    let (to_b, to_a) = (Wire::from("CCFA"), Wire::from("CCFB"));
    let a = node("CCFA", "CCFB", &[], Take::Published, &to_b).await;
    let b = node("CCFB", "CCFA", &["things", "others"], take, &to_a).await;
    // Both draw from the same seed; from here on they draw differently.
    b.invoker(&[]).await;
    to_a.to.set(a.server.router().unwrap()).unwrap();
    to_b.to.set(b.server.router().unwrap()).unwrap();
    (a, to_b, b, to_a)
}

fn shared(mut api: Value) -> Value {
    api["shareableInfo"] = json!({ "isShareable": true, "capifProvDoms": ["ccfb"] });
    api
}

/// What an API invoker finds.
async fn found(ccf: &Ccf, by: &Holder, more: &str) -> Vec<Value> {
    let target = format!("/service-apis/v1/allServiceAPIs?api-invoker-id={}{more}", by.id);
    let body = ccf.get(&target, Some(by)).await.expect(200);
    body["serviceAPIDescriptions"].as_array().cloned().unwrap_or_default()
}

async fn until(ccf: &Ccf, by: &Holder, holds: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let wait = async {
        loop {
            let found = found(ccf, by, "").await;
            if holds(&found) {
                return found;
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("in time")
}

#[tokio::test]
async fn what_is_shared_is_found_at_the_other_one_as_long_as_it_is_shared() {
    let (a, to_b, b, _to_a) = two(Take::Published).await;
    let provider = a.provider(1, &[]).await;
    let aef = &provider.aefs[0];
    published(&a, &provider, &api("others", &[aef])).await;
    let things = published(&a, &provider, &shared(api("things", &[aef]))).await;
    let invoker = b.invoker(&[]).await;

    let there = until(&b, &invoker, |found| !found.is_empty()).await;
    assert_eq!(there.len(), 1, "what is not shared stays: {there:?}");
    assert_eq!((&there[0]["apiName"], &there[0]["ccfId"]), (&json!("things"), &json!("CCFA")));
    assert_eq!(there[0]["pubApiPath"], json!({ "ccfIds": ["CCFA"] }));
    assert_eq!(there[0]["aefProfiles"][0]["aefId"], json!(aef.id));
    assert_ne!(there[0]["apiId"], json!(things.rsplit('/').next().unwrap()), "each assigns its own");

    // It is used there like one of its own: negotiated, and a token named for the function of the other domain.
    let context = json!({ "securityInfo": [{ "aefId": aef.id, "prefSecurityMethods": ["OAUTH"] }],
        "notificationDestination": "https://invoker.example/n" });
    b.put(&format!("/capif-security/v1/trustedInvokers/{}", invoker.id), Some(&invoker), &context)
        .await
        .expect(201);
    let form =
        format!("grant_type=client_credentials&client_id={}&scope=3gpp%23{}:things", invoker.id, aef.id);
    let token = |form: &str| {
        let target = format!("/capif-security/v1/securities/{}/token", invoker.id);
        let request = Request::post(target).header("content-type", "application/x-www-form-urlencoded");
        request.body(Body::from(form.to_owned())).unwrap()
    };
    b.send(token(&form), Some(&invoker)).await.expect(200);

    // A change follows; cut off, it follows later; in the end it is gone, and with it what was negotiated.
    to_b.cut.store(true, Ordering::SeqCst);
    let mut changed = shared(api("things", &[aef]));
    changed["description"] = "changed".into();
    a.put(&things, Some(&provider.apf), &changed).await.expect(200);
    sleep(Duration::from_millis(700)).await;
    assert_eq!(found(&b, &invoker, "").await[0].get("description"), None);
    to_b.cut.store(false, Ordering::SeqCst);
    until(&b, &invoker, |found| found.first().is_some_and(|api| api["description"] == "changed")).await;
    a.delete(&things, Some(&provider.apf)).await.expect(204);
    until(&b, &invoker, <[Value]>::is_empty).await;
    assert_eq!(b.send(token(&form), Some(&invoker)).await.status, 400);
}

#[tokio::test]
async fn what_a_partner_shares_is_discovered_where_it_does_not_publish() {
    let (a, to_b, b, to_a) = two(Take::Discovered).await;
    // A cannot reach B; B asks A.
    to_b.cut.store(true, Ordering::SeqCst);
    let provider = a.provider(1, &[]).await;
    published(&a, &provider, &shared(api("things", &[&provider.aefs[0]]))).await;
    published(&a, &provider, &shared(api("not-allowed-there", &[&provider.aefs[0]]))).await;
    let invoker = b.invoker(&[]).await;
    // The first look may have come before there was anything: the next one is at a restart, as it were.
    let b2 = node_again(&b, &to_a).await;
    let there = until(&b2, &invoker, |found| !found.is_empty()).await;
    assert_eq!(there.len(), 1);
    assert_eq!(
        (&there[0]["apiName"], &there[0]["pubApiPath"]),
        (&json!("things"), &json!({ "ccfIds": ["CCFA"] }))
    );
}

/// The same core function after a restart.
async fn node_again(ccf: &Ccf, wire: &Arc<Wire>) -> Ccf {
    let partner = Partner {
        ccf_id: "CCFA".to_owned(),
        domain: "ccfa".to_owned(),
        apis: vec!["things".to_owned(), "others".to_owned()],
        take: Take::Discovered,
        link: wire.clone(),
    };
    let federation = Federation { ccf_id: "CCFB".to_owned(), partners: vec![partner] };
    ccf.again(|config| config.federation = Some(federation)).await
}

#[tokio::test]
async fn one_spoiled_thing_is_refused_for_its_own_reason() {
    let (a, _, b, _) = two(Take::Published).await;
    let provider = a.provider(2, &[]).await;
    let at_home = b.provider(1, &[]).await;
    let partner = core_function("CCFA");
    let list = "/published-apis/v1/CCFA/service-apis";
    let good = || {
        let mut api = shared(api("things", &[&provider.aefs[0]]));
        (api["ccfId"], api["pubApiPath"]) = (json!("CCFA"), json!({ "ccfIds": ["CCFA"] }));
        api
    };
    let made = b.post(list, Some(&partner), &good()).await;
    let one = format!("{list}/{}", made.id());
    made.expect(201);

    let spoil = |spoil: &dyn Fn(&mut Value)| {
        let mut body = good();
        body["aefProfiles"][0]["aefId"] = json!(provider.aefs[1].id);
        spoil(&mut body);
        body
    };
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("nothing", spoil(&|_| {}), 201, String::new()),
        ("the same again", good(), 409, "ID_TAKEN".to_owned()),
        ("a name that it may not bring", spoil(&|a| a["apiName"] = "more".into()), 403, "NOT_ENTITLED".to_owned()),
        ("round in a circle", spoil(&|a| { a["apiName"] = "others".into(); a["pubApiPath"]["ccfIds"] = json!(["CCFB", "CCFA"]); }), 400, "/pubApiPath/ccfIds/0".to_owned()),
        ("a function of the other domain", spoil(&|a| { a["apiName"] = "others".into(); a["aefProfiles"][0]["aefId"] = json!(at_home.aefs[0].id); }), 400, "/aefProfiles/0/aefId".to_owned()),
        ("status of what is not there", spoil(&|a| { a["apiName"] = "others".into(); a["apiStatus"] = json!({ "aefIds": ["AEFX"] }); }), 400, "/apiStatus/aefIds/0".to_owned()),
    ];
    for (what, body, status, why) in rows {
        let answer = b.post(list, Some(&partner), &body).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
        match status {
            201 => {}
            400 => assert_eq!(answer.faults(), [why], "{what}"),
            409 => assert_eq!(answer.cause(), why, "{what}"),
            _ => assert_eq!(b.last_reason().await, why, "{what}"),
        }
    }

    // Who asks: another core function, a path of another one, an AMF, nobody.
    let stranger = core_function("CCFX");
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Option<&Holder>, &str, u16, &str); 5] = [
        ("a stranger", Some(&stranger), "CCFX", 403, "PEER_REFUSED"),
        ("a stranger in the name of the partner", Some(&stranger), "CCFA", 403, "PEER_REFUSED"),
        ("the partner in another name", Some(&partner), &at_home.apf.id, 403, "NOT_OWNER"),
        ("a publisher in the name of the partner", Some(&at_home.apf), "CCFA", 403, "NOT_OWNER"),
        ("nobody", None, "CCFA", 403, "PEER_REFUSED"),
    ];
    for (what, by, name, status, reason) in rows {
        let answer = b.get(&format!("/published-apis/v1/{name}/service-apis"), by).await;
        assert_eq!(
            (answer.status, b.last_reason().await.as_str()),
            (status, reason),
            "{what}: {}",
            answer.body
        );
        let answer = b.delete(&one.replace("CCFA", name), by).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.body);
    }
    let look = |name: &str| format!("/service-apis/v1/allServiceAPIs?api-invoker-id={name}");
    let at_b = api("of-b", &[&at_home.aefs[0]]);
    let mut shared_by_b = at_b.clone();
    shared_by_b["shareableInfo"] = json!({ "isShareable": true });
    published(&b, &at_home, &shared_by_b).await;
    let names = |body: &Value| -> Vec<String> {
        body["serviceAPIDescriptions"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|api| text(&api["apiName"]))
            .collect()
    };
    let told = b.get(&look("CCFA"), Some(&partner)).await.expect(200);
    assert_eq!(names(&told), ["of-b"], "its own are not told back to a partner");
    assert_eq!(b.get(&look("CCFX"), Some(&stranger)).await.status, 403);
    assert_eq!(b.get(&look("CCFB"), Some(&partner)).await.status, 403);
}

#[tokio::test]
async fn a_partner_that_is_none_any_more_leaves_nothing() {
    let (a, _, b, _) = two(Take::Published).await;
    let provider = a.provider(1, &[]).await;
    published(&a, &provider, &shared(api("things", &[&provider.aefs[0]]))).await;
    let invoker = b.invoker(&[]).await;
    until(&b, &invoker, |found| !found.is_empty()).await;
    let alone = b.again(|_| {}).await;
    assert_eq!(found(&alone, &invoker, "").await, Vec::<Value>::new());
}
