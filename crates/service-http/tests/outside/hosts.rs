//! Callback hosts are asked of the SIM-S by TLS, and a copy is relied on for a second.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use http::StatusCode;
use service_http::ambient::Ambient;
use service_http::callback_hosts::{HostSource as _, HttpHosts, Unavailable, hosts_for};
use service_http::{feed, tls};

use crate::pki::Root;
use crate::support::listen;

async fn answer(State(asked): State<Arc<AtomicU32>>, Path(client): Path<String>) -> Response {
    let number = asked.fetch_add(1, Ordering::AcqRel);
    let told = |client: &str, hosts: &[&str]| {
        axum::Json(serde_json::json!({ "clientId": client, "callbackHosts": hosts })).into_response()
    };
    match client.as_str() {
        "vs-1" => told("vs-1", if number == 0 { &["old.example"] } else { &["old.example", "new.example"] }),
        "vs-2" => told("vs-3", &["other.example"]),
        "large" => "x".repeat(100_000).into_response(),
        "broken" => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        _ => StatusCode::NOT_FOUND.into_response(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_lasts_a_second_and_never_refuses() {
    let root = Root::new();
    let asked: Arc<AtomicU32> = Arc::default();
    let app = Router::new().route("/clients/{client}/callback-hosts", get(answer)).with_state(asked.clone());
    let sim = listen(app, &root, None).await;
    let (ambient, clock) = Ambient::for_test(1_800_000_000, 3);
    let client = feed::client(tls::client_config(std::slice::from_ref(&root.der), None).unwrap()).unwrap();
    let hosts = HttpHosts::new(client.clone(), &sim.url(""), ambient.clone());
    let count = || asked.load(Ordering::Acquire);

    let first = Ok(Some(vec!["old.example".to_owned()]));
    assert_eq!(hosts.of_client("vs-1").await, first);
    clock.advance(Duration::from_millis(999));
    assert_eq!((hosts.of_client("vs-1").await, count()), (first.clone(), 1), "a copy");
    assert_eq!(
        (hosts_for(&hosts, "vs-1", "https://old.example/x").await, count()),
        (first, 1),
        "a copy will do"
    );
    // What the copy does not let pass is asked anew.
    let both = Ok(Some(vec!["old.example".to_owned(), "new.example".to_owned()]));
    assert_eq!((hosts_for(&hosts, "vs-1", "https://new.example/x").await, count()), (both.clone(), 2));
    clock.advance(Duration::from_secs(1));
    assert_eq!((hosts.of_client("vs-1").await, count()), (both, 3), "the copy is too old");

    assert_eq!(hosts.of_client("nobody").await, Ok(None));
    for (what, name) in [("of another client", "vs-2"), ("too large", "large"), ("an error", "broken")] {
        assert_eq!(hosts.of_client(name).await, Err(Unavailable), "{what}");
    }
    assert_eq!(hosts.of_client("a/../vs-1").await, Ok(None), "a name is one segment");
    drop(sim);
    let gone = HttpHosts::new(client, "https://localhost:1", ambient);
    assert_eq!(gone.of_client("vs-1").await, Err(Unavailable));
}
