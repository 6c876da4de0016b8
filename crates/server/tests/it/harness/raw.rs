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

/// Longest wait for what must happen at once, on a slow machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

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
