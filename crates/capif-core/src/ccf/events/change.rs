//! `PUT` and `PATCH /{subscriberId}/subscriptions/{subscriptionId}` (TS 29.222 8.3.2.3).

use api_types::capif::events::EventSubscription;
use api_types::problem::Cause;
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;
use service_http::call::Ctx;
use service_http::json_body::{JsonBody, MergePatchBody};
use service_http::refusal::Refusal;
use store::Sql;
use store::subscriptions;

use super::state::{opened, written};
use super::{subscription, websocket};
use crate::ccf::CcfServer;

/// `PUT /capif-events/v1/{subscriberId}/subscriptions/{subscriptionId}`
pub(crate) async fn replace(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path((subscriber, sub_id)): Path<(String, String)>,
    JsonBody(body): JsonBody<EventSubscription>,
) -> Result<Json<EventSubscription>, Refusal> {
    change(ccf, ctx, subscriber, sub_id, Change::Replace(Box::new(body))).await
}

/// `PATCH /capif-events/v1/{subscriberId}/subscriptions/{subscriptionId}`
pub(crate) async fn modify(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path((subscriber, sub_id)): Path<(String, String)>,
    MergePatchBody(patch): MergePatchBody<Value>,
) -> Result<Json<EventSubscription>, Refusal> {
    change(ccf, ctx, subscriber, sub_id, Change::Modify(patch)).await
}

enum Change {
    Replace(Box<EventSubscription>),
    Modify(Value),
}

async fn change(
    ccf: CcfServer,
    ctx: Ctx,
    subscriber: String,
    sub_id: String,
    change: Change,
) -> Result<Json<EventSubscription>, Refusal> {
    let server = ccf.clone();
    let body: EventSubscription = ccf
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move { apply(tx, &server, &ctx, (&subscriber, &sub_id), change).await })
        })
        .await?;
    ccf.events().wake();
    Ok(Json(body))
}

async fn apply(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    ctx: &Ctx,
    (subscriber, sub_id): (&str, &str),
    change: Change,
) -> Result<EventSubscription, Refusal> {
    let party = subscription::subscriber(tx, ctx, subscriber).await?;
    let mut row = subscription::held(tx, ccf, ctx, &party, sub_id).await?;
    let (before, _) = opened(&row)?;
    let action = match change {
        Change::Replace(_) => "ccf.events.replace",
        Change::Modify(_) => "ccf.events.modify",
    };
    let mut body = match change {
        Change::Replace(mut body) => {
            body.supported_features = subscription::agreed(&body);
            *body
        }
        // Features were agreed on at the beginning, and a patch cannot hold them.
        Change::Modify(patch) => {
            before.patched(&patch).map_err(|faults| Refusal::input(Cause::MandatoryIeIncorrect, faults))?
        }
    };
    let now_s = ccf.now_s();
    let reporting = subscription::check(ctx, &mut body, now_s)?;
    websocket::address(ccf, &mut body, &party.id, &row.sub_id);
    row.body = written(&body)?;
    row.reports_max = reporting.max.map(i64::from);
    row.ends_s = reporting.ends_s;
    row.next_s = subscription::first_period(&reporting, now_s);
    let same = before.events == body.events && before.event_filters == body.event_filters;
    if !same {
        // What is remembered belongs to the places of other events.
        row.state = "{}".to_owned();
    }
    // Whoever says anew how often counts anew.
    row.reports = 0;
    if !subscriptions::update(tx, &row).await? {
        return Err(Refusal::open(Reason::StaleVersion));
    }
    row.version += 1;
    if !same {
        subscription::begin(tx, ccf, &mut row, &body, &reporting).await?;
    }
    subscription::record(tx, ctx, &row, action, 200).await?;
    Ok(body)
}
