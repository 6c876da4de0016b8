//! Who gets through the handshake (N-TLS).

use std::io;
use std::time::Duration;

use rcgen::ExtendedKeyUsagePurpose;
use rustls::{HandshakeKind, ProtocolVersion};
use service_http::edge::EdgeLimits;
use service_http::limits::RateSettings;
use service_http::peer::CertRole;
use service_http::tls::{ClientRoot, RootKind, provider};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::front::Front;
use crate::support::pki::{Leaf, Root, Wanted, self_signed};
use crate::support::wire::{PATIENCE, config, connect, get, http1, status, to_end, trusting};

#[tokio::test]
async fn tls_1_3_and_1_2_are_spoken_and_nothing_older() {
    let front = Front::start(EdgeLimits::default()).await;
    let stream = http1(&front).await;
    assert_eq!(stream.get_ref().1.protocol_version(), Some(ProtocolVersion::TLSv1_3));

    let roots = {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(front.root.der.clone()).expect("root");
        roots
    };
    let old = rustls::ClientConfig::builder_with_provider(provider().into())
        .with_protocol_versions(&[&rustls::version::TLS12])
        .expect("version")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = connect(front.addr, old).await.expect("TLS 1.2");
    let tls = stream.get_ref().1;
    assert_eq!(tls.protocol_version(), Some(ProtocolVersion::TLSv1_2));
    let suite = format!("{:?}", tls.negotiated_cipher_suite().expect("suite").suite());
    assert!(suite.starts_with("TLS_ECDHE_"), "{suite}");

    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, u8, u8, &[u16]); 4] = [
        ("TLS 1.0",                  1, 1, &[0xc02b, 0xc02f, 0xc013]),
        ("TLS 1.1",                  2, 1, &[0xc02b, 0xc02f, 0xc013]),
        ("TLS 1.2, RSA key exchange", 3, 1, &[0x009c, 0x002f]),
        ("TLS 1.2, CBC",             3, 1, &[0xc013, 0xc023, 0xc009]),
    ];
    for (what, minor, record_minor, suites) in rows {
        let mut stream = TcpStream::connect(front.addr).await.expect("connect");
        stream.write_all(&client_hello(minor, record_minor, suites)).await.expect("write");
        let mut answer = Vec::new();
        let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("closed in time");
        // 21: alert; a ServerHello would be 22.
        assert_eq!(answer.first(), Some(&21), "{what}: {answer:?}");
    }
}

/// A ClientHello of an old client: one version, these cipher suites, signature algorithms and
/// groups.
fn client_hello(minor: u8, record_minor: u8, suites: &[u16]) -> Vec<u8> {
    let mut body = vec![3, minor];
    body.extend([7; 32]);
    body.push(0);
    body.extend(u16::try_from(suites.len() * 2).expect("few").to_be_bytes());
    for suite in suites {
        body.extend(suite.to_be_bytes());
    }
    body.extend([1, 0]);
    let extensions: &[u8] = &[
        0, 10, 0, 4, 0, 2, 0, 23, // supported_groups: secp256r1
        0, 13, 0, 6, 0, 4, 4, 3, 8, 4, // signature_algorithms: ECDSA P-256, PSS
        0, 23, 0, 0, // extended_master_secret
    ];
    body.extend(u16::try_from(extensions.len()).expect("short").to_be_bytes());
    body.extend(extensions);
    let mut message = vec![1];
    message.extend(&u32::try_from(body.len()).expect("short").to_be_bytes()[1..]);
    message.extend(body);
    let mut record = vec![22, 3, record_minor];
    record.extend(u16::try_from(message.len()).expect("short").to_be_bytes());
    record.extend(message);
    record
}

#[tokio::test]
async fn only_a_good_certificate_gets_through() {
    let (sbi, other) = (Root::new(), Root::new());
    let root = sbi.as_client_root(RootKind::Sbi);
    let front = Front::with(EdgeLimits::default(), Some((&root, true)), RateSettings::demo()).await;
    let ask = async |leaf: Option<&Leaf>| {
        let answer = get(&front, config(&front, leaf, b"http/1.1"), "/hello").await;
        answer.map(|text| status(&text))
    };
    for role in [CertRole::Function, CertRole::Client, CertRole::Notifier] {
        assert_eq!(ask(Some(&sbi.client(role, "vs-1"))).await.ok(), Some(200), "{role}");
    }
    let client = |uris: &[&str]| {
        let uris: Vec<_> = uris.iter().map(|uri| (*uri).to_owned()).collect();
        Wanted::client(&uris)
    };
    let good = "urn:metaseal:client:vs-1";
    let server_only = vec![ExtendedKeyUsagePurpose::ServerAuth];
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Option<Leaf>); 11] = [
        ("none",                    None),
        ("self-signed",             Some(self_signed(CertRole::Client, "vs-1"))),
        ("another root",            Some(other.client(CertRole::Client, "vs-1"))),
        ("expired",                 Some(sbi.issue(&Wanted { until: 2001, ..client(&[good]) }))),
        ("for servers only",        Some(sbi.issue(&Wanted { usage: server_only, ..client(&[good]) }))),
        ("without identity",        Some(sbi.issue(&client(&["https://vs-1.example"])))),
        ("with two identities",     Some(sbi.issue(&client(&[good, "urn:metaseal:client:vs-2"])))),
        ("unknown role",            Some(sbi.issue(&client(&["urn:metaseal:root:vs-1"])))),
        ("empty name",              Some(sbi.issue(&client(&["urn:metaseal:client:"])))),
        ("a role of another root",  Some(sbi.client(CertRole::Admin, "root"))),
        ("auditor of another root", Some(sbi.client(CertRole::Auditor, "root"))),
    ];
    for (what, leaf) in rows {
        assert!(ask(leaf.as_ref()).await.is_err(), "{what}");
    }
}

#[tokio::test]
async fn the_admin_root_vouches_for_people_and_not_for_clients() {
    let admin = Root::new();
    let root = admin.as_client_root(RootKind::Admin);
    let front = Front::with(EdgeLimits::default(), Some((&root, true)), RateSettings::demo()).await;
    for role in CertRole::ALL {
        let leaf = admin.client(*role, "x");
        let answer = get(&front, config(&front, Some(&leaf), b"http/1.1"), "/hello").await;
        assert_eq!(answer.is_ok(), RootKind::Admin.roles().contains(role), "{role}");
    }
}

#[tokio::test]
async fn the_root_of_another_domain_vouches_for_its_core_function_alone() {
    let partner = Root::new();
    let root = ClientRoot { only: Some("CCFB".to_owned()), ..partner.as_client_root(RootKind::Partner) };
    let front = Front::with(EdgeLimits::default(), Some((&root, true)), RateSettings::demo()).await;
    for role in CertRole::ALL {
        for name in ["CCFB", "CCFC"] {
            let leaf = partner.client(*role, name);
            let answer = get(&front, config(&front, Some(&leaf), b"http/1.1"), "/hello").await;
            assert_eq!(answer.is_ok(), *role == CertRole::Ccf && name == "CCFB", "{role} {name}");
        }
    }
}

#[tokio::test]
async fn a_client_certificate_is_verified_each_time() {
    let sbi = Root::new();
    let root = sbi.as_client_root(RootKind::Sbi);
    let front = Front::with(EdgeLimits::default(), Some((&root, true)), RateSettings::demo()).await;
    let leaf = sbi.client(CertRole::Client, "vs-1");
    let config = config(&front, Some(&leaf), b"http/1.1");
    for _ in 0..2 {
        let mut stream = connect(front.addr, config.clone()).await.expect("connect");
        let request = "GET /hello HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).await.expect("write");
        assert_eq!(status(&to_end(&mut stream).await), 200);
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
    }
}

#[tokio::test]
async fn a_client_refuses_a_server_that_is_not_the_one() {
    let front = Front::start(EdgeLimits::default()).await;
    let foreign = trusting(&Root::new().der, None, b"http/1.1");
    assert!(connect(front.addr, foreign).await.is_err(), "another root");

    let stream = TcpStream::connect(front.addr).await.expect("connect");
    let config = config(&front, None, b"http/1.1");
    let name = rustls::pki_types::ServerName::try_from("elsewhere.example").expect("name");
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    assert!(connector.connect(name, stream).await.is_err(), "another name");
}

#[tokio::test]
async fn an_unknown_protocol_is_not_guessed() {
    let front = Front::start(EdgeLimits::default()).await;
    assert!(connect(front.addr, config(&front, None, b"spdy/3")).await.is_err());
}

#[tokio::test]
async fn cleartext_and_silence_are_closed() {
    let limits = EdgeLimits { handshake: Duration::from_millis(150), ..EdgeLimits::default() };
    let front = Front::start(limits).await;
    for opening in
        ["GET /hello HTTP/1.1\r\nhost: localhost\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "", "\x16"]
    {
        let mut stream = TcpStream::connect(front.addr).await.expect("connect");
        stream.write_all(opening.as_bytes()).await.expect("write");
        let mut answer = Vec::new();
        let read: io::Result<_> =
            timeout(PATIENCE, stream.read_to_end(&mut answer)).await.expect("closed in time");
        let text = String::from_utf8_lossy(&answer);
        assert!(read.is_err() || !text.contains("HTTP"), "{opening:?}: {text}");
    }
}
