//! Bytes on a socket, for what no decent client sends.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use bytes::Bytes;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use sdk::{Answer, SdkError, TransportKind};
use service_http::tls;
use url::Url;

/// Longest silence of the peer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Largest answer that is read.
const MAX_ANSWER: u64 = 1 << 20;

/// Establishes a secure channel to `url` and says what was verified, without sending a request.
pub(in crate::demo) async fn channel(url: &str, ca: &str) -> Result<Vec<String>> {
    let url = Url::parse(url)?;
    let config = client(ca)?;
    tokio::task::spawn_blocking(move || {
        let (host, tcp) = connect(&url)?;
        let name = ServerName::try_from(host.clone())?;
        let mut stream = StreamOwned::new(ClientConnection::new(config, name)?, tcp);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        let version = match stream.conn.protocol_version() {
            Some(rustls::ProtocolVersion::TLSv1_3) => "TLS 1.3",
            Some(rustls::ProtocolVersion::TLSv1_2) => "TLS 1.2",
            _ => return Err(anyhow!("an older protocol")),
        };
        Ok(vec![version.to_owned(), format!("name {host}"), "certificate below the demo's root".to_owned()])
    })
    .await?
}

/// Sends `request` as it stands and reads the answer; without TLS where `ca` is not given.
pub(super) async fn send(url: &Url, ca: Option<&str>, request: String) -> Result<Result<Answer, SdkError>> {
    let url = url.clone();
    let config = ca.map(client).transpose()?;
    let read = tokio::task::spawn_blocking(move || -> Result<Vec<u8>> {
        let (host, mut tcp) = connect(&url)?;
        let mut answer = Vec::new();
        let Some(config) = config else {
            tcp.write_all(request.as_bytes())?;
            let _ = tcp.take(MAX_ANSWER).read_to_end(&mut answer);
            return Ok(answer);
        };
        let name = ServerName::try_from(host)?;
        let mut stream = StreamOwned::new(ClientConnection::new(config, name)?, tcp);
        stream.write_all(request.as_bytes())?;
        stream.flush()?;
        let _ = stream.take(MAX_ANSWER).read_to_end(&mut answer);
        Ok(answer)
    });
    let bytes = read.await??;
    if !bytes.starts_with(b"HTTP/") {
        return Ok(Err(SdkError::Transport { kind: TransportKind::Broken, text: "no HTTP answer".into() }));
    }
    parse(&bytes).map(Ok)
}

fn client(ca: &str) -> Result<Arc<ClientConfig>> {
    let mut config = tls::client_config(&tls::certificates_from_pem(ca)?, None)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn connect(url: &Url) -> Result<(String, TcpStream)> {
    let host = url.host_str().context("no host")?.to_owned();
    let tcp = TcpStream::connect((host.as_str(), url.port_or_known_default().context("no port")?))?;
    tcp.set_read_timeout(Some(PATIENCE))?;
    tcp.set_write_timeout(Some(PATIENCE))?;
    Ok((host, tcp))
}

fn parse(bytes: &[u8]) -> Result<Answer> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n").context("no end of the header")?;
    let head = std::str::from_utf8(&bytes[..end])?;
    let mut lines = head.split("\r\n");
    let status = lines.next().and_then(|line| line.split(' ').nth(1)).context("no status")?.parse()?;
    let mut headers = reqwest::header::HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(':').context("no header line")?;
        let name: reqwest::header::HeaderName = name.parse()?;
        headers.append(name, value.trim().parse()?);
    }
    Ok(Answer { status, headers, body: Bytes::copy_from_slice(&bytes[end + 4..]) })
}
