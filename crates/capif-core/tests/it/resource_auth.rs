//! Resources and the policies of their owners (TR 33.721 6.3): told, kept, decided, and who may do none of it.

use std::time::Duration;

use axum::body::Body;
use http::header::{ETAG, IF_MATCH};
use http::{Method, Request};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::harness::{Answer, Ccf, Holder, ISSUER, NOW, Provider, ccf, escaped, json_request, text};
use crate::publish::{api, published};
use crate::security::{asking, context, entry};
use crate::token::{ask, claims};

const ANCHOR: &str = "list/7";

/// A core function that knows of an anchor of VAL server 1, and VAL servers that may use the server.
pub(crate) struct Scene {
    pub(crate) ccf: Ccf,
    pub(crate) provider: Provider,
    pub(crate) api: String,
    pub(crate) vs1: Holder,
    pub(crate) vs2: Holder,
    pub(crate) vs3: Holder,
}

pub(crate) async fn scene() -> Scene {
    scene_of(ccf().await).await
}

pub(crate) async fn scene_of(ccf: Ccf) -> Scene {
    let provider = ccf.provider(2, &[]).await;
    let at = published(&ccf, &provider, &api("ssan-sanm", &[&provider.aefs[0]])).await;
    let api_id = at.rsplit('/').next().unwrap().to_owned();
    published(&ccf, &provider, &api("ssm-smm", &[&provider.aefs[0]])).await;
    let (vs1, vs2, vs3) = (ccf.invoker(&[]).await, ccf.invoker(&[]).await, ccf.invoker(&[]).await);
    for invoker in [&vs1, &vs2, &vs3] {
        let body = asking(&json!([entry(&provider.aefs[0])]));
        ccf.put(&context(invoker), Some(invoker), &body).await.expect(201);
    }
    Scene { ccf, provider, api: api_id, vs1, vs2, vs3 }
}

/// A policy about somebody.
pub(crate) fn policy(id: &str, subject: Value, actions: &[&str], effect: &str) -> Value {
    json!({ "policyId": id, "subjects": [subject], "actions": actions, "effect": effect })
}

impl Scene {
    pub(crate) fn aef(&self) -> &Holder {
        &self.provider.aefs[0]
    }

    pub(crate) fn resources(&self) -> String {
        format!("/capif-resource-auth/v1/{}/resources", self.aef().id)
    }

    pub(crate) fn path(&self, id: &str) -> String {
        format!("{}/{}", self.resources(), id.replace('/', ":"))
    }

    pub(crate) fn owned(&self, by: &Holder) -> String {
        format!("/capif-resource-auth/v1/owners/{}/resources", by.id)
    }

    pub(crate) fn policies(&self, by: &Holder) -> String {
        format!("{}/{}/list:7/policies", self.owned(by), self.aef().id)
    }

    /// An anchor of VAL server 1 with these policies.
    pub(crate) fn anchor(&self, version: u64, policies: &[Value]) -> Value {
        json!({
            "resourceId": ANCHOR, "resourceType": "3gpp_spatial_anchor", "aefId": self.aef().id, "apiId": self.api,
            "owner": { "apiInvokerId": self.vs1.id }, "visibility": "LISTED", "authPolicies": policies,
            "policyVersion": version,
        })
    }

    pub(crate) fn permit(&self, who: &Holder, actions: &[&str]) -> Value {
        policy(&format!("for-{}", who.id), json!({ "apiInvokerId": who.id }), actions, "PERMIT")
    }

    /// The function tells of the anchor.
    pub(crate) async fn tell(&self, anchor: &Value) -> Answer {
        self.ccf.put(&self.path(ANCHOR), Some(self.aef()), anchor).await
    }

    /// A token for what `details` name, and more parameters.
    pub(crate) async fn request(&self, by: &Holder, details: &Value, more: &[(&str, &str)]) -> Answer {
        let scope = format!("3gpp#{}:ssan-sanm,ssm-smm", self.aef().id);
        let details = details.to_string();
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", by.id.as_str()),
            ("scope", &scope),
            ("authorization_details", &details),
        ];
        ask(&self.ccf, &by.id, Some(by), &[&form, more].concat()).await
    }

    pub(crate) async fn token(&self, by: &Holder, actions: &[&str]) -> Answer {
        self.request(by, &json!([instance(ANCHOR, actions)]), &[]).await
    }

    /// The reason why no token was given; the answer is the same whatever it is.
    pub(crate) async fn refused(&self, by: &Holder, actions: &[&str]) -> String {
        let answer = self.token(by, actions).await;
        assert_eq!(answer.status, 400, "{}", answer.body);
        assert_eq!(
            answer.json(),
            json!({ "error": "invalid_authorization_details",
                "error_description": "The authorization details are malformed, of an unknown type, or not granted." })
        );
        self.ccf.last_reason().await
    }

    /// Whether a token was revoked.
    pub(crate) async fn is_revoked(&self, token: &Answer) -> bool {
        let jti = text(&claims(token)["jti"]);
        let read = self.ccf.kit.store.read(move |tx| {
            Box::pin(async move { store::revocations::newest(tx, "token", &jti, ISSUER).await })
        });
        read.await.unwrap().is_some()
    }
}

pub(crate) fn instance(id: &str, actions: &[&str]) -> Value {
    json!({ "type": "3gpp_spatial_anchor", "level": "INSTANCE", "identifier": id, "actions": actions })
}

fn parts(ids: &[&str], actions: &[&str]) -> Value {
    json!({ "type": "3gpp_spatial_anchor", "level": "SERVICE_INFO", "identifier": ANCHOR,
        "datatypes": ["service-info"], "servInfoIds": ids, "actions": actions })
}

#[tokio::test]
async fn the_owners_policy_decides_who_gets_a_token() {
    let scene = scene().await;
    let Scene { ccf, vs1, vs2, vs3, .. } = &scene;
    // Nobody, before the function has told of it.
    assert_eq!(scene.refused(vs2, &["read"]).await, "NOT_FOUND");

    // Steps 4 and 5: told and kept in the profile of its owner.
    let anchor = scene.anchor(1, &[scene.permit(vs2, &["read", "discover"])]);
    let told = scene.tell(&anchor).await;
    assert_eq!(told.expect(201), anchor);
    assert_eq!(told.headers[ETAG], "\"1\"");
    assert_eq!(told.id(), "list:7");
    assert_eq!(scene.tell(&anchor).await.status, 204, "an outbox sends again what was not confirmed");
    let profile = ccf.get(&scene.owned(vs1), Some(vs1)).await.expect(200);
    assert_eq!(profile, json!({ "items": [anchor], "next": null }));

    // Steps 6 to 8.
    let token = scene.token(vs2, &["read", "update"]).await;
    let left = json!([instance(ANCHOR, &["read"])]);
    assert_eq!(claims(&token)["authorization_details"], left, "what the owner leaves");
    assert_eq!(token.expect(200)["authorization_details"], left);
    assert_eq!(scene.refused(vs2, &["update"]).await, "NOT_ALLOWED_ENTITY");
    assert_eq!(scene.refused(vs3, &["read"]).await, "NOT_ALLOWED_ENTITY");
    let own = scene.token(vs1, &["read", "update", "delete"]).await;
    assert_eq!(own.expect(200)["authorization_details"][0]["actions"], json!(["read", "update", "delete"]));
    // A service grant says nothing of its objects, which are decided where they are.
    let service = json!([{ "type": "3gpp_spatial_anchor", "level": "SERVICE", "actions": ["read"] }]);
    assert_eq!(scene.request(vs3, &service, &[]).await.status, 200);
    // An identifier of a map is no anchor, though nothing else differs.
    let map =
        json!([{ "type": "3gpp_spatial_map", "level": "INSTANCE", "identifier": "7", "actions": ["read"] }]);
    assert_eq!(scene.request(vs2, &map, &[]).await.status, 400);

    // Local policy and the owner both have to agree.
    let rule = json!({ "class": "local", "effect": "DENY", "subjects": [vs2.id], "services": [],
        "actions": ["read"], "resources": [] })
    .to_string();
    ccf.write(move |tx| Box::pin(async move { store::policies::put(tx, "p", &rule, NOW * 1_000).await }))
        .await;
    assert_eq!(scene.refused(vs2, &["read"]).await, "NOT_ENTITLED");
}

#[tokio::test]
async fn parts_are_granted_as_far_as_the_owner_names_them() {
    let scene = scene().await;
    let mut of_parts = scene.permit(&scene.vs2, &["update"]);
    of_parts["servInfoIds"] = json!(["menu", "price"]);
    let mut not_this = policy("no", json!("ANY_ONBOARDED"), &["update"], "DENY");
    not_this["servInfoIds"] = json!(["price"]);
    scene.tell(&scene.anchor(1, &[of_parts, not_this])).await.expect(201);
    let asked = json!([parts(&["menu", "price", "route"], &["update"])]);
    let token = scene.request(&scene.vs2, &asked, &[]).await;
    assert_eq!(claims(&token)["authorization_details"], json!([parts(&["menu"], &["update"])]));
    let all = json!([{ "type": "3gpp_spatial_anchor", "level": "SERVICE_INFO", "identifier": ANCHOR,
        "servInfoScope": "ALL", "actions": ["update"] }]);
    let token = scene.request(&scene.vs2, &all, &[]).await;
    assert_eq!(claims(&token)["authorization_details"], json!([parts(&["menu"], &["update"])]));
    assert_eq!(scene.refused(&scene.vs2, &["update"]).await, "OWNER_DENIED", "a part of it is denied");
}

#[tokio::test]
async fn what_is_told_is_refused_for_its_own_reason() {
    let scene = scene().await;
    let Scene { ccf, provider, vs1, vs2, .. } = &scene;
    let good = scene.anchor(7, &[scene.permit(vs2, &["read"])]);
    scene.tell(&good).await.expect(201);
    let set = |pointer: &str, value: Value| {
        let mut anchor = scene.anchor(8, &[scene.permit(vs2, &["read"])]);
        *anchor.pointer_mut(pointer).unwrap() = value;
        anchor
    };
    let window = json!([{ "startTime": "2030-01-01T00:00:00Z", "stopTime": "2029-01-01T00:00:00Z" }]);
    let mut closed = scene.anchor(8, &[scene.permit(vs2, &["read"])]);
    closed["authPolicies"][0]["timeWindows"] = window;
    let (aef, other) = (scene.aef(), &provider.aefs[1]);
    let path = scene.path(ANCHOR);
    let of_other = path.replace(&aef.id, &other.id);
    let elsewhere = scene.path("list/8");
    type Row<'r> = (&'r str, &'r str, Option<&'r Holder>, Value, u16, &'r str, &'r str);
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<Row<'_>> = vec![
        ("an API invoker",           &path,      Some(vs2),          set("/policyVersion", 8.into()), 403, "UNAUTHORIZED_OPERATION", "PEER_REFUSED"),
        ("its owner",                &path,      Some(vs1),          set("/policyVersion", 8.into()), 403, "UNAUTHORIZED_OPERATION", "PEER_REFUSED"),
        ("a publishing function",    &path,      Some(&provider.apf), set("/policyVersion", 8.into()), 403, "UNAUTHORIZED_OPERATION", "PEER_REFUSED"),
        ("nobody",                   &path,      None,               set("/policyVersion", 8.into()), 403, "UNAUTHORIZED_OPERATION", "PEER_REFUSED"),
        ("another function",         &path,      Some(other),        set("/policyVersion", 8.into()), 403, "UNAUTHORIZED_OPERATION", "NOT_OWNER"),
        ("of another function",      &of_other,  Some(aef),          set("/policyVersion", 8.into()), 403, "UNAUTHORIZED_OPERATION", "NOT_OWNER"),
        ("another function in body", &path,      Some(aef),          set("/aefId", other.id.as_str().into()), 400, "MANDATORY_IE_INCORRECT", "INPUT_REFUSED"),
        ("another resource in body", &elsewhere, Some(aef),          set("/policyVersion", 8.into()), 400, "MANDATORY_IE_INCORRECT", "INPUT_REFUSED"),
        ("an owner who is nobody",   &path,      Some(aef),          set("/owner", json!({ "apiInvokerId": "INV0" })), 400, "MANDATORY_IE_INCORRECT", "OWNER_UNKNOWN"),
        ("another's service API",    &path,      Some(aef),          set("/apiId", "API0".into()), 400, "MANDATORY_IE_INCORRECT", "INPUT_REFUSED"),
        ("a window that is closed",  &path,      Some(aef),          closed, 400, "MANDATORY_IE_INCORRECT", "INPUT_REFUSED"),
        ("an older version",         &path,      Some(aef),          set("/policyVersion", 6.into()), 409, "STALE_POLICY", "STALE_POLICY"),
        ("others under the version", &path,      Some(aef),          scene.anchor(7, &[]), 409, "STALE_POLICY", "STALE_POLICY"),
    ];
    for (what, path, by, body, status, cause, reason) in rows {
        let answer = ccf.put(path, by, &body).await;
        assert_eq!((answer.status, answer.cause()), (status, cause.to_owned()), "{what}: {}", answer.body);
        assert_eq!(ccf.last_reason().await, reason, "{what}");
    }
    assert_eq!(ccf.get(&path, Some(aef)).await.expect(200), good, "nothing of it was kept");
    assert_eq!(ccf.get(&path, Some(other)).await.status, 403);
    assert_eq!(ccf.get(&elsewhere, Some(aef)).await.status, 404);
    assert_eq!(ccf.patch(&elsewhere, Some(aef), &json!({ "policyVersion": 8 })).await.status, 404);
    assert_eq!(ccf.delete(&elsewhere, Some(aef)).await.status, 404);
    assert_eq!(ccf.delete(&path, Some(other)).await.status, 403);
}

#[tokio::test]
async fn a_change_begins_from_the_version_that_it_names() {
    let scene = scene().await;
    let (ccf, aef) = (&scene.ccf, Some(scene.aef()));
    scene.tell(&scene.anchor(1, &[])).await.expect(201);
    let with = |mut request: Request<Body>, tag: &str| {
        request.headers_mut().insert(IF_MATCH, tag.parse().unwrap());
        request
    };
    let path = scene.path(ANCHOR);
    for (tag, status) in [("\"2\"", 412), ("W/\"1\"", 412), ("\"1\"", 204)] {
        let request = json_request(Method::PUT, &path, &scene.anchor(2, &[]));
        let answer = ccf.send(with(request, tag), aef).await;
        assert_eq!(answer.status, status, "{tag}");
        if status == 412 {
            assert_eq!(ccf.last_reason().await, "STALE_VERSION");
        }
    }
    let changed = ccf.patch(&path, aef, &json!({ "visibility": "UNIVERSAL", "policyVersion": 3 })).await;
    let mut expected = scene.anchor(3, &[]);
    expected["visibility"] = json!("UNIVERSAL");
    assert_eq!(changed.expect(200), expected);
    let stale = ccf.patch(&path, aef, &json!({ "visibility": "PRIVATE", "policyVersion": 3 })).await;
    assert_eq!((stale.status, stale.cause()), (409, "STALE_POLICY".to_owned()));
    assert_eq!(ccf.patch(&path, aef, &json!({ "visibility": "PRIVATE" })).await.status, 400, "no version");
    let delete = || Request::builder().method(Method::DELETE).uri(&path).body(Body::empty()).unwrap();
    assert_eq!(ccf.send(with(delete(), "\"2\""), aef).await.status, 412);
    assert_eq!(ccf.send(with(delete(), "\"3\""), aef).await.status, 204);
    assert_eq!(ccf.get(&path, aef).await.status, 404);
}

#[tokio::test]
async fn narrowing_and_removal_revoke_what_is_out() {
    let scene = scene().await;
    let Scene { ccf, vs1, vs2, vs3, .. } = &scene;
    let both = [scene.permit(vs2, &["read"]), scene.permit(vs3, &["read"])];
    scene.tell(&scene.anchor(1, &both)).await.expect(201);
    let (of_vs2, of_vs3) = (scene.token(vs2, &["read"]).await, scene.token(vs3, &["read"]).await);
    let of_owner = scene.token(vs1, &["read", "update"]).await;
    let service = json!([{ "type": "3gpp_spatial_anchor", "level": "SERVICE", "actions": ["read"] }]);
    let coarse = scene.request(vs2, &service, &[]).await;

    // More is no less.
    let wider = [scene.permit(vs2, &["read", "update"]), scene.permit(vs3, &["read"])];
    assert_eq!(scene.tell(&scene.anchor(2, &wider)).await.status, 204);
    assert!(!scene.is_revoked(&of_vs2).await && !scene.is_revoked(&of_vs3).await);
    // VAL server 3 is taken out. Whoever else names the anchor asks anew; its owner does not.
    assert_eq!(scene.tell(&scene.anchor(3, &wider[..1])).await.status, 204);
    assert!(scene.is_revoked(&of_vs3).await && scene.is_revoked(&of_vs2).await);
    assert!(!scene.is_revoked(&of_owner).await && !scene.is_revoked(&coarse).await);
    assert_eq!(scene.refused(vs3, &["read"]).await, "NOT_ALLOWED_ENTITY");
    let again = scene.token(vs2, &["read"]).await;

    // The owner narrows what its server has told; its own denial overrides.
    let denied = json!({ "authPolicies": [policy("mine", json!("ANY_ONBOARDED"), &["read"], "DENY")] });
    let kept = ccf.put(&scene.policies(vs1), Some(vs1), &denied).await.expect(200);
    assert_eq!(kept["policyVersion"], 1);
    assert!(scene.is_revoked(&again).await && !scene.is_revoked(&of_owner).await);
    assert_eq!(scene.refused(vs2, &["read"]).await, "OWNER_DENIED");
    assert_eq!(ccf.get(&scene.policies(vs1), Some(vs1)).await.expect(200), kept);
    assert_eq!(ccf.get(&scene.policies(vs1), Some(scene.aef())).await.expect(200), kept, "its server");
    // What the server tells anew leaves it.
    assert_eq!(scene.tell(&scene.anchor(4, &wider)).await.status, 204);
    assert_eq!(scene.refused(vs2, &["read"]).await, "OWNER_DENIED");
    let updating = scene.token(vs2, &["update"]).await;

    assert_eq!(ccf.delete(&scene.path(ANCHOR), Some(scene.aef())).await.status, 204);
    for gone in [&updating, &of_owner] {
        assert!(scene.is_revoked(gone).await, "nobody's token for what is gone");
    }
    assert_eq!(scene.refused(vs1, &["read"]).await, "NOT_FOUND");
    assert_eq!(ccf.get(&scene.owned(vs1), Some(vs1)).await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn narrowing_is_answered_when_no_verifier_accepts_what_it_took() {
    let scene = scene().await;
    let Scene { ccf, vs1, vs2, .. } = &scene;
    let aef = Some(scene.aef());
    scene.tell(&scene.anchor(1, &[scene.permit(vs2, &["read"])])).await.expect(201);
    let token = scene.token(vs2, &["read"]).await;
    // The function follows the feed: it holds a lease of a second.
    ccf.get("/revocations?after=0", aef).await.expect(200);
    let denied = json!({ "authPolicies": [policy("mine", json!("ANY_ONBOARDED"), &["read"], "DENY")] });
    let path = scene.policies(vs1);
    let narrowing = ccf.put(&path, Some(vs1), &denied);
    tokio::pin!(narrowing);
    assert!(timeout(Duration::from_millis(100), &mut narrowing).await.is_err(), "the lease is alive");
    assert!(scene.is_revoked(&token).await, "and the token is not any more");
    let told = ccf.get("/revocations?after=0", aef).await.expect(200);
    assert!(told.to_string().contains(&text(&claims(&token)["jti"])), "{told}");
    let epoch = told["epoch"].as_u64().unwrap();
    // What it asks "after" confirms what it has applied.
    ccf.get(&format!("/revocations?after={epoch}"), aef).await.expect(200);
    narrowing.await.expect(200);
}

#[tokio::test]
async fn an_owner_alone_keeps_its_policies() {
    let scene = scene().await;
    let Scene { ccf, provider, vs1, vs2, .. } = &scene;
    scene.tell(&scene.anchor(1, &[])).await.expect(201);
    let body = json!({ "authPolicies": [scene.permit(vs2, &["read"])] });
    let own = scene.policies(vs1);
    let unknown = own.replace("list:7", "list:8");
    let with = |policy: Value, version: Option<u64>| {
        let mut body = json!({ "authPolicies": [policy] });
        if let Some(version) = version {
            body["policyVersion"] = version.into();
        }
        body
    };
    let mut empty = scene.permit(vs2, &["read"]);
    empty["purposes"] = json!([]);
    let of_vs2 = scene.policies(vs2);
    type Row<'r> = (&'r str, &'r str, Option<&'r Holder>, Value, u16, &'r str);
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<Row<'_>> = vec![
        ("nobody",                 &own,     None,                 body.clone(), 403, "PEER_REFUSED"),
        ("its server",             &own,     Some(scene.aef()),    body.clone(), 403, "PEER_REFUSED"),
        ("another API invoker",    &own,     Some(vs2),            body.clone(), 403, "NOT_OWNER"),
        ("in its own name",        &of_vs2,  Some(vs2),            body.clone(), 404, "NOT_OWNER"),
        ("of nothing",             &unknown, Some(vs1),            body.clone(), 404, "NOT_FOUND"),
        ("of a version before",    &own,     Some(vs1),            with(scene.permit(vs2, &["read"]), Some(3)), 409, "STALE_POLICY"),
        ("what cannot decide",     &own,     Some(vs1),            with(empty, None), 400, "INPUT_REFUSED"),
        ("what is not understood", &own,     Some(vs1),            json!({ "authPolicies": [], "except": 1 }), 400, "INPUT_REFUSED"),
    ];
    for (what, path, by, body, status, reason) in rows {
        let answer = ccf.put(path, by, &body).await;
        assert_eq!(
            (answer.status, ccf.last_reason().await),
            (status, reason.to_owned()),
            "{what}: {}",
            answer.body
        );
    }
    assert_eq!(ccf.get(&own, Some(vs2)).await.status, 403);
    assert_eq!(ccf.get(&own, Some(&provider.aefs[1])).await.status, 403, "another server");
    assert_eq!(ccf.get(&of_vs2, Some(scene.aef())).await.status, 404, "of somebody who does not own it");
    assert_eq!(ccf.get(&scene.owned(vs1), Some(vs2)).await.status, 403);
    assert_eq!(ccf.get(&scene.owned(vs1), Some(scene.aef())).await.status, 403);

    assert_eq!(ccf.put(&own, Some(vs1), &body).await.expect(200)["policyVersion"], 1);
    let next = with(scene.permit(vs2, &["read", "update"]), Some(1));
    assert_eq!(ccf.put(&own, Some(vs1), &next).await.expect(200)["policyVersion"], 2);
    assert_eq!(scene.token(vs2, &["update"]).await.status, 200, "it may also let more in");
    // Whoever owns it next does not inherit them.
    let mut sold = scene.anchor(2, &[]);
    sold["owner"] = json!({ "apiInvokerId": vs2.id });
    assert_eq!(scene.tell(&sold).await.status, 204);
    assert_eq!(scene.refused(vs1, &["read"]).await, "NOT_ALLOWED_ENTITY");
    assert_eq!(ccf.get(&own, Some(vs1)).await.status, 404);
    assert_eq!(ccf.get(&of_vs2, Some(vs2)).await.expect(200)["authPolicies"], json!([]));
}

#[tokio::test]
async fn many_are_told_at_once_and_listed_in_pages() {
    let scene = scene().await;
    let Scene { ccf, vs1, vs2, .. } = &scene;
    let aef = Some(scene.aef());
    scene.tell(&scene.anchor(5, &[])).await.expect(201);
    let mut resources: Vec<Value> = (1..=6)
        .map(|number| {
            let mut anchor = scene.anchor(1, &[]);
            anchor["resourceId"] = format!("list/{number}").into();
            anchor
        })
        .collect();
    resources[1]["owner"] = json!({ "apiInvokerId": vs2.id });
    resources[2]["owner"] = json!({ "apiInvokerId": "INV0" });
    resources[3]["aefId"] = scene.provider.aefs[1].id.as_str().into();
    resources[5]["owner"] = json!({ "principal": { "iss": "https://sim.example", "sub": "alice" } });
    resources.push(scene.anchor(4, &[]));
    let path = format!("{}/batch", scene.resources());
    let body = json!({ "resources": resources });
    let results = ccf.post(&path, aef, &body).await.expect(200)["results"].clone();
    let statuses: Vec<u64> =
        results.as_array().unwrap().iter().map(|one| one["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [201, 201, 400, 400, 201, 201, 409]);
    assert_eq!(results[2]["cause"], "MANDATORY_IE_INCORRECT");
    assert_eq!(results[6]["cause"], "STALE_POLICY");
    assert_eq!(ccf.post(&path, Some(&scene.provider.aefs[1]), &body).await.status, 403);
    assert_eq!(ccf.post(&path, Some(vs1), &body).await.status, 403);

    let ids = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|item| text(&item["resourceId"])).collect()
    };
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = ccf.get(&format!("{}?limit=2{cursor}", scene.resources()), aef).await.expect(200);
        all.extend(ids(&page));
        match page["next"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(all, ["list/1", "list/2", "list/5", "list/6", "list/7"]);
    let of = |owner: Value| format!("{}?owner={}", scene.resources(), escaped(&owner.to_string()));
    let own = ccf.get(&of(json!({ "apiInvokerId": vs1.id })), aef).await.expect(200);
    assert_eq!(ids(&own), ["list/1", "list/5", "list/7"]);
    let foreign = of(json!({ "principal": { "iss": "https://sim.example", "sub": "alice" } }));
    assert_eq!(ids(&ccf.get(&foreign, aef).await.expect(200)), ["list/6"]);
    let maps = format!("{}?type=3gpp_spatial_map", scene.resources());
    assert_eq!(ids(&ccf.get(&maps, aef).await.expect(200)), [""; 0]);
    let first = ccf.get(&format!("{}?limit=2", scene.owned(vs1)), Some(vs1)).await.expect(200);
    let rest = format!("{}?cursor={}", scene.owned(vs1), text(&first["next"]));
    assert_eq!(ids(&ccf.get(&rest, Some(vs1)).await.expect(200)), ["list/7"]);
    for wrong in ["limit=0", "limit=257", "cursor=x", "type=anchor", "owner=VS1"] {
        let answer = ccf.get(&format!("{}?{wrong}", scene.resources()), aef).await;
        assert_eq!(answer.cause(), "INVALID_QUERY_PARAM", "{wrong}");
    }
}

#[tokio::test]
async fn an_owner_whom_the_core_function_does_not_know_is_asked_by_nobody() {
    let scene = scene().await;
    let mut anchor = scene.anchor(1, &[scene.permit(&scene.vs2, &["read"])]);
    anchor["owner"] = json!({ "principal": { "iss": "https://sim.example", "sub": scene.vs1.id } });
    anchor["defaultDecision"] = json!("ASK_OWNER");
    scene.tell(&anchor).await.expect(201);
    assert_eq!(scene.token(&scene.vs2, &["read"]).await.status, 200, "what its server told decides");
    assert_eq!(scene.refused(&scene.vs3, &["read"]).await, "OWNER_REQUIRED");
    assert_eq!(scene.refused(&scene.vs1, &["read"]).await, "OWNER_REQUIRED", "an equal name is another one");
    assert_eq!(
        scene.ccf.get(&scene.owned(&scene.vs1), Some(&scene.vs1)).await.expect(200)["items"],
        json!([])
    );
}

#[tokio::test]
async fn what_rests_on_time_ends_in_time() {
    let scene = scene().await;
    let window = |start_s: i64, stop_s: i64| {
        let at = |s: i64| api_types::date_time::DateTime::from_unix(s);
        json!([{ "startTime": at(start_s), "stopTime": at(stop_s) }])
    };
    let mut permit = scene.permit(&scene.vs2, &["read"]);
    permit["timeWindows"] = window(NOW - 60, NOW + 90);
    scene.tell(&scene.anchor(1, &[permit.clone()])).await.expect(201);
    assert_eq!(claims(&scene.token(&scene.vs2, &["read"]).await)["exp"], NOW + 90);
    assert_eq!(claims(&scene.token(&scene.vs1, &["read"]).await)["exp"], NOW + 300, "the owner's own");
    permit["timeWindows"] = window(NOW + 1, NOW + 90);
    assert_eq!(scene.tell(&scene.anchor(2, &[permit])).await.status, 204);
    assert_eq!(scene.refused(&scene.vs2, &["read"]).await, "NOT_ALLOWED_ENTITY");
    let mut over = scene.anchor(3, &[scene.permit(&scene.vs2, &["read"])]);
    over["expTime"] = serde_json::to_value(api_types::date_time::DateTime::from_unix(NOW + 60)).unwrap();
    assert_eq!(scene.tell(&over).await.status, 204);
    assert_eq!(claims(&scene.token(&scene.vs2, &["read"]).await)["exp"], NOW + 60);
    scene.ccf.clock.set_s(NOW + 60);
    assert_eq!(scene.refused(&scene.vs2, &["read"]).await, "OUTSIDE_PERIOD");
}

#[tokio::test]
async fn what_ends_takes_its_resources_with_it() {
    let scene = scene().await;
    let Scene { ccf, vs1, vs2, .. } = &scene;
    let anchor = scene.anchor(1, &[scene.permit(vs2, &["read"])]);
    scene.tell(&anchor).await.expect(201);
    let mut other = scene.anchor(1, &[]);
    other["resourceId"] = json!("list/8");
    other["owner"] = json!({ "apiInvokerId": vs2.id });
    ccf.put(&scene.path("list/8"), Some(scene.aef()), &other).await.expect(201);
    let token = scene.token(vs2, &["read"]).await;
    // The owner leaves: nobody's to permit any more.
    let onboarded = format!("/api-invoker-management/v1/onboardedInvokers/{}", vs1.id);
    assert_eq!(ccf.delete(&onboarded, Some(vs1)).await.status, 204);
    assert!(scene.is_revoked(&token).await);
    assert_eq!(scene.refused(vs2, &["read"]).await, "NOT_FOUND");
    let listed = ccf.get(&scene.resources(), Some(scene.aef())).await.expect(200);
    assert_eq!(listed["items"], json!([other]), "what is another's stays");
    let again = scene.tell(&anchor).await;
    assert_eq!((again.status, ccf.last_reason().await), (400, "OWNER_UNKNOWN".to_owned()));
    // The domain leaves.
    let registration = format!("/api-provider-management/v1/registrations/{}", scene.provider.registration);
    assert_eq!(ccf.delete(&registration, Some(&scene.provider.amf)).await.status, 204);
    assert_eq!(ccf.get(&scene.owned(vs2), Some(vs2)).await.expect(200)["items"], json!([]));
}

#[tokio::test]
async fn what_was_kept_is_kept_on_every_node() {
    let scene = scene().await;
    let anchor = scene.anchor(1, &[scene.permit(&scene.vs2, &["read"])]);
    scene.tell(&anchor).await.expect(201);
    let denied = json!({ "authPolicies": [policy("mine", json!("ANY_ONBOARDED"), &["update"], "DENY")] });
    scene.ccf.put(&scene.policies(&scene.vs1), Some(&scene.vs1), &denied).await.expect(200);
    // Another process over the same store, as after a restart.
    let beside = scene.ccf.beside().await;
    let get = |path: String| Request::builder().method(Method::GET).uri(path).body(Body::empty()).unwrap();
    let seen = crate::harness::send(&beside, get(scene.path(ANCHOR)), Some(scene.aef())).await;
    assert_eq!(seen.expect(200), anchor);
    let seen = crate::harness::send(&beside, get(scene.policies(&scene.vs1)), Some(&scene.vs1)).await;
    assert_eq!(seen.expect(200)["authPolicies"], denied["authPolicies"]);
    let stale = json_request(Method::PUT, &scene.path(ANCHOR), &scene.anchor(1, &[]));
    assert_eq!(crate::harness::send(&beside, stale, Some(scene.aef())).await.status, 409);
}
