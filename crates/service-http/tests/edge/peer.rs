//! The peer as a handler sees it.

use service_http::edge::EdgeLimits;
use service_http::limits::RateSettings;
use service_http::peer::{CertRole, x5t_s256};
use service_http::tls::RootKind;

use crate::support::front::Front;
use crate::support::pki::Root;
use crate::support::wire::{config, get, status};

#[tokio::test]
async fn a_handler_sees_the_verified_identity() {
    let sbi = Root::new();
    let root = sbi.as_client_root(RootKind::Sbi);
    let front = Front::with(EdgeLimits::default(), Some((&root, false)), RateSettings::demo()).await;
    let leaf = sbi.client(CertRole::Client, "vs-1");
    let answer = get(&front, config(&front, Some(&leaf), b"http/1.1"), "/peer").await.expect("answer");
    let want = format!("client|vs-1|{}|127.0.0.1", x5t_s256(&leaf.chain[0]));
    assert!(answer.ends_with(&want), "{answer}");

    let answer = get(&front, config(&front, None, b"http/1.1"), "/peer").await.expect("answer");
    assert!(answer.ends_with("nobody|127.0.0.1"), "{answer}");
}

#[tokio::test]
async fn a_route_accepts_its_roles_only() {
    let sbi = Root::new();
    let root = sbi.as_client_root(RootKind::Sbi);
    let front = Front::with(EdgeLimits::default(), Some((&root, false)), RateSettings::demo()).await;
    let rows = [
        (Some(CertRole::Client), 200),
        (Some(CertRole::Function), 403),
        (Some(CertRole::Notifier), 403),
        (None, 403),
    ];
    for (role, want) in rows {
        let leaf = role.map(|role| sbi.client(role, "x"));
        let config = config(&front, leaf.as_ref(), b"http/1.1");
        let answer = get(&front, config, "/machines").await.expect("answer");
        assert_eq!(status(&answer), want, "{role:?}");
    }
}
