//! N-PRIV: what is hidden cannot be told from what is not there.

use anyhow::Result;
use authorization::Reason;
use reqwest::Method;
use sdk::{Answer, Request};
use serde_json::{Value, json};

use super::fixture::{self, Hidden};
use super::holder::{Ue, at};
use super::{Arena, Case};
use crate::demo::campus::{self, SERVICES};

const BUNDLE: &str = "N-PRIV";
const ROWS: &[&str] = &["KI1-1", "T1", "T2", "E2E-12"];
const LISTS: &str = "/ssan-sanm/v1/anchors-lists";
const MAPS: &str = "/ssm-smm/v1/spatial-maps";
/// No identifier of this run.
const NO_LIST: &str = "zzzzzzzzzzzzzzzzzzzzzz";
const NO_NUMBER: &str = "2147483646";

pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    let hidden = Hidden::make(arena.sample).await?;
    let played = compared(arena, &hidden).await;
    let counted = match played {
        Ok(()) => counts(arena, &hidden).await,
        Err(error) => Err(error),
    };
    hidden.remove().await?;
    counted
}

/// Hidden and absent, on every road that the two have in common.
async fn compared(arena: &mut Arena<'_>, hidden: &Hidden) -> Result<()> {
    let ue = Ue::login(arena.sample, "alice").await?;
    let map = hidden.map.0.to_string();
    let (private, restricted, over) =
        (hidden.private.as_str(), hidden.restricted.as_str(), hidden.over.as_str());
    let list = |id: &str| format!("{LISTS}/{id}");
    let of_map = |id: &str| format!("{MAPS}/{id}");
    let content = |id: &str| format!("{MAPS}/{id}/content");
    let query = |id: &str| format!("{MAPS}?svc-id=museum-guide&map-id={id}");
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("private-list", "ssan-sanm", "san", Method::GET, list(private), list(NO_LIST), Reason::NotVisible),
        ("restricted-list", "ssan-sanm", "san", Method::GET, list(restricted), list(NO_LIST), Reason::NotAllowedEntity),
        ("list-out-of-period", "ssan-sanm", "san", Method::GET, list(over), list(NO_LIST), Reason::OutsidePeriod),
        ("private-map", "ssm-smm", "sm", Method::GET, of_map(&map), of_map(NO_NUMBER), Reason::NotVisible),
        ("private-map-by-query", "ssm-smm", "sm", Method::GET, query(&map), query(NO_NUMBER), Reason::NotVisible),
        ("private-payload", "ssm-smm-content", "sm", Method::GET, content(&map), content(NO_NUMBER), Reason::NotVisible),
        ("private-payload-head", "ssm-smm-content", "sm", Method::HEAD, content(&map), content(NO_NUMBER), Reason::NotVisible),
    ];
    for (member, place, listener, method, there, absent, reason) in rows {
        let token = if listener == "san" { &ue.san } else { &ue.sm };
        let mut answers = Vec::new();
        for path in [there, absent] {
            let url = at(arena.sample, listener, &path)?;
            let request = Request::new(method.clone(), url.clone());
            answers.push(ue.send(request, method.as_str(), &url, token.access_token.expose()).await??);
        }
        judge(arena, (member, place, reason), answers).await?;
    }
    let (vs_2, _) = fixture::owner(arena.sample, "vs-2").await?;
    let patch = json!({ "anchors": { "a000": { "name": "x" } }, "suppFeat": "1" });
    for (member, method, body) in [
        ("private-list-replace", Method::PUT, Some(fixture::one_anchor())),
        ("private-list-modify", Method::PATCH, Some(patch)),
        ("private-list-delete", Method::DELETE, None::<Value>),
    ] {
        let mut answers = Vec::new();
        for id in [private, NO_LIST] {
            let request = Request::new(method.clone(), at(arena.sample, "san", &list(id))?);
            let request = match &body {
                Some(body) => request.json(body),
                None => request,
            };
            answers.push(vs_2.send(request).await?);
        }
        judge(arena, (member, "ssan-sanm", Reason::NotVisible), answers).await?;
    }
    Ok(())
}

async fn judge(
    arena: &mut Arena<'_>,
    (member, at, reason): (&str, &str, Reason),
    answers: Vec<Answer>,
) -> Result<()> {
    let [there, absent] = &answers[..] else { anyhow::bail!("two answers are compared") };
    let fault = (seen(there) != seen(absent)).then_some("ANSWERS_DIFFER");
    arena.judge_with(Case::new(BUNDLE, member, at, ROWS, reason), Ok(there.clone()), fault).await
}

/// Status, header fields and body.
type Seen = (u16, Vec<(String, Vec<u8>)>, Vec<u8>);

/// All that a caller sees of an answer, but for the time and the trace.
fn seen(answer: &Answer) -> Seen {
    let own = |name: &str| name == "traceparent" || name == "date";
    let headers = answer.headers.iter().filter(|(name, _)| !own(name.as_str()));
    let mut headers: Vec<_> =
        headers.map(|(name, value)| (name.as_str().to_owned(), value.as_bytes().to_vec())).collect();
    headers.sort();
    (answer.status, headers, answer.body.to_vec())
}

/// Hidden anchors change neither answers nor their number: the question for one, and the pages of the area that it is in.
async fn counts(arena: &mut Arena<'_>, hidden: &Hidden) -> Result<()> {
    let ue = Ue::login(arena.sample, "alice").await?;
    let token = ue.san.access_token.expose();
    let disc = |pairs: &[(&str, &str)]| -> Result<url::Url> {
        let mut url = at(arena.sample, "san", "/ssan-disc/v1/spatial-anchors")?;
        url.query_pairs_mut().extend_pairs(pairs);
        Ok(url)
    };
    let one = ue.get(&disc(&[("anchor-ids", &hidden.anchor.to_string())])?, token).await??.expect(&[200])?;
    let none = ue.get(&disc(&[("anchor-ids", NO_NUMBER)])?, token).await??.expect(&[200])?;
    let area = campus::area(&SERVICES[0]).to_string();
    let all = ue.get(&disc(&[("area-int", &area), ("limit", "1000")])?, token).await??.expect(&[200])?;
    let body: Value = serde_json::from_slice(&all.body)?;
    let exact = body["results"].as_array().is_some_and(|results| results.len() == 180);
    let silent = seen(&one) == seen(&none) && exact && all.header("link").is_none();
    let url = at(arena.sample, "san", &format!("{LISTS}/{}", hidden.private))?;
    let outcome = ue.get(&url, token).await?;
    let case = Case::new(BUNDLE, "count", "ssan-disc", ROWS, Reason::NotVisible);
    arena.judge_with(case, outcome, (!silent).then_some("COUNT_REVEALED")).await
}
