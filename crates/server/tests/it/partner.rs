//! Two operators, each with a program of its own: a user of one discovers anchors of the other (TS 24.547 6.2.3; E2E of
//! IMP-40).

use std::path::Path;

use api_types::admin::Policy;
use sdk::{AnchorQuery, SanClient, SdkError};
use serde_json::json;
use tempfile::TempDir;

use crate::harness::{Launch, Program, Site, TestTime, parsed, port_base, val_server_list};

const DISCOVER: &str = "3gpp:seal:san.discover";

/// A program that names the other one as partner, and trusts its root where there is one.
async fn operator(
    dir: &Path,
    name: &str,
    port: u16,
    partner: (&str, u16),
    root: Option<&str>,
) -> (Program, Site) {
    let roots: Vec<&str> = root.into_iter().collect();
    let config = format!(
        "[egress]\ntrusted_roots = {roots:?}\n[[sim.partners]]\nname = {:?}\nissuer = \"https://localhost:{}\"\n\
         val_services = [\"museum-guide\"]\n",
        partner.0,
        partner.1 + 4,
    );
    let (file, data) = (format!("{name}.toml"), format!("{name}-data"));
    std::fs::write(dir.join(&file), config).expect("a file");
    let arguments = ["serve", "--data", &data, "--config", &file, "--port-base"];
    let program = Launch::new(dir, name, &arguments).arg(port.to_string()).start();
    let mut site = Site::of(&program);
    site.register().await;
    (program, site)
}

fn refused(result: Result<impl Sized, SdkError>) -> String {
    match result {
        Err(SdkError::OAuth { error, .. }) => error,
        Err(error) => error.to_string(),
        Ok(_) => "permitted".to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_of_a_partner_discovers_anchors_here() {
    let dir = TempDir::new().expect("a temporary directory");
    let time = TestTime::new();
    let home_port = port_base(&time);
    let away_port =
        std::iter::repeat_with(|| port_base(&time)).find(|port| *port != home_port).expect("a port");
    let (mut home_program, home) = operator(dir.path(), "home", home_port, ("op-b", away_port), None).await;
    let root = home_program.ready["ca"].as_str().expect("a file").to_owned();
    let (_away_program, away) =
        operator(dir.path(), "away", away_port, ("op-a", home_port), Some(&root)).await;

    let vs = away.san("vs-1", "3gpp:seal:san").await;
    let list =
        vs.create_list(&parsed(val_server_list("museum-guide", "open to guests"))).await.expect("a list");
    let session = home.session("alice", "ue-1").await.expect("a login at home");
    let at_home =
        session.token(home.at("san"), "3gpp:seal:san.read 3gpp:seal:san.discover").await.expect("kept");
    let key = session.sim().dpop().expect("a key").clone();
    let sim = away.sim_c("ue-1").await.with_dpop(key);
    let security = async || session.sim().security_token(&at_home.access_token, away.at("sim")).await;

    let vouched = security().await.expect("a security token");
    let token = sim.redeem_security_token(&vouched, away.at("san"), DISCOVER).await.expect("a token here");
    assert!(token.refresh_token.is_none(), "home is asked again");
    let san = SanClient::new(away.link("ue-1"), away.at("san"), sim.credential(&token).expect("bound"));
    let san = san.expect("a client");
    let found = san.discover(&AnchorQuery::default()).await.expect("found").found;
    let open = list.value.anchors["open"].anchor_id;
    let found: Vec<_> = found.results.iter().map(|profile| profile.anch_info.anchor_id).collect();
    assert_eq!(found, [open], "what is open to all, and nothing of the rest");

    // Once only; not for another client or key; not without a partner.
    assert_eq!(refused(sim.redeem_security_token(&vouched, away.at("san"), DISCOVER).await), "invalid_grant");
    let vouched = security().await.expect("a security token");
    let stranger = away.sim_c("ue-1").await;
    assert_eq!(
        refused(stranger.redeem_security_token(&vouched, away.at("san"), DISCOVER).await),
        "invalid_grant"
    );
    let nobody = session.sim().security_token(&at_home.access_token, "https://sim.nobody.example").await;
    assert_eq!(refused(nobody), "invalid_target");

    // The rules here say what for.
    let rule = json!({ "class": "local", "effect": "DENY", "subjects": ["op-a"] });
    away.operator().put_policy("no-guests", &parsed::<Policy>(rule)).await.expect("a rule");
    let vouched = security().await.expect("a security token");
    assert_eq!(refused(sim.redeem_security_token(&vouched, away.at("san"), DISCOVER).await), "access_denied");

    // Nothing here names the user of there.
    let mut url = away.operator().url(&["audit"]).expect("a url");
    url.query_pairs_mut().append_pair("function", "san");
    let audit = away.operator().send(sdk::Request::get(url)).await.expect("an answer");
    let audit = String::from_utf8_lossy(&audit.body).into_owned();
    assert!(audit.contains("san.anchors.discover"), "the discovery is on record: {audit}");
    assert!(!audit.contains("alice") && !audit.contains("msisdn"), "of a pseudonym: {audit}");
    home_program.kill();
    assert!(security().await.is_err(), "without home there is no new one");
}
