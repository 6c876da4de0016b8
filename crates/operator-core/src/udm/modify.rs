//! `PATCH /{ueId}/sdm-subscriptions/{subscriptionId}`: a subscription lasts longer, or less long (TS 29.503 5.2.2.5).

use api_types::nudm_sdm::SdmSubscription;
use api_types::validate::cause_of;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;
use service_http::call::{Actor, Ctx};
use service_http::json_body::MergePatchBody;
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::Sql;
use store::udm::sdm_subscriptions;

use super::UdmServer;
use super::subscription::{check, held, opened, written};

/// `PATCH /nudm-sdm/v2/{ueId}/sdm-subscriptions/{subscriptionId}`
pub(super) async fn modify(
    State(udm): State<UdmServer>,
    ctx: Ctx,
    Path((ue_id, sub_id)): Path<(String, String)>,
    MergePatchBody(patch): MergePatchBody<Value>,
) -> Result<Json<SdmSubscription>, Refusal> {
    let server = udm.clone();
    let body: SdmSubscription = udm
        .kit()
        .store
        .write(move |tx| Box::pin(async move { apply(tx, &server, &ctx, (&ue_id, &sub_id), &patch).await }))
        .await?;
    Ok(Json(body))
}

async fn apply(
    tx: &mut dyn Sql,
    udm: &UdmServer,
    ctx: &Ctx,
    at: (&str, &str),
    patch: &Value,
) -> Result<SdmSubscription, Refusal> {
    let (of, row) = held(tx, udm, ctx, at).await?;
    let after = opened(&row)?.patched(patch);
    let mut after = after.map_err(|faults| Refusal::input(cause_of(&faults), faults))?;
    let expires_s = check(udm, ctx, &of, &mut after)?;
    sdm_subscriptions::update(tx, &row.sub_id, &written(&after)?, expires_s).await?;
    let permit = Permit::new("udm.sdm.modify").object(udm.object(&of, "sdm-subscriptions")).units(0);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await?;
    Ok(after)
}
