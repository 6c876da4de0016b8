//! What is queued when a consent changes: one message for each subscription, in the transaction of the change.

use api_types::nudm_sdm::{UcPurpose, UserConsent};
use serde::{Deserialize, Serialize};
use service_http::kit::FunctionKit;
use store::outbox::{self, Message};
use store::udm::consents::Changed;
use store::udm::sdm_subscriptions;
use store::udm::subscribers::SubscriberRow;
use store::{Sql, StoreError};

use super::subscription::{opened, written};

/// Kind of the messages.
pub(super) const KIND: &str = "sdm_change";

/// What waits to be told. What is told is what is so when it goes, never what was so before: messages may overtake each other.
#[derive(Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) sub_id: String,
    pub(super) purpose: UcPurpose,
    pub(super) before: Option<UserConsent>,
}

/// Queues what subscribers of this data are told.
pub(super) async fn queue(
    tx: &mut dyn Sql,
    kit: &FunctionKit,
    of: &SubscriberRow,
    purpose: &UcPurpose,
    changed: &Changed,
) -> Result<(), StoreError> {
    let now_ms = kit.ambient.now_ms();
    for row in sdm_subscriptions::of(tx, &of.supi, now_ms / 1000).await? {
        let kept =
            Kept { sub_id: row.sub_id.clone(), purpose: purpose.clone(), before: changed.before.clone() };
        let message = Message {
            // The outbox sends what is due at the same time in this order.
            id: format!("{KIND}:{}:{:020}", row.sub_id, changed.version),
            kind: KIND.to_owned(),
            client: row.peer.clone(),
            target: opened(&row)?.callback_reference,
            body: written(&kept)?,
            trace: None,
            queued_ms: now_ms,
            due_ms: now_ms,
        };
        outbox::queue(tx, &message).await?;
    }
    Ok(())
}
