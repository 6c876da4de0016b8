//! Tokens that live while their owner takes back what they rest on, and what is not known to the core function any more.

use anyhow::{Context, Result, ensure};
use api_types::oauth::TokenResponse;
use authorization::Reason;
use sdk::{Answer, Request, SdkError};
use serde_json::{Value, json};

use super::super::Arena;
use super::super::holder::at;
use super::{APIS, Stage, TOKEN, anchor, ask, case, lease, rule};
use crate::demo::invoker::{ANCHOR, Invoker, instance};
use crate::demo::{owner, p4};

const ROWS: &[&str] = &["S3-10", "S3-4b", "IMP-14", "IMP-15"];
const LISTS: &str = "ssan-sanm";

pub(super) async fn play(arena: &mut Arena<'_>, stage: &Stage<'_>) -> Result<()> {
    use Reason::{NotAllowedEntity, NotFound, RevokedToken};
    let Stage { one, two, three, san, resource, .. } = stage;
    let reading = async || two.token("san", APIS, instance(ANCHOR, resource, &["read"])).await;

    // By a policy at the core function.
    let token = reading().await.context("token")?;
    ensure!(
        read(arena, stage, two, &token).await?.is_ok_and(|answer| answer.status == 200),
        "the token opens nothing"
    );
    owner::keep(one, ("san", resource), json!([owner::policy("DENY", two, &["read"], &[])])).await?;
    let outcome = read(arena, stage, two, &token).await?;
    arena
        .judge(case("live-token-after-a-denial-at-the-core-function", LISTS, ROWS, RevokedToken), outcome)
        .await?;
    owner::keep(one, ("san", resource), json!([])).await?;
    echoed(arena, stage).await.context("echo")?;

    // By the rules of the anchor, at its server.
    let token = reading().await.context("token")?;
    rule(stage, &[three]).await?;
    let outcome = read(arena, stage, two, &token).await?;
    arena.judge(case("live-token-after-narrower-rules", LISTS, ROWS, RevokedToken), outcome).await?;
    let outcome = ask(arena, two, resource, &["read"]).await?;
    arena.judge(case("new-token-after-narrower-rules", TOKEN, ROWS, NotAllowedEntity), outcome).await?;
    rule(stage, &[two]).await?;

    // By deletion, and the number comes never again.
    let (gone, of_gone) = anchor(san, one, p4::an_anchor(&two.id)?).await?;
    let token = two.token("san", APIS, instance(ANCHOR, &of_gone, &["read"])).await.context("token")?;
    san.delete_list(&gone, None).await?;
    for _ in 0..400 {
        if owner::in_profile(one, &of_gone).await?.is_none() {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    lease().await;
    let path = format!("/ssan-sanm/v1/anchors-lists/{gone}");
    let outcome = shown(arena, two, &token, &path).await?;
    arena.judge(case("live-token-after-deletion", LISTS, ROWS, RevokedToken), outcome).await?;
    let outcome = ask(arena, two, &of_gone, &["read"]).await?;
    arena.judge(case("new-token-after-deletion", TOKEN, ROWS, NotFound), outcome).await?;
    Ok(())
}

/// A token that names no anchor is not revoked: the server has heard what the owner keeps, and denies by itself.
async fn echoed(arena: &mut Arena<'_>, stage: &Stage<'_>) -> Result<()> {
    let Stage { one, two, resource, .. } = stage;
    let token = two.token("san", APIS, Value::Null).await.context("token of the service")?;
    let opens = async |arena: &Arena<'_>, wanted: bool| -> Result<()> {
        for _ in 0..400 {
            if read(arena, stage, two, &token).await?.is_ok_and(|answer| answer.status == 200) == wanted {
                return Ok(());
            }
            tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        }
        anyhow::bail!("the server does not hear of the owner's policies")
    };
    owner::keep(one, ("san", resource), json!([owner::policy("DENY", two, &["discover"], &[])])).await?;
    opens(arena, false).await?;
    let outcome = read(arena, stage, two, &token).await?;
    arena
        .judge(
            case("service-token-after-a-denial-at-the-core-function", LISTS, ROWS, Reason::OwnerDenied),
            outcome,
        )
        .await?;
    owner::keep(one, ("san", resource), json!([])).await?;
    opens(arena, true).await
}

async fn read(
    arena: &Arena<'_>,
    stage: &Stage<'_>,
    who: &Invoker<'_>,
    token: &TokenResponse,
) -> Result<Result<Answer, SdkError>> {
    shown(arena, who, token, &format!("/ssan-sanm/v1/anchors-lists/{}", stage.list)).await
}

async fn shown(
    arena: &Arena<'_>,
    who: &Invoker<'_>,
    token: &TokenResponse,
    path: &str,
) -> Result<Result<Answer, SdkError>> {
    let bearer = format!("Bearer {}", token.access_token.expose());
    Ok(who.https.send(Request::get(at(arena.sample, "san", path)?).header("authorization", &bearer)).await)
}
