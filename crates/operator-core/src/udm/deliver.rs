//! What becomes of a notification at the moment when it could go: it tells what is so then.

use api_types::nudm_sdm::{ChangeItem, ChangeType, ModificationNotification, NotifyItem};
use async_trait::async_trait;
use service_http::ledger::PERMIT;
use service_http::outbox_driver::{Decision, Recipients};
use store::audit::{self, AuditRow};
use store::outbox::Message;
use store::udm::{consents, sdm_subscriptions, subscribers};
use store::{Sql, StoreError, once};

use super::UdmServer;
use super::server::WeakUdm;
use super::subscription::{hosts, opened, written};
use super::telling::{KIND, Kept};

/// Kind of the once-only rows by which a notification is recorded once, however often it is tried.
const NOTIFIED: &str = "notified";

/// How long it is remembered that a notification was recorded, in seconds. Own value: longer than the outbox tries.
const REMEMBER_S: i64 = 3 * 3_600;

/// Decides about messages of the UDM, as long as there is one.
pub(super) struct Recipient(pub(super) WeakUdm);

#[async_trait]
impl Recipients for Recipient {
    async fn decide(&self, message: &Message) -> Result<Decision, StoreError> {
        match self.0.upgrade() {
            Some(udm) if message.kind == KIND => decide(&udm, message).await,
            Some(_) => Ok(Decision::Drop),
            None => Ok(Decision::Later("the UDM is stopping")),
        }
    }
}

async fn decide(udm: &UdmServer, message: &Message) -> Result<Decision, StoreError> {
    let Some(hosts) = hosts(&message.target) else { return Ok(Decision::Drop) };
    let (server, waiting) = (udm.clone(), message.clone());
    let told: Result<Option<String>, StoreError> =
        udm.kit().store.write(move |tx| Box::pin(async move { told(tx, &server, &waiting).await })).await;
    match told {
        Ok(body) => Ok(body.map_or(Decision::Drop, |body| Decision::Send { hosts, body })),
        // It will not be read better the next time.
        Err(StoreError::Damaged(what)) => {
            tracing::error!(what, "a notification cannot be read and is not sent");
            Ok(Decision::Drop)
        }
        Err(error) => Err(error),
    }
}

/// What the subscription may be told now, and the record of it; `None`: nothing.
async fn told(tx: &mut dyn Sql, udm: &UdmServer, message: &Message) -> Result<Option<String>, StoreError> {
    let kept: Kept =
        serde_json::from_str(&message.body).map_err(|_| StoreError::Damaged("a change of consent"))?;
    let Some(row) = sdm_subscriptions::live(tx, &kept.sub_id, udm.now_s()).await? else { return Ok(None) };
    let Some(of) = subscribers::by_supi(tx, row.supi.as_str()).await? else { return Ok(None) };
    let now = consents::find(tx, &row.supi, &kept.purpose).await?;
    let op = match (&kept.before, &now) {
        (_, None) => ChangeType::Remove,
        (None, Some(_)) => ChangeType::Add,
        (Some(_), Some(_)) => ChangeType::Replace,
    };
    let change = ChangeItem {
        op,
        path: ChangeItem::path_of(&kept.purpose),
        from: None,
        orig_value: kept.before.map(|before| before.as_str().into()),
        new_value: now.map(|now| now.consent.as_str().into()),
    };
    let subscribed = opened(&row)?;
    let resource = subscribed.monitored_resource_uris.into_iter().next().unwrap_or_default();
    let notification = ModificationNotification {
        notify_items: vec![NotifyItem { resource_id: resource, changes: vec![change] }],
        subscription_id: Some(row.sub_id),
    };
    let decision = AuditRow {
        at_ms: udm.kit().ambient.now_ms(),
        function: udm.kit().function,
        actor: message.client.clone(),
        owner: None,
        action: "udm.sdm.notify".to_owned(),
        object: Some(udm.object(&of, "uc-data")),
        verdict: PERMIT.to_owned(),
        reason: None,
        cause: None,
        status: None,
        policy_version: None,
        consent_version: Some(of.version),
        trace: message.trace.clone(),
    };
    let forget_s = udm.now_s().saturating_add(REMEMBER_S);
    if once::consume(tx, NOTIFIED, &message.id, forget_s).await? {
        audit::leave(tx, decision)?;
    }
    written(&notification).map(Some)
}
