//! What PUT and PATCH share: the description after them, and what ends with it.

use api_types::capif::publish::ServiceAPIDescription;
use api_types::validate::cause_of;
use authorization::Reason;
use axum::Json;
use serde_json::Value;
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::Sql;
use store::capif::Write;
use store::capif::service_apis::{self, ServiceApiRow};

use super::rules;
use super::{aefs, consequences, own_api, publisher, text};
use crate::ccf::{CcfServer, published};

/// What becomes of a description.
pub(super) enum Change {
    /// PUT.
    Replace(Box<ServiceAPIDescription>),
    /// PATCH.
    Modify(Value),
}

/// Changes a service API; what ended with the change is accepted nowhere when this answers.
///
/// # Errors
/// As of the single steps.
pub(super) async fn change(
    ccf: CcfServer,
    ctx: Ctx,
    (apf, api): (String, String),
    change: Change,
) -> Result<Json<ServiceAPIDescription>, Refusal> {
    let server = ccf.clone();
    let changed: Result<_, Refusal> = ccf
        .kit()
        .store
        .write(move |tx| Box::pin(async move { apply(&server, tx, &ctx, (&apf, &api), change).await }))
        .await;
    let (description, epoch) = changed?;
    ccf.acknowledge(epoch).await?;
    Ok(Json(description))
}

async fn apply(
    ccf: &CcfServer,
    tx: &mut dyn Sql,
    ctx: &Ctx,
    (apf, api): (&str, &str),
    change: Change,
) -> Result<(ServiceAPIDescription, Option<u64>), Refusal> {
    let by = publisher(ccf, tx, ctx, apf).await?;
    let row = own_api(tx, ctx, &by, api).await?;
    let before = published::read(&row)?;
    let next = match change {
        Change::Replace(body) => *body,
        Change::Modify(patch) => {
            before.patched(&patch).map_err(|faults| Refusal::input(cause_of(&faults), faults))?
        }
    };
    let mut next = rules::negotiated(next, before.supported_features.as_ref());
    // Assigned here: not changed by whoever sends it.
    next.api_id.clone_from(&before.api_id);
    by.admit(tx, ctx, &mut next).await?;
    let changed = ServiceApiRow { api_name: next.api_name.as_str().to_owned(), body: text(&next)?, ..row };
    match service_apis::update(tx, &changed, &aefs(&next)).await? {
        Write::Done => {}
        Write::Stale => return Err(Refusal::open(Reason::StaleVersion)),
        Write::Taken => {
            ctx.fail("apiName", "one that no other service API has at these functions", "taken");
            return Err(Refusal::open(Reason::IdTaken));
        }
    }
    let entries = consequences::draw(ccf, tx, &before, &next).await?;
    let object = format!("service-apis/{}", changed.api_id);
    let permit = Permit::new("ccf.publish.change").object(object).units(0);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await?;
    Ok((next, ccf.note(tx, entries).await?))
}
