//! N-INP: bodies and identifiers that are none.

use anyhow::{Context, Result};
use api_types::ids::AnchorsListId;
use authorization::Reason;
use bytes::Bytes;
use sdk::{Credential, Request};
use serde_json::json;
use url::Url;

use super::fixture;
use super::holder::at;
use super::{Arena, Case, raw};

const BUNDLE: &str = "N-INP";
const ROWS: &[&str] = &["IMP-21", "T1", "T2"];
const LISTS: &str = "/ssan-sanm/v1/anchors-lists";
const JSON: &str = "application/json";

pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    bodies(arena).await?;
    paths(arena).await
}

/// Bodies of a VAL server that may create, replace and modify; nothing may come of them.
async fn bodies(arena: &mut Arena<'_>) -> Result<()> {
    use Reason::{BodyMalformed, InputRefused, MediaTypeWrong, MemberMissing, TooLarge};
    let sample = arena.sample;
    let id = sample.lists.get("vs-1").and_then(|lists| lists.first()).context("no list")?;
    let (create, modify) = (at(sample, "san", LISTS)?, at(sample, "san", &format!("{LISTS}/{id}"))?);
    let id: AnchorsListId = id.clone().try_into()?;
    let (owner, _) = fixture::owner(sample, "vs-1").await?;
    let good = fixture::one_anchor();
    let text = good.to_string();
    let lat = |value: &str| text.replacen("\"lat\":48.849", &format!("\"lat\":{value}"), 1);
    let with = |change: fn(&mut serde_json::Value)| {
        let mut list = good.clone();
        change(&mut list);
        list.to_string()
    };
    let open = "[".repeat(100_000);
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("oversize-body", JSON, text.clone() + &" ".repeat(5 << 20), TooLarge),
        ("depth-bomb", JSON, open, BodyMalformed),
        ("duplicate-member", JSON, text.replacen("{\"anchors\"", "{\"suppFeat\":\"0\",\"anchors\"", 1), BodyMalformed),
        ("not-json", JSON, "<list/>".to_owned(), BodyMalformed),
        ("trailing-bytes", JSON, text.clone() + "{}", BodyMalformed),
        ("not-utf8-escape", JSON, text.replacen("museum 0", "\\ud800", 1), BodyMalformed),
        ("nan", JSON, lat("NaN"), BodyMalformed),
        ("infinity", JSON, lat("1e999"), BodyMalformed),
        ("latitude-91", JSON, lat("91"), InputRefused),
        ("coordinate-text", JSON, lat("\"48\""), InputRefused),
        ("content-type-text", "text/plain", text.clone(), MediaTypeWrong),
        ("content-type-form", "application/x-www-form-urlencoded", text.clone(), MediaTypeWrong),
        ("unknown-visibility", JSON, with(|list| list["anchors"]["a000"]["visibility"] = json!("SECRET")), InputRefused),
        ("no-service", JSON, with(|list| { list.as_object_mut().map(|list| list.remove("valServInfo")); }), MemberMissing),
        ("no-anchors", JSON, with(|list| list["anchors"] = json!({})), InputRefused),
        ("period-backwards", JSON, with(|list| list["anchors"]["a000"]["timePeriod"] = json!({ "startTime": "2030-01-01T00:00:00Z", "stopTime": "2029-01-01T00:00:00Z" })), InputRefused),
    ];
    let before = owner.list(&id, true).await?.etag;
    for (member, media, body, reason) in rows {
        let body = Bytes::from(body);
        for (at, request) in
            [("create", Request::post(create.clone())), ("replace", Request::put(modify.clone()))]
        {
            let outcome = owner.send(request.bytes(media, body.clone())).await;
            let created = outcome.as_ref().is_ok_and(|answer| answer.header("location").is_some());
            let changed = created || owner.list(&id, true).await?.etag != before;
            let place = format!("ssan-sanm-{at}");
            let case = Case::new(BUNDLE, member, &place, ROWS, reason);
            arena.judge_with(case, outcome, changed.then_some("STATE_CHANGED")).await?;
        }
    }
    Ok(())
}

/// Identifiers that could be another path, sent as they stand.
async fn paths(arena: &mut Arena<'_>) -> Result<()> {
    let sample = arena.sample;
    // A token without proof, so that every request can be written by hand.
    let sim = sample.sim_c("ue-bearer", None).await?;
    let scope = "3gpp:seal:san.read";
    let request =
        sdk::AuthorizationRequest { push: false, ..sample.request("alice", "openid 3gpp:seal:san.read")? };
    let (san, password) = (sample.url("san")?, sample.password("alice")?);
    let session = sdk::UserSession::login(sim, request, "alice", password, san, scope).await?;
    let Credential::Bearer(token) = session.credential(san, scope).await? else {
        anyhow::bail!("no bearer token")
    };
    let url = Url::parse(san)?;
    let good = sample.lists.get("vs-1").and_then(|lists| lists.first()).context("no list")?;
    let long = "a".repeat(300);
    let huge = "a".repeat(20_000);
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("id-encoded-slash", "a%2fb", Reason::BodyMalformed),
        ("id-dot-dot", "..", Reason::BodyMalformed),
        ("id-dot-dot-encoded", "%2e%2e%2f%2e%2e", Reason::BodyMalformed),
        ("id-backslash", "a%5cb", Reason::BodyMalformed),
        ("id-nul", "a%00b", Reason::BodyMalformed),
        ("id-newline", "a%0d%0ab", Reason::BodyMalformed),
        ("id-not-utf8", "%ff%fe", Reason::BodyMalformed),
        ("id-blank", "a%20b", Reason::NotFound),
        ("id-overlong", &long, Reason::NotFound),
        ("id-huge", &huge, Reason::TooLarge),
        ("id-sql", "x'OR'1'='1", Reason::NotFound),
    ];
    let send = |id: &str| {
        let request = format!(
            "GET {LISTS}/{id} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            url.authority(),
            token.expose(),
        );
        raw::send(&url, Some(&sample.ca), request)
    };
    anyhow::ensure!(send(good).await??.status == 200, "a good identifier is refused");
    for (member, id, reason) in rows {
        let outcome = send(id).await?;
        arena.judge(Case::new(BUNDLE, member, "ssan-sanm", ROWS, reason), outcome).await?;
    }
    Ok(())
}
