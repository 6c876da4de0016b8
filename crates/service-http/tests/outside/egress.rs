//! Requests that leave, against receivers of all kinds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use axum::Router;
use axum::extract::State;
use axum::response::Redirect;
use axum::routing::{get, post};
use service_http::egress::{Egress, EgressConfig, EgressError, Target};
use service_http::peer::{CertRole, Peer};
use service_http::tls;

use crate::pki::Root;
use crate::support::{Listener, listen};

const HOSTS: [&str; 2] = ["localhost", "127.0.0.1"];

async fn receiver(root: &Root, hits: &Arc<AtomicU32>) -> Listener {
    let app = Router::new()
        .route(
            "/cb",
            post(async |State(hits): State<Arc<AtomicU32>>, peer: Peer, body: String| {
                hits.fetch_add(1, Ordering::AcqRel);
                let role = peer.certificate.map(|certificate| certificate.role);
                assert_eq!(role, Some(CertRole::Notifier));
                body
            }),
        )
        .route("/away", get(async || Redirect::temporary("/large")))
        .route("/large", get(async || "x".repeat(1024 * 1024)))
        .with_state(hits.clone());
    listen(app, root, Some(root)).await
}

fn egress(root: &Root, allow_private: bool, own: &[u16]) -> Egress {
    let identity = root.client(CertRole::Notifier, "san").identity();
    let tls = tls::client_config(std::slice::from_ref(&root.der), Some(identity)).unwrap();
    let own = own.iter().map(|port| ([127, 0, 0, 1], *port).into()).collect();
    Egress::new(EgressConfig { tls, allow_private, own })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_callback_arrives_with_the_notifier_certificate() {
    let root = Root::new();
    let hits = Arc::default();
    let receiver = receiver(&root, &hits).await;
    let target = Target::parse(&receiver.url("/cb"), &HOSTS).unwrap();
    let answer = egress(&root, true, &[]).post_json(&target, "{\"a\":1}".into(), None).await.unwrap();
    assert_eq!((answer.status.as_u16(), answer.body.as_ref()), (200, b"{\"a\":1}".as_slice()));
    assert_eq!(hits.load(Ordering::Acquire), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_reached_is_not_connected_to() {
    let root = Root::new();
    let hits = Arc::default();
    let receiver = receiver(&root, &hits).await;
    let port = receiver.port;
    let literal = format!("https://127.0.0.1:{port}/cb");
    let elsewhere = Root::new();
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("a private name",          egress(&root, false, &[]),          receiver.url("/cb"),    EgressError::AddressRefused),
        ("a private address",       egress(&root, false, &[]),          literal.clone(),        EgressError::AddressRefused),
        ("our own listener",        egress(&root, true, &[port]),       receiver.url("/cb"),    EgressError::AddressRefused),
        ("our own, by address",     egress(&root, true, &[port]),       literal.clone(),        EgressError::AddressRefused),
        ("another root",            egress(&elsewhere, true, &[]),      receiver.url("/cb"),    EgressError::Unreachable),
        ("a name not certified",    egress(&root, true, &[]),           literal,                EgressError::Unreachable),
        ("nobody listens",          egress(&root, true, &[]),           "https://localhost:1024/cb".into(), EgressError::Unreachable),
        ("closed",                  Egress::closed(),                   receiver.url("/cb"),    EgressError::Configuration),
    ];
    for (what, egress, url, refusal) in rows {
        let target = Target::parse(&url, &HOSTS).unwrap();
        let got = egress.post_json(&target, "{}".into(), None).await.err();
        assert_eq!(got, Some(refusal), "{what}");
    }
    assert_eq!(hits.load(Ordering::Acquire), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_is_read_within_bounds_and_never_followed() {
    let root = Root::new();
    let receiver = receiver(&root, &Arc::default()).await;
    let egress = egress(&root, true, &[]);
    for (path, refusal) in [("/away", EgressError::Redirected), ("/large", EgressError::TooLarge)] {
        let target = Target::parse(&receiver.url(path), &HOSTS).unwrap();
        assert_eq!(egress.fetch(&target).await.err(), Some(refusal), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_receiver_is_given_five_seconds() {
    let silent = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let url = format!("https://localhost:{}/", silent.local_addr().unwrap().port());
    let target = Target::parse(&url, &HOSTS).unwrap();
    let began = tokio::time::Instant::now();
    assert_eq!(egress(&Root::new(), true, &[]).fetch(&target).await.err(), Some(EgressError::TimedOut));
    assert!(began.elapsed().as_secs() < 20);
}
