//! The implicit question to the owner of a resource (TR 33.721 6.3.2.1, NOTE to step 7).

use api_types::capif::resource_auth::DefaultDecision;
use api_types::date_time::DateTime;
use serde_json::{Value, json};

use crate::harness::{Ccf, Holder, NOW, ccf_reaching, ccf_with, text};
use crate::receiver::Receiver;
use crate::resource_auth::{Scene, instance, policy, scene_of};
use crate::token::claims;

const ANCHOR: &str = "list/7";
const POLL: [(&str, &str); 1] = [("ask_mode", "poll")];

/// A core function that asks owners where nobody has decided, and an anchor without policies.
async fn scene() -> Scene {
    let ccf = ccf_with(|config| config.default_decision = DefaultDecision::AskOwner);
    let scene = scene_of(ccf.await).await;
    scene.tell(&scene.anchor(1, &[])).await.expect(201);
    scene
}

fn asks(by: &Holder) -> String {
    format!("/capif-resource-auth/v1/owners/{}/asks", by.id)
}

/// The questions that an owner can answer.
async fn open(ccf: &Ccf, by: &Holder) -> Vec<Value> {
    ccf.get(&asks(by), Some(by)).await.expect(200)["items"].as_array().unwrap().clone()
}

fn decision(by: &Holder, ask: &Value) -> String {
    format!("{}/{}/decision", asks(by), text(&ask["askId"]))
}

fn answer(ask: &Value, effect: &str) -> Value {
    json!({ "nonce": ask["nonce"], "effect": effect })
}

async fn poll(scene: &Scene, by: &Holder, actions: &[&str]) -> crate::harness::Answer {
    scene.request(by, &json!([instance(ANCHOR, actions)]), &POLL).await
}

#[tokio::test]
async fn an_owner_who_agrees_lets_one_token_out() {
    let scene = scene().await;
    let Scene { ccf, vs1, vs2, .. } = &scene;
    let pending = poll(&scene, vs2, &["read"]).await;
    assert_eq!(pending.status, 400);
    assert_eq!(
        (pending.json()["error"].clone(), pending.json()["interval"].clone()),
        (json!("authorization_pending"), json!(5))
    );
    assert_eq!(ccf.last_reason().await, "AUTHORIZATION_ASKED");
    let questions = open(ccf, vs1).await;
    let [ask] = &questions[..] else { panic!("one question: {questions:?}") };
    assert_eq!(ask["askId"], pending.json()["auth_req_id"]);
    assert_eq!((ask["apiInvokerId"].clone(), ask["actions"].clone()), (json!(vs2.id), json!(["read"])));
    assert_eq!(
        poll(&scene, vs2, &["read"]).await.json(),
        pending.json(),
        "one question, however often it is asked"
    );
    assert_eq!(
        poll(&scene, vs2, &["update"]).await.json(),
        pending.json(),
        "and one about a resource at a time"
    );
    assert_eq!(
        scene.refused(vs2, &["read"]).await,
        "AUTHORIZATION_ASKED",
        "who cannot wait is refused plainly"
    );

    assert_eq!(ccf.post(&decision(vs1, ask), Some(vs1), &answer(ask, "PERMIT")).await.status, 204);
    assert!(open(ccf, vs1).await.is_empty());
    let token = poll(&scene, vs2, &["read"]).await;
    assert_eq!(claims(&token)["authorization_details"], json!([instance(ANCHOR, &["read"])]));
    // Once is once, and nobody else's.
    assert_eq!(poll(&scene, vs2, &["read"]).await.json()["error"], "authorization_pending");
    assert_ne!(open(ccf, vs1).await[0]["askId"], ask["askId"]);
    assert_eq!(poll(&scene, &scene.vs3, &["read"]).await.json()["error"], "authorization_pending");
}

#[tokio::test]
async fn an_answer_counts_as_long_as_it_says() {
    let scene = scene().await;
    let Scene { ccf, vs1, vs2, .. } = &scene;
    poll(&scene, vs2, &["read"]).await;
    let ask = open(ccf, vs1).await.remove(0);
    let mut permit = answer(&ask, "PERMIT");
    permit["expTime"] = serde_json::to_value(DateTime::from_unix(NOW + 120)).unwrap();
    assert_eq!(ccf.post(&decision(vs1, &ask), Some(vs1), &permit).await.status, 204);
    for _ in 0..2 {
        assert_eq!(claims(&scene.token(vs2, &["read"]).await)["exp"], NOW + 120, "and no token longer");
    }
    assert_eq!(scene.refused(vs2, &["update"]).await, "AUTHORIZATION_ASKED", "what was not asked is asked");
    // A policy that denies overrides a yes of before.
    let denied =
        json!({ "authPolicies": [policy("mine", json!({ "apiInvokerId": vs2.id }), &["read"], "DENY")] });
    let path = scene.policies(vs1);
    ccf.put(&path, Some(vs1), &denied).await.expect(200);
    assert_eq!(scene.refused(vs2, &["read"]).await, "OWNER_DENIED");
    ccf.put(&path, Some(vs1), &json!({ "authPolicies": [] })).await.expect(200);
    ccf.clock.set_s(NOW + 119);
    assert_eq!(scene.token(vs2, &["read"]).await.status, 200);
    ccf.clock.set_s(NOW + 120);
    assert_eq!(scene.refused(vs2, &["read"]).await, "AUTHORIZATION_ASKED");
}

#[tokio::test]
async fn a_no_is_a_no_until_the_question_is_over() {
    let scene = scene().await;
    let Scene { ccf, vs1, vs2, .. } = &scene;
    poll(&scene, vs2, &["read"]).await;
    let ask = open(ccf, vs1).await.remove(0);
    assert_eq!(ccf.post(&decision(vs1, &ask), Some(vs1), &answer(&ask, "DENY")).await.status, 204);
    assert_eq!(scene.refused(vs2, &["read"]).await, "OWNER_DENIED");
    assert_eq!(poll(&scene, vs2, &["read"]).await.json()["error"], "invalid_authorization_details");
    ccf.clock.set_s(NOW + 300);
    assert_eq!(poll(&scene, vs2, &["read"]).await.json()["error"], "authorization_pending");
    // Nobody answers.
    ccf.clock.set_s(NOW + 600);
    let again = poll(&scene, vs2, &["read"]).await;
    assert_eq!(again.json()["error"], "authorization_pending", "it is asked anew");
    assert_eq!(open(ccf, vs1).await.len(), 1);
}

#[tokio::test]
async fn a_spoiled_answer_is_refused_for_its_own_reason() {
    let scene = scene().await;
    let Scene { ccf, vs1, vs2, vs3, .. } = &scene;
    poll(&scene, vs2, &["read"]).await;
    let ask = open(ccf, vs1).await.remove(0);
    let good = answer(&ask, "PERMIT");
    let mut other_nonce = good.clone();
    other_nonce["nonce"] = json!("u_0000000000000000000000");
    let mut over = good.clone();
    over["expTime"] = serde_json::to_value(DateTime::from_unix(NOW)).unwrap();
    let (own, of_requester) = (decision(vs1, &ask), decision(vs2, &ask));
    let unknown = own.replace(&text(&ask["askId"]), "ASK0");
    type Row<'r> = (&'r str, &'r str, Option<&'r Holder>, &'r Value, u16, &'r str);
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<Row<'_>> = vec![
        ("nobody",                   &own,          None,               &good,        403, "PEER_REFUSED"),
        ("the server",               &own,          Some(scene.aef()),  &good,        403, "PEER_REFUSED"),
        ("the requester",            &own,          Some(vs2),          &good,        403, "NOT_OWNER"),
        ("another one",              &own,          Some(vs3),          &good,        403, "NOT_OWNER"),
        ("the requester for itself", &of_requester, Some(vs2),          &good,        404, "NOT_OWNER"),
        ("a question of nobody",     &unknown,      Some(vs1),          &good,        404, "NOT_FOUND"),
        ("another nonce",            &own,          Some(vs1),          &other_nonce, 403, "NONCE_WRONG"),
        ("until before",             &own,          Some(vs1),          &over,        400, "INPUT_REFUSED"),
    ];
    for (what, path, by, body, status, reason) in rows {
        let refused = ccf.post(path, by, body).await;
        assert_eq!(
            (refused.status, ccf.last_reason().await),
            (status, reason.to_owned()),
            "{what}: {}",
            refused.body
        );
    }
    assert_eq!(ccf.get(&asks(vs1), Some(vs2)).await.status, 403);
    assert_eq!(ccf.post(&own, Some(vs1), &good).await.status, 204);
    for effect in ["PERMIT", "DENY"] {
        assert_eq!(ccf.post(&own, Some(vs1), &answer(&ask, effect)).await.status, 403, "replayed");
        assert_eq!(ccf.last_reason().await, "ASK_ANSWERED");
    }
    poll(&scene, vs3, &["read"]).await;
    let late = open(ccf, vs1).await.remove(0);
    ccf.clock.set_s(NOW + 300);
    assert!(open(ccf, vs1).await.is_empty());
    assert_eq!(ccf.post(&decision(vs1, &late), Some(vs1), &answer(&late, "PERMIT")).await.status, 403);
    assert_eq!(ccf.last_reason().await, "ASK_OVER");
    assert_eq!(scene.refused(vs3, &["read"]).await, "AUTHORIZATION_ASKED");
}

#[tokio::test]
async fn who_floods_is_held_and_nobody_else() {
    let scene = scene().await;
    let Scene { ccf, vs1, vs2, vs3, .. } = &scene;
    for number in 1..=6 {
        let id = format!("list/{number}");
        let mut anchor = scene.anchor(1, &[]);
        anchor["resourceId"] = id.clone().into();
        ccf.put(&scene.path(&id), Some(scene.aef()), &anchor).await.expect(201);
        let asked = scene.request(vs2, &json!([instance(&id, &["read"])]), &POLL).await;
        if number <= 5 {
            assert_eq!(asked.json()["error"], "authorization_pending", "{number}");
        } else {
            assert_eq!(asked.status, 429, "{}", asked.body);
            assert_eq!(asked.headers["retry-after"], "60");
            assert_eq!(ccf.last_reason().await, "RATE_LIMITED");
        }
    }
    assert_eq!(open(ccf, vs1).await.len(), 5);
    assert_eq!(
        poll(&scene, vs3, &["read"]).await.json()["error"],
        "authorization_pending",
        "others are served"
    );
    ccf.clock.set_s(NOW + 60);
    assert_eq!(poll(&scene, vs2, &["read"]).await.json()["error"], "authorization_pending");
}

#[tokio::test]
async fn nobody_is_asked_where_it_is_not_said_so() {
    let scene = scene().await;
    let Scene { ccf, vs1, vs2, vs3, .. } = &scene;
    let mut closed = scene.anchor(2, &[scene.permit(vs2, &["read"])]);
    closed["defaultDecision"] = json!("DENY");
    assert_eq!(scene.tell(&closed).await.status, 204);
    assert_eq!(scene.refused(vs3, &["read"]).await, "NOT_ALLOWED_ENTITY");
    assert_eq!(poll(&scene, vs3, &["read"]).await.json()["error"], "invalid_authorization_details");
    assert!(open(ccf, vs1).await.is_empty());
    let other = scene.request(vs2, &json!([instance(ANCHOR, &["read"])]), &[("ask_mode", "push")]).await;
    assert_eq!(other.json()["error"], "invalid_request");

    // What local policy denies is asked of nobody, what there is not neither.
    let mut ask_again = scene.anchor(3, &[]);
    ask_again["defaultDecision"] = json!("ASK_OWNER");
    assert_eq!(scene.tell(&ask_again).await.status, 204);
    let rule = json!({ "class": "local", "effect": "DENY", "subjects": [vs3.id], "services": [],
        "actions": ["read"], "resources": [] })
    .to_string();
    ccf.write(move |tx| Box::pin(async move { store::policies::put(tx, "p", &rule, NOW * 1_000).await }))
        .await;
    assert_eq!(poll(&scene, vs3, &["read"]).await.json()["error"], "invalid_authorization_details");
    let nothing = scene.request(vs2, &json!([instance("list/9", &["read"])]), &POLL).await;
    assert_eq!(nothing.json()["error"], "invalid_authorization_details");
    assert!(open(ccf, vs1).await.is_empty());
}

#[tokio::test]
async fn owners_and_servers_are_told() {
    let receiver = Receiver::start().await;
    let ccf = ccf_reaching(receiver.egress()).await;
    let scene = scene_of(ccf).await;
    let Scene { ccf, vs1, vs2, .. } = &scene;
    let path = "/capif-resource-auth/v1/subscriptions";
    let to =
        |at: &str, events: &[&str]| json!({ "events": events, "notificationDestination": receiver.url(at) });
    let all = ["RESOURCE_AUTH_UPDATED", "RESOURCE_AUTH_DELETED", "AUTHORIZATION_ASKED"];
    let of_owner = ccf.post(path, Some(vs1), &to("/owner", &all)).await;
    let subscription = text(&of_owner.expect(201)["subscriptionId"]);
    assert_eq!(of_owner.id(), subscription);
    ccf.post(path, Some(scene.aef()), &to("/server", &all)).await.expect(201);
    ccf.post(path, Some(vs2), &to("/stranger", &all)).await.expect(201);
    for (what, by, body, status) in [
        ("a publishing function", &scene.provider.apf, to("/x", &all), 403),
        ("no https", vs1, json!({ "events": all, "notificationDestination": "http://owner.example/x" }), 400),
        (
            "its own name",
            vs1,
            json!({ "events": all, "notificationDestination": TO, "subscriptionId": "SUB1" }),
            400,
        ),
    ] {
        assert_eq!(ccf.post(path, Some(by), &body).await.status, status, "{what}");
    }

    let mut anchor = scene.anchor(1, &[]);
    anchor["defaultDecision"] = json!("ASK_OWNER");
    scene.tell(&anchor).await.expect(201);
    let told = receiver.wait("/owner", 1).await;
    let updated = json!({ "subscriptionId": subscription, "event": "RESOURCE_AUTH_UPDATED",
        "aefId": scene.aef().id, "resourceId": ANCHOR, "policyVersion": 1 });
    assert_eq!(told[0], updated);

    scene.request(vs2, &json!([instance(ANCHOR, &["read"])]), &POLL).await;
    let told = receiver.wait("/owner", 2).await;
    let asked = told.iter().find(|one| one["event"] == "AUTHORIZATION_ASKED").unwrap();
    assert_eq!(asked["ask"], open(ccf, vs1).await[0]);

    let policies = json!([scene.permit(vs2, &["read"])]);
    ccf.put(&scene.policies(vs1), Some(vs1), &json!({ "authPolicies": policies })).await.expect(200);
    let told = receiver.wait("/server", 1).await;
    assert_eq!((told[0]["authPolicies"].clone(), told[0]["policyVersion"].clone()), (policies, json!(1)));

    ccf.delete(&scene.path(ANCHOR), Some(scene.aef())).await;
    let told = receiver.wait("/owner", 3).await;
    assert!(told.iter().any(|one| one["event"] == "RESOURCE_AUTH_DELETED"));
    let one = format!("{path}/{subscription}");
    assert_eq!(ccf.delete(&one, Some(vs2)).await.cause(), "SUBSCRIPTION_NOT_FOUND", "another's");
    assert_eq!(ccf.delete(&one, Some(vs1)).await.status, 204);
    assert_eq!(ccf.delete(&one, Some(vs1)).await.status, 404);
    anchor["policyVersion"] = json!(2);
    scene.tell(&anchor).await.expect(201);
    // An owner without a subscription is asked where it was onboarded to be notified: nowhere that is reached here.
    assert_eq!(poll(&scene, vs2, &["read"]).await.json()["error"], "authorization_pending");
    // The owner leaves, and the server hears that nobody owns it.
    let onboarded = format!("/api-invoker-management/v1/onboardedInvokers/{}", vs1.id);
    assert_eq!(ccf.delete(&onboarded, Some(vs1)).await.status, 204);
    let told = receiver.wait("/server", 2).await;
    assert!(told.iter().any(|one| one["event"] == "RESOURCE_AUTH_DELETED"));
    assert_eq!(receiver.got("/owner").len(), 3, "nothing after it was ended");
    assert!(receiver.got("/stranger").is_empty());
}

const TO: &str = "https://owner.example/notifications";

#[tokio::test]
async fn an_owner_without_a_subscription_is_asked_where_it_was_onboarded() {
    let receiver = Receiver::start().await;
    let ccf = ccf_reaching(receiver.egress()).await;
    let scene = scene_of(ccf).await;
    let owner =
        scene.ccf.invoker_with(&[], json!({ "notificationDestination": receiver.url("/onboarded") })).await;
    let mut anchor = scene.anchor(1, &[]);
    anchor["owner"] = json!({ "apiInvokerId": owner.id });
    anchor["defaultDecision"] = json!("ASK_OWNER");
    scene.tell(&anchor).await.expect(201);
    poll(&scene, &scene.vs2, &["read"]).await;
    let told = receiver.wait("/onboarded", 1).await.remove(0);
    assert_eq!((told["event"].clone(), told.get("subscriptionId")), (json!("AUTHORIZATION_ASKED"), None));
    let ask = &told["ask"];
    assert_eq!(
        scene.ccf.post(&decision(&owner, ask), Some(&owner), &answer(ask, "PERMIT")).await.status,
        204
    );
    assert_eq!(scene.token(&scene.vs2, &["read"]).await.status, 200);
}
