//! The resource "individual subscription": what holds for every change of it.
//!
//! A subscription is its subscriber's: to everybody else it is not there.

use api_types::capif::events::{
    API_STATUS_MONITORING, ENHANCED_EVENT_REPORT, EventSubscription, NOTIFICATION_TEST_EVENT,
    NOTIFICATION_WEBSOCKET,
};
use api_types::common_data::SupportedFeatures;
use api_types::problem::{Cause, InvalidParam};
use authorization::Reason;
use serde_json::Value;
use service_http::call::{Actor, Ctx};
use service_http::json_body;
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::Sql;
use store::subscriptions::{self, SubscriptionRow};

use super::hearing::Standing;
use super::reporting::{Method, Reporting};
use super::state::{State, opened, written};
use super::telling::{self, Kept};
use super::{FAMILY, destination, filter, now};
use crate::ccf::CcfServer;
use crate::ccf::party::{Party, own, party};

/// Who may subscribe: whoever was onboarded or registered.
pub(crate) const SUBSCRIBERS: &[CertRole] = &[CertRole::Invoker, CertRole::Aef, CertRole::Apf, CertRole::Amf];

/// Features of the API that are served.
const FEATURES: [u32; 4] =
    [NOTIFICATION_TEST_EVENT, NOTIFICATION_WEBSOCKET, ENHANCED_EVENT_REPORT, API_STATUS_MONITORING];

/// Subscriptions of one party. Own value.
const PER_PARTY: u64 = 100;

/// Largest subscription as it is kept, in bytes: what a patch may make of it. Own value.
const KEPT: usize = 256 * 1024;

/// Whether a feature was agreed on.
pub(crate) fn has(body: &EventSubscription, feature: u32) -> bool {
    body.supported_features.as_ref().is_some_and(|features| features.has(feature))
}

/// The caller, whose subscriptions these are.
pub(crate) async fn subscriber(tx: &mut dyn Sql, ctx: &Ctx, id: &str) -> Result<Party, Refusal> {
    let party = party(tx, ctx, SUBSCRIBERS).await?;
    own(ctx, &party, id, "subscriberId")?;
    Ok(party)
}

/// A subscription of the caller.
pub(crate) async fn held(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    ctx: &Ctx,
    party: &Party,
    sub_id: &str,
) -> Result<SubscriptionRow, Refusal> {
    const EXPECTED: &str = "a subscription of the caller";
    let row = subscriptions::live(tx, FAMILY, sub_id, ccf.now_s()).await?;
    match row.filter(|row| row.owner_subject == party.id) {
        Some(row) => {
            ctx.pass("resource", EXPECTED, "held");
            Ok(row)
        }
        None => {
            ctx.fail("resource", EXPECTED, "none");
            Err(Refusal::open(Reason::NotFound).answered(404, Cause::SubscriptionNotFound))
        }
    }
}

/// What both sides know of the features that a subscriber named.
pub(crate) fn agreed(body: &EventSubscription) -> Option<SupportedFeatures> {
    body.supported_features.as_ref().map(|theirs| theirs.intersection(&SupportedFeatures::of(&FEATURES)))
}

/// What holds for every subscription, before it is kept; `body` is as it will be answered then.
///
/// # Errors
/// 400 with the members at fault.
pub(crate) fn check(ctx: &Ctx, body: &mut EventSubscription, now_s: i64) -> Result<Reporting, Refusal> {
    let wrong = |faults| Refusal::input(Cause::OptionalIeIncorrect, faults);
    // The address of a server is the server's to say; clients of others send any text here.
    if let Some(config) = &mut body.websock_notif_config {
        config.websocket_uri = None;
    }
    if !has(body, ENHANCED_EVENT_REPORT) && body.event_filters.is_some() {
        let why = "needs the feature Enhanced_event_report in supportedFeatures";
        return Err(wrong(vec![InvalidParam::new("/eventFilters", why)]));
    }
    filter::check(body.filtered()).map_err(wrong)?;
    let reporting = Reporting::read(body.event_req.as_ref(), now_s).map_err(wrong)?;
    destination::check(ctx, &body.notification_destination, "/notificationDestination")?;
    if written(body)?.len() > KEPT {
        return Err(Refusal::open(Reason::TooLarge));
    }
    Ok(reporting)
}

/// Where a subscription is.
pub(crate) fn uri(ccf: &CcfServer, row: &SubscriptionRow) -> String {
    ccf.at(&format!("{}/{}/subscriptions/{}", super::PATH, row.owner_subject, row.sub_id))
}

/// When the first period ends.
pub(crate) fn first_period(reporting: &Reporting, now_s: i64) -> Option<i64> {
    match reporting.method {
        Method::Every(_) => reporting.next_s(now_s, now_s),
        Method::OnEvent | Method::Gathered(_) => None,
    }
}

/// Refuses a party that has as many subscriptions as a party may have.
pub(crate) async fn room(tx: &mut dyn Sql, ccf: &CcfServer, ctx: &Ctx, party: &Party) -> Result<(), Refusal> {
    if subscriptions::count(tx, &ccf.config().issuer, &party.id).await? >= PER_PARTY {
        ctx.fail("admission", "at most 100 subscriptions", "more");
        return Err(Refusal::open(Reason::RateLimited));
    }
    Ok(())
}

/// What is done when a subscription begins, or begins anew: the way is tried, and what is the case now is told, where
/// that was asked for.
pub(crate) async fn begin(
    tx: &mut dyn Sql,
    ccf: &CcfServer,
    row: &mut SubscriptionRow,
    body: &EventSubscription,
    reporting: &Reporting,
) -> Result<(), Refusal> {
    let kit = ccf.kit();
    if body.request_test_notification == Some(true) && has(body, NOTIFICATION_TEST_EVENT) {
        let to = &body.notification_destination;
        telling::queue_one(tx, kit, row, to, &Kept::Test, kit.ambient.now_ms()).await?;
    }
    if !reporting.immediate {
        return Ok(());
    }
    let Standing::Stands(hearer) = Standing::of(tx, ccf, row).await? else { return Ok(()) };
    let mut state: State = opened(row)?.1;
    let mut told = Vec::new();
    for happening in now::happenings(tx, &hearer, body).await? {
        told.extend(telling::tellings(&hearer, body, reporting, &mut state, &happening));
    }
    // At once, whatever the method.
    let at_once = Reporting { method: Method::OnEvent, ..*reporting };
    told.truncate(now::MOST);
    telling::queue(tx, kit, row, body, &at_once, &mut state, told).await?;
    Ok(())
}

/// Records what was permitted.
pub(crate) async fn record(
    tx: &mut dyn Sql,
    ctx: &Ctx,
    row: &SubscriptionRow,
    action: &'static str,
    status: u16,
) -> Result<(), Refusal> {
    let object = format!("subscriptions/{}", row.sub_id);
    let permit = Permit::new(action).object(object).owner(row.owner_name.as_str()).status(status).units(0);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await
}

/// No body panics: what is decided of it before anything is kept.
pub(crate) fn fuzz_subscription(bytes: &[u8]) {
    let Ok(body) = json_body::parse::<EventSubscription>(bytes) else { return };
    let _ = agreed(&body);
    let _ = filter::check(body.filtered());
    let _ = Reporting::read(body.event_req.as_ref(), 0);
    let _ = destination::hosts(&body.notification_destination);
    if let Ok(patch) = serde_json::from_slice::<Value>(bytes) {
        let _ = body.patched(&patch);
    }
}
