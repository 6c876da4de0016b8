//! What becomes of a message at the moment when it could go: it is decided again who may hear of it.

use api_types::capif::events::{API_STATUS_MONITORING, ENHANCED_EVENT_REPORT, EventNotification};
use api_types::capif::network::TestNotification;
use async_trait::async_trait;
use service_http::egress::Egress;
use service_http::ledger::PERMIT;
use service_http::outbox_driver::{Decision, Recipients};
use store::audit::{self, AuditRow};
use store::outbox::Message;
use store::subscriptions::{self, SubscriptionRow};
use store::{Sql, StoreError, once};

use super::destination;
use super::hearing::Standing;
use super::state::{opened, parsed, written};
use super::subscription::{has, uri};
use super::telling::{KIND, Kept};
use crate::ccf::security::notice;
use crate::ccf::server::WeakCcf;
use crate::ccf::{CcfServer, resource_auth};

/// Kind of the once-only rows by which a notification is recorded once, however often it is tried.
const NOTIFIED: &str = "notified";

/// How long it is remembered that a notification was recorded, in seconds. Own value: longer than the outbox tries.
const REMEMBER_S: i64 = 3 * 3_600;

/// Decides about messages of the core function, as long as there is one.
pub(crate) struct Recipient(pub(crate) WeakCcf);

#[async_trait]
impl Recipients for Recipient {
    async fn decide(&self, message: &Message) -> Result<Decision, StoreError> {
        match self.0.upgrade() {
            Some(ccf) if message.kind == KIND => decide(&ccf, message).await,
            Some(ccf) if notice::is_ours(message) => notice::decide(&ccf, message).await,
            Some(ccf) if message.kind == resource_auth::KIND => resource_auth::deliver(&ccf, message).await,
            Some(_) => Ok(Decision::Drop),
            None => Ok(Decision::Later("the core function is stopping")),
        }
    }

    fn way(&self, message: &Message) -> Option<Egress> {
        let ccf = self.0.upgrade()?;
        notice::way(&ccf, message).or_else(|| resource_auth::way(&ccf, message))
    }

    async fn carry(&self, message: &Message, body: &str) -> bool {
        let (Some(ccf), Some(sub_id)) = (self.0.upgrade(), message.id.split(':').nth(1)) else {
            return false;
        };
        ccf.events().sockets().deliver(sub_id, body).await
    }
}

async fn decide(ccf: &CcfServer, message: &Message) -> Result<Decision, StoreError> {
    let Some(hosts) = destination::hosts(&message.target) else { return Ok(Decision::Drop) };
    let (job, message) = (ccf.clone(), message.clone());
    let told: Result<Option<String>, StoreError> =
        ccf.kit().store.write(move |tx| Box::pin(async move { told(tx, &job, &message).await })).await;
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

/// What the subscriber may be told now, and the record of it; `None`: nothing.
async fn told(tx: &mut dyn Sql, ccf: &CcfServer, message: &Message) -> Result<Option<String>, StoreError> {
    let Some(sub_id) = message.id.split(':').nth(1) else { return Ok(None) };
    let Some(row) = subscriptions::told(tx, sub_id, ccf.now_s()).await? else { return Ok(None) };
    let hearer = match Standing::of(tx, ccf, &row).await? {
        Standing::Stands(hearer) => hearer,
        Standing::Silent => return Ok(None),
        Standing::Gone => {
            subscriptions::remove(tx, &row.sub_id).await?;
            return Ok(None);
        }
    };
    let (event, text) = match parsed::<Kept>(&message.body)? {
        Kept::Test => ("test".to_owned(), written(&TestNotification { subscription: uri(ccf, &row) })?),
        Kept::Event { event, happening, counts } => {
            let Some(happening) = hearer.hears(happening) else { return Ok(None) };
            let (subscribed, _) = opened(&row)?;
            let detailed = has(&subscribed, ENHANCED_EVENT_REPORT);
            let described = has(&subscribed, API_STATUS_MONITORING);
            let name = event.as_str().to_owned();
            let notification = EventNotification {
                subscription_id: row.sub_id.clone(),
                events: event,
                event_detail: if detailed { happening.detail(&counts, described) } else { None },
            };
            (name, written(&notification)?)
        }
    };
    record(tx, ccf, message, &row, event).await?;
    Ok(Some(text))
}

/// One audit record, before anything leaves.
async fn record(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    message: &Message,
    row: &SubscriptionRow,
    event: String,
) -> Result<(), StoreError> {
    let decision = AuditRow {
        at_ms: ccf.kit().ambient.now_ms(),
        function: ccf.kit().function,
        actor: row.owner_name.clone(),
        owner: Some(row.owner_name.clone()),
        action: "ccf.events.notify".to_owned(),
        object: Some(format!("subscriptions/{}/{event}", row.sub_id)),
        verdict: PERMIT.to_owned(),
        reason: None,
        cause: None,
        status: None,
        policy_version: None,
        consent_version: None,
        trace: row.trace.clone(),
    };
    leave_once(tx, ccf, &message.id, decision).await
}

/// Leaves the audit record of a message, however often it is tried.
pub(crate) async fn leave_once(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    message: &str,
    decision: AuditRow,
) -> Result<(), StoreError> {
    let forget_s = ccf.now_s().saturating_add(REMEMBER_S);
    if once::consume(tx, NOTIFIED, message, forget_s).await? { audit::leave(tx, decision) } else { Ok(()) }
}
