//! The test clock of a demo: forward, everything ends in its time; backward, nothing comes to life again.

use sdk::{AnchorQuery, SanClient};

use crate::harness::{Program, Site};

const SCOPE: &str = "3gpp:seal:san.read 3gpp:seal:san.discover";

async fn set(site: &Site, offset_s: i64) {
    site.operator().set_clock(offset_s).await.expect("the clock moves");
    site.time.move_by(offset_s);
}

async fn reason(site: &Site, san: &SanClient) -> String {
    match san.discover(&AnchorQuery { limit: Some(1), ..Default::default() }).await {
        Ok(_) => "served".into(),
        Err(error) => site.reason(error.trace().map(str::to_owned)).await,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn time_ends_tokens_and_going_back_revives_none() {
    let program = Program::demo();
    let site = Site::of(&program);
    let server = site.san("vs-1", "3gpp:seal:san").await;
    let session = site.session("alice", "ue-1").await.expect("alice");
    let credential = session.credential(site.at("san"), SCOPE).await.expect("a token");
    let user = SanClient::new(site.link("ue-1"), site.at("san"), credential).expect("a client");
    let sim = site.sim_c("ue-bearer").await;
    let pending = sim.begin(site.request("bob", "openid 3gpp:seal:san.read"));
    let code = sim.login(&pending, "bob", site.password("bob")).await.expect("a code");
    let other = sim.begin(site.request("bob", "openid 3gpp:seal:san.read"));
    let late = sim.login(&other, "bob", site.password("bob")).await.expect("a code");
    let bob = sim.redeem(&code, Some(site.at("san")), None).await.expect("a token");
    let bob_refresh = bob.refresh_token.clone().expect("a refresh token");

    // Within the leeway of 30 s after the 300 s of a token.
    set(&site, 290).await;
    assert_eq!(
        (reason(&site, &server).await, reason(&site, &user).await),
        ("served".into(), "served".into())
    );
    let stale = sim.redeem(&late, Some(site.at("san")), None).await.expect_err("a code lives 60 s");
    assert!(matches!(&stale, sdk::SdkError::OAuth { error, .. } if error == "invalid_grant"), "{stale:?}");
    set(&site, 340).await;
    assert_eq!(
        (reason(&site, &server).await, reason(&site, &user).await),
        ("EXPIRED".into(), "EXPIRED".into())
    );
    let fresh = site.san("vs-1", "3gpp:seal:san").await;
    assert_eq!(reason(&site, &fresh).await, "served");
    let renewed =
        sim.refresh(&bob_refresh, Some(site.at("san")), None).await.expect("a refresh token lives longer");
    let renewed = renewed.refresh_token.expect("a refresh token");

    set(&site, 0).await;
    assert_eq!(
        (reason(&site, &server).await, reason(&site, &user).await),
        ("EXPIRED".into(), "EXPIRED".into()),
        "revived"
    );
    assert!(sim.redeem(&late, Some(site.at("san")), None).await.is_err(), "a code revived");
    let anew = site.san("vs-1", "3gpp:seal:san").await;
    assert_eq!(reason(&site, &anew).await, "served", "the present still works");

    // A day ahead: the refresh token is idle too long, and stays so.
    set(&site, 86_400).await;
    assert!(sim.refresh(&renewed, Some(site.at("san")), None).await.is_err());
    assert_eq!(reason(&site, &anew).await, "EXPIRED");
    set(&site, 0).await;
    assert!(sim.refresh(&renewed, Some(site.at("san")), None).await.is_err(), "a refresh token revived");
    assert_eq!(reason(&site, &anew).await, "EXPIRED", "a token revived");
    let health = site.operator().health().await.expect("health");
    assert_eq!(health.status, "ok");
    assert!(site.operator().verify_audit().await.expect("chains").intact);
    for offset_s in [i64::MAX, i64::MIN, 10 * 366 * 86_400 + 1] {
        assert!(site.operator().set_clock(offset_s).await.is_err(), "{offset_s}");
    }
}
