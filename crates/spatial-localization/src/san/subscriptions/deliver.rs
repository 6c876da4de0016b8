//! What becomes of a notification at the moment when it could go: permission is decided again.

use service_http::outbox_driver::Decision;
use store::StoreError;
use store::outbox::Message;

use super::report::{self, Kept};
use super::{NOTIFY, opened};
use crate::san::SanServer;
use crate::san::access::Viewer;
use crate::shared::subscriptions::notifier::{self, Admitted, Told};
use crate::shared::subscriptions::operations::parsed;

/// Decides about a message of a subscription to anchors.
///
/// # Errors
/// The store failed.
pub(in crate::san) async fn decide(
    san: &SanServer,
    admitted: Admitted,
    message: &Message,
) -> Result<Decision, StoreError> {
    let kept: Kept = parsed(&message.body)?;
    let (body, _) = opened(&admitted.row)?;
    let (server, subscriber) = (san.clone(), admitted.subscriber);
    let read = san.kit().store.read(move |tx| {
        Box::pin(async move {
            let viewer = Viewer::new(&server, tx, subscriber, NOTIFY).await?;
            let told = report::told(tx, &viewer, &kept, &body).await?;
            Ok(told.map(|told| (told, viewer.around.policy_version())))
        })
    });
    let Some(((notif, units), policy_version)) = read.await? else { return Ok(Decision::Drop) };
    let body = serde_json::to_value(notif).map_err(|_| StoreError::Damaged("a notification"))?;
    let told = Told { body, units, action: "san.subscription.notify", policy_version };
    notifier::send(san.kit(), san.hosts(), message, &admitted.row, told).await
}
