//! A receiver of callbacks: a listener of its own root, which lets in whoever shows a certificate of the SBI root.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::{Request, State};
use http::StatusCode;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::Value;
use service_http::edge::{self, EdgeHandle, EdgeLimits, ShutdownSwitch};
use service_http::peer::{CertRole, Peer};
use service_http::tls::{self, ClientRoot, RootKind};
use tokio::net::TcpListener;

/// A root and a certificate of `localhost` and 127.0.0.1.
pub(crate) struct ReceiverCertificate {
    root_pem: String,
    cert_pem: String,
    key_pem: String,
}

/// A callback that came.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Notice {
    pub(crate) path: String,
    pub(crate) body: Value,
    /// Role and name of the certificate that came with it.
    pub(crate) from: Option<(CertRole, String)>,
}

pub(crate) type Notices = Arc<Mutex<Vec<Notice>>>;

/// A receiver at work.
pub(crate) struct Receiver {
    notices: Notices,
    switch: ShutdownSwitch,
    handle: EdgeHandle,
}

impl ReceiverCertificate {
    pub(crate) fn new() -> Self {
        let root_key = KeyPair::generate().expect("a key");
        let mut root = CertificateParams::default();
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root_pem = root.self_signed(&root_key).expect("a root").pem();
        let issuer = Issuer::new(root, root_key);
        let key = KeyPair::generate().expect("a key");
        let leaf = CertificateParams::new(["localhost".to_owned(), "127.0.0.1".to_owned()]).expect("names");
        let cert_pem = leaf.signed_by(&key, &issuer).expect("a certificate").pem();
        Self { root_pem, cert_pem, key_pem: key.serialize_pem() }
    }

    /// The root as a file.
    pub(crate) fn root_in(&self, dir: &Path) -> PathBuf {
        let path = dir.join("receiver-root.pem");
        std::fs::write(&path, &self.root_pem).expect("a file");
        path
    }

    /// Receives on a port of 127.0.0.1.
    pub(crate) async fn receive(&self, port: u16, sbi_root_pem: &str) -> Receiver {
        let notices = Notices::default();
        let app = Router::new().fallback(take).with_state(Arc::clone(&notices));
        self.serve(port, sbi_root_pem, app, notices).await
    }

    /// Serves something on a port of 127.0.0.1.
    pub(crate) async fn serve(
        &self,
        port: u16,
        sbi_root_pem: &str,
        app: Router,
        notices: Notices,
    ) -> Receiver {
        let identity = tls::Identity::from_pem(&self.cert_pem, &self.key_pem).expect("an identity");
        let certificates = tls::certificates_from_pem(sbi_root_pem).expect("a root");
        let clients = ClientRoot::new(certificates, RootKind::Sbi);
        let config = tls::server_config(identity, Some(&clients), true).expect("TLS");
        let listener = TcpListener::bind(("127.0.0.1", port)).await.expect("the port");
        let (switch, shutdown) = edge::shutdown();
        let handle = edge::serve(listener, config, app, EdgeLimits::default(), shutdown).expect("a listener");
        Receiver { notices, switch, handle }
    }
}

async fn take(State(notices): State<Notices>, request: Request) -> StatusCode {
    let peer = request.extensions().get::<Peer>().and_then(|peer| peer.certificate.clone());
    let path = request.uri().path().to_owned();
    let body = axum::body::to_bytes(request.into_body(), 64 * 1024).await.unwrap_or_default();
    let body = serde_json::from_slice(&body).unwrap_or_default();
    let from = peer.map(|certificate| (certificate.role, certificate.name.clone()));
    notices.lock().expect("notices").push(Notice { path, body, from });
    StatusCode::NO_CONTENT
}

impl Receiver {
    /// What came to a path.
    pub(crate) fn got(&self, path: &str) -> Vec<Notice> {
        let notices = self.notices.lock().expect("notices");
        notices.iter().filter(|notice| notice.path == path).cloned().collect()
    }

    /// How many came in all.
    pub(crate) fn count(&self) -> usize {
        self.notices.lock().expect("notices").len()
    }

    pub(crate) async fn end(self) {
        self.switch.throw();
        self.handle.drained().await;
    }
}
