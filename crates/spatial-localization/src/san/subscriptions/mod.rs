//! Subscriptions to anchors (TS 23.437 8.3.5; TS 29.437 `ssan-sanm` `/subscriptions`): anchors that come, change and go;
//! UEs near anchors; anchors near a user.
//!
//! A subscriber hears of an anchor what a discovery would show it at the moment when the notification leaves, and of UEs
//! only near anchors of its own (FFS-11: what is a user's).

mod deliver;
pub(super) mod happening;
pub(super) mod look;
mod range;
mod report;
mod round;

pub(super) use deliver::decide;
pub(super) use round::round;

use api_types::common_data::ReportingInformation;
use api_types::san::{AnchorEvent, AnchorsEventsSub, SpatialAnchorsSub};
use async_trait::async_trait;
use authorization::CallerKind;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_http::call::Call;
use service_http::callback_hosts::HostSource;
use service_http::kit::FunctionKit;
use service_http::refusal::Refusal;
use store::anchors::in_range;
use store::subscriptions::SubscriptionRow;
use store::{Sql, StoreError};

use super::access::Viewer;
use super::{DISCOVER, READ, SUBSCRIPTIONS, SanServer, WRITE, granted};
use crate::shared::geometry::Area;
use crate::shared::input;
use crate::shared::operator_rules::Action;
use crate::shared::subscriptions::Kind;
use crate::shared::subscriptions::operations::{Act, Members, parsed, written};
use crate::shared::subscriptions::reporting::Reporting;
use crate::shared::subscriptions::standing::Subscriber;
use crate::shared::supp_feat::SuppFeat;
use crate::shared::surroundings::Surroundings;

/// What a subscriber hears of is what it could discover.
const NOTIFY: Action = Action { verb: "discover", scope: DISCOVER };

/// Subscriptions to anchors.
pub(super) struct Anchors;

/// What is remembered between two reports.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct State {
    /// Events that search once and have found (`perSrch` false).
    #[serde(default)]
    done: Vec<u32>,
}

#[async_trait]
impl Kind for Anchors {
    type Server = SanServer;
    type Body = SpatialAnchorsSub;
    const FAMILY: &'static str = "anchors";
    const PATH: &'static str = SUBSCRIPTIONS;
    const CREATE: Act =
        Act { name: "san.subscription.create", action: Action { verb: "subscribe", scope: DISCOVER } };
    const READ: Act = Act { name: "san.subscription.read", action: Action { verb: "read", scope: READ } };
    const REPLACE: Act =
        Act { name: "san.subscription.update", action: Action { verb: "subscribe", scope: WRITE } };
    const MODIFY: Act = Self::REPLACE;
    const DELETE: Act =
        Act { name: "san.subscription.delete", action: Action { verb: "unsubscribe", scope: WRITE } };

    fn kit(server: &SanServer) -> &FunctionKit {
        server.kit()
    }

    fn hosts(server: &SanServer) -> Option<&dyn HostSource> {
        server.hosts()
    }

    async fn around(server: &SanServer, tx: &mut dyn Sql, call: &Call) -> Result<Surroundings, StoreError> {
        Surroundings::of(tx, server.kit(), server.rules(), &call.caller).await
    }

    fn members(body: &mut SpatialAnchorsSub) -> Members<'_> {
        Members {
            notif_uri: Some(&body.notif_uri),
            report_req: body.report_req.as_ref(),
            exp_time: body.exp_time,
            supp_feat: &mut body.supp_feat,
        }
    }

    fn same_events(one: &SpatialAnchorsSub, other: &SpatialAnchorsSub) -> bool {
        one.event_subs == other.event_subs
            && ReportingInformation::same_but_flag(one.report_req.as_ref(), other.report_req.as_ref())
    }

    fn about_ues(body: &SpatialAnchorsSub) -> bool {
        body.event_subs.iter().any(|one| one.event == AnchorEvent::UeInterest)
    }

    fn gathered(sub_id: &str, held: Vec<String>) -> Result<Vec<String>, StoreError> {
        let mut reports = Vec::new();
        for body in &held {
            let kept: report::Kept = parsed(body)?;
            reports.extend(kept.reports);
        }
        report::messages(sub_id, reports).iter().map(written).collect()
    }

    fn check(server: &SanServer, subscriber: &Subscriber, body: &SpatialAnchorsSub) -> Result<(), Refusal> {
        for (part, event) in body.event_subs.iter().enumerate() {
            check_event(server, subscriber, &format!("/eventSubs/{part}/evntFltr"), event)?;
        }
        Ok(())
    }

    async fn reset(_: &SanServer, tx: &mut dyn Sql, sub_id: &str) -> Result<(), StoreError> {
        in_range::clear(tx, sub_id).await
    }

    async fn first(
        server: &SanServer,
        tx: &mut dyn Sql,
        subscriber: &Subscriber,
        row: &mut SubscriptionRow,
        body: &SpatialAnchorsSub,
    ) -> Result<Option<Value>, StoreError> {
        let viewer = Viewer::new(server, tx, subscriber.clone(), NOTIFY).await?;
        let mut state = State::default();
        let mut reports = look::now(tx, &viewer, &row.sub_id, body, &mut state, true).await?;
        if let Ok(reporting) = Reporting::read(body.report_req.as_ref(), body.exp_time, row.created_s) {
            report::sampled(tx, &row.sub_id, reporting.sample, &mut reports).await?;
        }
        row.state = written(&state)?;
        let told =
            report::told(tx, &viewer, &report::Kept { sub_id: row.sub_id.clone(), reports }, body).await?;
        told.map(|(notif, _)| serde_json::to_value(notif))
            .transpose()
            .map_err(|_| StoreError::Damaged("a report cannot be written"))
    }

    async fn begin(
        server: &SanServer,
        tx: &mut dyn Sql,
        row: &SubscriptionRow,
        first_told: bool,
    ) -> Result<(), StoreError> {
        if first_told {
            return Ok(());
        }
        let begun = happening::Happening::Begun { sub_id: row.sub_id.clone() };
        happening::note(tx, &server.kit().ambient, row.trace.clone(), &begun).await
    }

    fn wake(server: &SanServer) {
        server.wake_notifier();
    }

    fn granted(call: &Call) {
        granted(call);
    }
}

/// What belongs together (sheet of TS 29.437): each event has its filter, and the filter of anchors may narrow any.
fn check_event(
    server: &SanServer,
    subscriber: &Subscriber,
    at: &str,
    event: &AnchorsEventsSub,
) -> Result<(), Refusal> {
    let filter = &event.evnt_fltr;
    let area_max_m2 = server.config().area_max_m2;
    if let Some(area) = filter.anchr_fltr.as_ref().and_then(|anchors| anchors.area_int.as_ref()) {
        let at = format!("{at}/anchrFltr/areaInt");
        match Area::of(area) {
            Err(_) => return Err(input::optional(at, "names no geographic area that can be searched")),
            Ok(area) if area.area_m2() > area_max_m2 => return Err(input::optional(at, "is too large")),
            Ok(_) => {}
        }
    }
    let too_far = |range_m: f64| range_m * range_m * std::f64::consts::PI > area_max_m2;
    match (&event.event, &filter.ue_fltr, &filter.rng_fltr) {
        (AnchorEvent::UeInterest, None, _) => Err(input::missing(format!("{at}/ueFltr"))),
        (AnchorEvent::UeInterest, Some(ue), _) if too_far(ue.rng_val) => {
            Err(input::optional(format!("{at}/ueFltr/rngVal"), "is too large"))
        }
        (AnchorEvent::InRange, _, None) => Err(input::missing(format!("{at}/rngFltr"))),
        (AnchorEvent::InRange, _, Some(range)) if too_far(range.app_rng) => {
            Err(input::optional(format!("{at}/rngFltr/appRng"), "is too large"))
        }
        (AnchorEvent::InRange, _, Some(range)) => {
            let named =
                range.pose.as_ref().is_some_and(|pose| pose.position.is_some()) || range.usr_loc.is_some();
            let at = format!("{at}/rngFltr/usrLoc");
            if named && range::place_of(range).is_none() {
                return Err(input::optional(at, "names no place on the Earth"));
            }
            // A VAL server is at no place, and a UE that is not named is seen nowhere.
            let is_seen = subscriber.caller.kind == CallerKind::ValClient && subscriber.caller.ue.is_some();
            if !named && !is_seen { Err(input::missing(at)) } else { Ok(()) }
        }
        // Without a filter every management event is meant; unknown events are accepted and never happen.
        _ => Ok(()),
    }
}

/// No body panics.
pub(super) fn fuzz_body(bytes: &[u8]) {
    let Ok((body, _)) = input::parse(bytes, SuppFeat::default(), |_| {}) else { return };
    let _ = input::typed::<api_types::san::SpatialAnchorGroup>(body.clone());
    if let Ok(body) = input::typed::<SpatialAnchorsSub>(body.clone()) {
        let _ = Reporting::read(body.report_req.as_ref(), body.exp_time, 0);
        for event in &body.event_subs {
            let _ = event.evnt_fltr.rng_fltr.as_ref().and_then(range::place_of);
        }
    }
    if let Ok(body) = input::typed::<api_types::san::SpatialAnchorsUsageInfoSub>(body.clone()) {
        let _ = Reporting::read(body.report_req.as_ref(), body.exp_time, 0);
    }
    let _ = input::typed::<api_types::san::SpatialAnchorUsageReportReq>(body);
}

/// A subscription of the store in its types.
fn opened(row: &SubscriptionRow) -> Result<(SpatialAnchorsSub, State), StoreError> {
    Ok((parsed(&row.body)?, parsed(&row.state)?))
}
