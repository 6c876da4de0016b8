//! What is common to the tasks that report: their rhythm, the messages that they queue, and the decision about a message
//! when it could go.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use service_http::callback_hosts::{self, HostSource};
use service_http::kit::FunctionKit;
use service_http::ledger::PERMIT;
use service_http::outbox_driver::Decision;
use store::audit::{self, AuditRow};
use store::charging::{self, ChargingRow};
use store::outbox::{self, Message};
use store::subscriptions::{self, SubscriptionRow};
use store::{Sql, StoreError, held_reports, once, registrations};

use super::Kind;
use super::operations::written;
use super::reporting::{Reporting, Wait};
use super::standing::{Rights, Standing, Subscriber, hosts_of};

/// Longest sleep between two rounds; other nodes may have left something, and periods run out. Own value.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// How long a subscription that is out of reports waits for its last message, in seconds. Own value: longer than the
/// outbox tries.
const LAST_MESSAGE_S: i64 = 3 * 3_600;

/// How often it is looked for subscriptions that are over, in seconds. Own value.
const SWEEP_S: i64 = 60;

/// Subscriptions that are read at once. Own value.
pub(crate) const PAGE: u32 = 200;

/// `kind` of the messages in the outbox; their identifiers begin with it.
const KIND: &str = "SUBSCRIPTION";

/// Kind of the once-only rows by which a notification is recorded once, however often it is tried.
const NOTIFIED: &str = "notified";

/// Shared with whoever wakes the task.
pub(crate) type Waker = Arc<tokio::sync::Notify>;

/// Waits until there may be more to tell, unless `more` says so.
pub(crate) async fn pause(waker: &Waker, more: Result<bool, StoreError>) {
    match more {
        Ok(true) => return,
        Ok(false) => {}
        Err(error) => tracing::error!(error = %error, "subscribers cannot be told"),
    }
    tokio::select! {
        () = waker.notified() => {}
        () = tokio::time::sleep(LOOK_EVERY) => {}
    }
}

/// When it was last looked for subscriptions that are over.
#[derive(Debug, Default)]
pub(crate) struct Sweeps(Option<(Vec<u64>, i64)>);

impl Sweeps {
    /// Ends what is over, when something was revoked or a while has passed.
    pub(crate) async fn turn(
        &mut self,
        kit: &FunctionKit,
        families: &'static [&'static str],
    ) -> Result<(), StoreError> {
        let now = Some((epochs(kit), kit.ambient.now_s() / SWEEP_S));
        if self.0 != now {
            sweep(kit, families).await?;
            self.0 = now;
        }
        Ok(())
    }
}

/// Ends what is over, and every subscription of a family whose rights were revoked.
async fn sweep(kit: &FunctionKit, families: &'static [&'static str]) -> Result<(), StoreError> {
    let kit = kit.clone();
    let job = kit.clone();
    kit.store
        .write(move |tx| {
            Box::pin(async move {
                let now_s = job.ambient.now_s();
                subscriptions::sweep(tx, now_s, now_s.saturating_sub(LAST_MESSAGE_S)).await?;
                registrations::sweep(tx, now_s).await?;
                for family in families {
                    let mut after = String::new();
                    loop {
                        let page = subscriptions::page(tx, family, &after, now_s, PAGE).await?;
                        let Some(last) = page.last() else { break };
                        after.clone_from(&last.sub_id);
                        for row in &page {
                            if Standing::from_text(&row.standing)?.rights(&job) == Rights::Ended {
                                subscriptions::remove(tx, &row.sub_id).await?;
                            }
                        }
                    }
                }
                Ok(())
            })
        })
        .await
}

/// The epochs up to which revocations are known: where they grow, rights may have ended.
fn epochs(kit: &FunctionKit) -> Vec<u64> {
    let verifier = kit.verifier.as_ref();
    verifier
        .map(|verifier| verifier.issuers().iter().map(|issuer| issuer.epoch()).collect())
        .unwrap_or_default()
}

/// Queues what a subscriber is to be told on one occasion, which is one report however many messages it needs; or holds
/// it back, for a subscription that is muted or that gathers (TS 29.523 `notifFlag`, `grpRepTime`). Whether anything goes.
pub(crate) async fn queue(
    tx: &mut dyn Sql,
    kit: &FunctionKit,
    row: &mut SubscriptionRow,
    notif_uri: &str,
    reporting: &Reporting,
    due_s: Option<i64>,
    messages: Vec<String>,
) -> Result<bool, StoreError> {
    let now_s = kit.ambient.now_s();
    let gathers_until_s = row.next_s.filter(|_| reporting.gather_s.is_some());
    let Some(wait) = reporting.wait(gathers_until_s, now_s).filter(|_| !messages.is_empty()) else {
        return pass(tx, kit, row, notif_uri, reporting, due_s, messages).await;
    };
    for body in &messages {
        held_reports::add(tx, &row.sub_id, body, now_s, HELD).await?;
    }
    match wait {
        Wait::Until(until_s) => row.next_s = Some(until_s),
        // The rhythm of periods goes on; what is held is counted when it goes.
        Wait::UntilAsked => {
            if let Some(due_s) = due_s {
                row.next_s = reporting.after(row.reports, due_s, now_s).next_s;
            }
        }
    }
    subscriptions::reported(tx, row).await?;
    Ok(false)
}

/// Lets go what was held back, as one report. Whether there was any.
pub(crate) async fn let_go<K: Kind>(
    tx: &mut dyn Sql,
    kit: &FunctionKit,
    row: &mut SubscriptionRow,
    notif_uri: &str,
    reporting: &Reporting,
) -> Result<bool, StoreError> {
    if reporting.gather_s.is_some() {
        // The next group begins with the next report.
        row.next_s = None;
    }
    let held = held_reports::take(tx, &row.sub_id).await?;
    let messages = K::gathered(&row.sub_id, held)?;
    pass(tx, kit, row, notif_uri, reporting, None, messages).await
}

/// Most reports that are held back for a subscription; the oldest give way. Own value.
const HELD: u32 = 1_000;

async fn pass(
    tx: &mut dyn Sql,
    kit: &FunctionKit,
    row: &mut SubscriptionRow,
    notif_uri: &str,
    reporting: &Reporting,
    due_s: Option<i64>,
    messages: Vec<String>,
) -> Result<bool, StoreError> {
    let (now_s, now_ms) = (kit.ambient.now_s(), kit.ambient.now_ms());
    let goes = !messages.is_empty();
    if goes {
        row.reports += 1;
    }
    let next = reporting.after(row.reports, due_s.unwrap_or(now_s), now_s);
    if next.ended {
        row.ended_s = Some(now_s);
    }
    // An event does not move the time of a periodic report.
    if due_s.is_some() || next.ended {
        row.next_s = next.next_s;
    }
    subscriptions::reported(tx, row).await?;
    for body in messages {
        let message = Message {
            id: format!("{KIND}:{}:{}", row.sub_id, kit.ambient.random_id()),
            kind: KIND.to_owned(),
            client: hosts_of(kit, &row.owner_issuer, &row.client),
            target: notif_uri.to_owned(),
            body,
            trace: row.trace.clone(),
            queued_ms: now_ms,
            due_ms: now_ms,
        };
        outbox::queue(tx, &message).await?;
    }
    Ok(goes)
}

/// Whether a message is one of a subscription.
pub(crate) fn is_ours(message: &Message) -> bool {
    message.kind == KIND
}

/// A message that may go as far as the subscription is concerned.
pub(crate) struct Admitted {
    pub(crate) row: SubscriptionRow,
    pub(crate) subscriber: Subscriber,
}

/// Decides whether the subscription of a message, and the rights behind it, still stand.
pub(crate) async fn admitted(
    kit: &FunctionKit,
    message: &Message,
) -> Result<Result<Admitted, Decision>, StoreError> {
    let Some(sub_id) = message.id.split(':').nth(1).map(str::to_owned) else {
        return Ok(Err(Decision::Drop));
    };
    let now_s = kit.ambient.now_s();
    let read =
        kit.store.read(move |tx| Box::pin(async move { subscriptions::told(tx, &sub_id, now_s).await }));
    let Some(row) = read.await? else { return Ok(Err(Decision::Drop)) };
    let standing = Standing::from_text(&row.standing)?;
    match standing.rights(kit) {
        Rights::Stand => Ok(Ok(Admitted { subscriber: standing.subscriber(), row })),
        Rights::Unknown => Ok(Err(Decision::Later("the issuer was not heard of in time"))),
        Rights::Ended => {
            let sub_id = row.sub_id;
            let gone =
                kit.store.write(move |tx| Box::pin(async move { subscriptions::remove(tx, &sub_id).await }));
            let _: bool = gone.await?;
            Ok(Err(Decision::Drop))
        }
    }
}

/// What a notification says, and how much of it is charged.
pub(crate) struct Told {
    pub(crate) body: Value,
    pub(crate) units: u64,
    pub(crate) action: &'static str,
    pub(crate) policy_version: u64,
}

/// Records what is told, and lets it go to the hosts that the client has registered now.
pub(crate) async fn send(
    kit: &FunctionKit,
    hosts: Option<&dyn HostSource>,
    message: &Message,
    row: &SubscriptionRow,
    told: Told,
) -> Result<Decision, StoreError> {
    let Some(hosts) = hosts else { return Ok(Decision::Drop) };
    let hosts = match callback_hosts::hosts_for(hosts, &message.client, &message.target).await {
        Ok(Some(hosts)) => hosts,
        Ok(None) => return Ok(Decision::Drop),
        Err(_) => return Ok(Decision::Later("the SIM-S does not answer")),
    };
    let body = written(&told.body)?;
    let (job, id, row, octets) = (kit.clone(), message.id.clone(), row.clone(), body.len() as u64);
    let recorded =
        kit.store.write(move |tx| Box::pin(async move { record(tx, &job, id, &row, &told, octets).await }));
    let _: () = recorded.await?;
    Ok(Decision::Send { hosts, body })
}

/// One audit record and one charging record, before anything leaves.
async fn record(
    tx: &mut dyn Sql,
    kit: &FunctionKit,
    id: String,
    row: &SubscriptionRow,
    told: &Told,
    octets: u64,
) -> Result<(), StoreError> {
    let forget_s = kit.ambient.now_s().saturating_add(LAST_MESSAGE_S);
    if !once::consume(tx, NOTIFIED, &id, forget_s).await? {
        return Ok(());
    }
    let (at_ms, object) = (kit.ambient.now_ms(), Some(format!("subscriptions/{}", row.sub_id)));
    let decision = AuditRow {
        at_ms,
        function: kit.function,
        actor: row.owner_name.clone(),
        owner: Some(row.owner_name.clone()),
        action: told.action.to_owned(),
        object: object.clone(),
        verdict: PERMIT.to_owned(),
        reason: None,
        cause: None,
        status: None,
        policy_version: Some(told.policy_version),
        consent_version: None,
        trace: row.trace.clone(),
    };
    audit::append(tx, &decision).await?;
    let charged = ChargingRow {
        id,
        at_ms,
        function: kit.function,
        consumer: row.owner_name.clone(),
        client: row.client.clone(),
        owner: Some(row.owner_name.clone()),
        service: None,
        operation: told.action.to_owned(),
        resource: object,
        units: told.units,
        bytes: octets,
        outcome: "SERVED".to_owned(),
        trace: row.trace.clone(),
    };
    charging::append(tx, &charged).await.map(drop)
}
