//! What becomes of a notification at the moment when it could go: it is decided again whether its recipient may hear of it.

use api_types::capif::resource_auth::{ResourceAuthEvent, ResourceAuthNotification};
use service_http::ledger::PERMIT;
use service_http::outbox_driver::Decision;
use store::audit::AuditRow;
use store::capif::asks::{self, AskState};
use store::capif::invokers::{self, InvokerState};
use store::capif::{certificates, resources};
use store::outbox::Message;
use store::{Sql, StoreError, subscriptions};

use super::record::invoker;
use super::telling::onboarded_at;
use crate::ccf::CcfServer;
use crate::ccf::events::{Standing, destination, leave_once};

/// Decides about a message of this API.
///
/// # Errors
/// The store fails; it is asked again.
pub(crate) async fn deliver(ccf: &CcfServer, message: &Message) -> Result<Decision, StoreError> {
    let Some(hosts) = destination::hosts(&message.target) else { return Ok(Decision::Drop) };
    let (job, waiting) = (ccf.clone(), message.clone());
    let told: Result<bool, StoreError> =
        ccf.kit().store.write(move |tx| Box::pin(async move { told(tx, &job, &waiting).await })).await;
    match told {
        Ok(true) => Ok(Decision::Send { hosts, body: message.body.clone() }),
        Ok(false) => Ok(Decision::Drop),
        // It will not be read better the next time.
        Err(StoreError::Damaged(what)) => {
            tracing::error!(what, "a notification cannot be read and is not sent");
            Ok(Decision::Drop)
        }
        Err(error) => Err(error),
    }
}

/// Whether the recipient may be told now; what goes is recorded before.
async fn told(tx: &mut dyn Sql, ccf: &CcfServer, message: &Message) -> Result<bool, StoreError> {
    let notification: ResourceAuthNotification = serde_json::from_str(&message.body)
        .map_err(|_| StoreError::Damaged("a notification about a resource"))?;
    let stands = match &notification.subscription_id {
        Some(sub_id) => subscriber(tx, ccf, sub_id).await?,
        None => onboarded(tx, ccf, message).await?,
    };
    if !stands || !is_so(tx, ccf, &message.client, &notification).await? {
        return Ok(false);
    }
    let object = format!("resources/{}/{}", notification.aef_id, notification.resource_id);
    let decision = AuditRow {
        at_ms: ccf.kit().ambient.now_ms(),
        function: ccf.kit().function,
        actor: message.client.clone(),
        owner: Some(message.client.clone()),
        action: "ccf.resource_auth.notify".to_owned(),
        object: Some(format!("{object}/{}", notification.event.as_str())),
        verdict: PERMIT.to_owned(),
        reason: None,
        cause: None,
        status: None,
        policy_version: notification.policy_version,
        consent_version: None,
        trace: message.trace.clone(),
    };
    leave_once(tx, ccf, &message.id, decision).await?;
    Ok(true)
}

async fn subscriber(tx: &mut dyn Sql, ccf: &CcfServer, sub_id: &str) -> Result<bool, StoreError> {
    let Some(row) = subscriptions::told(tx, sub_id, ccf.now_s()).await? else { return Ok(false) };
    match Standing::of(tx, ccf, &row).await? {
        Standing::Stands(_) => Ok(true),
        Standing::Silent => Ok(false),
        Standing::Gone => {
            subscriptions::remove(tx, &row.sub_id).await?;
            Ok(false)
        }
    }
}

/// Whether an owner without a subscription is onboarded, with this address and a certificate that counts.
async fn onboarded(tx: &mut dyn Sql, ccf: &CcfServer, message: &Message) -> Result<bool, StoreError> {
    let Some(row) = invokers::find(tx, &message.client).await? else { return Ok(false) };
    let counts = !certificates::live_of(tx, &message.client, ccf.now_s()).await?.is_empty();
    Ok(row.state == InvokerState::Onboarded && counts && onboarded_at(&row)? == message.target)
}

/// Whether it is still so, and still the recipient's to hear of.
async fn is_so(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    party: &str,
    notification: &ResourceAuthNotification,
) -> Result<bool, StoreError> {
    let (aef, resource) = (notification.aef_id.as_str(), notification.resource_id.as_str());
    if notification.event == ResourceAuthEvent::Deleted || party == aef {
        return Ok(true);
    }
    let row = resources::find(tx, aef, resource).await?;
    if !row.is_some_and(|row| row.owner == invoker(party)) {
        return Ok(false);
    }
    let Some(ask) = &notification.ask else { return Ok(true) };
    let row = asks::find(tx, ask.ask_id.as_str()).await?;
    Ok(row.is_some_and(|row| row.state == AskState::Open && row.expires_s > ccf.now_s()))
}
