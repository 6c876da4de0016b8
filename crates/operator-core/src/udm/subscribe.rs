//! `POST /{ueId}/sdm-subscriptions`: a function wants to be told when a subscriber's consent changes (TS 29.503 5.2.2.3).

use api_types::nudm_sdm::{ImmediateReport, SdmSubscription};
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use service_http::call::{Actor, Ctx};
use service_http::json_body::JsonBody;
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::Sql;
use store::udm::sdm_subscriptions::{self, SdmSubscriptionRow};

use super::server::{absent, caller, subscriber};
use super::subscription::{PER_FUNCTION, check, written};
use super::{UdmServer, uc_data};

/// `POST /nudm-sdm/v2/{ueId}/sdm-subscriptions`
pub(super) async fn subscribe(
    State(udm): State<UdmServer>,
    ctx: Ctx,
    Path(ue_id): Path<String>,
    JsonBody(body): JsonBody<SdmSubscription>,
) -> Result<Response, Refusal> {
    let (server, at) = (udm.clone(), ue_id.clone());
    let body: SdmSubscription = udm
        .kit()
        .store
        .write(move |tx| Box::pin(async move { make(tx, &server, &ctx, &ue_id, body).await }))
        .await?;
    let sub_id = body.subscription_id.as_deref().unwrap_or_default();
    let location = format!("{}/nudm-sdm/v2/{at}/sdm-subscriptions/{sub_id}", udm.kit().origin);
    let location = HeaderValue::try_from(location).map_err(|_| Refusal::open(Reason::StoreFailed))?;
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(body)).into_response())
}

async fn make(
    tx: &mut dyn Sql,
    udm: &UdmServer,
    ctx: &Ctx,
    ue_id: &str,
    mut body: SdmSubscription,
) -> Result<SdmSubscription, Refusal> {
    let peer = caller(ctx)?;
    let of = subscriber(tx, ue_id).await?.ok_or_else(|| absent(ctx))?;
    let expires_s = check(udm, ctx, &of, &mut body)?;
    if sdm_subscriptions::count(tx, &peer).await? >= PER_FUNCTION {
        ctx.fail("admission", "at most 100,000 subscriptions of one function", "more");
        return Err(Refusal::open(Reason::RateLimited));
    }
    let sub_id = format!("SDM{}", udm.kit().ambient.random_id());
    body.subscription_id = Some(sub_id.clone());
    (body.report, body.supported_features) = (None, None);
    let row = SdmSubscriptionRow {
        sub_id,
        supi: of.supi.clone(),
        peer,
        body: written(&body)?,
        expires_s,
        created_s: udm.now_s(),
    };
    sdm_subscriptions::insert(tx, &row).await?;
    if body.immediate_report {
        let data = uc_data::of(tx, &of, None).await?;
        body.report = Some(ImmediateReport { uc_data: Some(data.unwrap_or_default()) });
    }
    let permit = Permit::new("udm.sdm.subscribe").object(udm.object(&of, "sdm-subscriptions"));
    let permit = permit.consent_version(of.version).status(201).units(0);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await?;
    Ok(body)
}
