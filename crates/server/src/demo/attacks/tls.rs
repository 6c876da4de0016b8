//! N-TLS: channels that must not come about.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use authorization::Reason;
use rcgen::{CertificateParams, KeyPair, SanType};
use rustls::{ServerConnection, StreamOwned};
use sdk::{HttpsClient, Identity, Request};
use service_http::ambient::{Ambient, Clock};
use service_http::tls;

use super::holder::at;
use super::{Arena, Case, raw};
use crate::pki::{Authority, Purpose};

const BUNDLE: &str = "N-TLS";
const ROWS: &[&str] = &["S1-B0", "ASM-2", "E2E-02"];
/// The client has to refuse the server.
const CLIENT_ROWS: &[&str] = &["S1-B0", "IMP-49", "E2E-02"];

/// A clock that stopped long ago, for certificates that have expired since.
struct LongAgo(i64);

impl Clock for LongAgo {
    fn now_ms(&self) -> i64 {
        self.0
    }

    fn monotonic(&self) -> Duration {
        Duration::ZERO
    }
}

pub(super) async fn on_sim(arena: &mut Arena<'_>) -> Result<()> {
    for listener in ["sim", "sim_mtls"] {
        cleartext(arena, listener, "/jwks").await?;
    }
    let url = at(arena.sample, "sim_mtls", "/token")?;
    let form = [("grant_type", "client_credentials"), ("client_id", "vs-1"), ("scope", "3gpp:seal:san.read")];
    let request = || Request::post(url.clone()).form(form);
    for (member, identity) in certificates(arena)? {
        let https = HttpsClient::new(&arena.sample.ca, identity.as_ref())?;
        let outcome = https.send(request()).await;
        arena.judge(Case::unconnected(BUNDLE, member, "sim_mtls", ROWS), outcome).await?;
    }
    // A valid certificate of somebody whom nobody onboarded, and one of the wrong role.
    let stranger = issue(arena, "sbi", ("client", "stranger"), arena.ambient)?;
    let form =
        [("grant_type", "client_credentials"), ("client_id", "stranger"), ("scope", "3gpp:seal:san.read")];
    let https = HttpsClient::new(&arena.sample.ca, Some(&stranger))?;
    let outcome = https.send(Request::post(url.clone()).form(form)).await;
    arena
        .judge(Case::new(BUNDLE, "not-onboarded", "sim_mtls-token", ROWS, Reason::ClientUnknown), outcome)
        .await?;
    let feed = at(arena.sample, "sim_mtls", "/revocations?after=0")?;
    let outcome = arena.sample.https("vs-1", None)?.send(Request::get(feed)).await;
    arena
        .judge(Case::new(BUNDLE, "wrong-role", "sim_mtls-revocations", ROWS, Reason::PeerRefused), outcome)
        .await?;
    for (member, host, root) in
        [("server-wrong-name", "elsewhere.example", "sbi"), ("server-wrong-ca", "localhost", "")]
    {
        impostor(arena, member, host, root).await?;
    }
    Ok(())
}

pub(super) async fn on_servers(arena: &mut Arena<'_>) -> Result<()> {
    for (listener, path) in [("san", "/ssan-disc/v1/spatial-anchors"), ("sm", "/ssm-disc/v1/spatial-maps")] {
        cleartext(arena, listener, path).await?;
        let url = at(arena.sample, listener, path)?;
        // Here a certificate is asked for and may be absent: then the token decides.
        for (member, identity) in certificates(arena)?.into_iter().filter(|(_, identity)| identity.is_some())
        {
            let https = HttpsClient::new(&arena.sample.ca, identity.as_ref())?;
            let outcome = https.send(Request::get(url.clone())).await;
            arena.judge(Case::unconnected(BUNDLE, member, listener, ROWS), outcome).await?;
        }
        let notifier = issue(arena, "sbi", ("notifier", "metaseal"), arena.ambient)?;
        let https = HttpsClient::new(&arena.sample.ca, Some(&notifier))?;
        let request = Request::get(url).header("authorization", "Bearer a.b.c");
        let outcome = https.send(request).await;
        arena.judge(Case::new(BUNDLE, "wrong-role", listener, ROWS, Reason::PeerRefused), outcome).await?;
    }
    Ok(())
}

/// A request without TLS gets no answer of HTTP.
async fn cleartext(arena: &mut Arena<'_>, listener: &str, path: &str) -> Result<()> {
    let url = at(arena.sample, listener, path)?;
    let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", url.authority());
    let outcome = raw::send(&url, None, request).await?;
    arena.judge(Case::unconnected(BUNDLE, "cleartext", listener, ROWS), outcome).await
}

/// Certificates that open nothing.
fn certificates(arena: &Arena<'_>) -> Result<Vec<(&'static str, Option<Identity>)>> {
    let key = KeyPair::generate()?;
    let mut params = CertificateParams::new(Vec::<String>::new())?;
    params.subject_alt_names.push(SanType::URI("urn:metaseal:client:vs-1".try_into()?));
    let self_signed = Identity { cert_pem: params.self_signed(&key)?.pem(), key_pem: key.serialize_pem() };
    let (stranger, _) = Authority::create("stranger", arena.ambient)?;
    let other_ca = stranger.issue(("client", "vs-1"), Purpose::Client, &[], arena.ambient)?;
    let other_ca = Identity { cert_pem: other_ca.cert_pem, key_pem: other_ca.key_pem };
    // Two years before now; certificates live for one.
    let then = arena.ambient.now_ms() - 2 * 365 * 86_400_000;
    let long_ago = Ambient::new(Arc::new(LongAgo(then)), arena.ambient.entropy.clone());
    let server =
        arena.pki.authority("sbi")?.issue(("client", "vs-1"), Purpose::Server, &[], arena.ambient)?;
    Ok(vec![
        ("no-certificate", None),
        ("self-signed", Some(self_signed)),
        ("other-ca", Some(other_ca)),
        ("other-root", Some(issue(arena, "admin", ("client", "vs-1"), arena.ambient)?)),
        ("expired", Some(issue(arena, "sbi", ("client", "vs-1"), &long_ago)?)),
        ("server-certificate", Some(Identity { cert_pem: server.cert_pem, key_pem: server.key_pem })),
    ])
}

fn issue(arena: &Arena<'_>, root: &str, name: (&str, &str), ambient: &Ambient) -> Result<Identity> {
    let issued = arena.pki.authority(root)?.issue(name, Purpose::Client, &[], ambient)?;
    Ok(Identity { cert_pem: issued.cert_pem, key_pem: issued.key_pem })
}

/// A server that is not the one it should be gets no request: neither the name nor the root may be wrong.
async fn impostor(arena: &mut Arena<'_>, member: &str, host: &str, root: &str) -> Result<()> {
    let stranger;
    let authority = if root.is_empty() {
        stranger = Authority::create("stranger", arena.ambient)?.0;
        &stranger
    } else {
        arena.pki.authority(root)?
    };
    let issued = authority.issue(("function", "sim"), Purpose::Server, &[host.to_owned()], arena.ambient)?;
    let config =
        tls::server_config(tls::Identity::from_pem(&issued.cert_pem, &issued.key_pem)?, None, false)?;
    let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    let url = format!("https://localhost:{}/token", listener.local_addr()?.port()).parse()?;
    let server = tokio::task::spawn_blocking(move || heard(&listener, config));
    let form = [("grant_type", "client_credentials"), ("client_id", "vs-1")];
    let outcome = arena.sample.https("vs-1", None)?.send(Request::post(url).form(form)).await;
    let heard = server.await?;
    let case = Case::unconnected(BUNDLE, member, "client", CLIENT_ROWS);
    arena.judge_with(case, outcome, (heard > 0).then_some("REQUEST_SENT")).await
}

/// How many bytes of a request a client sends over the first connection.
fn heard(listener: &std::net::TcpListener, config: Arc<rustls::ServerConfig>) -> usize {
    use std::io::Read as _;
    let Ok((tcp, _)) = listener.accept() else { return 0 };
    let _ = tcp.set_read_timeout(Some(Duration::from_secs(2)));
    let Ok(connection) = ServerConnection::new(config) else { return 0 };
    StreamOwned::new(connection, tcp).read(&mut [0; 1024]).unwrap_or(0)
}
