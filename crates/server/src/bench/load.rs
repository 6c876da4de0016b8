//! The load generator: as many kept-alive TLS connections as are asked for, each with one request under way.
//!
//! It shares the processor with what it measures, so it does as little as it can: requests are bytes made before, and of
//! an answer only status and length are read.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use service_http::ambient::Ambient;
use service_http::tls::{self, Identity};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::process::Process;
use super::samples::Samples;

/// Before anything is counted. Own value.
const WARM_UP: Duration = Duration::from_millis(300);

/// Where and as whom.
#[derive(Clone)]
pub(super) struct Target {
    pub(super) port: u16,
    pub(super) tls: Arc<ClientConfig>,
}

/// TLS 1.3 or 1.2 and HTTP/1.1 towards `localhost`.
///
/// # Errors
/// The PEM texts cannot be used.
pub(super) fn client_tls(ca_pem: &str, identity: Option<&sdk::Identity>) -> Result<Arc<ClientConfig>> {
    let identity = identity.map(|own| Identity::from_pem(&own.cert_pem, &own.key_pem)).transpose()?;
    let mut config = tls::client_config(&tls::certificates_from_pem(ca_pem)?, identity)?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// The bytes of a request.
pub(super) fn request(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nhost: localhost\r\n");
    for (name, value) in headers {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        text.push_str(&format!("content-length: {}\r\n", body.len()));
    }
    format!("{text}\r\n{body}").into_bytes()
}

/// One kept-alive connection.
pub(super) struct Connection {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
}

impl Connection {
    /// # Errors
    /// It cannot be opened.
    pub(super) async fn open(target: &Target) -> Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", target.port)).await?;
        stream.set_nodelay(true)?;
        let name = ServerName::try_from("localhost")?;
        let stream = TlsConnector::from(target.tls.clone()).connect(name, stream).await?;
        Ok(Self { stream, buffer: Vec::with_capacity(64 * 1024) })
    }

    /// The answer that was read last, as text.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.buffer).into_owned()
    }

    /// Sends a request, reads the answer whole; its status.
    ///
    /// # Errors
    /// No answer.
    pub(super) async fn exchange(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the connection was closed");
            let Some(head) = self.buffer.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
            let text = std::str::from_utf8(&self.buffer[..head])?;
            let status = text.get(9..12).and_then(|code| code.parse().ok()).context("no status")?;
            let length = text.lines().find_map(|line| {
                let (name, value) = line.split_once(':')?;
                name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>().ok())?
            });
            if text.lines().any(|line| line.eq_ignore_ascii_case("transfer-encoding: chunked")) {
                while !self.buffer.ends_with(b"0\r\n\r\n") {
                    ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the connection was closed");
                }
                return Ok(status);
            }
            let whole = head + 4 + length.unwrap_or(0);
            while self.buffer.len() < whole {
                ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the connection was closed");
            }
            return Ok(status);
        }
    }
}

/// One request and its answer as text, for a look before the load.
///
/// # Errors
/// No answer.
pub(super) async fn once(target: &Target, request: &[u8]) -> Result<(u16, String)> {
    let mut connection = Connection::open(target).await?;
    let status = connection.exchange(request).await?;
    Ok((status, connection.text()))
}

/// Sends `next(n)` for each `n` below `count`, over some connections: what has to be there before something is measured.
///
/// # Errors
/// An answer has another status than `expected`, or does not come.
pub(super) async fn each(
    target: &Target,
    connections: usize,
    expected: u16,
    count: usize,
    next: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static,
) -> Result<()> {
    let next = Arc::new(next);
    let mut tasks = Vec::new();
    for number in 0..connections {
        let (mut connection, next) = (Connection::open(target).await?, Arc::clone(&next));
        tasks.push(tokio::spawn(async move {
            for n in (number..count).step_by(connections) {
                let status = connection.exchange(&next(n)).await?;
                ensure!(status == expected, "status {status}: {}", connection.text());
            }
            Ok(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    Ok(())
}

/// Sends `next(n)` over and over on each connection for so long, and measures what `process` takes for it.
///
/// # Errors
/// An answer has another status than `expected`, or does not come.
pub(super) async fn run(
    target: &Target,
    process: &Process,
    ambient: &Ambient,
    (connections, seconds): (usize, f64),
    expected: u16,
    next: impl Fn(usize) -> Vec<u8> + Send + Sync + 'static,
) -> Result<Samples> {
    let next = Arc::new(next);
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::open(target).await?);
    }
    let until = ambient.monotonic() + WARM_UP + Duration::from_secs_f64(seconds);
    let from = ambient.monotonic() + WARM_UP;
    let tasks: Vec<_> = open
        .into_iter()
        .enumerate()
        .map(|(number, mut connection)| {
            let (ambient, next) = (ambient.clone(), Arc::clone(&next));
            tokio::spawn(async move {
                let mut samples = Samples::default();
                for turn in 0.. {
                    let request = next(turn * connections + number);
                    let start = ambient.monotonic();
                    if start >= until {
                        break;
                    }
                    let status = connection.exchange(&request).await?;
                    if matches!(status, 429 | 503) {
                        samples.shed += 1;
                        continue;
                    }
                    if status != expected {
                        bail!("status {status}: {}", connection.text());
                    }
                    if start >= from {
                        samples.push(ambient.monotonic().saturating_sub(start));
                    }
                }
                Ok(samples)
            })
        })
        .collect();
    tokio::time::sleep(WARM_UP).await;
    let (cpu, wall) = (process.cpu(), ambient.monotonic());
    let mut all = Samples::default();
    for task in tasks {
        all.extend(task.await??);
    }
    all.cpu = process.cpu().saturating_sub(cpu);
    all.wall = ambient.monotonic().saturating_sub(wall);
    Ok(all)
}
