//! The feed over mutual TLS: who may follow, and that an acknowledged revocation is in force.

use std::sync::Arc;
use std::time::Duration;

use api_types::function::Function;
use authorization::IssuerRow;
use authorization::revocation::Kind;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::Method;
use jose::{Jwks, Signer as _};
use service_http::call::Ctx;
use service_http::feed::{self, Follow, HttpFeed, HttpKeys, NewEntry, RevocationLog};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use service_http::routes::RouteSpec;
use service_http::verifier::{Following, IssuerState, Verifier};
use service_http::{guard, testkit, tls};
use tokio::time::timeout;

use crate::pki::Root;
use crate::support::{Listener, PATIENCE, ambient, listen, store};

const ROUTES: &[RouteSpec] = &[
    RouteSpec::mtls(Method::GET, "/revocations", "Revocations", &[CertRole::Function]).unlimited(),
    RouteSpec::public(Method::GET, "/jwks", "Jwks").unlimited(),
];

#[derive(Clone)]
struct Sim {
    log: RevocationLog,
    jwks: Jwks,
}

async fn revocations(
    State(sim): State<Sim>,
    ctx: Ctx,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    feed::revocations(&sim.log, &ctx, query.as_deref()).await
}

async fn jwks(State(sim): State<Sim>) -> Response {
    feed::jwks_response(&sim.jwks, 60)
}

async fn sim(
    root: &Root,
    jwks_of: &Jwks,
    ambient: &service_http::ambient::Ambient,
) -> (Listener, RevocationLog, tempfile::TempDir) {
    let (store, dir) = store(Function::Sim).await;
    let kit = testkit::kit(Function::Sim, store.clone(), ambient, testkit::SIM, &[]);
    let log = RevocationLog::open(store, ambient.clone(), testkit::SIM, None, Vec::new()).await.unwrap();
    let state = Sim { log: log.clone(), jwks: jwks_of.clone() };
    let routes = guard::mount(&kit, ROUTES).on("Revocations", revocations).on("Jwks", jwks).finish().unwrap();
    let app = guard::serve(&kit, routes.with_state(state));
    (listen(app, root, Some(root)).await, log, dir)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_verifier_follows_over_tls_and_an_acknowledged_revocation_is_in_force() {
    let root = Root::new();
    let ambient = ambient();
    let key = testkit::key(&ambient);
    let (listener, log, _dir) = sim(&root, &Jwks::new([key.public_jwk()]).unwrap(), &ambient).await;
    let identity = root.client(CertRole::Function, "san").identity();
    let client =
        feed::client(tls::client_config(std::slice::from_ref(&root.der), Some(identity)).unwrap()).unwrap();

    let row = IssuerRow::sim(testkit::SIM, listener.url("/jwks"));
    let keys = Arc::new(HttpKeys::new(client.clone(), listener.url("/jwks")));
    let issuer = IssuerState::new(row, Following::Feed, Some(keys));
    let feed = Arc::new(HttpFeed::new(client, listener.url("/revocations"), "n1"));
    let mut follower = feed::follow(Follow { issuer: issuer.clone(), feed, ambient: ambient.clone() });
    timeout(PATIENCE, follower.ready()).await.unwrap();

    let verifier = Verifier::new("https://san.example", ambient.clone(), vec![issuer.clone()]);
    let now = ambient.now_s();
    let claims = serde_json::json!({
        "iss": testkit::SIM, "sub": "vs-1", "aud": "https://san.example", "iat": now, "exp": now + 300, "jti": "j",
        "client_id": "vs-1", "scope": "", "sub_type": "client", "rev": 0,
    });
    let token = jose::jwt::sign(&key, "at+jwt", &claims).unwrap();
    let verified = verifier.verify(&token, |_| ()).await.unwrap();
    // Its lease may be renewed at any moment; a stall of the machine is not what is tested.
    let good = async {
        while verified.check_revoked(&ambient, None).is_err() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(PATIENCE, good).await.unwrap();

    let entry = NewEntry { kind: Kind::Client, value: "vs-1".into(), expires_s: None };
    let revoked = timeout(PATIENCE, log.revoke(vec![entry])).await.unwrap().unwrap();
    assert_eq!(revoked.confirmed.len() + revoked.lapsed.len(), 1);
    assert!(verified.check_revoked(&ambient, None).is_err(), "from the answer on nothing is granted");
    assert!(revoked.ms < 5_000, "{} ms", revoked.ms);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_function_may_follow() {
    let root = Root::new();
    let ambient = ambient();
    let (listener, _, _dir) = sim(&root, &Jwks::default(), &ambient).await;
    for (role, status) in [(CertRole::Function, 200), (CertRole::Client, 403), (CertRole::Notifier, 403)] {
        let identity = root.client(role, "x").identity();
        let client =
            feed::client(tls::client_config(std::slice::from_ref(&root.der), Some(identity)).unwrap())
                .unwrap();
        let answer = client.get(listener.url("/revocations?after=0")).send().await.unwrap();
        assert_eq!(answer.status(), status, "{role}");
        assert!(answer.headers().contains_key("traceparent"));
    }
    let stranger = Root::new().client(CertRole::Function, "san").identity();
    let client =
        feed::client(tls::client_config(std::slice::from_ref(&root.der), Some(stranger)).unwrap()).unwrap();
    assert!(client.get(listener.url("/revocations")).send().await.is_err(), "another root");
}
