//! Revocation of each kind: when it is answered, nothing is granted.

use sdk::{AnchorQuery, Credential, HttpsClient, Request, SanClient, SdkError};
use serde_json::json;

use crate::harness::{Program, Site, claims_of, parsed, text_of};

const SCOPE: &str = "3gpp:seal:san.read 3gpp:seal:san.discover";

async fn works(san: &SanClient) -> bool {
    san.discover(&AnchorQuery { limit: Some(1), ..Default::default() }).await.is_ok()
}

/// Refused with this reason, in the explanation and in the audit.
async fn refused(site: &Site, san: &SanClient, reason: &str, what: &str) {
    let error = san.discover(&AnchorQuery { limit: Some(1), ..Default::default() }).await.expect_err(what);
    assert_eq!(
        (error.status(), error.cause().map(|cause| cause.as_str())),
        (Some(401), Some("INVALID_TOKEN")),
        "{what}"
    );
    let trace = error.trace().expect("a trace").to_owned();
    assert_eq!(site.reason(Some(trace.clone())).await, reason, "{what}");
    let filter = sdk::admin::RecordFilter { trace: Some(trace), ..Default::default() };
    let records = site.operator().audit(&filter).await.expect("audit").items;
    let told: Vec<_> =
        records.iter().map(|item| (item.verdict.as_str(), item.reason.as_deref(), item.status)).collect();
    assert_eq!(told, [("deny", Some(reason), 401)], "{what}");
}

async fn revoke(site: &Site, kind: &str, value: &str) {
    let revoked =
        site.operator().revoke(&parsed(json!({ "kind": kind, "value": value }))).await.expect("revoked");
    assert!(revoked.epoch > 0 && revoked.lapsed.is_empty() && revoked.unconfirmed.is_empty(), "{revoked:?}");
    assert_eq!(revoked.confirmed, ["admin", "san", "sm"], "{revoked:?}");
}

async fn val_server(site: &Site, client: &str) -> (String, SanClient) {
    let credential = site.server_token(client, "san", "3gpp:seal:san").await;
    (text_of(&credential), SanClient::new(site.link(client), site.at("san"), credential).expect("a client"))
}

async fn ue(site: &Site, user: &str) -> Result<(sdk::UserSession, SanClient), SdkError> {
    let session = site.session(user, "ue-1").await?;
    let credential = session.credential(site.at("san"), SCOPE).await?;
    Ok((session, SanClient::new(site.link("ue-1"), site.at("san"), credential).expect("a client")))
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_is_refused_at_once_and_nothing_else_is() {
    let program = Program::demo();
    let site = Site::of(&program);

    // token: that one, and no other of the same client.
    let (token, one) = val_server(&site, "vs-1").await;
    let (_, other) = val_server(&site, "vs-1").await;
    assert!(works(&one).await);
    revoke(&site, "token", claims_of(&token)["jti"].as_str().expect("a jti")).await;
    refused(&site, &one, "REVOKED_TOKEN", "token").await;
    assert!(works(&other).await);

    // subject: by its VAL user id; sessions and refresh tokens with it; a new login is a new beginning.
    let (alice, alice_san) = ue(&site, "alice").await.expect("alice");
    let (_, bob_san) = ue(&site, "bob").await.expect("bob");
    assert!(works(&alice_san).await);
    revoke(&site, "subject", site.users["alice"]["valUserId"].as_str().expect("a user")).await;
    refused(&site, &alice_san, "REVOKED_SUBJECT", "subject").await;
    assert!(alice.token(site.at("sm"), "3gpp:seal:sm.read").await.is_err(), "its refresh token is void");
    assert!(works(&bob_san).await);
    let (_, alice_san) = ue(&site, "alice").await.expect("alice logs in again");
    assert!(works(&alice_san).await);
    // Likewise by the subject of the token.
    let sub = claims_of(&text_of(
        &site
            .session("alice", "ue-1")
            .await
            .expect("alice")
            .credential(site.at("san"), SCOPE)
            .await
            .expect("a token"),
    ))["sub"]
        .as_str()
        .expect("a subject")
        .to_owned();
    revoke(&site, "subject", &sub).await;
    refused(&site, &alice_san, "REVOKED_SUBJECT", "subject by sub").await;

    // client
    let (_, two) = val_server(&site, "vs-2").await;
    assert!(works(&two).await);
    revoke(&site, "client", "vs-2").await;
    refused(&site, &two, "REVOKED_CLIENT", "client").await;
    let (_, again) = val_server(&site, "vs-2").await;
    assert!(works(&again).await && works(&other).await);

    // certificate: no token over it, and no new one by it.
    let (token, three) = val_server(&site, "vs-3").await;
    assert!(works(&three).await);
    let x5t = claims_of(&token)["cnf"]["x5t#S256"].as_str().expect("a certificate").to_owned();
    revoke(&site, "certificate", &x5t).await;
    refused(&site, &three, "REVOKED_KEY", "certificate").await;
    let none = site.try_server_token("vs-3", "san", "3gpp:seal:san").await;
    assert!(none.is_err(), "a revoked certificate gets no token");
    assert!(works(&other).await);

    // key: every token that it signed; the next one signs at once.
    let keys = site.operator().keys().await.expect("keys");
    let active = keys.iter().find(|key| key.status.as_str() == "active").expect("an active key").kid.clone();
    revoke(&site, "key", &active).await;
    for (what, san) in [("vs-1", &other), ("vs-2", &again), ("bob", &bob_san)] {
        let error = san.discover(&AnchorQuery::default()).await.expect_err(what);
        let reason = site.reason(error.trace().map(str::to_owned)).await;
        assert!(["REVOKED_KEY", "KEY_UNKNOWN"].contains(&reason.as_str()), "{what}: {reason}");
        assert_eq!(error.status(), Some(401), "{what}");
    }
    let (_, fresh) = val_server(&site, "vs-1").await;
    assert!(works(&fresh).await, "the next key signs at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_says_what_it_cannot_do_and_waits_for_nobody_else() {
    let program = Program::demo();
    let site = Site::of(&program);
    let admin = site.operator();
    let sim = site.at("sim").to_owned();
    let long = "x".repeat(513);
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("another issuer",  json!({ "kind": "client", "value": "vs-1", "issuer": "https://sim.other.example" }), 400),
        ("not its kind",    json!({ "kind": "consent", "value": "x" }),                                          400),
        ("an unknown kind", json!({ "kind": "planet", "value": "x" }),                                           400),
        ("nothing",         json!({ "kind": "token", "value": "" }),                                             400),
        ("too long",        json!({ "kind": "token", "value": long }),                                           400),
        ("no kind",         json!({ "value": "x" }),                                                             400),
        ("its own url",     json!({ "kind": "token", "value": "nobody-has-this", "issuer": sim }),                200),
    ];
    for (what, body, status) in rows {
        let url = admin.url(&["revocations"]).expect("a url");
        let answer = admin.send(Request::post(url).json(&body)).await.expect("an answer");
        assert_eq!(answer.status, status, "{what}");
    }
    assert!(val_server(&site, "vs-1").await.1.discover(&AnchorQuery::default()).await.is_ok());

    // Acknowledged under load, no request that began afterwards is granted.
    let credential = site.server_token("vs-1", "san", "3gpp:seal:san").await;
    let token = text_of(&credential);
    let link = site.link("vs-1");
    let url = site.path("san", "/ssan-disc/v1/spatial-anchors?limit=1");
    let ask = move |link: HttpsClient, url: url::Url, credential: Credential| async move {
        sdk::Authorized::new(link, credential).send(Request::get(url)).await.expect("an answer").status
    };
    let stop = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let mut load = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let (link, url, credential, stop, ask) =
            (link.clone(), url.clone(), credential.clone(), stop.clone(), ask);
        load.spawn(async move {
            let mut served = 0;
            while !stop.load(std::sync::atomic::Ordering::SeqCst) {
                served += u32::from(ask(link.clone(), url.clone(), credential.clone()).await == 200);
            }
            served
        });
    }
    tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    revoke(&site, "token", claims_of(&token)["jti"].as_str().expect("a jti")).await;
    for _ in 0..20 {
        assert_eq!(ask(link.clone(), url.clone(), credential.clone()).await, 401);
    }
    stop.store(true, std::sync::atomic::Ordering::SeqCst);
    let mut served = 0;
    while let Some(count) = load.join_next().await {
        served += count.expect("a task");
    }
    assert!(served > 0, "there was load");
}
