//! From what happened to what subscribers are told: taken and queued in one transaction, whichever node does it and
//! however often it was interrupted.

use std::collections::BTreeSet;

use api_types::san::{AnchorEvent, AnchorManagementEvent, AnchorsEventsSub, SpatialAnchorsSub};
use store::anchors::in_range::Part;
use store::happenings;
use store::subscriptions::{self, SubscriptionRow};
use store::{Sql, StoreError};

use super::happening::Happening;
use super::report::{self, KeptReport, Near};
use super::{Anchors, NOTIFY, State, look, opened};
use crate::san::SanServer;
use crate::san::access::Viewer;
use crate::san::usage::{self, Usage};
use crate::shared::subscriptions::Kind;
use crate::shared::subscriptions::notifier::{self, PAGE};
use crate::shared::subscriptions::operations::{parsed, written};
use crate::shared::subscriptions::reporting::{Method, Reporting};
use crate::shared::subscriptions::standing::{Rights, Standing};

/// What happened that one transaction takes. Own value.
const HAPPENINGS: u32 = 16;

/// One round; whether more waits.
///
/// # Errors
/// The store failed.
pub(in crate::san) async fn round(san: &SanServer) -> Result<bool, StoreError> {
    let job = san.clone();
    let (told, more): (bool, bool) = san
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let taken = happenings::take(tx, HAPPENINGS).await?;
                let more = taken.len() == HAPPENINGS as usize;
                let happened =
                    taken.iter().map(|one| parsed(&one.body)).collect::<Result<Vec<Happening>, _>>()?;
                let mut told = false;
                if !happened.is_empty() {
                    told |= on_events(tx, &job, &happened).await?;
                }
                job.tally().write(tx).await?;
                told |= periodic(tx, &job).await?;
                Ok::<_, StoreError>((told, more))
            })
        })
        .await?;
    if told {
        san.wake_outbox();
    }
    Ok(more)
}

/// Tells every subscriber what it wants to hear of.
async fn on_events(tx: &mut dyn Sql, san: &SanServer, happened: &[Happening]) -> Result<bool, StoreError> {
    let now_s = san.kit().ambient.now_s();
    let mut after = String::new();
    let mut told = false;
    loop {
        let page = subscriptions::page(tx, Anchors::FAMILY, &after, now_s, PAGE).await?;
        let Some(last) = page.last() else { return Ok(told) };
        after.clone_from(&last.sub_id);
        for mut row in page {
            for one in happened {
                if row.ended_s.is_none() {
                    told |= tell(tx, san, &mut row, one).await?;
                }
            }
        }
    }
}

async fn tell(
    tx: &mut dyn Sql,
    san: &SanServer,
    row: &mut SubscriptionRow,
    happening: &Happening,
) -> Result<bool, StoreError> {
    let (body, mut state) = opened(row)?;
    let Some(reporting) = reporting(row, &body) else { return Ok(false) };
    if reporting.method != Method::OnEvent || !concerns(happening, row, &body.event_subs) {
        return Ok(false);
    }
    let standing = Standing::from_text(&row.standing)?;
    // Where the issuer was not heard of, the message waits until it was.
    if standing.rights(san.kit()) == Rights::Ended {
        subscriptions::remove(tx, &row.sub_id).await?;
        row.ended_s = Some(0);
        return Ok(false);
    }
    let viewer = Viewer::new(san, tx, standing.subscriber(), NOTIFY).await?;
    let mut reports = Vec::new();
    for (number, event) in (0_u32..).zip(&body.event_subs) {
        let part = Part { sub_id: &row.sub_id, part: number };
        reports.extend(of_event(tx, &viewer, part, event, happening, &mut state).await?);
    }
    report::sampled(tx, &row.sub_id, reporting.sample, &mut reports).await?;
    let messages = written_messages(&row.sub_id, reports)?;
    row.state = written(&state)?;
    let goes = notifier::queue(tx, san.kit(), row, &body.notif_uri, &reporting, None, messages).await?;
    if goes {
        end_if_done(tx, san, row, &body, &state).await?;
    }
    Ok(goes)
}

/// Ends a subscription of which nothing is left to search for.
async fn end_if_done(
    tx: &mut dyn Sql,
    san: &SanServer,
    row: &mut SubscriptionRow,
    body: &SpatialAnchorsSub,
    state: &State,
) -> Result<(), StoreError> {
    let parts = body.event_subs.len();
    if row.ended_s.is_none() && parts > 0 && state.done.len() >= parts {
        row.ended_s = Some(san.kit().ambient.now_s());
        subscriptions::reported(tx, row).await?;
    }
    Ok(())
}

/// Whether a subscription can be concerned at all, without a look at any anchor.
fn concerns(happening: &Happening, row: &SubscriptionRow, events: &[AnchorsEventsSub]) -> bool {
    let has = |event: AnchorEvent| events.iter().any(|one| one.event == event);
    match happening {
        Happening::Changed { .. } => true,
        Happening::Moved { .. } => has(AnchorEvent::InRange) || has(AnchorEvent::UeInterest),
        Happening::Discovered { .. } => has(AnchorEvent::UeInterest),
        Happening::Begun { sub_id } => *sub_id == row.sub_id,
    }
}

async fn of_event(
    tx: &mut dyn Sql,
    viewer: &Viewer,
    part: Part<'_>,
    event: &AnchorsEventsSub,
    happening: &Happening,
    state: &mut State,
) -> Result<Vec<KeptReport>, StoreError> {
    match (&event.event, happening) {
        (AnchorEvent::Discovery, Happening::Changed { .. }) => changes(tx, viewer, event, happening).await,
        (AnchorEvent::InRange, Happening::Changed { .. } | Happening::Begun { .. }) => {
            look::around_user(tx, viewer, part, event, state).await
        }
        (AnchorEvent::InRange, Happening::Moved { ue }) => {
            let is_own = viewer.who.caller.ue.as_ref().is_some_and(|own| own.as_str() == ue);
            if is_own { look::around_user(tx, viewer, part, event, state).await } else { Ok(Vec::new()) }
        }
        (AnchorEvent::UeInterest, Happening::Moved { ue }) => {
            look::around_ue(tx, viewer, part, event, ue).await
        }
        (AnchorEvent::UeInterest, Happening::Changed { created, updated, .. }) => {
            let ids = created.iter().chain(updated).copied().collect();
            let seen = look::by_ids(tx, viewer, &ids).await?;
            let filter = event.evnt_fltr.anchr_fltr.as_ref();
            let own: Vec<_> = seen.into_values().filter(|seen| look::passes(filter, &seen.anchor)).collect();
            look::around_anchors(tx, part, event, &own, true).await
        }
        (AnchorEvent::UeInterest, Happening::Begun { .. }) => look::around_own(tx, viewer, part, event).await,
        (AnchorEvent::UeInterest, Happening::Discovered { ue, anchors }) => {
            if !event.evnt_fltr.ue_fltr.as_ref().is_some_and(|filter| filter.disc) {
                return Ok(Vec::new());
            }
            let ids: BTreeSet<u32> = anchors.iter().copied().collect();
            let seen = look::by_ids(tx, viewer, &ids).await?;
            let filter = event.evnt_fltr.anchr_fltr.as_ref();
            let own = seen.values().filter(|seen| seen.access.owner && look::passes(filter, &seen.anchor));
            let ues =
                own.map(|seen| Near { ue: ue.clone(), anchor_id: seen.anchor.row.anchor_id, range_m: None });
            Ok(vec![KeptReport { ues: ues.collect(), ..KeptReport::of(AnchorEvent::UeInterest, None) }])
        }
        _ => Ok(Vec::new()),
    }
}

/// Anchors that came, changed and went, as far as they are wanted and may be known.
async fn changes(
    tx: &mut dyn Sql,
    viewer: &Viewer,
    event: &AnchorsEventsSub,
    happening: &Happening,
) -> Result<Vec<KeptReport>, StoreError> {
    let Happening::Changed { created, updated, deleted } = happening else { return Ok(Vec::new()) };
    let filter = &event.evnt_fltr;
    let wanted =
        filter.disc_fltr.as_ref().map(|filter| &filter.mgnt_evts).filter(|wanted| !wanted.is_empty());
    let wants = |what: AnchorManagementEvent| wanted.is_none_or(|wanted| wanted.contains(&what));
    let mut reports = Vec::new();
    for (what, ids) in [(AnchorManagementEvent::Creation, created), (AnchorManagementEvent::Update, updated)]
    {
        if wants(what) && !ids.is_empty() {
            let seen = look::by_ids(tx, viewer, &ids.iter().copied().collect()).await?;
            let passing = seen.values().filter(|seen| look::passes(filter.anchr_fltr.as_ref(), &seen.anchor));
            let anchors = passing.map(|seen| seen.anchor.row.anchor_id).collect();
            reports.push(KeptReport::of(AnchorEvent::Discovery, None).anchors(anchors));
        }
    }
    if wants(AnchorManagementEvent::Deletion) {
        let mut gone = Vec::new();
        for one in deleted {
            let anchor = one.anchor()?;
            if viewer.access(&anchor).is_ok() && look::passes(filter.anchr_fltr.as_ref(), &anchor) {
                gone.push(one.clone());
            }
        }
        reports.push(KeptReport { gone, ..KeptReport::of(AnchorEvent::Discovery, None) });
    }
    Ok(reports)
}

/// Makes the periodic reports that are due.
async fn periodic(tx: &mut dyn Sql, san: &SanServer) -> Result<bool, StoreError> {
    let now_s = san.kit().ambient.now_s();
    let mut told = false;
    for mut row in subscriptions::due(tx, now_s, PAGE).await? {
        let standing = Standing::from_text(&row.standing)?;
        if row.family == Usage::FAMILY {
            if standing.rights(san.kit()) == Rights::Ended {
                subscriptions::remove(tx, &row.sub_id).await?;
            } else {
                told |= usage::periodic(tx, san, &mut row, &standing).await?;
            }
            continue;
        }
        let (body, mut state) = opened(&row)?;
        let reporting = reporting(&row, &body);
        let (Some(reporting), true) = (reporting, standing.rights(san.kit()) != Rights::Ended) else {
            subscriptions::remove(tx, &row.sub_id).await?;
            continue;
        };
        if reporting.method == Method::OnEvent {
            // What was gathered goes; muted meanwhile, it waits.
            if !reporting.flow.holds() {
                let uri = &body.notif_uri;
                told |= notifier::let_go::<Anchors>(tx, san.kit(), &mut row, uri, &reporting).await?;
                end_if_done(tx, san, &mut row, &body, &state).await?;
            } else {
                row.next_s = None;
                subscriptions::reported(tx, &row).await?;
            }
            continue;
        }
        let viewer = Viewer::new(san, tx, standing.subscriber(), NOTIFY).await?;
        let mut reports = look::now(tx, &viewer, &row.sub_id, &body, &mut state, false).await?;
        report::sampled(tx, &row.sub_id, reporting.sample, &mut reports).await?;
        let messages = written_messages(&row.sub_id, reports)?;
        let due_s = row.next_s;
        told |=
            notifier::queue(tx, san.kit(), &mut row, &body.notif_uri, &reporting, due_s, messages).await?;
    }
    Ok(told)
}

/// The way of reporting, which was good when it was said.
fn reporting(row: &SubscriptionRow, body: &SpatialAnchorsSub) -> Option<Reporting> {
    Reporting::read(body.report_req.as_ref(), body.exp_time, row.created_s).ok()
}

fn written_messages(sub_id: &str, reports: Vec<KeptReport>) -> Result<Vec<String>, StoreError> {
    report::messages(sub_id, reports).iter().map(written).collect()
}
