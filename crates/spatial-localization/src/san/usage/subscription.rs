//! Usage information (TS 29.437 POST `/subscriptions` of `ssan-usg`): answered at once when it is asked for once, else
//! told in periods.

use std::collections::BTreeSet;

use api_types::common_data::{NotificationMethod, ReportingInformation};
use api_types::san::{
    SpatialAnchorsUsageInfo, SpatialAnchorsUsageInfoNotif, SpatialAnchorsUsageInfoSub,
    SpatialAnchorsUsageReport,
};
use async_trait::async_trait;
use authorization::{CallerKind, Reason};
use axum::Json;
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use service_http::call::{Authorized, Call};
use service_http::callback_hosts::HostSource;
use service_http::kit::FunctionKit;
use service_http::ledger::{self, Permit};
use service_http::outbox_driver::Decision;
use service_http::refusal::Refusal;
use store::outbox::Message;
use store::subscriptions::SubscriptionRow;
use store::{Sql, StoreError};

use super::count;
use crate::san::access::Viewer;
use crate::san::subscriptions::look;
use crate::san::{DISCOVER, SanServer, USAGE, granted};
use crate::shared::input::{self, Input};
use crate::shared::operator_rules::Action;
use crate::shared::subscriptions::Kind;
use crate::shared::subscriptions::notifier::{self, Admitted, Told};
use crate::shared::subscriptions::operations::{self, Act, Members, parsed, written};
use crate::shared::subscriptions::reporting::{Method, PERIOD_MAX_S, Reporting};
use crate::shared::subscriptions::standing::{Standing, Subscriber};
use crate::shared::supp_feat::SuppFeat;
use crate::shared::surroundings::Surroundings;

const ASK: Action = Action { verb: "usage", scope: DISCOVER };

/// Subscriptions to usage.
pub(in crate::san) struct Usage;

/// What was told last, so that a sampling that finds nothing new tells nothing.
#[derive(Default, Serialize, Deserialize)]
struct LastTold {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    last: Vec<SpatialAnchorsUsageReport>,
}

/// POST: once, or a subscription.
///
/// # Errors
/// The stage that refuses.
pub(in crate::san) async fn ask(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    let Input { body, features, .. } = input::read(request, input::JSON, |_| {}).await?;
    let body: SpatialAnchorsUsageInfoSub = input::typed(body)?;
    let method = body.report_req.as_ref().and_then(|wanted| wanted.notif_method.as_ref());
    let once = body.notif_uri.is_none() || method == Some(&NotificationMethod::OneTime);
    if once {
        answer(&san, &call, body, features).await
    } else {
        operations::created::<Usage>(&san, &call, body, features).await
    }
}

async fn answer(
    san: &SanServer,
    call: &Call,
    body: SpatialAnchorsUsageInfoSub,
    features: SuppFeat,
) -> Result<Response, Refusal> {
    check_filters(san, &Subscriber::of(call), &body)?;
    let (server, by) = (san.clone(), call.clone());
    let reports: Vec<SpatialAnchorsUsageReport> = san
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let viewer = Viewer::new(&server, tx, Subscriber::of(&by), ASK).await?;
                viewer.around.check_action(&by, ASK, None)?;
                server.tally().write(tx).await?;
                let reports = reports(tx, &viewer, &body).await?;
                let units: usize =
                    reports.iter().map(|report| report.anch_usg_inf.as_ref().map_or(0, Vec::len)).sum();
                let permit = Permit::new("san.usage.read")
                    .object("usage")
                    .units((units as u64).max(1))
                    .policy_version(viewer.around.policy_version());
                ledger::permit(tx, &by, &permit).await?;
                Ok::<_, Refusal>(reports)
            })
        })
        .await?;
    granted(call);
    let supp_feat = features.negotiated().and_then(|bits| bits.to_owned().try_into().ok());
    Ok(Json(SpatialAnchorsUsageInfo { reports, supp_feat }).into_response())
}

async fn reports(
    tx: &mut dyn Sql,
    viewer: &Viewer,
    body: &SpatialAnchorsUsageInfoSub,
) -> Result<Vec<SpatialAnchorsUsageReport>, StoreError> {
    let mut reports = Vec::new();
    for one in &body.event_subs {
        let infos = count::infos(tx, viewer, one.evnt_fltr.anch_anl_fltr.as_ref()).await?;
        if !infos.is_empty() {
            let event = one.event.clone();
            reports.push(SpatialAnchorsUsageReport { event, anch_usg_inf: Some(infos) });
        }
    }
    Ok(reports)
}

/// Usage information is for VAL servers (TS 23.437 table 8.5.1-1), and every filter names something.
fn check_filters(
    san: &SanServer,
    who: &Subscriber,
    body: &SpatialAnchorsUsageInfoSub,
) -> Result<(), Refusal> {
    if who.caller.kind != CallerKind::ValServer {
        return Err(Refusal::open(Reason::NotEntitled));
    }
    for (part, one) in body.event_subs.iter().enumerate() {
        let at = format!("/eventSubs/{part}/evntFltr/anchAnlFltr");
        let filter = one.evnt_fltr.anch_anl_fltr.as_ref().ok_or_else(|| input::missing(at.as_str()))?;
        for (member, area) in count::areas(Some(filter)) {
            let at = format!("{at}/{member}");
            match area {
                None => return Err(input::optional(at, "names no geographic area that can be searched")),
                Some(area) if area.area_m2() > san.config().area_max_m2 => {
                    return Err(input::optional(at, "is too large"));
                }
                Some(_) => {}
            }
        }
    }
    Ok(())
}

#[async_trait]
impl Kind for Usage {
    type Server = SanServer;
    type Body = SpatialAnchorsUsageInfoSub;
    const FAMILY: &'static str = "usage";
    const PATH: &'static str = USAGE;
    const CREATE: Act = Act { name: "san.usage.subscribe", action: ASK };
    const READ: Act = Act { name: "san.usage.subscription.read", action: ASK };
    const REPLACE: Act = Act { name: "san.usage.subscription.update", action: ASK };
    const MODIFY: Act = Self::REPLACE;
    const DELETE: Act = Act {
        name: "san.usage.subscription.delete",
        action: Action { verb: "unsubscribe", scope: DISCOVER },
    };

    fn kit(server: &SanServer) -> &FunctionKit {
        server.kit()
    }

    fn hosts(server: &SanServer) -> Option<&dyn HostSource> {
        server.hosts()
    }

    async fn around(server: &SanServer, tx: &mut dyn Sql, call: &Call) -> Result<Surroundings, StoreError> {
        Surroundings::of(tx, server.kit(), server.rules(), &call.caller).await
    }

    fn members(body: &mut SpatialAnchorsUsageInfoSub) -> Members<'_> {
        Members {
            notif_uri: body.notif_uri.as_deref(),
            report_req: body.report_req.as_ref(),
            exp_time: body.exp_time,
            supp_feat: &mut body.supp_feat,
        }
    }

    fn sampling(body: &SpatialAnchorsUsageInfoSub) -> Option<u32> {
        body.samp_int
    }

    fn same_events(one: &SpatialAnchorsUsageInfoSub, other: &SpatialAnchorsUsageInfoSub) -> bool {
        (&one.event_subs, one.samp_int) == (&other.event_subs, other.samp_int)
            && ReportingInformation::same_but_flag(one.report_req.as_ref(), other.report_req.as_ref())
    }

    /// Counters hold what came before: the last report says it all.
    fn gathered(_: &str, held: Vec<String>) -> Result<Vec<String>, StoreError> {
        Ok(held.into_iter().last().into_iter().collect())
    }

    fn check(
        server: &SanServer,
        subscriber: &Subscriber,
        body: &SpatialAnchorsUsageInfoSub,
    ) -> Result<(), Refusal> {
        check_filters(server, subscriber, body)?;
        if body.samp_int.is_some_and(|every| !(1..=PERIOD_MAX_S).contains(&every)) {
            return Err(input::optional("/sampInt", "is out of range"));
        }
        let method = body.report_req.as_ref().and_then(|wanted| wanted.notif_method.as_ref());
        // Usage grows with every access: without an interval there is no time to tell of it.
        match (method, body.samp_int) {
            (Some(NotificationMethod::Periodic), _) | (_, Some(_)) => Ok(()),
            _ => Err(input::missing("/sampInt")),
        }
    }

    async fn reset(_: &SanServer, _: &mut dyn Sql, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn first(
        server: &SanServer,
        tx: &mut dyn Sql,
        subscriber: &Subscriber,
        row: &mut SubscriptionRow,
        body: &SpatialAnchorsUsageInfoSub,
    ) -> Result<Option<Value>, StoreError> {
        let viewer = Viewer::new(server, tx, subscriber.clone(), ASK).await?;
        server.tally().write(tx).await?;
        let last = reports(tx, &viewer, body).await?;
        row.state = written(&LastTold { last: last.clone() })?;
        if last.is_empty() {
            return Ok(None);
        }
        Ok(Some(notif(&row.sub_id, last)?))
    }

    async fn begin(_: &SanServer, _: &mut dyn Sql, _: &SubscriptionRow, _: bool) -> Result<(), StoreError> {
        Ok(())
    }

    fn wake(_: &SanServer) {}

    fn granted(call: &Call) {
        granted(call);
    }
}

fn notif(sub_id: &str, reports: Vec<SpatialAnchorsUsageReport>) -> Result<Value, StoreError> {
    let sub_id = sub_id.try_into().map_err(|_| StoreError::Damaged("a subscription's name"))?;
    serde_json::to_value(SpatialAnchorsUsageInfoNotif { sub_id, reports })
        .map_err(|_| StoreError::Damaged("a report cannot be written"))
}

/// Makes the report of a subscription that is due; whether anything is told.
///
/// # Errors
/// The store failed.
pub(in crate::san) async fn periodic(
    tx: &mut dyn Sql,
    san: &SanServer,
    row: &mut SubscriptionRow,
    standing: &Standing,
) -> Result<bool, StoreError> {
    let body: SpatialAnchorsUsageInfoSub = parsed(&row.body)?;
    let state: LastTold = parsed(&row.state)?;
    let read = Reporting::read(body.report_req.as_ref(), body.exp_time, row.created_s);
    let mut reporting = read.map_err(|_| StoreError::Damaged("a subscription to usage"))?;
    let sampled = reporting.method == Method::OnEvent;
    if let (true, Some(every)) = (sampled, body.samp_int) {
        reporting.method = Method::Every(every);
    }
    let viewer = Viewer::new(san, tx, standing.subscriber(), ASK).await?;
    san.tally().write(tx).await?;
    let reports = reports(tx, &viewer, &body).await?;
    let repeats = sampled && reports == state.last;
    let news = !reports.is_empty() && !repeats;
    row.state = written(&LastTold { last: reports.clone() })?;
    let messages = if news { vec![written(&reports)?] } else { Vec::new() };
    let (due_s, uri) = (row.next_s, body.notif_uri.unwrap_or_default());
    notifier::queue(tx, san.kit(), row, &uri, &reporting, due_s, messages).await
}

/// Decides about a message of a subscription to usage: anchors that are not the subscriber's any more are left out.
///
/// # Errors
/// The store failed.
pub(in crate::san) async fn decide(
    san: &SanServer,
    admitted: Admitted,
    message: &Message,
) -> Result<Decision, StoreError> {
    let mut reports: Vec<SpatialAnchorsUsageReport> = parsed(&message.body)?;
    let infos = |report: &SpatialAnchorsUsageReport| report.anch_usg_inf.clone().unwrap_or_default();
    let ids: BTreeSet<u32> =
        reports.iter().flat_map(infos).flat_map(|info| info.anch_ids).map(|id| id.0).collect();
    let (server, subscriber) = (san.clone(), admitted.subscriber);
    let read = san.kit().store.read(move |tx| {
        Box::pin(async move {
            let viewer = Viewer::new(&server, tx, subscriber, ASK).await?;
            let seen = look::by_ids(tx, &viewer, &ids).await?;
            let own: BTreeSet<u32> =
                seen.into_iter().filter(|(_, seen)| seen.access.owner).map(|(id, _)| id).collect();
            Ok((own, viewer.around.policy_version()))
        })
    });
    let (own, policy_version) = read.await?;
    let mut units = 0;
    for report in &mut reports {
        let infos = report.anch_usg_inf.get_or_insert_default();
        infos.retain(|info| info.anch_ids.iter().all(|id| own.contains(&id.0)));
        units += infos.len() as u64;
    }
    reports.retain(|report| report.anch_usg_inf.as_ref().is_some_and(|infos| !infos.is_empty()));
    if reports.is_empty() {
        return Ok(Decision::Drop);
    }
    let body = notif(&admitted.row.sub_id, reports)?;
    let told = Told { body, units, action: "san.usage.notify", policy_version };
    notifier::send(san.kit(), san.hosts(), message, &admitted.row, told).await
}
