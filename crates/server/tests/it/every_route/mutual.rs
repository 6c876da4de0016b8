//! Routes that a certificate opens: every certificate that must not.

use sdk::Identity;
use service_http::peer::CertRole;
use service_http::routes::RouteSpec;

use super::{expect, refused, request};
use crate::harness::Site;

/// The root that certifies callers of a listener, and the roles that it may vouch for.
pub(super) fn root_of(interface: &str) -> (&'static str, &'static [CertRole]) {
    use CertRole::{Admin, Auditor, Client, Disclosure, Function, Notifier, Operator};
    match interface {
        "admin" => ("admin", &[Admin, Operator, Auditor, Disclosure]),
        _ => ("sbi", &[Function, Client, Notifier]),
    }
}

pub(super) async fn mutual_route(
    site: &Site,
    interface: &str,
    spec: &RouteSpec,
    roles: &[CertRole],
) -> Vec<String> {
    let mut faults = unidentified(site, interface, spec).await;
    let (root, all) = root_of(interface);
    for role in all.iter().filter(|role| !roles.contains(role)) {
        let link = site.link_as(Some(&site.identity(root, role.as_str(), "someone")));
        let want = refused(403, "UNAUTHORIZED_OPERATION", "PEER_REFUSED");
        faults
            .extend(expect(site, role.as_str(), &link, request(site, interface, spec, "carol"), want).await);
    }
    faults
}

/// Peers that the handshake keeps out of a listener that asks for a certificate.
pub(super) async fn unidentified(site: &Site, interface: &str, spec: &RouteSpec) -> Vec<String> {
    const YEAR_S: i64 = 366 * 86_400;
    let (root, roles) = root_of(interface);
    let (other, role) = if root == "admin" { ("sbi", "client") } else { ("admin", "operator") };
    let now = site.time.now_s();
    let right = roles[0].as_str();
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Option<Identity>); 5] = [
        ("no certificate",             None),
        ("a root that nobody trusts",  Some(site.forged_identity(right, "someone"))),
        ("another root of ours",       Some(site.identity(other, role, "someone"))),
        ("a role of another root",     Some(site.identity(root, role, "someone"))),
        ("an expired certificate",     Some(site.identity_at(root, right, "someone", now - 2 * YEAR_S))),
    ];
    let mut faults = Vec::new();
    for (what, identity) in rows {
        let answer = site.link_as(identity.as_ref()).send(request(site, interface, spec, "carol")).await;
        if let Ok(answer) = answer {
            faults.push(format!("{what} got an answer: {}", answer.status));
        }
    }
    faults
}
