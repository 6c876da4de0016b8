//! Who asks for a token that the owner, or the operator, does not leave to it. What is not there, not visible and not allowed
//! are one and the same answer.

use anyhow::{Result, ensure};
use api_types::admin::Policy;
use authorization::Reason;
use serde_json::json;

use super::super::Arena;
use super::{Stage, TOKEN, ask, case};
use crate::demo::owner;

const ROWS: &[&str] = &["S3-6", "S3-7a", "S3-7b", "S3-7c", "S3-I2", "CON-22"];

pub(super) async fn play(arena: &mut Arena<'_>, stage: &Stage<'_>) -> Result<()> {
    use Reason::{NotAllowedEntity, NotEntitled, NotFound, OwnerDenied};
    let Stage { one, two, three, resource, .. } = stage;
    let absent = resource.replace(|c: char| c.is_ascii_digit(), "1");
    let outcome = ask(arena, two, resource, &["update"]).await?;
    let hidden = outcome.as_ref().ok().map(|answer| (answer.status, answer.body.clone()));
    arena.judge(case("reader-asks-for-update", TOKEN, ROWS, NotAllowedEntity), outcome).await?;
    let outcome = ask(arena, two, resource, &["delete"]).await?;
    arena.judge(case("reader-asks-for-delete", TOKEN, ROWS, NotAllowedEntity), outcome).await?;
    let outcome = ask(arena, three, resource, &["read"]).await?;
    arena.judge(case("stranger-asks", TOKEN, ROWS, NotAllowedEntity), outcome).await?;
    let outcome = ask(arena, three, &absent, &["read"]).await?;
    let told = outcome.as_ref().ok().map(|answer| (answer.status, answer.body.clone()));
    let fault = (told != hidden).then_some("TOLD_APART");
    arena.judge_with(case("anchor-that-is-not-there", TOKEN, ROWS, NotFound), outcome, fault).await?;

    // The operator against the owner who allows, and the owner against the operator who allows.
    const RULE: &str = "owner-attacked";
    let admin = arena.observer.admin();
    let rule = |effect: &str| {
        serde_json::from_value::<Policy>(json!({
            "class": "local", "effect": effect, "subjects": [two.id], "services": ["spatial-anchor-mgmt"],
        }))
    };
    admin.put_policy(RULE, &rule("DENY")?).await?;
    let by_operator = ask(arena, two, resource, &["read"]).await;
    admin.put_policy(RULE, &rule("PERMIT")?).await?;
    let at = ("san", resource.as_str());
    owner::keep(one, at, json!([owner::policy("DENY", two, &["read"], &[])])).await?;
    let by_owner = ask(arena, two, resource, &["read"]).await;
    let permitted = admin.delete_policy(RULE).await;
    // A permit beside a denial permits nothing.
    let mut permit = owner::policy("PERMIT", two, &["read"], &[]);
    permit["policyId"] = json!("again");
    owner::keep(one, at, json!([owner::policy("DENY", two, &["read"], &[]), permit])).await?;
    let by_both = ask(arena, two, resource, &["read"]).await;
    owner::keep(one, at, json!([])).await?;
    permitted?;
    arena.judge(case("operator-denies-owner-allows", TOKEN, ROWS, NotEntitled), by_operator?).await?;
    arena.judge(case("owner-denies-operator-allows", TOKEN, ROWS, OwnerDenied), by_owner?).await?;
    arena.judge(case("owner-denies-and-allows", TOKEN, ROWS, OwnerDenied), by_both?).await?;
    ensure!(
        ask(arena, two, resource, &["read"]).await?.is_ok_and(|answer| answer.status == 200),
        "the reader gets no token"
    );
    Ok(())
}
