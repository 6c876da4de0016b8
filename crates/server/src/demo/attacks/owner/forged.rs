//! Who speaks for an API exposing function or an owner that it is not.

use anyhow::Result;
use api_types::capif::{AefId, ResourceId};
use authorization::Reason;
use sdk::Request;
use serde_json::json;

use super::super::Arena;
use super::super::holder::at;
use super::{Stage, case};
use crate::demo::invoker::aef;
use crate::demo::owner;

const ROWS: &[&str] = &["S3-4a", "S3-4b", "S3-5", "IMP-15"];
const API: &str = "capif-resource-auth";

pub(super) async fn play(arena: &mut Arena<'_>, stage: &Stage<'_>) -> Result<()> {
    use Reason::{NotOwner, PeerRefused};
    let Stage { one, two, resource, .. } = stage;
    let sample = arena.sample;
    let san = aef(sample, "san")?;
    let segment = resource.replace('/', ":");
    let info = owner::known(one, resource).await?;
    // The publication of the SAn server, word for word and newer, by an API invoker that makes itself the owner.
    let mut forged = serde_json::to_value(&info)?;
    forged["owner"] = json!({ "apiInvokerId": two.id });
    forged["policyVersion"] = json!(info.policy_version + 1_000);
    let told = format!("/capif-resource-auth/v1/{san}/resources/{segment}");
    let batch = format!("/capif-resource-auth/v1/{san}/resources/batch");
    let policies =
        |of: &str| format!("/capif-resource-auth/v1/owners/{of}/resources/{san}/{segment}/policies");
    let profile = format!("/capif-resource-auth/v1/owners/{}/resources", one.id);
    let permit = json!({ "authPolicies": [owner::policy("PERMIT", two, &["read", "update"], &[])] });
    let url = |path: &str| at(sample, "ccf", path);
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("publication-by-an-invoker", Request::put(url(&told)?).json(&forged), PeerRefused),
        ("publications-by-an-invoker", Request::post(url(&batch)?).json(&json!({ "resources": [forged] })), PeerRefused),
        ("withdrawal-by-an-invoker", Request::delete(url(&told)?), PeerRefused),
        ("profile-of-another", Request::get(url(&profile)?), NotOwner),
        ("policies-in-the-name-of-the-owner", Request::put(url(&policies(one.id.as_str()))?).json(&permit), NotOwner),
        ("policies-for-what-is-another's", Request::put(url(&policies(two.id.as_str()))?).json(&permit), NotOwner),
        ("policies-of-another-read", Request::get(url(&policies(one.id.as_str()))?), NotOwner),
    ];
    for (member, request, reason) in rows {
        let outcome = two.https.send(request).await;
        let fault = (owner::known(one, resource).await? != info).then_some("CHANGED");
        arena.judge_with(case(member, API, ROWS, reason), outcome, fault).await?;
    }
    // An owner whose policies are of a version that has passed.
    let (aef, id): (AefId, ResourceId) = (san.try_into()?, resource.as_str().try_into()?);
    let there = one.ccf.owner_policies(&one.id, (&aef, &id)).await?;
    let stale = json!({ "authPolicies": [], "policyVersion": there.policy_version.unwrap_or_default() + 1 });
    let outcome = one.https.send(Request::put(url(&policies(one.id.as_str()))?).json(&stale)).await;
    arena.judge(case("policies-of-another-version", API, ROWS, Reason::StalePolicy), outcome).await
}
