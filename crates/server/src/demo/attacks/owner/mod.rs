//! N-OWNER: attacks on P4, on what owners keep at the core function and on the questions to them (TR 33.721 6.3; E2E-10,
//! E2E-11).

mod asked;
mod decided;
mod forged;
mod narrowed;

use std::time::Duration;

use anyhow::{Context, Result};
use api_types::capif::resource_auth::{PolicySubject, ResourceAuthInfo};
use api_types::ids::AnchorsListId;
use authorization::Reason;
use sdk::{Answer, SanClient, SdkError};
use serde_json::{Value, json};

use super::capif::request;
use super::{Arena, Case};
use crate::demo::invoker::{ANCHOR, Invoker, instance};
use crate::demo::{owner, p4};

pub(super) const BUNDLE: &str = "N-OWNER";
const APIS: &str = "ssan-sanm,ssan-disc";
const TOKEN: &str = "securities-token";

/// Who plays, and the anchor in question.
struct Stage<'s> {
    /// The owner, with a token for everything at the SAn server.
    one: Invoker<'s>,
    san: SanClient,
    /// Whom the rules let read.
    two: Invoker<'s>,
    /// Whom nobody lets do anything.
    three: Invoker<'s>,
    list: AnchorsListId,
    /// As the core function names it.
    resource: String,
}

/// Plays them.
pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    let sample = arena.sample;
    let (one, two) = (Invoker::of(sample, 0, None)?, Invoker::of(sample, 1, None)?);
    let three = Invoker::onboard(sample, arena.observer.admin(), &["san"]).await?;
    let san = one.san(&one.token("san", APIS, Value::Null).await?)?;
    let (list, resource) = anchor(&san, &one, p4::an_anchor(&two.id)?).await?;
    let stage = Stage { one, san, two, three, list, resource };
    let played = all(arena, &stage).await;
    stage.san.delete_list(&stage.list, None).await?;
    stage.three.ccf.offboard(&stage.three.id).await?;
    played
}

async fn all(arena: &mut Arena<'_>, stage: &Stage<'_>) -> Result<()> {
    decided::play(arena, stage).await.context("decisions")?;
    forged::play(arena, stage).await.context("forged")?;
    asked::play(arena, stage).await.context("questions")?;
    narrowed::play(arena, stage).await.context("narrowed")
}

/// A list of one anchor, once the core function knows it.
async fn anchor(
    san: &SanClient,
    one: &Invoker<'_>,
    wanted: api_types::san::SpatialAnchorsList,
) -> Result<(AnchorsListId, String)> {
    let made = san.create_list(&wanted).await.context("a list")?;
    let anchor = made.value.anchors.values().next().and_then(|anchor| anchor.anchor_id);
    let resource = format!("{}/{}", made.id, anchor.context("an anchor")?.0);
    owner::known(one, &resource).await?;
    Ok((made.id, resource))
}

fn case<'m>(member: &'m str, at: &'m str, rows: &'static [&'static str], reason: Reason) -> Case<'m> {
    Case::new(BUNDLE, member, at, rows, reason)
}

/// The request of an API invoker for a token that names an anchor.
async fn ask(
    arena: &Arena<'_>,
    invoker: &Invoker<'_>,
    resource: &str,
    actions: &[&str],
) -> Result<Result<Answer, SdkError>> {
    ask_with(arena, invoker, resource, actions, &[]).await
}

async fn ask_with(
    arena: &Arena<'_>,
    invoker: &Invoker<'_>,
    resource: &str,
    actions: &[&str],
    more: &[(&str, &str)],
) -> Result<Result<Answer, SdkError>> {
    let mut form = request::form(arena.sample, invoker)?;
    let details = instance(ANCHOR, resource, actions).to_string();
    form.push(("authorization_details".into(), details));
    form.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    request::post(arena.sample, &invoker.https, invoker.id.as_str(), &form).await
}

/// The rules of the anchor, changed by its owner at the server: these others, or nobody.
async fn rule(stage: &Stage<'_>, readers: &[&Invoker<'_>]) -> Result<()> {
    let entities: Vec<Value> =
        readers.iter().map(|one| json!({ "type": "VAL_SERVER", "identifier": one.id })).collect();
    let rules = if entities.is_empty() { Value::Null } else { json!({ "allowedEntities": entities }) };
    let patch = json!({ "suppFeat": "1", "anchors": { "anchor_123": { "rules": rules, "visibility": "RESTRICTED" } } });
    stage.san.patch_list(&stage.list, &patch, None).await.context("rules")?;
    let expected: Vec<PolicySubject> =
        readers.iter().map(|one| PolicySubject::ApiInvokerId(one.id.clone())).collect();
    let is_told = |info: &ResourceAuthInfo| {
        let policies = info.auth_policies.iter().flatten();
        policies.flat_map(|policy| policy.subjects.clone()).collect::<Vec<_>>() == expected
    };
    owner::told(&stage.one, &stage.resource, is_told).await?;
    lease().await;
    Ok(())
}

/// What ends is good nowhere when the server has been told that it is; whoever was not asked waits for a lease instead.
async fn lease() {
    tokio::time::sleep(Duration::from_millis(1_100)).await;
}
