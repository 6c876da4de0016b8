//! N-REPLAY: what is good once, twice.

use anyhow::{Context, Result};
use authorization::Reason;
use sdk::Request;
use serde_json::Value;

use super::holder::at;
use super::sim_c::{Pairs, SimC, pairs};
use super::{Arena, Case};

const BUNDLE: &str = "N-REPLAY";
const ROWS: &[&str] = &["S1-A1", "IMP-13"];
const TOKEN: &str = "sim-token";

pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    code(arena).await?;
    pushed(arena).await?;
    proof(arena).await?;
    revoked(arena).await?;
    rotated(arena).await
}

async fn tokens(sim_c: &SimC<'_>, user: &str) -> Result<Value> {
    let code = sim_c.code(user).await?;
    let answer = sim_c.post("/token", &sim_c.redemption(&code)?).await??.expect(&[200])?;
    Ok(serde_json::from_slice(&answer.body)?)
}

fn refresh(sim_c: &SimC<'_>, token: &str) -> Result<Pairs> {
    let san = sim_c.sample.url("san")?;
    Ok(pairs(&[("grant_type", "refresh_token"), ("refresh_token", token), ("resource", san)]))
}

fn text<'v>(body: &'v Value, name: &str) -> Result<&'v str> {
    body[name].as_str().with_context(|| format!("no {name}"))
}

/// A code that comes again ends what came of it (B7).
async fn code(arena: &mut Arena<'_>) -> Result<()> {
    let sim_c = SimC::new(arena.sample, "ue-1")?;
    let form = sim_c.redemption(&sim_c.code("laura").await?)?;
    let body: Value = serde_json::from_slice(&sim_c.post("/token", &form).await??.expect(&[200])?.body)?;
    let outcome = sim_c.post("/token", &form).await?;
    arena.judge(Case::new(BUNDLE, "code", TOKEN, ROWS, Reason::Replayed), outcome).await?;

    let url = at(arena.sample, "san", "/ssan-disc/v1/spatial-anchors?limit=1")?;
    let token = text(&body, "access_token")?;
    let proof = sim_c.prover.proof("GET", &url, Some(token))?;
    let request = Request::get(url).header("authorization", &format!("DPoP {token}")).header("dpop", &proof);
    let outcome = sim_c.https.send(request).await;
    let case = Case::new(BUNDLE, "token-of-a-replayed-code", "ssan-disc", ROWS, Reason::RevokedToken);
    arena.judge(case, outcome).await?;
    let outcome = sim_c.post("/token", &refresh(&sim_c, text(&body, "refresh_token")?)?).await?;
    arena
        .judge(Case::new(BUNDLE, "refresh-of-a-replayed-code", TOKEN, ROWS, Reason::GrantWrong), outcome)
        .await
}

/// A pushed request is good once (A39).
async fn pushed(arena: &mut Arena<'_>) -> Result<()> {
    let sim_c = SimC::new(arena.sample, "ue-1")?;
    let answer = sim_c.post("/par", &sim_c.request("alice")?).await??.expect(&[201])?;
    let body: Value = serde_json::from_slice(&answer.body)?;
    let reference = pairs(&[("client_id", "ue-1"), ("request_uri", text(&body, "request_uri")?)]);
    let shown = sim_c.authorize(&reference).await??;
    anyhow::ensure!(shown.status == 200, "a pushed request is refused");
    let outcome = sim_c.authorize(&reference).await?;
    arena.judge(Case::new(BUNDLE, "request-uri", "sim-authorize", ROWS, Reason::GrantWrong), outcome).await
}

/// A proof is good once.
async fn proof(arena: &mut Arena<'_>) -> Result<()> {
    let sim_c = SimC::new(arena.sample, "ue-1")?;
    let body = tokens(&sim_c, "alice").await?;
    let form = refresh(&sim_c, text(&body, "refresh_token")?)?;
    let proof = sim_c.prover.proof("POST", &at(arena.sample, "sim", "/token")?, None)?;
    let basic = SimC::basic("ue-1", sim_c.secret()?);
    let dressed = || -> Result<Request> {
        Ok(sim_c.bare("/token", &form)?.header("authorization", &basic).header("dpop", &proof))
    };
    sim_c.https.send(dressed()?).await?.expect(&[200])?;
    let outcome = sim_c.https.send(dressed()?).await;
    arena.judge(Case::new(BUNDLE, "dpop-proof", TOKEN, ROWS, Reason::Replayed), outcome).await
}

/// What was given back is void (A32).
async fn revoked(arena: &mut Arena<'_>) -> Result<()> {
    let sim_c = SimC::new(arena.sample, "ue-1")?;
    let body = tokens(&sim_c, "alice").await?;
    let token = text(&body, "refresh_token")?;
    sim_c.post("/revoke", &pairs(&[("token", token)])).await??.expect(&[200])?;
    let outcome = sim_c.post("/token", &refresh(&sim_c, token)?).await?;
    arena.judge(Case::new(BUNDLE, "refresh-after-revoke", TOKEN, ROWS, Reason::GrantWrong), outcome).await
}

/// A replaced refresh token that comes back ends the family (B10).
async fn rotated(arena: &mut Arena<'_>) -> Result<()> {
    let sim_c = SimC::new(arena.sample, "ue-bearer")?;
    let first = tokens(&sim_c, "alice").await?;
    let first = text(&first, "refresh_token")?;
    let next = |answer: sdk::Answer| -> Result<String> {
        let body: Value = serde_json::from_slice(&answer.expect(&[200])?.body)?;
        Ok(text(&body, "refresh_token")?.to_owned())
    };
    let second = next(sim_c.post("/token", &refresh(&sim_c, first)?).await??)?;
    let third = next(sim_c.post("/token", &refresh(&sim_c, &second)?).await??)?;
    let outcome = sim_c.post("/token", &refresh(&sim_c, first)?).await?;
    arena.judge(Case::new(BUNDLE, "refresh-replaced", TOKEN, ROWS, Reason::Replayed), outcome).await?;
    let outcome = sim_c.post("/token", &refresh(&sim_c, &third)?).await?;
    arena
        .judge(Case::new(BUNDLE, "refresh-of-the-ended-family", TOKEN, ROWS, Reason::GrantWrong), outcome)
        .await
}
