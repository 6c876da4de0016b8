//! `POST /{subscriberId}/subscriptions`: a party that was onboarded or registered subscribes to events (TS 29.222 8.3.2.2).

use api_types::capif::events::EventSubscription;
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::refusal::Refusal;
use store::Sql;
use store::subscriptions::{self, SubscriptionRow};

use super::FAMILY;
use super::hearing::Standing;
use super::state::written;
use super::subscription::{self, uri};
use super::websocket;
use crate::ccf::CcfServer;
use crate::ccf::identifier::fresh;

/// `POST /capif-events/v1/{subscriberId}/subscriptions`
pub(crate) async fn subscribe(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(subscriber): Path<String>,
    JsonBody(body): JsonBody<EventSubscription>,
) -> Result<Response, Refusal> {
    let server = ccf.clone();
    let (location, body): (String, EventSubscription) = ccf
        .kit()
        .store
        .write(move |tx| Box::pin(async move { make(tx, &server, &ctx, &subscriber, body).await }))
        .await?;
    ccf.events().wake();
    let location = HeaderValue::try_from(location).map_err(|_| Refusal::open(Reason::StoreFailed))?;
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(body)).into_response())
}

async fn make(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    ctx: &Ctx,
    subscriber: &str,
    mut body: EventSubscription,
) -> Result<(String, EventSubscription), Refusal> {
    let party = subscription::subscriber(tx, ctx, subscriber).await?;
    let now_s = ccf.now_s();
    body.supported_features = subscription::agreed(&body);
    let reporting = subscription::check(ctx, &mut body, now_s)?;
    subscription::room(tx, ccf, ctx, &party).await?;
    let sub_id = fresh("SUB", &ccf.kit().ambient);
    websocket::address(ccf, &mut body, &party.id, &sub_id);
    let mut row = SubscriptionRow {
        sub_id,
        family: FAMILY.to_owned(),
        owner_issuer: ccf.config().issuer.clone(),
        owner_subject: party.id.clone(),
        owner_name: party.id.clone(),
        client: party.id.clone(),
        standing: Standing::kept(&party)?,
        body: written(&body)?,
        version: 1,
        state: "{}".to_owned(),
        reports: 0,
        reports_max: reporting.max.map(i64::from),
        ends_s: reporting.ends_s,
        next_s: subscription::first_period(&reporting, now_s),
        ended_s: None,
        trace: Some(ctx.trace().trace.to_string()),
        created_s: now_s,
    };
    subscriptions::insert(tx, &row).await?;
    subscription::begin(tx, ccf, &mut row, &body, &reporting).await?;
    subscription::record(tx, ctx, &row, "ccf.events.subscribe", 201).await?;
    Ok((uri(ccf, &row), body))
}
