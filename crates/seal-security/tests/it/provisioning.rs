//! What VAL servers say of their VAL services (TS 29.549 `ss-ipp`, `ss-upr`).

use http::Method;
use serde_json::{Value, json};
use service_http::peer::CertRole;

use crate::harness::{Answer, Params, Sim, asks, claims, redeems, sim, text};

const PATH: &str = "/ss-ipp/v1/configurations";

fn config(service: &str, targets: Value) -> Value {
    json!({ "valSvcConf": [{ "valServiceId": service, "idList": targets }] })
}

async fn send(sim: &Sim, method: Method, path: &str, client: &str, body: Option<&Value>) -> Answer {
    let media = if method == Method::PATCH { "application/merge-patch+json" } else { "application/json" };
    sim.json_mtls(method, path, (CertRole::Client, client), media, body).await
}

async fn create(sim: &Sim, client: &str, body: &Value) -> Answer {
    send(sim, Method::POST, PATH, client, Some(body)).await
}

/// What, method, path, VAL server, body; status and cause.
type Row<'a> = (&'a str, Method, &'a str, &'a str, Option<Value>, u16, &'a str);

/// A VAL server of `vs-b`, beside `vs-1` and `vs-2` of `vs-a`.
async fn with_vs_b() -> Sim {
    let mut sim = sim().await;
    let body = json!({ "kind": "val_server", "auth": "tls_client_auth", "valServices": ["vs-b"], "scopes": ["3gpp:seal:san"] });
    sim.put_client("vs-b-server", body).await;
    sim
}

/// The VAL services of a fresh token of alice at a UE.
async fn services_of(sim: &Sim, ue: &str) -> Value {
    let code = sim.code("alice", &asks().with("val_ue_id", ue)).await;
    let tokens = sim.token_of("ue-1", &redeems(&code)).await.json();
    claims(&tokens["access_token"])["val_service_id"].clone()
}

#[tokio::test]
async fn whom_a_val_server_lists_takes_part() {
    let sim = with_vs_b().await;
    assert_eq!(services_of(&sim, "ue-alice").await, json!(["vs-a"]));
    let created = create(&sim, "vs-b-server", &config("vs-b", json!([{ "valUserId": "val-alice" }]))).await;
    assert_eq!((created.status, created.json()["valServerId"].clone()), (201, json!("vs-b-server")));
    let location = created.headers["location"].to_str().unwrap().to_owned();
    let path =
        location.strip_prefix(crate::harness::MTLS).expect("at the listener for mutual TLS").to_owned();
    assert_eq!(services_of(&sim, "ue-alice").await, json!(["vs-a", "vs-b"]));

    // Read by its owner, absent to others.
    assert_eq!(send(&sim, Method::GET, &path, "vs-b-server", None).await.json(), created.json());
    let all = send(&sim, Method::GET, PATH, "vs-b-server", None).await.json();
    assert_eq!(all, json!([created.json()]));
    for query in ["?val-server-id=vs-1", "?config-ids=x,y"] {
        let none = send(&sim, Method::GET, &format!("{PATH}{query}"), "vs-b-server", None).await;
        assert_eq!((none.status, none.json()), (200, json!([])), "{query}");
    }
    assert_eq!(send(&sim, Method::GET, PATH, "vs-1", None).await.json(), json!([]));

    // Whom it drops loses it at once, and only that.
    let tokens = sim.tokens().await;
    let patch = json!({ "valSvcConf": [{ "valServiceId": "vs-b", "idList": [{ "valUserId": "val-bob" }] }] });
    assert_eq!(send(&sim, Method::PATCH, &path, "vs-b-server", Some(&patch)).await.status, 200);
    assert!(!sim.is_active("ue-1", text(&tokens["access_token"])).await, "a token of before says too much");
    assert_eq!(services_of(&sim, "ue-alice").await, json!(["vs-a"]));
    let tokens = sim.tokens().await;
    assert_eq!(send(&sim, Method::DELETE, &path, "vs-b-server", None).await.status, 204);
    assert!(sim.is_active("ue-1", text(&tokens["access_token"])).await, "nothing of alice's");
    assert_eq!(send(&sim, Method::GET, &path, "vs-b-server", None).await.status, 404);
}

#[tokio::test]
async fn a_ue_takes_part_wherever_it_is_listed() {
    let sim = with_vs_b().await;
    let body: api_types::admin::User = serde_json::from_value(json!({
        "valUserId": "val-alice", "valUeIds": ["ue-alice", "ue-glasses"], "valServices": ["vs-a"],
    }))
    .unwrap();
    sim.server.put_user(&"alice".try_into().unwrap(), body).await.unwrap();
    let created = create(&sim, "vs-b-server", &config("vs-b", json!([{ "valUeId": "ue-glasses" }]))).await;
    let path = created.headers["location"].to_str().unwrap()[crate::harness::MTLS.len()..].to_owned();
    assert_eq!(services_of(&sim, "ue-alice").await, json!(["vs-a"]));
    assert_eq!(services_of(&sim, "ue-glasses").await, json!(["vs-a", "vs-b"]));
    // A refresh asks again.
    let code = sim.code("alice", &asks().with("val_ue_id", "ue-glasses")).await;
    let tokens = sim.token_of("ue-1", &redeems(&code)).await.json();
    assert_eq!(send(&sim, Method::DELETE, &path, "vs-b-server", None).await.status, 204);
    let form =
        Params::of(&[("grant_type", "refresh_token"), ("refresh_token", text(&tokens["refresh_token"]))]);
    let refreshed = sim.token_of("ue-1", &form).await.json();
    assert_eq!(claims(&refreshed["access_token"])["val_service_id"], json!(["vs-a"]));
}

#[tokio::test]
async fn a_val_server_speaks_for_itself_alone() {
    let sim = with_vs_b().await;
    let good = config("vs-b", json!([{ "valUserId": "val-alice" }]));
    let created = create(&sim, "vs-b-server", &good).await;
    let path = created.headers["location"].to_str().unwrap()[crate::harness::MTLS.len()..].to_owned();
    let named = |server: &str| {
        let mut body = good.clone();
        body["valServerId"] = json!(server);
        body
    };
    #[rustfmt::skip] // a table stays a table
    let rows: [Row<'_>; 15] = [
        ("its own name",               Method::PUT,    &path, "vs-b-server", Some(named("vs-b-server")), 200, ""),
        ("another's VAL service",      Method::POST,   PATH,  "vs-b-server", Some(config("vs-a", json!([{ "valUserId": "val-bob" }]))), 403, "UNAUTHORIZED_OPERATION"),
        ("another's name",             Method::POST,   PATH,  "vs-b-server", Some(named("vs-1")), 403, "UNAUTHORIZED_OPERATION"),
        ("another's name later",       Method::PUT,    &path, "vs-b-server", Some(named("vs-1")), 403, "UNAUTHORIZED_OPERATION"),
        ("patched over",               Method::PATCH,  &path, "vs-b-server", Some(config("vs-a", json!([{ "valUserId": "val-bob" }]))), 403, "UNAUTHORIZED_OPERATION"),
        ("the name is not patched",    Method::PATCH,  &path, "vs-b-server", Some(json!({ "valServerId": "vs-1" })), 400, "MANDATORY_IE_INCORRECT"),
        ("another's configuration",    Method::GET,    &path, "vs-1", None, 404, "RESOURCE_NOT_FOUND"),
        ("another's, replaced",        Method::PUT,    &path, "vs-1", Some(config("vs-a", json!([{ "valUserId": "val-bob" }]))), 404, "RESOURCE_NOT_FOUND"),
        ("another's, removed",         Method::DELETE, &path, "vs-1", None, 404, "RESOURCE_NOT_FOUND"),
        ("absent",                     Method::DELETE, "/ss-ipp/v1/configurations/none", "vs-1", None, 404, "RESOURCE_NOT_FOUND"),
        ("a client that is no server", Method::GET,    PATH,  "ue-1", None, 403, "UNAUTHORIZED_OPERATION"),
        ("not registered",             Method::GET,    PATH,  "nobody", None, 403, "UNAUTHORIZED_OPERATION"),
        ("nobody listed",              Method::POST,   PATH,  "vs-b-server", Some(config("vs-b", json!([]))), 400, "MANDATORY_IE_INCORRECT"),
        ("user and UE at once",        Method::POST,   PATH,  "vs-b-server", Some(config("vs-b", json!([{ "valUserId": "a", "valUeId": "b" }]))), 400, "MANDATORY_IE_INCORRECT"),
        ("no body",                    Method::POST,   PATH,  "vs-b-server", Some(json!({})), 400, "MANDATORY_IE_MISSING"),
    ];
    for (what, method, path, client, body, status, cause) in rows {
        let answer = send(&sim, method, path, client, body.as_ref()).await;
        let got = if cause.is_empty() { String::new() } else { text(&answer.json()["cause"]).to_owned() };
        assert_eq!((answer.status, got.as_str()), (status, cause), "{what}");
    }
    assert_eq!(
        send(&sim, Method::GET, &path, "vs-b-server", None).await.json(),
        created.json(),
        "nothing changed"
    );
}

#[tokio::test]
async fn a_profile_tells_a_val_server_of_its_own_services() {
    let sim = with_vs_b().await;
    let read = async |client: &str, query: &str| {
        let path = format!("/ss-upr/v1/val-services?{query}");
        send(&sim, Method::GET, &path, client, None).await
    };
    let of = |target: &str| {
        format!("val-tgt-ue={}", url::form_urlencoded::byte_serialize(target.as_bytes()).collect::<String>())
    };
    let alice = of(r#"{"valUserId":"val-alice"}"#);
    let told = read("vs-1", &alice).await.json();
    assert_eq!(told[0]["valTgtUe"], json!({ "valUserId": "val-alice" }));
    assert_eq!(text(&told[0]["profileInformation"]), r#"{"valServices":["vs-a"]}"#);
    assert_eq!(read("vs-b-server", &alice).await.json(), json!([]), "a user of others is nobody");
    assert_eq!(read("vs-1", &of(r#"{"valUserId":"nobody"}"#)).await.json(), json!([]));
    assert_eq!(read("vs-1", &of(r#"{"valUeId":"ue-alice"}"#)).await.json(), json!([]));
    let listed = config("vs-b", json!([{ "valUserId": "val-alice" }, { "valUeId": "ue-glasses" }]));
    assert_eq!(create(&sim, "vs-b-server", &listed).await.status, 201);
    assert_eq!(
        text(&read("vs-b-server", &alice).await.json()[0]["profileInformation"]),
        r#"{"valServices":["vs-b"]}"#
    );
    let glasses = read("vs-b-server", &of(r#"{"valUeId":"ue-glasses"}"#)).await.json();
    assert_eq!(text(&glasses[0]["profileInformation"]), r#"{"valServices":["vs-b"]}"#);
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("no target",            String::new(), 400),
        ("no JSON",              "val-tgt-ue=x".to_owned(), 400),
        ("neither",              of("{}"), 400),
        ("both",                 of(r#"{"valUserId":"a","valUeId":"b"}"#), 400),
        ("a service of others",  format!("{alice}&val-service-id=vs-b"), 403),
        ("its own service",      format!("{alice}&val-service-id=vs-a"), 200),
    ];
    for (what, query, status) in rows {
        assert_eq!(read("vs-1", &query).await.status, status, "{what}");
    }
}
