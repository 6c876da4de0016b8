//! What an owner sees and says at the core function of its anchors and maps (TR 33.721 6.3.2.1, steps 4 and 5).

use std::time::Duration;

use anyhow::{Context, Result, bail};
use api_types::capif::resource_auth::{OwnerPolicies, ResourceAuthInfo};
use api_types::capif::{AefId, ResourceId};
use serde_json::{Value, json};

use super::invoker::{Invoker, aef};

/// Looks at the profile of an owner before something is taken for lost, and the time between two.
const LOOKS: u32 = 400;
const BETWEEN: Duration = Duration::from_millis(25);

/// The resource as it stands in the profile of its owner, once it does.
pub(super) async fn known(owner: &Invoker<'_>, resource: &str) -> Result<ResourceAuthInfo> {
    told(owner, resource, |_| true).await
}

/// The same, once it is as it is wanted.
pub(super) async fn told(
    owner: &Invoker<'_>,
    resource: &str,
    wanted: impl Fn(&ResourceAuthInfo) -> bool,
) -> Result<ResourceAuthInfo> {
    for _ in 0..LOOKS {
        if let Some(info) = in_profile(owner, resource).await?.filter(&wanted) {
            return Ok(info);
        }
        tokio::time::sleep(BETWEEN).await;
    }
    bail!("the core function does not know {resource} as it is")
}

/// The resource as it stands in the profile of its owner now.
pub(super) async fn in_profile(owner: &Invoker<'_>, resource: &str) -> Result<Option<ResourceAuthInfo>> {
    let mut cursor = None;
    loop {
        let page = owner.ccf.owned_resources(&owner.id, cursor.as_deref()).await.context("profile")?;
        let found = page.items.into_iter().find(|info| info.resource_id.as_str() == resource);
        cursor = page.next;
        if found.is_some() || cursor.is_none() {
            return Ok(found);
        }
    }
}

/// Keeps policies at the core function for a resource, instead of those that the owner kept before.
pub(super) async fn keep(
    owner: &Invoker<'_>,
    (role, resource): (&str, &str),
    policies: Value,
) -> Result<OwnerPolicies> {
    let (aef, resource): (AefId, ResourceId) = (aef(owner.sample, role)?.try_into()?, resource.try_into()?);
    let policies = serde_json::from_value(json!({ "authPolicies": policies }))?;
    owner.ccf.put_owner_policies(&owner.id, (&aef, &resource), &policies).await.context("owner's policies")
}

/// Allows another what it may ask the core function for: the whole, or these entries of service information.
pub(super) async fn allow(
    owner: &Invoker<'_>,
    at: (&str, &str),
    other: &Invoker<'_>,
    actions: &[&str],
    parts: &[&str],
) -> Result<()> {
    keep(owner, at, json!([policy("PERMIT", other, actions, parts)])).await.map(drop)
}

/// A policy about one other.
pub(super) fn policy(effect: &str, other: &Invoker<'_>, actions: &[&str], parts: &[&str]) -> Value {
    let mut policy = json!({
        "policyId": "of-the-owner", "subjects": [{ "apiInvokerId": other.id }], "actions": actions, "effect": effect,
    });
    if !parts.is_empty() {
        policy["servInfoIds"] = json!(parts);
    }
    policy
}
