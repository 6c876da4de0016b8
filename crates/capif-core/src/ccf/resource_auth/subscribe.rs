//! `POST /subscriptions`: an API exposing function hears of what owners keep at the core function, an owner of what is told
//! of its resources and of questions to it.

use api_types::capif::resource_auth::ResourceAuthSubscription;
use api_types::problem::{Cause, InvalidParam};
use authorization::Reason;
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use service_http::call::{Actor, Ctx};
use service_http::json_body::JsonBody;
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::Sql;
use store::subscriptions::{self, SubscriptionRow};

use super::record::written;
use super::{FAMILY, PATH, SUBSCRIBERS};
use crate::ccf::CcfServer;
use crate::ccf::events::{self, Standing, destination};
use crate::ccf::identifier::fresh;
use crate::ccf::party::party;

/// `POST /capif-resource-auth/v1/subscriptions`
pub(crate) async fn subscribe(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    JsonBody(body): JsonBody<ResourceAuthSubscription>,
) -> Result<Response, Refusal> {
    if body.subscription_id.is_some() {
        let fault = InvalidParam::new("/subscriptionId", "is the server's to say");
        return Err(Refusal::input(Cause::OptionalIeIncorrect, vec![fault]));
    }
    let server = ccf.clone();
    let body: ResourceAuthSubscription =
        ccf.kit().store.write(move |tx| Box::pin(async move { make(tx, &server, &ctx, body).await })).await?;
    let id = body.subscription_id.as_deref().unwrap_or_default();
    let location = HeaderValue::try_from(ccf.at(&format!("{PATH}/subscriptions/{id}")));
    let location = location.map_err(|_| Refusal::open(Reason::StoreFailed))?;
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(body)).into_response())
}

async fn make(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    ctx: &Ctx,
    mut body: ResourceAuthSubscription,
) -> Result<ResourceAuthSubscription, Refusal> {
    let party = party(tx, ctx, SUBSCRIBERS).await?;
    destination::check(ctx, &body.notification_destination, "/notificationDestination")?;
    events::room(tx, ccf, ctx, &party).await?;
    let sub_id = fresh("SUB", &ccf.kit().ambient);
    body.subscription_id = Some(sub_id.clone());
    let row = SubscriptionRow {
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
        reports_max: None,
        ends_s: None,
        next_s: None,
        ended_s: None,
        trace: Some(ctx.trace().trace.to_string()),
        created_s: ccf.now_s(),
    };
    subscriptions::insert(tx, &row).await?;
    let permit = Permit::new("ccf.resource_auth.subscribe").object(format!("subscriptions/{}", row.sub_id));
    let permit = permit.owner(party.id.as_str()).status(201).units(0);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await?;
    Ok(body)
}
