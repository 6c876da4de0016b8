//! Who is told of what became of a resource: queued in the transaction of the change, delivered by the outbox of the events.
//!
//! Two parties are concerned with a resource: the function that serves it, which hears of what its owner keeps here, and
//! the owner, which hears of what the function told and of questions to it.

use api_types::capif::invoker::APIInvokerEnrolmentDetails;
use api_types::capif::resource_auth::{
    ResourceAuthEvent, ResourceAuthNotification, ResourceAuthSubscription,
};
use api_types::capif::{AefId, ResourceId};
use service_http::call::Ctx;
use service_http::egress::Egress;
use store::capif::invokers::{self, InvokerRow};
use store::capif::resources::ResourceRow;
use store::outbox::{self, Message};
use store::{Sql, StoreError, subscriptions};

use super::FAMILY;
use super::record::written;
use crate::ccf::CcfServer;
use crate::ccf::events::destination;

/// `kind` of the messages in the outbox; their identifiers begin with it.
pub(crate) const KIND: &str = "CAPIF_RESOURCE_AUTH";

/// Tells a party, if it has subscribed to that; whether it has.
pub(super) async fn tell(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    ctx: Option<&Ctx>,
    party: &str,
    notification: &ResourceAuthNotification,
) -> Result<bool, StoreError> {
    let (issuer, now_s) = (ccf.config().issuer.as_str(), ccf.now_s());
    let mut told = false;
    for row in subscriptions::of_owner(tx, FAMILY, (issuer, party), now_s).await? {
        let subscribed: ResourceAuthSubscription = serde_json::from_str(&row.body)
            .map_err(|_| StoreError::Damaged("a subscription to resources"))?;
        if subscribed.events.contains(&notification.event) {
            let of_subscription = ResourceAuthNotification {
                subscription_id: Some(row.sub_id.clone()),
                ..notification.clone()
            };
            queue(tx, ccf, ctx, (party, &subscribed.notification_destination), &of_subscription).await?;
            told = true;
        }
    }
    Ok(told)
}

/// Tells an owner of a question: where it has subscribed to that, or else where it was onboarded to be notified.
pub(super) async fn tell_owner(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    ctx: &Ctx,
    owner: &str,
    notification: &ResourceAuthNotification,
) -> Result<(), StoreError> {
    if tell(tx, ccf, Some(ctx), owner, notification).await? {
        return Ok(());
    }
    let Some(row) = invokers::find(tx, owner).await? else { return Ok(()) };
    let to = onboarded_at(&row)?;
    // An owner that no notification reaches still reads its questions.
    if destination::hosts(&to).is_none() {
        return Ok(());
    }
    queue(tx, ccf, Some(ctx), (owner, &to), notification).await
}

/// Where an API invoker was onboarded to be notified.
pub(super) fn onboarded_at(row: &InvokerRow) -> Result<String, StoreError> {
    let body: APIInvokerEnrolmentDetails =
        serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged("an API invoker"))?;
    Ok(body.notification_destination)
}

/// What is told of a resource that is gone.
pub(super) fn gone(row: &ResourceRow) -> Result<ResourceAuthNotification, StoreError> {
    let damaged = |_| StoreError::Damaged("a resource");
    Ok(ResourceAuthNotification {
        subscription_id: None,
        event: ResourceAuthEvent::Deleted,
        aef_id: AefId::try_from(row.aef_id.as_str()).map_err(damaged)?,
        resource_id: ResourceId::try_from(row.resource_id.as_str()).map_err(damaged)?,
        policy_version: Some(row.policy_version),
        auth_policies: None,
        ask: None,
    })
}

async fn queue(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    ctx: Option<&Ctx>,
    (party, target): (&str, &str),
    notification: &ResourceAuthNotification,
) -> Result<(), StoreError> {
    let ambient = &ccf.kit().ambient;
    let subscription = notification.subscription_id.as_deref().unwrap_or("-");
    let version = notification.policy_version.unwrap_or_default();
    let message = Message {
        // The outbox sends what is due at the same time in this order.
        id: format!("{KIND}:{subscription}:{version:020}:{}", ambient.random_id()),
        kind: KIND.to_owned(),
        client: party.to_owned(),
        target: target.to_owned(),
        body: written(notification)?,
        trace: ctx.map(|ctx| ctx.trace().trace.to_string()),
        queued_ms: ambient.now_ms(),
        due_ms: ambient.now_ms(),
    };
    outbox::queue(tx, &message).await.map(drop)
}

/// Where an API exposing function takes what owners keep here (own; decision 0076).
const AEF_PATH: &str = "/capif-resource-auth/v1/notifications";

/// The way of a notification to the function that serves the resource, at the path where functions take them: with the
/// certificate of the core function. Everybody else is notified as of all events.
pub(crate) fn way(ccf: &CcfServer, message: &Message) -> Option<Egress> {
    if message.kind != KIND || !message.target.ends_with(AEF_PATH) {
        return None;
    }
    let told: ResourceAuthNotification = serde_json::from_str(&message.body).ok()?;
    (told.aef_id.as_str() == message.client).then(|| ccf.config().aef_egress.clone()).flatten()
}
