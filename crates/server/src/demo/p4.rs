//! P4: the policy of an owner at the core function decides whether another gets a token (TR 33.721 6.3.2.1, steps 0 to 11), for
//! all four pairings of {VAL server, SEAL client} as the one who creates and the one who asks.

use anyhow::{Context, Result};
use api_types::capif::resource_auth::{PolicySubject, ResourceAuthInfo, ResourceOwner, ResourceVisibility};
use api_types::ids::AnchorsListId;
use api_types::san::SpatialAnchorsList;
use sdk::admin::RecordFilter;
use serde_json::{Value, json};

use super::Sample;
use super::campus::{self, SERVICES};
use super::invoker::{ANCHOR, Invoker, aef, instance, service};
use super::owner;
use super::play::{Found, Score, all};

/// Servers at which those of the sample have negotiated.
const BOTH: &[&str] = &["san", "sm"];

const APIS: &str = "ssan-sanm,ssan-disc";

/// Who creates, or asks.
pub(super) struct Party<'s> {
    /// As the source names it.
    pub(super) name: &'static str,
    pub(super) invoker: Invoker<'s>,
}

/// Plays it.
pub(super) async fn play(sample: &Sample, score: &mut Score<'_>) -> Result<()> {
    let admin = score.observer.admin();
    // step 0: everybody is onboarded, and the one who creates has a token for that.
    let server = |number: usize, name| -> Result<Party<'_>> {
        Ok(Party { name, invoker: Invoker::of(sample, number, None)? })
    };
    let (vs1, vs2) = (server(0, "VAL server 1")?, server(1, "VAL server 2")?);
    let client = async |name| -> Result<Party<'_>> {
        Ok(Party { name, invoker: Invoker::onboard(sample, admin, &["san"]).await.context(name)? })
    };
    let (c1, c2) = (client("SEAL client 1").await?, client("SEAL client 2").await?);
    for (party, roles) in [(&vs1, BOTH), (&vs2, BOTH), (&c1, &BOTH[..1]), (&c2, &BOTH[..1])] {
        party.invoker.in_trace(&score.trace)?.negotiate(roles).await.context("negotiation")?;
        let found = party.invoker.finds("san").await.context("discovery")?;
        let found = all(&[("finds the service APIs of anchors", found.contains("ssan-sanm"))]);
        score.client("0", (party.name, "CCF"), "onboarded and authenticated", found);
    }
    score.take_over().await?;
    for creator in [&vs1, &c1] {
        for asker in [&vs2, &c2] {
            let pairing = format!("{} creates, {} asks", creator.name, asker.name);
            pair(sample, score, creator, asker).await.with_context(|| pairing)?;
        }
    }
    for client in [&c1, &c2] {
        client.invoker.ccf.offboard(&client.invoker.id).await.context("offboarding")?;
    }
    score.require(&[
        ("1", "API invoker", "SAn-S"),
        ("2", "SAn-S", "SAn-S"),
        ("3", "SAn-S", "API invoker"),
        ("4", "AEF", "CCF"),
        ("5", "CCF", "CCF"),
        ("6", "API invoker", "CCF"),
        ("7", "CCF", "CCF"),
        ("8", "CCF", "API invoker"),
        ("9", "API invoker", "SAn-S"),
        ("10", "SAn-S", "SAn-S"),
        ("11", "SAn-S", "API invoker"),
    ]);
    Ok(())
}

/// One pairing, steps 0b to 11.
async fn pair(sample: &Sample, score: &mut Score<'_>, creator: &Party<'_>, asker: &Party<'_>) -> Result<()> {
    let (one, two) = (&creator.invoker, &asker.invoker);
    let creation = one.token("san", APIS, service(ANCHOR, &["create", "read", "delete"])).await?;
    score.client("0", (creator.name, "CCF"), "token for the creation of anchors", all(&[("token", true)]));

    // steps 1 to 3.
    let before = last_of_ccf(score).await?;
    let (list, id, pending) = create(score, one, two, &creation).await.context("creation")?;
    let resource = format!("{list}/{id}");
    score.take_over().await?;
    score.client(
        "3",
        ("SAn-S", creator.name),
        "the anchor is the owner's alone until the core function knows of it",
        all(&[("syncState told", pending)]),
    );

    // steps 4 and 5, by the SAn server on its own.
    let info = owner::known(one, &resource).await?;
    adopt_publication(score, sample, before).await?;
    score.client(
        "5",
        ("CCF", creator.name),
        "profile of the owner, as it reads it",
        profile(&info, (one, two)),
    );

    // steps 6 to 8.
    let traced = two.in_trace(&score.trace)?;
    let wanted = instance(ANCHOR, &resource, &["read", "discover", "update"]);
    let token = traced.token("san", APIS, wanted).await.context("token for the anchor")?;
    score.take_over().await?;
    let granted = serde_json::to_value(&token.authorization_details)?;
    let left = instance(ANCHOR, &resource, &["read", "discover"]);
    let found = all(&[("read and discover; update is the owner's", granted == left)]);
    score.client("8", (asker.name, asker.name), "what of the request is granted", found);

    // steps 9 to 11.
    let seen = traced.san(&token)?.list(&list, true).await.context("read")?.value;
    score.take_over().await?;
    score.client("11", (asker.name, asker.name), "what is shown of the anchor", shown(&seen));

    // Beside the procedure: whom the rules do not name gets no token for it.
    let denied = other_is_denied(sample, score, &resource).await?;
    score.client("7", ("CCF", "CCF"), "a third asks for the same", denied);
    one.san(&creation)?.delete_list(&list, None).await.context("delete")?;
    Ok(())
}

/// An anchor with product, rules, premises and visibility, of `one` in the trace of the run.
async fn create(
    score: &Score<'_>,
    one: &Invoker<'_>,
    two: &Invoker<'_>,
    token: &api_types::oauth::TokenResponse,
) -> Result<(AnchorsListId, u32, bool)> {
    let traced = one.in_trace(&score.trace)?;
    let made = traced.san(token)?.create_list(&an_anchor(&two.id)?).await?;
    let anchor = made.value.anchors.get("anchor_123").context("the anchor")?;
    let id = anchor.anchor_id.context("an identifier that the server assigns")?.0;
    Ok((made.id, id, anchor.sync_state.is_some()))
}

/// A list of one anchor that one other may read.
pub(super) fn an_anchor(reader: &api_types::capif::ApiInvokerId) -> Result<SpatialAnchorsList> {
    let mut list = campus::lists(&SERVICES[0]).remove(0);
    let mut anchor = list["anchors"]["a000"].clone();
    anchor["visibility"] = json!("RESTRICTED");
    anchor["rules"] = json!({ "allowedEntities": [{ "type": "VAL_SERVER", "identifier": reader }] });
    anchor["premises"] = json!("shop 12, second floor");
    anchor["servInfos"] = json!([{ "servInfoId": "product", "info": "guided tour" }]);
    list["anchors"] = json!({ "anchor_123": anchor });
    Ok(serde_json::from_value(list)?)
}

/// What stands in the profile: owner, visibility and the one policy, as the rules of the anchor say.
fn profile(info: &ResourceAuthInfo, (one, two): (&Invoker<'_>, &Invoker<'_>)) -> Found {
    let policies = info.auth_policies.as_deref().unwrap_or_default();
    let reader = PolicySubject::ApiInvokerId(two.id.clone());
    all(&[
        ("owner by the token that created it", info.owner == ResourceOwner::ApiInvokerId(one.id.clone())),
        ("visibility", info.visibility == Some(ResourceVisibility::Listed)),
        (
            "one policy, about the one that the rules name",
            policies.len() == 1 && policies[0].subjects == [reader],
        ),
    ])
}

fn shown(seen: &SpatialAnchorsList) -> Found {
    let anchor = seen.anchors.get("anchor_123");
    let holds = |of: fn(&api_types::san::SpatialAnchor) -> bool| anchor.is_some_and(of);
    all(&[
        ("the anchor", anchor.is_some()),
        ("its product", holds(|anchor| anchor.serv_infos.is_some())),
        ("no rules", holds(|anchor| anchor.rules.is_none())),
        ("no premises", holds(|anchor| anchor.premises.is_none())),
        ("no syncState", holds(|anchor| anchor.sync_state.is_none())),
    ])
}

async fn other_is_denied(sample: &Sample, score: &Score<'_>, resource: &str) -> Result<Found> {
    let third = Invoker::onboard(sample, score.observer.admin(), &["san"]).await?;
    let refused = third.token("san", APIS, instance(ANCHOR, resource, &["read"])).await.is_err();
    third.ccf.offboard(&third.id).await?;
    Ok(all(&[("refused", refused)]))
}

/// The last record of the core function.
async fn last_of_ccf(score: &Score<'_>) -> Result<u64> {
    Ok(batches(score, 0).await?.last().map_or(0, |(seq, _)| *seq))
}

/// The steps that the core function reported of what the SAn server told it since.
async fn adopt_publication(score: &mut Score<'_>, sample: &Sample, after: u64) -> Result<()> {
    let san = format!("resources/{}", aef(sample, "san")?);
    let told = batches(score, after).await?;
    let (_, trace) = told
        .iter()
        .rev()
        .find(|(_, item)| item["object"].as_str().is_some_and(|object| object.starts_with(&san)))
        .context("nobody told the core function")?;
    let trace = trace["trace"].as_str().context("a trace")?.to_owned();
    score.adopt(&trace).await
}

/// Audit records of resources that were told, after one.
async fn batches(score: &Score<'_>, after: u64) -> Result<Vec<(u64, Value)>> {
    let mut filter =
        RecordFilter { function: Some("ccf".into()), after: Some(after), ..RecordFilter::default() };
    let mut found = Vec::new();
    loop {
        let page = score.observer.admin().audit(&filter).await?;
        for item in page.items {
            if item.action.starts_with("ccf.resource_auth.batch")
                || item.action.starts_with("ccf.resource_auth.put")
            {
                found.push((item.seq, serde_json::to_value(&item)?));
            }
        }
        match page.next {
            Some(next) => filter.cursor = Some(next),
            None => return Ok(found),
        }
    }
}
