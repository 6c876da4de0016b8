//! Clients that write what they like.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::{CertificateDer, ServerName};
use service_http::tls::client_config;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::front::Front;
use super::pki::Leaf;

/// Longer than anything may take here.
pub(crate) const PATIENCE: Duration = Duration::from_secs(10);

pub(crate) type Tls = TlsStream<TcpStream>;

/// A client of `front`, with a certificate if it has one.
pub(crate) fn config(front: &Front, leaf: Option<&Leaf>, alpn: &[u8]) -> ClientConfig {
    trusting(&front.root.der, leaf, alpn)
}

pub(crate) fn trusting(root: &CertificateDer<'static>, leaf: Option<&Leaf>, alpn: &[u8]) -> ClientConfig {
    let identity = leaf.map(Leaf::identity);
    let mut config = client_config(std::slice::from_ref(root), identity).expect("config");
    config.alpn_protocols = vec![alpn.to_vec()];
    config
}

pub(crate) async fn connect(addr: SocketAddr, config: ClientConfig) -> io::Result<Tls> {
    let stream = TcpStream::connect(addr).await?;
    let name = ServerName::try_from("localhost").expect("name");
    TlsConnector::from(Arc::new(config)).connect(name, stream).await
}

/// HTTP/1.1 to `front`.
pub(crate) async fn http1(front: &Front) -> Tls {
    connect(front.addr, config(front, None, b"http/1.1")).await.expect("connect")
}

/// HTTP/2 to `front`; the preface is not sent yet.
pub(crate) async fn http2(front: &Front) -> Tls {
    connect(front.addr, config(front, None, b"h2")).await.expect("connect")
}

/// All that comes until the peer closes; an abort ends it as well.
pub(crate) async fn to_end(stream: &mut Tls) -> String {
    let mut all = Vec::new();
    let mut chunk = [0; 4_096];
    let reading = async {
        while let Ok(n @ 1..) = stream.read(&mut chunk).await {
            all.extend_from_slice(&chunk[..n]);
        }
    };
    timeout(PATIENCE, reading).await.expect("the connection is closed in time");
    String::from_utf8_lossy(&all).into_owned()
}

/// Sends `request` and reads until the peer closes.
pub(crate) async fn exchange(front: &Front, request: &str) -> String {
    let mut stream = http1(front).await;
    let _ = stream.write_all(request.as_bytes()).await;
    let _ = stream.flush().await;
    to_end(&mut stream).await
}

/// A GET that closes; over a connection with this configuration.
pub(crate) async fn get(front: &Front, config: ClientConfig, path: &str) -> io::Result<String> {
    let mut stream = connect(front.addr, config).await?;
    let request = format!("GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut all = Vec::new();
    let mut chunk = [0; 4_096];
    loop {
        match timeout(PATIENCE, stream.read(&mut chunk)).await.expect("in time")? {
            0 => return Ok(String::from_utf8_lossy(&all).into_owned()),
            n => all.extend_from_slice(&chunk[..n]),
        }
    }
}

/// A client that knows its business.
pub(crate) fn browser(front: &Front, alpn: &[u8]) -> reqwest::Client {
    let config = config(front, None, alpn);
    let builder = reqwest::Client::builder().tls_backend_preconfigured(config).timeout(PATIENCE);
    builder.resolve("localhost", front.addr).no_proxy().build().expect("client")
}

pub(crate) fn url(front: &Front, path: &str) -> String {
    format!("https://localhost:{}{path}", front.addr.port())
}

pub(crate) fn status(response: &str) -> u16 {
    let code = response.split(' ').nth(1).unwrap_or_default();
    code.parse().unwrap_or(0)
}
