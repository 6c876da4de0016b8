//! Questions to an owner who has said nothing: answered by the wrong one, with the wrong nonce, twice, or not at all; and one who
//! asks and asks.

use anyhow::{Context, Result, ensure};
use api_types::capif::resource_auth::{AskDecision, AuthorizationAsk};
use authorization::Reason;
use sdk::Request;
use serde_json::json;

use super::super::Arena;
use super::super::holder::at;
use super::{Stage, TOKEN, anchor, ask, ask_with, case};
use crate::demo::invoker::Invoker;
use crate::demo::p4;

const ROWS: &[&str] = &["S3-N2", "S3-7c", "IMP-20", "CON-22"];
const API: &str = "capif-resource-auth-asks";
/// Questions of one requester in a minute.
const FLOOD: usize = 6;

pub(super) async fn play(arena: &mut Arena<'_>, stage: &Stage<'_>) -> Result<()> {
    use Reason::{AskAnswered, AuthorizationAsked, NonceWrong, NotOwner};
    let Stage { one, two, three, san, .. } = stage;
    // An anchor whose owner says nothing of who may access it.
    let mut silent = p4::an_anchor(&two.id)?;
    for anchor in silent.anchors.values_mut() {
        (anchor.rules, anchor.visibility) = (None, None);
    }
    let (list, resource) = anchor(san, one, silent.clone()).await?;
    let outcome = ask(arena, two, &resource, &["read"]).await?;
    arena.judge(case("nobody-has-decided", TOKEN, ROWS, AuthorizationAsked), outcome).await?;
    let question = open(one, &resource).await?.context("the owner is not asked")?;
    let outcome = ask_with(arena, two, &resource, &["read"], &[("ask_mode", "poll")]).await?;
    arena.judge(case("waits-for-the-owner", TOKEN, ROWS, AuthorizationAsked), outcome).await?;
    ensure!(
        one.ccf.open_asks(&one.id).await?.items.len() == 1,
        "one question is open for each requester and resource"
    );

    let path = |owner: &Invoker<'_>| {
        format!("/capif-resource-auth/v1/owners/{}/asks/{}/decision", owner.id, question.ask_id)
    };
    let yes = json!({ "nonce": question.nonce, "effect": "PERMIT" });
    let guessed = json!({ "nonce": "guessed", "effect": "PERMIT" });
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("answer-by-the-requester", two, path(two), &yes, NotOwner),
        ("answer-in-the-name-of-the-owner", two, path(one), &yes, NotOwner),
        ("answer-by-a-stranger", three, path(three), &yes, NotOwner),
        ("answer-with-a-guessed-nonce", one, path(one), &guessed, NonceWrong),
    ];
    for (member, who, path, body, reason) in rows {
        let outcome = who.https.send(Request::post(at(arena.sample, "ccf", &path)?).json(body)).await;
        arena.judge(case(member, API, ROWS, reason), outcome).await?;
    }
    one.ccf.decide_ask(&one.id, &question.ask_id, &decision(&question, true)?).await.context("answer")?;
    let outcome = one.https.send(Request::post(at(arena.sample, "ccf", &path(one))?).json(&yes)).await;
    arena.judge(case("answer-replayed", API, ROWS, AskAnswered), outcome).await?;
    // A yes without an end counts once.
    let first = ask(arena, two, &resource, &["read"]).await?;
    let first = first?.expect(&[200]).context("the owner has said yes, and there is no token")?;
    let token: serde_json::Value = first.json()?;
    let token = token["access_token"].as_str().context("a token")?;
    let read = Request::get(at(arena.sample, "san", &format!("/ssan-sanm/v1/anchors-lists/{list}"))?);
    let read = two.https.send(read.header("authorization", &format!("Bearer {token}"))).await?;
    ensure!(read.status == 200, "the owner has said yes, and the server shows nothing: {}", read.status);
    let outcome = ask(arena, two, &resource, &["read"]).await?;
    arena.judge(case("answer-used-twice", TOKEN, ROWS, AuthorizationAsked), outcome).await?;
    let again = open(one, &resource).await?.context("the owner is not asked again")?;
    one.ccf.decide_ask(&one.id, &again.ask_id, &decision(&again, false)?).await.context("answer")?;
    let outcome = ask(arena, two, &resource, &["read"]).await?;
    arena.judge(case("owner-says-no", TOKEN, ROWS, Reason::OwnerDenied), outcome).await?;

    flood(arena, stage, &silent).await?;
    san.delete_list(&list, None).await.map(drop).map_err(Into::into)
}

/// Many questions of one requester: those beyond its five a minute reach nobody.
async fn flood(
    arena: &mut Arena<'_>,
    stage: &Stage<'_>,
    silent: &api_types::san::SpatialAnchorsList,
) -> Result<()> {
    let Stage { one, three, san, .. } = stage;
    let mut lists = Vec::new();
    for number in 0..FLOOD {
        let (list, resource) = anchor(san, one, silent.clone()).await?;
        lists.push(list);
        let outcome = ask(arena, three, &resource, &["read"]).await?;
        let (member, reason) = match number {
            0 => ("asks-for-the-first-time", Reason::AuthorizationAsked),
            _ if number + 1 == FLOOD => ("asks-too-often", Reason::OwnerRequired),
            _ => continue,
        };
        arena.judge(case(member, TOKEN, ROWS, reason), outcome).await?;
    }
    let open = one.ccf.open_asks(&one.id).await?.items.len();
    ensure!(open == FLOOD - 1, "{open} questions of a flood reached the owner");
    for list in lists {
        san.delete_list(&list, None).await?;
    }
    Ok(())
}

async fn open(owner: &Invoker<'_>, resource: &str) -> Result<Option<AuthorizationAsk>> {
    let asks = owner.ccf.open_asks(&owner.id).await?.items;
    Ok(asks.into_iter().find(|ask| ask.resource_id.as_str() == resource))
}

fn decision(question: &AuthorizationAsk, permit: bool) -> Result<AskDecision> {
    let effect = if permit { "PERMIT" } else { "DENY" };
    Ok(serde_json::from_value(json!({ "nonce": question.nonce, "effect": effect }))?)
}
