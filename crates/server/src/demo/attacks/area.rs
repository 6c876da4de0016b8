//! N-INP of queries: areas, pages and cursors of discovery (IMP-22).

use anyhow::{Context, Result};
use authorization::Reason;
use sdk::link;
use serde_json::json;
use url::Url;

use super::holder::{Ue, at};
use super::{Arena, Case};
use crate::demo::campus::{self, SERVICES};

const BUNDLE: &str = "N-INP";
const ROWS: &[&str] = &["IMP-21", "IMP-22", "E2E-12"];
const DISC: &str = "/ssan-disc/v1/spatial-anchors";

pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    queries(arena).await?;
    cursors(arena).await
}

async fn queries(arena: &mut Arena<'_>) -> Result<()> {
    let ue = Ue::login(arena.sample, "alice").await?;
    let corner = |lon: f64, lat: f64| json!({ "lon": lon, "lat": lat });
    let polygon = |points: Vec<serde_json::Value>| {
        json!({ "geoServAr": { "geoArs": [{ "shape": "POLYGON", "pointList": points }] } }).to_string()
    };
    let planet =
        polygon(vec![corner(-170.0, -80.0), corner(170.0, -80.0), corner(170.0, 80.0), corner(-170.0, 80.0)]);
    let line = polygon(vec![corner(2.0, 48.0), corner(2.1, 48.0)]);
    let outside = polygon(vec![corner(2.0, 48.0), corner(2.1, 91.0), corner(2.1, 48.0)]);
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("area-of-the-planet", "area-int", planet.as_str(), Reason::AreaTooLarge),
        ("area-of-two-points", "area-int", &line, Reason::QueryWrong),
        ("area-beyond-the-pole", "area-int", &outside, Reason::QueryWrong),
        ("area-not-json", "area-int", "{", Reason::QueryWrong),
        ("limit-0", "limit", "0", Reason::QueryWrong),
        ("limit-1001", "limit", "1001", Reason::QueryWrong),
        ("limit-negative", "limit", "-1", Reason::QueryWrong),
        ("anchor-ids-text", "anchor-ids", "x", Reason::QueryWrong),
        ("cursor-garbage", "cursor", "AAAA", Reason::QueryWrong),
        ("supp-feats-garbage", "supp-feats", "\"xyz\"", Reason::QueryWrong),
    ];
    for (member, name, value, reason) in rows {
        let mut url = at(arena.sample, "san", DISC)?;
        url.query_pairs_mut().append_pair(name, value);
        let outcome = ue.get(&url, ue.san.access_token.expose()).await?;
        arena.judge(Case::new(BUNDLE, member, "ssan-disc", ROWS, reason), outcome).await?;
    }
    Ok(())
}

/// A cursor is good for its caller and query alone.
async fn cursors(arena: &mut Arena<'_>) -> Result<()> {
    let sample = arena.sample;
    let (alice, bob) = (Ue::login(sample, "alice").await?, Ue::login(sample, "bob").await?);
    let mut url = at(sample, "san", DISC)?;
    let area = campus::area(&SERVICES[0]).to_string();
    url.query_pairs_mut().append_pair("area-int", &area).append_pair("limit", "10");
    let page = alice.get(&url, alice.san.access_token.expose()).await??.expect(&[200])?;
    let next =
        page.header("link").and_then(|header| link::target(header, "next", &url)).context("no next page")?;
    let case = |member| Case::new("N-PRIV", member, "ssan-disc", ROWS, Reason::QueryWrong);
    let outcome = bob.get(&next, bob.san.access_token.expose()).await?;
    arena.judge(case("cursor-of-another-caller"), outcome).await?;

    let mut other: Url = next.clone();
    let pairs: Vec<(String, String)> = next.query_pairs().into_owned().collect();
    other.query_pairs_mut().clear().extend_pairs(pairs.iter().filter(|(name, _)| name != "area-int"));
    let outcome = alice.get(&other, alice.san.access_token.expose()).await?;
    arena.judge(case("cursor-of-another-query"), outcome).await?;
    let cursor =
        pairs.iter().find(|(name, _)| name == "cursor").map(|(_, value)| value.as_str()).unwrap_or_default();
    let mut maps = at(sample, "sm", "/ssm-disc/v1/spatial-maps")?;
    maps.query_pairs_mut().append_pair("limit", "10").append_pair("cursor", cursor);
    let outcome = alice.get(&maps, alice.sm.access_token.expose()).await?;
    arena
        .judge(Case::new("N-PRIV", "cursor-of-another-server", "ssm-disc", ROWS, Reason::QueryWrong), outcome)
        .await
}
