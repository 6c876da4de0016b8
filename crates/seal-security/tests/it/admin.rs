//! What the admin API asks for.

use api_types::admin::{Client, RevocationKind, RevocationRequest, Service, User};
use serde_json::{Value, json};
use service_http::peer::CertRole;

use crate::harness::{PASSWORD, Params, Sim, asks, redeems, sim, text};

fn user(change: Value) -> User {
    let mut body = json!({ "password": PASSWORD, "valUserId": "val-new", "valUeIds": ["ue-new"] });
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    serde_json::from_value(body).unwrap()
}

fn client(change: Value) -> Client {
    let mut body =
        json!({ "kind": "sim_c", "auth": "client_secret_basic", "redirectUris": ["https://app.example/cb"] });
    body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    serde_json::from_value(body).unwrap()
}

async fn put_client(sim: &Sim, id: &str, change: Value) -> Result<(), (u16, String)> {
    let written = sim.server.put_client(&id.try_into().unwrap(), client(change)).await;
    written.map(|_| ()).map_err(|refusal| told(&refusal))
}

async fn put_user(sim: &Sim, id: &str, change: Value) -> Result<(), (u16, String)> {
    let written = sim.server.put_user(&id.try_into().unwrap(), user(change)).await;
    written.map(|_| ()).map_err(|refusal| told(&refusal))
}

fn told(refusal: &service_http::refusal::Refusal) -> (u16, String) {
    let (status, cause) = refusal.on_the_wire();
    (status, cause.as_str().to_owned())
}

fn taken() -> Result<(), (u16, String)> {
    Err((409, "ID_TAKEN".to_owned()))
}

/// Callback hosts are hosts, and functions are told of them, and nobody else.
#[tokio::test]
async fn callback_hosts_are_told_to_functions() {
    let sim = sim().await;
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("127.0.0.1", true), ("::1", true), ("[::1]:8443", true), ("localhost:9000", true), ("receiver.example", true),
        ("a b", false), ("a/b", false), ("", false), ("user@receiver.example", false), ("https://receiver.example", false),
    ];
    for (number, (host, good)) in rows.into_iter().enumerate() {
        let put = put_client(&sim, &format!("client-{number}"), json!({ "callbackHosts": [host] })).await;
        assert_eq!(put.is_ok(), good, "{host}");
    }
    assert!(put_client(&sim, "new-client", json!({ "callbackHosts": vec!["a.example"; 65] })).await.is_err());
    put_client(&sim, "told", json!({ "callbackHosts": ["a.example", "b.example:8443"] })).await.unwrap();
    let path = |client: &str| format!("/clients/{client}/callback-hosts");
    let told = sim.get_mtls(&path("told"), CertRole::Function, "san").await;
    let body = json!({ "clientId": "told", "callbackHosts": ["a.example", "b.example:8443"] });
    assert_eq!((told.status, told.json()), (200, body));
    assert_eq!(sim.get_mtls(&path("nobody"), CertRole::Function, "san").await.status, 404);
    for role in [CertRole::Client, CertRole::Notifier] {
        assert_eq!(sim.get_mtls(&path("told"), role, "told").await.status, 403, "{role}");
    }
}

/// B20: a client is never called like a user, nor the other way round.
#[tokio::test]
async fn b20_names_of_users_and_clients_are_disjoint() {
    let sim = sim().await;
    assert_eq!(put_client(&sim, "new-client", json!({})).await, Ok(()));
    assert_eq!(put_user(&sim, "new-user", json!({})).await, Ok(()));
    assert_eq!(put_client(&sim, "alice", json!({})).await, taken(), "client like a user");
    assert_eq!(put_client(&sim, "val-alice", json!({})).await, taken(), "client like a VAL user");
    assert_eq!(put_user(&sim, "ue-1", json!({ "valUserId": "val-x" })).await, taken(), "user like a client");
    assert_eq!(put_user(&sim, "x", json!({ "valUserId": "ue-1" })).await, taken(), "VAL user like a client");
    assert_eq!(
        put_user(&sim, "x", json!({ "valUserId": "val-alice" })).await,
        taken(),
        "VAL user of another"
    );
    assert_eq!(
        put_user(&sim, "x", json!({ "valUserId": "alice" })).await,
        taken(),
        "VAL user like another user"
    );
    // Nothing was kept of what was refused, and a name that was given back is free.
    assert_eq!(put_user(&sim, "x", json!({ "valUserId": "x" })).await, Ok(()));
    sim.server.delete_user(&"x".try_into().unwrap()).await.unwrap();
    assert_eq!(put_client(&sim, "x", json!({})).await, Ok(()));
}

/// B20: what names one person names nobody else; a UE may be shared and is called like nobody else.
#[tokio::test]
async fn b20_identities_are_one_persons() {
    let sim = sim().await;
    let mine = json!({
        "valUserId": "val-y", "valUeIds": ["ue-y"], "gpsi": "msisdn-491700000001", "externalId": "y@ext.example",
        "impu": "sip:y@op.example", "supi": "imsi-262010000000001",
    });
    assert_eq!(put_user(&sim, "y", mine.clone()).await, Ok(()));
    assert_eq!(put_user(&sim, "y", mine).await, Ok(()), "again");
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("GPSI", json!({ "valUserId": "val-z", "gpsi": "msisdn-491700000001" })),
        ("External ID", json!({ "valUserId": "val-z", "externalId": "y@ext.example" })),
        ("IMPU", json!({ "valUserId": "val-z", "impu": "sip:y@op.example" })),
        ("SUPI", json!({ "valUserId": "val-z", "supi": "imsi-262010000000001" })),
        ("UE like a user", json!({ "valUserId": "val-z", "valUeIds": ["y"] })),
        ("UE like a VAL user", json!({ "valUserId": "val-z", "valUeIds": ["val-y"] })),
        ("VAL user like a UE", json!({ "valUserId": "ue-y" })),
    ];
    for (what, change) in rows {
        assert_eq!(put_user(&sim, "z", change).await, taken(), "{what}");
    }
    assert_eq!(put_user(&sim, "ue-y", json!({ "valUserId": "val-z" })).await, taken(), "user like a UE");
    assert_eq!(
        put_user(&sim, "z", json!({ "valUserId": "val-z", "valUeIds": ["ue-y"] })).await,
        Ok(()),
        "shared"
    );
    // Given back, each is free.
    let less = json!({ "valUserId": "val-y", "valUeIds": [] });
    assert_eq!(put_user(&sim, "y", less).await, Ok(()));
    let more = json!({ "valUserId": "val-z", "gpsi": "msisdn-491700000001", "supi": "imsi-262010000000001" });
    assert_eq!(put_user(&sim, "z", more).await, Ok(()));
    sim.server.delete_user(&"z".try_into().unwrap()).await.unwrap();
    let again = json!({ "valUserId": "val-y", "gpsi": "msisdn-491700000001" });
    assert_eq!(put_user(&sim, "y", again).await, Ok(()));
}

#[tokio::test]
async fn one_spoiled_member_is_refused() {
    let sim = sim().await;
    let bad = |cause: &str| Err((400, cause.to_owned()));
    #[rustfmt::skip] // a table stays a table
    let clients = [
        ("good", json!({}), Ok(())),
        ("open redirect", json!({ "redirectUris": ["https://*.example/cb"] }), bad("MANDATORY_IE_INCORRECT")),
        ("http", json!({ "redirectUris": ["http://app.example/cb"] }), bad("MANDATORY_IE_INCORRECT")),
        ("javascript", json!({ "redirectUris": ["javascript:alert(1)"] }), bad("MANDATORY_IE_INCORRECT")),
        ("fragment", json!({ "redirectUris": ["https://app.example/cb#x"] }), bad("MANDATORY_IE_INCORRECT")),
        ("no redirect", json!({ "redirectUris": [] }), bad("MANDATORY_IE_INCORRECT")),
        ("no keys", json!({ "auth": "private_key_jwt" }), bad("MANDATORY_IE_MISSING")),
        ("private key", json!({ "auth": "private_key_jwt", "jwks": { "keys": [{ "kty": "EC", "crv": "P-256", "x": "x", "y": "y", "d": "d" }] } }), bad("MANDATORY_IE_INCORRECT")),
        ("secret as key", json!({ "auth": "private_key_jwt", "jwks": { "keys": [{ "kty": "oct", "k": "x" }] } }), bad("MANDATORY_IE_INCORRECT")),
        ("CSR refused", json!({ "kind": "val_server", "auth": "tls_client_auth", "redirectUris": [], "csr": "x" }), bad("MANDATORY_IE_INCORRECT")),
        ("CSR of no use", json!({ "csr": "csr" }), bad("MANDATORY_IE_INCORRECT")),
    ];
    for (what, change, want) in clients {
        assert_eq!(put_client(&sim, "c", change).await, want, "{what}");
    }
    assert_eq!(put_user(&sim, "u", json!({ "password": "short" })).await, bad("MANDATORY_IE_INCORRECT"));
    assert_eq!(
        put_user(&sim, "u", json!({ "password": "x".repeat(300) })).await,
        bad("MANDATORY_IE_INCORRECT")
    );
    for (what, body) in [
        ("no scope", json!({ "role": "san", "scopes": [] })),
        ("scope of the login", json!({ "role": "san", "scopes": ["openid"] })),
        ("own role", json!({ "role": "admin", "scopes": ["x"] })),
        ("blank", json!({ "role": "san", "scopes": ["a b"] })),
    ] {
        let body: Service = serde_json::from_value(body).unwrap();
        let refused = sim.server.put_service(&"s".try_into().unwrap(), body).await.unwrap_err();
        assert_eq!(told(&refused).0, 400, "{what}");
    }
    let body: Service =
        serde_json::from_value(json!({ "role": "sm", "scopes": ["3gpp:seal:san.read"] })).unwrap();
    let refused = sim.server.put_service(&"s".try_into().unwrap(), body).await.unwrap_err();
    assert_eq!(told(&refused), (409, "ID_TAKEN".to_owned()), "scope of another server");
}

#[tokio::test]
async fn what_is_written_is_read_back_without_secrets() {
    let sim = sim().await;
    let id = "alice".try_into().unwrap();
    let read = sim.server.user(&id).await.unwrap();
    assert_eq!(read.version, 1);
    assert!(read.body.password.is_none());
    assert_eq!(read.body.val_user_id.as_str(), "val-alice");
    let created = sim.server.put_client(&"c".try_into().unwrap(), client(json!({}))).await.unwrap();
    assert!(created.created && created.body.secret.is_some());
    let changed =
        sim.server.put_client(&"c".try_into().unwrap(), client(json!({ "bearer": true }))).await.unwrap();
    assert!(!changed.created && changed.body.secret.is_none() && changed.version == 2);
    let machine =
        json!({ "kind": "val_server", "auth": "tls_client_auth", "redirectUris": [], "csr": "csr" });
    let issued = sim.server.put_client(&"m".try_into().unwrap(), client(machine)).await.unwrap().body;
    assert_eq!((issued.cert.as_deref(), issued.secret.is_none()), (Some("certificate of m"), true));
    let mut seen = Vec::new();
    let mut after = String::new();
    loop {
        let page = sim.server.users(&after, 2).await.unwrap();
        seen.extend(page.items.into_iter().filter_map(|user| user.user_id).map(|id| id.as_str().to_owned()));
        let Some(next) = page.next else { break };
        after = next;
    }
    assert_eq!(seen, ["alice", "bob", "eve"]);
    assert!(sim.server.clients("", 3).await.unwrap().next.is_some());
    assert_eq!(sim.server.services("", 10).await.unwrap().items.len(), 2);
    for refused in [
        sim.server.delete_user(&"nobody".try_into().unwrap()).await,
        sim.server.delete_client(&"nobody".try_into().unwrap()).await,
        sim.server.delete_service(&"nothing".try_into().unwrap()).await,
    ] {
        assert_eq!(told(&refused.unwrap_err()).0, 404);
    }
}

/// A write has taken effect when it is answered.
#[tokio::test]
async fn what_an_account_or_client_loses_its_tokens_lose() {
    let sim = sim().await;
    let alice = "alice".try_into().unwrap();
    let is_active = |tokens: &Value| {
        let token = text(&tokens["access_token"]).to_owned();
        let sim = &sim;
        async move { sim.is_active("ue-1", &token).await }
    };
    let body = |change: Value| {
        let mut body = json!({ "valUserId": "val-alice", "valUeIds": ["ue-alice"], "gpsi": "msisdn-alice", "valServices": ["vs-a"] });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        serde_json::from_value::<User>(body).unwrap()
    };
    let tokens = sim.tokens().await;
    for (what, change, stays) in [
        ("the same again", json!({}), true),
        ("the same password", json!({ "password": PASSWORD }), true),
        ("one UE more", json!({ "valUeIds": ["ue-alice", "ue-2"] }), true),
        ("one UE less", json!({}), false),
    ] {
        sim.server.put_user(&alice, body(change)).await.unwrap();
        assert_eq!(is_active(&tokens).await, stays, "{what}");
    }
    let tokens = sim.tokens().await;
    assert!(is_active(&tokens).await, "a new login is good");
    sim.server.put_user(&alice, body(json!({ "password": "another password" }))).await.unwrap();
    assert!(!is_active(&tokens).await, "another password");
    assert_eq!(sim.log_in("alice", &asks()).await.status, 401);
    sim.server.put_user(&alice, body(json!({ "password": PASSWORD }))).await.unwrap();
    let tokens = sim.tokens().await;
    let id = "ue-2".try_into().unwrap();
    sim.server.delete_client(&id).await.unwrap();
    assert!(is_active(&tokens).await, "another client");
    sim.server.delete_client(&"ue-1".try_into().unwrap()).await.unwrap();
    let form = Params::of(&[("token", text(&tokens["access_token"]))]);
    assert_eq!(sim.post("/introspect", &[sim.basic("ue-1")], &form).await.status, 401);
    let audience = sim.post_mtls("/introspect", CertRole::Function, "san", &form).await;
    assert_eq!(audience.json(), json!({ "active": false }));
}

/// IMP-14: each kind that this issuer revokes.
#[tokio::test]
async fn imp_14_revocation_by_the_operator() {
    let sim = sim().await;
    let jti = |tokens: &Value| text(&crate::harness::claims(&tokens["access_token"])["jti"]).to_owned();
    let revoke = |kind, value: String| {
        let request = RevocationRequest { kind, value, issuer: Some("https://sim.example/".to_owned()) };
        let sim = &sim;
        async move { sim.server.revoke(&request).await.unwrap().epoch }
    };
    for (kind, value) in [
        (RevocationKind::Token, None),
        (RevocationKind::Subject, Some("alice")),
        (RevocationKind::Subject, Some("val-alice")),
        (RevocationKind::Client, Some("ue-1")),
    ] {
        let tokens = sim.tokens().await;
        let pending = sim.code("alice", &asks()).await;
        assert!(sim.is_active("ue-1", text(&tokens["access_token"])).await);
        assert!(revoke(kind, value.map_or_else(|| jti(&tokens), str::to_owned)).await > 0);
        assert!(!sim.is_active("ue-1", text(&tokens["access_token"])).await, "{kind} {value:?}");
        let refresh =
            Params::of(&[("grant_type", "refresh_token"), ("refresh_token", text(&tokens["refresh_token"]))]);
        assert_eq!(sim.token_of("ue-1", &refresh).await.error(), "invalid_grant", "{kind} {value:?}");
        let redeemed = sim.token_of("ue-1", &redeems(&pending)).await.status;
        assert_eq!(redeemed, if kind == RevocationKind::Token { 200 } else { 400 }, "{kind} {value:?}");
    }
    let certificate = service_http::testkit::certificate(CertRole::Client, "vs-1");
    let form = Params::of(&[
        ("grant_type", "client_credentials"),
        ("client_id", "vs-1"),
        ("scope", "3gpp:seal:san.read"),
        ("resource", crate::harness::SAN),
    ]);
    assert_eq!(sim.post_mtls("/token", CertRole::Client, "vs-1", &form).await.status, 200);
    revoke(RevocationKind::Certificate, certificate.x5t_s256).await;
    assert_eq!(sim.post_mtls("/token", CertRole::Client, "vs-1", &form).await.error(), "invalid_client");
    for (kind, issuer) in
        [(RevocationKind::Avatar, None), (RevocationKind::Token, Some("https://evil.example".to_owned()))]
    {
        let request = RevocationRequest { kind, value: "x".to_owned(), issuer };
        assert_eq!(told(&sim.server.revoke(&request).await.unwrap_err()).0, 400);
    }
}

/// A client that is registered anew under a name is another one: certificates of the one before do not speak for it.
#[tokio::test]
async fn the_certificates_of_a_client_end_with_it() {
    let sim = sim().await;
    let machine = |csr: bool| {
        let mut change = json!({ "kind": "val_server", "auth": "tls_client_auth", "redirectUris": [],
            "scopes": ["3gpp:seal:san.read"] });
        if csr {
            change["csr"] = json!("csr");
        }
        change
    };
    let secret = json!({ "kind": "val_server", "redirectUris": [], "scopes": ["3gpp:seal:san.read"] });
    let asks = |id: &str| {
        let scope = ("scope", "3gpp:seal:san.read");
        Params::of(&[
            ("grant_type", "client_credentials"),
            ("client_id", id),
            scope,
            ("resource", crate::harness::SAN),
        ])
    };
    let get = async |id: &str| sim.post_mtls("/token", CertRole::Client, id, &asks(id)).await.status;
    assert_eq!(put_client(&sim, "m-1", machine(true)).await, Ok(()));
    assert_eq!(put_client(&sim, "m-1", machine(true)).await, Ok(()), "renewed");
    assert_eq!(get("m-1").await, 200);
    sim.server.delete_client(&"m-1".try_into().unwrap()).await.unwrap();
    assert_eq!(put_client(&sim, "m-1", machine(false)).await, Ok(()));
    assert_eq!(get("m-1").await, 401, "the certificate of the client before");
    assert_eq!(put_client(&sim, "m-2", machine(true)).await, Ok(()));
    assert_eq!(put_client(&sim, "m-2", secret).await, Ok(()));
    assert_eq!(put_client(&sim, "m-2", machine(false)).await, Ok(()));
    assert_eq!(get("m-2").await, 401, "it had another way to prove itself in between");
    assert_eq!(put_client(&sim, "m-3", machine(true)).await, Ok(()));
    assert_eq!(get("m-3").await, 200);
}

#[tokio::test]
async fn names_that_mean_something_else_are_nobodys() {
    let sim = sim().await;
    for function in ["admin", "sim", "san", "sm"] {
        assert_eq!(put_client(&sim, function, json!({})).await, taken(), "client {function}");
        assert_eq!(
            put_user(&sim, function, json!({ "valUserId": "val-x" })).await,
            taken(),
            "user {function}"
        );
    }
    let machine =
        json!({ "kind": "val_server", "auth": "tls_client_auth", "redirectUris": [], "csr": "csr" });
    let refused = put_client(&sim, "größe", machine).await.unwrap_err();
    assert_eq!(refused, (400, "MANDATORY_IE_INCORRECT".to_owned()), "no name of a certificate");
}

/// PUT is an upsert: of many at once each is answered as if it had come alone.
#[tokio::test(flavor = "multi_thread")]
async fn accounts_may_be_written_at_once() {
    let sim = sim().await;
    let writes = (0..16).map(|n| put_user(&sim, "new", json!({ "gpsi": format!("msisdn-{n}") })));
    for written in futures::future::join_all(writes).await {
        assert_eq!(written, Ok(()));
    }
    assert_eq!(sim.server.user(&"new".try_into().unwrap()).await.unwrap().version, 16);
}
