//! The acts of operators, on record whatever happens.
//!
//! An act may touch several functions, each with records of its own, so no one transaction holds act and audit. It is
//! noted before it begins and audited when it has ended; what a crash leaves in between is found later and audited as an
//! act whose end is not known. The act runs in a task of its own: who closes the connection does not cut it in two.

use std::future::Future;

use api_types::function::Function;
use authorization::Reason;
use service_http::call::Ctx;
use service_http::kit::FunctionKit;
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::acts::{self, Act};
use store::audit::{self, AuditRow};
use store::{Sql, StoreError};

use super::Admin;

/// `verdict` of an act of which nobody knows whether it was done.
pub(super) const UNKNOWN: &str = "unknown";

/// After this time an act that has not ended was cut off. Own value: longer than any act takes.
const CUT_OFF_MS: i64 = 60_000;

/// Acts that are seen to at once. Own value.
const AT_ONCE: u32 = 100;

/// Does `work` for the operator of this request, as `action` on `object`, answered with a status of its own.
pub(super) async fn act<T: Send + 'static>(
    admin: &Admin,
    ctx: &Ctx,
    (action, object): (&'static str, impl Into<String>),
    status: fn(&T) -> u16,
    work: impl Future<Output = Result<T, Refusal>> + Send + 'static,
) -> Result<T, Refusal> {
    let (kit, ctx, object) = (admin.kit.clone(), ctx.clone(), object.into());
    let whole = async move {
        let id = begin(&kit, &ctx, action, &object).await?;
        let done = work.await;
        let permit =
            done.as_ref().ok().map(|done| Permit::new(action).object(object).status(status(done)).units(0));
        let ended = kit
            .store
            .write(move |tx| Box::pin(async move { end(tx, &ctx, &id, permit.as_ref()).await }))
            .await;
        // A refused act is audited as every refusal is; that its note stays is found later.
        if done.is_ok() { ended.and(done) } else { done }
    };
    tokio::spawn(whole).await.unwrap_or_else(|_| Err(Refusal::open(Reason::StoreFailed)))
}

/// Records that the operator of this request looked at `object`, before it is shown.
pub(super) async fn looked(
    admin: &Admin,
    ctx: &Ctx,
    action: &'static str,
    object: impl Into<String>,
) -> Result<(), Refusal> {
    let (ctx, permit) = (ctx.clone(), Permit::new(action).object(object).units(0));
    let actor = ctx.actor();
    let store = &admin.kit.store;
    store.write(move |tx| Box::pin(async move { ledger::record(tx, &ctx, &actor, &permit).await })).await
}

async fn begin(kit: &FunctionKit, ctx: &Ctx, action: &str, object: &str) -> Result<String, Refusal> {
    let id = kit.ambient.random_id();
    let act = Act {
        id: id.clone(),
        at_ms: kit.ambient.now_ms(),
        actor: ctx.actor().name,
        action: action.to_owned(),
        object: object.to_owned(),
        trace: ctx.trace().trace.to_string(),
    };
    kit.store
        .write(move |tx| Box::pin(async move { acts::begin(tx, &act).await.map_err(Refusal::from) }))
        .await?;
    Ok(id)
}

async fn end(tx: &mut dyn Sql, ctx: &Ctx, id: &str, done: Option<&Permit>) -> Result<(), Refusal> {
    acts::end(tx, id).await?;
    match done {
        Some(permit) => ledger::record(tx, ctx, &ctx.actor(), permit).await,
        None => Ok(()),
    }
}

/// Audits the acts that were cut off; how many there were.
///
/// # Errors
/// The store failed.
pub async fn find_cut_off(kit: &FunctionKit) -> Result<usize, StoreError> {
    let now_ms = kit.ambient.now_ms();
    let mut all = 0;
    loop {
        let found: usize = kit
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let cut_off = acts::begun_before(tx, now_ms.saturating_sub(CUT_OFF_MS), AT_ONCE).await?;
                    let mut seen_to = 0;
                    for act in cut_off {
                        if acts::end(tx, &act.id).await? {
                            audit::append(tx, &row(act)).await?;
                            seen_to += 1;
                        }
                    }
                    Ok::<_, StoreError>(seen_to)
                })
            })
            .await?;
        if found > 0 {
            tracing::warn!(acts = found, "acts of operators were cut off; the audit names them");
        }
        all += found;
        if found < AT_ONCE as usize {
            return Ok(all);
        }
    }
}

/// The time is that of the act, not of the discovery.
fn row(act: Act) -> AuditRow {
    AuditRow {
        at_ms: act.at_ms,
        function: Function::Admin,
        actor: act.actor,
        owner: None,
        action: act.action,
        object: Some(act.object),
        verdict: UNKNOWN.to_owned(),
        reason: None,
        cause: None,
        status: None,
        policy_version: None,
        consent_version: None,
        trace: Some(act.trace),
    }
}
