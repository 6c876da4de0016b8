//! TLS connections on which a test writes what no client would.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use service_http::tls;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use url::Url;

/// A connector to one listener.
#[derive(Clone)]
pub(crate) struct Raw {
    connector: TlsConnector,
    port: u16,
}

impl Raw {
    /// Offers `alpn` to the listener of `origin`.
    pub(crate) fn new(ca_pem: &str, origin: &str, alpn: &[u8], identity: Option<&sdk::Identity>) -> Self {
        let roots = tls::certificates_from_pem(ca_pem).expect("roots");
        let identity =
            identity.map(|own| tls::Identity::from_pem(&own.cert_pem, &own.key_pem).expect("an identity"));
        let mut config = tls::client_config(&roots, identity).expect("a configuration");
        config.alpn_protocols = vec![alpn.to_vec()];
        let port = Url::parse(origin).expect("an origin").port().expect("a port");
        Self { connector: TlsConnector::from(Arc::new(config)), port }
    }

    /// A TCP connection from `source`, which may be any address of loopback.
    pub(crate) async fn tcp(&self, source: IpAddr) -> std::io::Result<TcpStream> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::new(source, 0))?;
        socket.connect(SocketAddr::from(([127, 0, 0, 1], self.port))).await
    }

    /// A TLS connection from `source`.
    pub(crate) async fn connect(&self, source: IpAddr) -> std::io::Result<TlsStream<TcpStream>> {
        let tcp = self.tcp(source).await?;
        let name = ServerName::try_from("localhost").expect("a name");
        self.connector.connect(name, tcp).await
    }
}

/// Writes and flushes; false when the peer is gone.
pub(crate) async fn put(stream: &mut TlsStream<TcpStream>, bytes: &[u8]) -> bool {
    stream.write_all(bytes).await.is_ok() && stream.flush().await.is_ok()
}

/// Reads until the peer closes.
pub(crate) async fn to_end(stream: &mut TlsStream<TcpStream>, patience: Duration) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4_096];
    let all = async {
        while let Ok(count @ 1..) = stream.read(&mut chunk).await {
            bytes.extend_from_slice(&chunk[..count]);
        }
    };
    let ended = timeout(patience, all).await.is_ok();
    ended.then_some(bytes)
}

/// HTTP/2 by hand (RFC 9113): a connection preface with empty settings.
pub(crate) fn h2_preface() -> Vec<u8> {
    [&b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"[..], &h2_frame(4, 0, 0, &[])].concat()
}

/// A complete GET of a short path.
pub(crate) fn h2_get(stream: u32, path: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).expect("short")], text.as_bytes()].concat();
    // :method GET, :scheme https, :path and :authority as literals (RFC 7541 6.2.2).
    let block = [vec![0x82, 0x87, 0x04], text(path), vec![0x01], text("localhost")].concat();
    h2_frame(1, 0x05, stream, &block)
}

/// RST_STREAM with CANCEL.
pub(crate) fn h2_reset(stream: u32) -> Vec<u8> {
    h2_frame(3, 0, stream, &8_u32.to_be_bytes())
}

fn h2_frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("short").to_be_bytes();
    let head = [length[1], length[2], length[3], kind, flags];
    [&head[..], &stream.to_be_bytes(), payload].concat()
}
