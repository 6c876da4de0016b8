//! From what happened to what subscribers are told: taken and queued in one transaction, whichever node does it and however
//! often it was interrupted.

use store::subscriptions::{self, SubscriptionRow};
use store::{Sql, StoreError, happenings};

use super::FAMILY;
use super::hearing::Standing;
use super::note::Happening;
use super::reporting::Reporting;
use super::state::{opened, parsed};
use super::telling;
use crate::ccf::{CcfServer, resource_auth};

/// What happened that one transaction takes. Own value.
const HAPPENINGS: u32 = 16;

/// Subscriptions that are read at once. Own value.
const PAGE: u32 = 200;

/// How long a subscription that is out of notifications waits for its last message, in seconds. Own value: longer than the
/// outbox tries.
const LAST_MESSAGE_S: i64 = 3 * 3_600;

/// One round; whether more waits.
///
/// # Errors
/// The store failed.
pub(crate) async fn round(ccf: &CcfServer) -> Result<bool, StoreError> {
    let job = ccf.clone();
    let (told, more): (bool, bool) = ccf
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let taken = happenings::take(tx, HAPPENINGS).await?;
                let more = taken.len() == HAPPENINGS as usize;
                let mut happened = Vec::with_capacity(taken.len());
                for taken in taken.iter().filter(|taken| taken.kind == FAMILY) {
                    happened.extend(unless_damaged(parsed::<Happening>(&taken.body))?);
                }
                let mut told = false;
                if !happened.is_empty() {
                    told |= tell_all(tx, &job, &happened).await?;
                }
                told |= periodic(tx, &job).await?;
                Ok::<_, StoreError>((told, more))
            })
        })
        .await?;
    if told {
        ccf.events().wake_outbox();
    }
    Ok(more)
}

async fn tell_all(tx: &mut dyn Sql, ccf: &CcfServer, happened: &[Happening]) -> Result<bool, StoreError> {
    let (mut told, mut after) = (false, String::new());
    loop {
        let page = subscriptions::page(tx, FAMILY, &after, ccf.now_s(), PAGE).await?;
        let Some(last) = page.last() else { return Ok(told) };
        after.clone_from(&last.sub_id);
        for mut row in page {
            told |= unless_damaged(tell(tx, ccf, &mut row, happened).await)?.unwrap_or_default();
        }
    }
}

async fn tell(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    row: &mut SubscriptionRow,
    happened: &[Happening],
) -> Result<bool, StoreError> {
    let (body, mut state) = opened(row)?;
    let wanted = |event: &api_types::capif::events::CAPIFEvent| body.events.contains(event);
    let concerned = |happening: &&Happening| happening.events().iter().any(wanted);
    let happened: Vec<_> = happened.iter().filter(concerned).collect();
    let Some(reporting) = reporting(row, &body).filter(|_| !happened.is_empty()) else { return Ok(false) };
    let hearer = match Standing::of(tx, ccf, row).await? {
        Standing::Stands(hearer) => hearer,
        Standing::Silent => return Ok(false),
        Standing::Gone => {
            subscriptions::remove(tx, &row.sub_id).await?;
            return Ok(false);
        }
    };
    let before = state.clone();
    let mut told = Vec::new();
    for happening in happened {
        told.extend(telling::tellings(&hearer, &body, &reporting, &mut state, happening));
    }
    if told.is_empty() && state == before {
        return Ok(false);
    }
    telling::queue(tx, ccf.kit(), row, &body, &reporting, &mut state, told).await
}

/// What one record says, unless it cannot be read: the others are told all the same.
fn unless_damaged<T>(read: Result<T, StoreError>) -> Result<Option<T>, StoreError> {
    match read {
        Ok(read) => Ok(Some(read)),
        Err(StoreError::Damaged(what)) => {
            tracing::error!(what, "a record of events cannot be read and is passed over");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// Ends the periods that are over.
async fn periodic(tx: &mut dyn Sql, ccf: &CcfServer) -> Result<bool, StoreError> {
    let mut any = false;
    for mut row in subscriptions::due(tx, ccf.now_s(), PAGE).await? {
        if row.family == FAMILY {
            any |= unless_damaged(end_of_period(tx, ccf, &mut row).await)?.unwrap_or_default();
        }
    }
    Ok(any)
}

async fn end_of_period(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    row: &mut SubscriptionRow,
) -> Result<bool, StoreError> {
    let now_s = ccf.now_s();
    let (body, mut state) = opened(row)?;
    let (reporting, standing) = (reporting(row, &body), Standing::of(tx, ccf, row).await?);
    let (Some(reporting), false) = (reporting, standing == Standing::Gone) else {
        subscriptions::remove(tx, &row.sub_id).await?;
        return Ok(false);
    };
    let told = telling::at_end_of_period(&body, &mut state);
    // What is told now leaves now, and what comes later at the end of the period that begins.
    let due_s = row.next_s.take();
    let any = telling::queue(tx, ccf.kit(), row, &body, &reporting, &mut state, told).await?;
    if row.ended_s.is_none() {
        row.next_s = reporting.next_s(due_s.unwrap_or(now_s), now_s);
        subscriptions::reported(tx, row).await?;
    }
    Ok(any)
}

/// The way of reporting, which was good when it was said.
fn reporting(row: &SubscriptionRow, body: &api_types::capif::events::EventSubscription) -> Option<Reporting> {
    Reporting::read(body.event_req.as_ref(), row.created_s).ok()
}

/// Ends what is over, and every subscription of a party that is not on record any more.
///
/// # Errors
/// The store failed.
pub(crate) async fn sweep(ccf: &CcfServer) -> Result<(), StoreError> {
    let job = ccf.clone();
    ccf.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let now_s = job.now_s();
                subscriptions::sweep(tx, now_s, now_s.saturating_sub(LAST_MESSAGE_S)).await?;
                for family in [FAMILY, resource_auth::FAMILY] {
                    let mut after = String::new();
                    loop {
                        let page = subscriptions::page(tx, family, &after, now_s, PAGE).await?;
                        let Some(last) = page.last() else { break };
                        after.clone_from(&last.sub_id);
                        for row in &page {
                            let standing = unless_damaged(Standing::of(tx, &job, row).await)?;
                            if standing == Some(Standing::Gone) {
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
