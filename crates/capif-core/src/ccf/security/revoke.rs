//! `DELETE /trustedInvokers/{apiInvokerId}` and `POST …/delete`: an API exposing function withdraws what it exposes, all of
//! it or some APIs, and nothing of another function (TS 29.222 8.5.2.5 and 8.5.2.6). The answer comes when no verifier of
//! ours accepts the tokens any more.

use api_types::capif::security::{RevocationCause, SecurityNotification};
use api_types::problem::{Cause, InvalidParam};
use authorization::Reason;
use axum::extract::{Path, State};
use http::StatusCode;
use service_http::call::{Actor, Ctx};
use service_http::json_body::JsonBody;
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::Sql;
use store::capif::{contexts, tokens};

use super::notice::{self, By};
use crate::ccf::CcfServer;
use crate::ccf::events::{self, Happening};
use crate::ccf::party::party;

/// `DELETE /capif-security/v1/trustedInvokers/{apiInvokerId}`
pub(crate) async fn remove(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(invoker): Path<String>,
) -> Result<StatusCode, Refusal> {
    withdraw(&ccf, ctx, invoker, None).await
}

/// `POST /capif-security/v1/trustedInvokers/{apiInvokerId}/delete`
pub(crate) async fn revoke(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(invoker): Path<String>,
    JsonBody(body): JsonBody<SecurityNotification>,
) -> Result<StatusCode, Refusal> {
    if body.api_invoker_id.as_str() != invoker {
        let fault = InvalidParam::new("/apiInvokerId", "is not the one of the path");
        return Err(Refusal::input(Cause::MandatoryIeIncorrect, vec![fault]));
    }
    withdraw(&ccf, ctx, invoker, Some(body)).await
}

async fn withdraw(
    ccf: &CcfServer,
    ctx: Ctx,
    invoker: String,
    some: Option<SecurityNotification>,
) -> Result<StatusCode, Refusal> {
    let server = ccf.clone();
    let epoch: Option<u64> = ccf
        .kit()
        .store
        .write(move |tx| Box::pin(async move { apply(&server, tx, &ctx, &invoker, some.as_ref()).await }))
        .await?;
    ccf.acknowledge(epoch).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn apply(
    ccf: &CcfServer,
    tx: &mut dyn Sql,
    ctx: &Ctx,
    invoker: &str,
    some: Option<&SecurityNotification>,
) -> Result<Option<u64>, Refusal> {
    let aef = party(tx, ctx, &[CertRole::Aef]).await?.id;
    if some.and_then(|some| some.aef_id.as_ref()).is_some_and(|named| named.as_str() != aef) {
        ctx.fail("aefId", "the caller's own", "another one");
        return Err(Refusal::open(Reason::NotOwner));
    }
    const EXPECTED: &str = "entries of this function and these APIs";
    let gone = match some {
        Some(some) => {
            let apis: Vec<String> = some.api_ids.iter().map(|api| api.as_str().to_owned()).collect();
            contexts::remove_entries(tx, invoker, &aef, &apis).await?
        }
        None => contexts::remove_at(tx, invoker, &aef).await?,
    };
    if gone.is_empty() {
        ctx.fail("security context", EXPECTED, "none");
        return Err(Refusal::hidden(Reason::NotFound));
    }
    ctx.pass("security context", EXPECTED, "held");
    let mut lost = Vec::new();
    for entry in &gone {
        lost.extend(tokens::of_api(tx, invoker, &aef, &entry.api_name, ccf.now_s()).await?);
    }
    let damaged = |_| Refusal::open(Reason::StoreFailed);
    let apis = gone.iter().map(|entry| entry.api_id.as_str().try_into());
    let happening = Happening::AuthorizationRevoked {
        invoker: invoker.try_into().map_err(damaged)?,
        aef: Some(aef.as_str().try_into().map_err(damaged)?),
        apis: apis.collect::<Result<_, _>>().map_err(damaged)?,
    };
    events::note(tx, ccf, happening).await?;
    let cause = some.map_or(RevocationCause::AuthorizationIssue, |some| some.cause.clone());
    notice::queue_of(tx, ccf, invoker, gone, &cause, By::Aef).await?;
    let object = format!("contexts/{invoker}");
    let permit = Permit::new("ccf.security.revoke").object(object).status(204).units(0);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await?;
    Ok(ccf.note(tx, ccf.end_tokens(lost)).await?)
}
