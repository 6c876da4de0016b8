//! A receiver of notifications over TLS on loopback, and the way to it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use http::StatusCode;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::Value;
use service_http::edge::{self, EdgeHandle, EdgeLimits, ShutdownSwitch};
use service_http::egress::{Egress, EgressConfig};
use service_http::tls;
use tokio::net::TcpListener;
use tokio::time::timeout;

/// Longest wait for a notification.
const PATIENCE: Duration = Duration::from_secs(20);

/// What came: path and body.
type Notices = Arc<Mutex<Vec<(String, Value)>>>;

pub(crate) struct Receiver {
    origin: String,
    root: String,
    notices: Notices,
    _switch: ShutdownSwitch,
    _handle: EdgeHandle,
}

impl Receiver {
    pub(crate) async fn start() -> Self {
        let root_key = KeyPair::generate().unwrap();
        let mut root = CertificateParams::default();
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root_pem = root.self_signed(&root_key).unwrap().pem();
        let issuer = Issuer::new(root, root_key);
        let key = KeyPair::generate().unwrap();
        let leaf = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
        let leaf = leaf.signed_by(&key, &issuer).unwrap().pem();
        let identity = tls::Identity::from_pem(&leaf, &key.serialize_pem()).unwrap();
        let config = tls::server_config(identity, None, false).unwrap();
        let notices = Notices::default();
        let app = Router::new().fallback(take).with_state(Arc::clone(&notices));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let (switch, shutdown) = edge::shutdown();
        let handle = edge::serve(listener, config, app, EdgeLimits::default(), shutdown).unwrap();
        let origin = format!("https://127.0.0.1:{}", handle.addr.port());
        Self { origin, root: root_pem, notices, _switch: switch, _handle: handle }
    }

    /// A way out that leads here.
    pub(crate) fn egress(&self) -> Egress {
        let roots = tls::certificates_from_pem(&self.root).unwrap();
        let tls = tls::client_config(&roots, None).unwrap();
        Egress::new(EgressConfig { tls, allow_private: true, own: Vec::new() })
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.origin)
    }

    /// What came to a path so far, in the order of the texts: the outbox promises no other.
    pub(crate) fn got(&self, path: &str) -> Vec<Value> {
        let notices = self.notices.lock().unwrap();
        let mut got: Vec<_> =
            notices.iter().filter(|(to, _)| to == path).map(|(_, body)| body.clone()).collect();
        got.sort_by_key(Value::to_string);
        got
    }

    /// What came to a path, once it is so many.
    pub(crate) async fn wait(&self, path: &str, count: usize) -> Vec<Value> {
        let enough = async {
            while self.got(path).len() < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let waited = timeout(PATIENCE, enough).await;
        assert!(waited.is_ok(), "{} of {count} at {path}", self.got(path).len());
        self.got(path)
    }
}

async fn take(State(notices): State<Notices>, request: Request) -> StatusCode {
    let path = request.uri().path().to_owned();
    let body = axum::body::to_bytes(request.into_body(), 1 << 20).await.unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    notices.lock().unwrap().push((path, body));
    StatusCode::NO_CONTENT
}
