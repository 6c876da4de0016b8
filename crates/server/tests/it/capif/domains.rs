//! Two domains, each with its own roots, SIM-S and core function: interconnected over CAPIF-6, and the anchors server of one
//! takes tokens of the other one's core function, given its configuration alone.

use std::path::Path;
use std::time::Duration;

use api_types::capif::AefId;
use sdk::capif::ServiceApiQuery;
use sdk::{AnchorQuery, CapifClient, HttpsClient, SanClient};
use serde_json::json;
use tempfile::TempDir;

use super::{Invoker, enrol, onboarded, refused};
use crate::harness::{
    Launch, Program, Site, TestTime, claims_of, parsed, port_base, text_of, val_server_list,
};

const PATIENCE: u32 = 200;
const PAUSE: Duration = Duration::from_millis(100);

fn config(dir: &Path, name: &str, text: &str) -> String {
    let path = dir.join(name);
    std::fs::write(&path, text).expect("written");
    path.display().to_string()
}

/// A domain in a directory of its own, at its ports.
fn domain(dir: &Path, name: &str, base: u16, roles: &str, file: &str) -> Launch {
    let data = format!("{name}-data");
    Launch::new(dir, name, &["serve", "--roles", roles, "--data", &data, "--config", file])
        .arg("--port-base")
        .arg(base.to_string())
}

/// The roots of a program, for another domain.
fn roots(program: &Program) -> String {
    program.ready["ca"].as_str().expect("the roots").to_owned()
}

/// The roots of a domain that has run once: the other one's configuration names them.
fn roots_beforehand(dir: &Path, name: &str, base: u16) -> String {
    let mut first = domain(dir, name, base, "sim,ccf", &config(dir, "plain.toml", "")).start();
    let roots = roots(&first);
    first.ask_to_end();
    first.ended();
    roots
}

/// The `ccf_id`, domain, address and roots of a partner, as a table of the configuration.
fn partner(id: &str, domain: &str, url: &str, roots: &str) -> String {
    format!(
        "[[federation.partners]]\nccf_id = \"{id}\"\ndomain = \"{domain}\"\nurl = \"{url}\"\nroots = \"{roots}\"\n"
    )
}

/// The invoker of one domain towards a server of the other one: both roots are known to it.
fn link(invoker: &Invoker, to: &Program) -> HttpsClient {
    let pem = std::fs::read_to_string(roots(to)).expect("the roots");
    HttpsClient::new(&pem, Some(&invoker.identity)).expect("a client")
}

/// The function that exposes an API at this port, once it is found.
async fn found_at(invoker: &Invoker, api: &str, port: u16) -> AefId {
    for _ in 0..PATIENCE {
        let found = invoker.found().await.into_iter().find(|(name, _, at)| name == api && *at == Some(port));
        if let Some((_, aef, _)) = found {
            return aef;
        }
        tokio::time::sleep(PAUSE).await;
    }
    panic!("{api} at {port} is not found");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_takes_tokens_of_the_core_function_of_another_domain() {
    let dir = TempDir::new().expect("a directory");
    let (base_a, base_b) = (port_base(&TestTime::new()), port_base(&TestTime::new()));
    let (url_a, url_b) =
        (format!("https://localhost:{}", base_a + 5), format!("https://localhost:{}", base_b + 5));
    // B has the anchors server; A has API invokers. The roots of B are there when it has run once.
    let roots_b = roots_beforehand(dir.path(), "b", base_b);
    let of_a = format!("[federation]\nccf_id = \"CCFA\"\n{}", partner("CCFB", "op-b", &url_b, &roots_b));
    let a = domain(dir.path(), "a", base_a, "sim,ccf", &config(dir.path(), "a.toml", &of_a)).start();
    let site_a = Site::of(&a);
    let secret = enrol(&site_a, "api_provider").await;
    let trusted = format!(
        "[[capif.trusted_issuers]]\nname = \"op-a\"\nissuer = \"{url_a}\"\nroots = \"{}\"\nsan_enrolment = \"{}\"\n",
        roots(&a),
        secret.expose()
    );
    let of_b =
        format!("[federation]\nccf_id = \"CCFB\"\n{}{trusted}", partner("CCFA", "op-a", &url_a, &roots(&a)));
    let b_launch = domain(dir.path(), "b", base_b, "sim,ccf,san", &config(dir.path(), "b.toml", &of_b));
    let b = b_launch.start();
    let mut site_b = Site::of(&b);
    site_b.register().await;

    // An API invoker of A finds the anchors server of B, gets a token of A for it, and is served.
    let invoker = onboarded(&site_a).await;
    let aef = found_at(&invoker, "ssan-sanm", base_b + 6).await;
    invoker.negotiate(&[&aef]).await;
    let token = invoker.token(&aef, "ssan-sanm,ssan-disc").await.expect("a token");
    let claims = claims_of(&text_of(&token));
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(url_a), &json!(aef)));
    let san = SanClient::new(link(&invoker, &b), site_b.at("san"), token.clone()).expect("a client");
    let list = san.create_list(&parsed(val_server_list("guide-of-a", "abroad"))).await.expect("created");
    assert!(san.list(&list.id, true).await.is_ok());

    // At home the same names somebody else: whose an anchor is, the issuer tells.
    let home = onboarded(&site_b).await;
    let at_home = found_at(&home, "ssan-sanm", base_b + 6).await;
    assert_ne!(at_home, aef, "each core function has its own name for it");
    home.negotiate(&[&at_home]).await;
    let own = home.token(&at_home, "ssan-sanm,ssan-disc").await.expect("a token");
    let own_san = SanClient::new(link(&home, &b), site_b.at("san"), own.clone()).expect("a client");
    assert!(own_san.discover(&AnchorQuery::default()).await.is_ok());
    assert_eq!(
        refused(&site_b, own_san.delete_list(&list.id, list.etag.as_deref()).await).await.0,
        Some(403),
        "visible and not its own"
    );
    // A rule names an API invoker of another domain with that domain, and never means one of the same name at home.
    let plain = invoker.id.as_str().to_owned();
    for (name, status) in [(plain.clone(), 404), (format!("{plain}@op-a"), 200)] {
        let mut body = val_server_list("guide-of-b", "rules");
        let rules = json!({ "allowedEntities": [{ "type": "VAL_SERVER", "identifier": name }] });
        body["anchors"] = json!({ "ruled": body["anchors"]["open"].clone() });
        body["anchors"]["ruled"]["visibility"] = json!("RESTRICTED");
        body["anchors"]["ruled"]["rules"] = rules;
        let list =
            site_b.san("vs-1", "3gpp:seal:san").await.create_list(&parsed(body)).await.expect("created");
        let read = san.list(&list.id, true).await;
        assert_eq!(read.err().and_then(|error| error.status()).unwrap_or(200), status, "{name}");
    }
    for (what, by, token) in [("home's token", &invoker, &own), ("its token", &home, &token)] {
        let crossed = SanClient::new(link(by, &b), site_b.at("san"), token.clone()).expect("a client");
        let got = refused(&site_b, crossed.discover(&AnchorQuery::default()).await).await;
        assert_eq!(got, (Some(401), "HOLDER_WRONG".into()), "{what} over another's certificate");
    }

    // Its certificate opens nothing else there.
    let ccf_b = CapifClient::new(link(&invoker, &b), &url_b).expect("a client");
    assert!(ccf_b.discover(&invoker.id, &ServiceApiQuery::default()).await.is_err());

    // Revoked at A, refused at B.
    let revocation = json!({ "kind": "token", "value": claims["jti"], "issuer": url_a });
    site_a.operator().revoke(&parsed(revocation)).await.expect("revoked");
    let got = refused(&site_b, san.discover(&AnchorQuery::default()).await).await;
    assert_eq!(got, (Some(401), "REVOKED_TOKEN".into()));

    // A is away: B starts all the same, and what it served itself is served.
    drop(a);
    drop(b);
    let b = b_launch.start();
    let site_b = Site::of(&b);
    let own_san = SanClient::new(link(&home, &b), site_b.at("san"), own).expect("a client");
    assert!(own_san.discover(&AnchorQuery::default()).await.is_ok());
    let fresh = SanClient::new(link(&invoker, &b), site_b.at("san"), token).expect("a client");
    let (status, reason) = refused(&site_b, fresh.discover(&AnchorQuery::default()).await).await;
    assert_eq!(status, Some(503), "{reason}: its issuer is away, and what it has revoked is not known");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_domain_shares_is_found_and_used_in_the_other_one() {
    let dir = TempDir::new().expect("a directory");
    let (base_a, base_b) = (port_base(&TestTime::new()), port_base(&TestTime::new()));
    let (url_a, url_b) =
        (format!("https://localhost:{}", base_a + 5), format!("https://localhost:{}", base_b + 5));
    let roots_b = roots_beforehand(dir.path(), "b", base_b);
    let of_a = format!("[federation]\nccf_id = \"CCFA\"\n{}", partner("CCFB", "op-b", &url_b, &roots_b));
    let a = domain(dir.path(), "a", base_a, "sim,ccf", &config(dir.path(), "a.toml", &of_a)).start();
    let of_b = format!(
        "[capif]\nshared_with = [\"op-a\"]\n[[capif.trusted_issuers]]\nname = \"op-a\"\nissuer = \"{url_a}\"\nroots = \"{0}\"\nrevocations = false\n\
         [federation]\nccf_id = \"CCFB\"\n[[federation.partners]]\nccf_id = \"CCFA\"\ndomain = \"op-a\"\nurl = \"{url_a}\"\nroots = \"{0}\"\n",
        roots(&a)
    );
    let b = domain(dir.path(), "b", base_b, "sim,ccf,san", &config(dir.path(), "b.toml", &of_b)).start();
    let mut site_b = Site::of(&b);
    site_b.register().await;
    let site_a = Site::of(&a);
    let invoker = onboarded(&site_a).await;
    let aef = found_at(&invoker, "ssan-disc", base_b + 6).await;
    let home = onboarded(&site_b).await;
    assert_eq!(home.aef("ssan-disc").await, aef, "its name at home goes along");
    invoker.negotiate(&[&aef]).await;
    let token = invoker.token(&aef, "ssan-disc").await.expect("a token");
    let san = SanClient::new(link(&invoker, &b), site_b.at("san"), token).expect("a client");
    assert!(san.discover(&AnchorQuery::default()).await.is_ok());
}
