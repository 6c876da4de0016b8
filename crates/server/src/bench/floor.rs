//! The floor: the same edge, TLS and group commit, and nothing else. It shows what this machine gives.

use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use api_types::function::Function;
use axum::Router;
use axum::extract::State;
use axum::routing::get;
use http::StatusCode;
use http::header::CONTENT_TYPE;
use service_http::ambient::Ambient;
use service_http::edge::{self, EdgeLimits};
use service_http::tls::{self, ClientRoot, Identity, RootKind};
use store::{Migration, Migrations, Store, StoreConfig, StoreError, params};
use tokio::net::TcpListener;

use crate::pki::{Pki, Purpose, write_private};

/// A table with nothing to it.
const BARE: &[Migration] = &[Migration {
    name: "floor/0001_bare",
    sqlite: "CREATE TABLE bare (id INTEGER PRIMARY KEY AUTOINCREMENT, body TEXT NOT NULL)",
    postgres: "CREATE TABLE bare (id BIGSERIAL PRIMARY KEY, body TEXT NOT NULL)",
}];

/// Octets of the answer: about those of an anchors list of one anchor.
const OCTETS: usize = 700;

/// Octets of the row.
const ROW_OCTETS: usize = 100;

#[derive(Clone)]
struct Floor {
    store: Store,
    body: Arc<str>,
}

/// Serves `/empty` and `/commit` until the process is ended. `file` is told port and certificates.
///
/// # Errors
/// No port, no store.
pub async fn serve(dir: &Path, postgres: Option<&str>, file: &Path, ambient: &Ambient) -> Result<()> {
    let pki = Pki::open(dir, ambient)?;
    let sbi = pki.authority("sbi")?;
    let server = sbi.issue(("function", "san"), Purpose::Server, &["localhost".to_owned()], ambient)?;
    let client = sbi.issue(("client", "bench"), Purpose::Client, &[], ambient)?;
    let identity = Identity::from_pem(&server.cert_pem, &server.key_pem)?;
    let root = ClientRoot::new(tls::certificates_from_pem(sbi.cert_pem())?, RootKind::Sbi);
    let config = tls::server_config(identity, Some(&root), false)?;
    let place = match postgres {
        None => StoreConfig::Sqlite { dir: dir.join("floor") },
        Some(url) => StoreConfig::Postgres { url: url.to_owned() },
    };
    let store = Store::open(&place, Function::Admin, Migrations::common().with(BARE)).await?;
    let floor = Floor { store, body: "x".repeat(OCTETS).into() };
    let app = Router::new().route("/empty", get(empty)).route("/commit", get(commit)).with_state(floor);

    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let (_switch, shutdown) = edge::shutdown();
    let edge = edge::serve(listener, config, app, EdgeLimits::default(), shutdown)?;
    let ready = serde_json::json!({
        "port": edge.addr.port(), "ca": pki.bundle(), "cert": client.cert_pem, "key": client.key_pem,
    });
    write_private(&std::path::absolute(file)?, ready.to_string().as_bytes()).context("the ready file")?;
    edge.drained().await;
    Ok(())
}

async fn empty(State(floor): State<Floor>) -> impl axum::response::IntoResponse {
    (StatusCode::OK, [(CONTENT_TYPE, "application/json")], floor.body.to_string())
}

async fn commit(State(floor): State<Floor>) -> impl axum::response::IntoResponse {
    let row = Arc::clone(&floor.body);
    let written: Result<u64, StoreError> = floor
        .store
        .write(move |tx| {
            Box::pin(async move {
                let row = params![row.get(..ROW_OCTETS).unwrap_or_default()];
                tx.execute("INSERT INTO bare (body) VALUES ($1)", &row).await
            })
        })
        .await;
    let status = if written.is_ok() { StatusCode::OK } else { StatusCode::INTERNAL_SERVER_ERROR };
    (status, [(CONTENT_TYPE, "application/json")], floor.body.to_string())
}
