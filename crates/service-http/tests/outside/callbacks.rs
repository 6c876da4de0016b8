//! The outbox is emptied, with patience for receivers that fail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use api_types::function::Function;
use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use http::StatusCode;
use service_http::ambient::Ambient;
use service_http::egress::{Egress, EgressConfig};
use service_http::outbox_driver::{Decision, OutboxDriver, Recipients};
use service_http::peer::CertRole;
use service_http::tls;
use store::outbox::{self, Message};
use store::{Store, StoreError};
use tokio::time::timeout;

use crate::pki::Root;
use crate::support::{PATIENCE, ambient, listen, store};

/// `vs-1` has registered `localhost`, `vs-gone` has ended its subscription, others have registered nothing.
struct Registered;

#[async_trait]
impl Recipients for Registered {
    async fn decide(&self, message: &Message) -> Result<Decision, StoreError> {
        let send = |hosts: Vec<String>| Decision::Send { hosts, body: message.body.clone() };
        Ok(match message.client.as_str() {
            "vs-gone" => Decision::Drop,
            "vs-1" => send(vec!["localhost".into()]),
            _ => send(Vec::new()),
        })
    }
}

async fn queue(store: &Store, ambient: &Ambient, id: &str, client: &str, target: String) {
    let now_ms = ambient.now_ms();
    let message = Message {
        id: id.into(),
        kind: "SPATIAL_MAP_READY".into(),
        client: client.into(),
        target,
        body: "{}".into(),
        trace: None,
        queued_ms: now_ms,
        due_ms: now_ms,
    };
    let queued: Result<bool, StoreError> =
        store.write(move |tx| Box::pin(async move { outbox::queue(tx, &message).await })).await;
    assert!(queued.unwrap());
}

async fn waiting(store: &Store) -> (bool, usize) {
    let read = store.read(|tx| {
        Box::pin(async move {
            Ok((outbox::next_due_ms(tx).await?.is_some(), outbox::dead(tx, "", 10).await?.len()))
        })
    });
    read.await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_delivered_when_the_receiver_has_recovered() {
    let root = Root::new();
    let hits: Arc<AtomicU32> = Arc::default();
    // Fails once, as a receiver that restarts.
    let app = Router::new()
        .route(
            "/cb",
            post(async |State(hits): State<Arc<AtomicU32>>| match hits.fetch_add(1, Ordering::AcqRel) {
                0 => StatusCode::SERVICE_UNAVAILABLE,
                _ => StatusCode::NO_CONTENT,
            }),
        )
        .with_state(hits.clone());
    let receiver = listen(app, &root, None).await;
    let identity = root.client(CertRole::Notifier, "sm").identity();
    let tls = tls::client_config(std::slice::from_ref(&root.der), Some(identity)).unwrap();
    let egress = Egress::new(EgressConfig { tls, allow_private: true, own: Vec::new() });
    let ambient = ambient();
    let (store, _dir) = store(Function::Sm).await;
    let url = receiver.url("/cb");
    queue(&store, &ambient, "m1", "vs-1", url.clone()).await;
    queue(&store, &ambient, "m2", "vs-2", url.clone()).await;
    queue(&store, &ambient, "m3", "vs-gone", url).await;

    let driver = OutboxDriver::start(store.clone(), ambient, egress, Arc::new(Registered));
    let emptied = async {
        while waiting(&store).await.0 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, emptied).await.unwrap();
    assert_eq!(
        hits.load(Ordering::Acquire),
        2,
        "failed once, then delivered; nothing of the others was sent"
    );
    assert_eq!(waiting(&store).await.1, 1, "the host that nobody registered is kept for the operator");
    timeout(PATIENCE, driver.stop()).await.unwrap();
}
