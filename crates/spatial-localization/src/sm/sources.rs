//! Discover data sources (TS 29.437 GET `/datasource-profiles`), and ask those that were found for their data
//! (TS 24.550, callback).
//!
//! Where a source is belongs to its owner (FFS-11: what is a user's), and is shown to nobody else.

use api_types::common_data::EndPoint;
use api_types::geo::ServiceArea;
use api_types::sm::{
    DataSourceNotification, DataSourceNotificationInfo, DataSourceRegReq, SMDataSourceDiscFilter,
    SMDataSourceDiscResp, SpatialMapInfoDetails,
};
use authorization::{CallerKind, Principal, Reason};
use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use service_http::call::{Authorized, Call};
use service_http::callback_hosts;
use service_http::ledger::{self, Permit};
use service_http::outbox_driver::Decision;
use service_http::refusal::Refusal;
use store::outbox::{self, Message};
use store::registrations::{self, RegistrationRow};
use store::{Sql, StoreError};

use super::access::{self, SCOPE_READ};
use super::registrations::Sources;
use super::{SmServer, steps};
use crate::shared::geometry::Area;
use crate::shared::input;
use crate::shared::operator_rules::Action;
use crate::shared::registrations::{Registry as _, parsed};
use crate::shared::subscriptions::standing::hosts_of;

const DISCOVER: Action = Action { verb: "discover", scope: SCOPE_READ };

/// `kind` of the messages to sources; their identifiers begin with it.
const KIND: &str = "DATA_SOURCE";

/// Sources that are read at once, and most that one answer names. Own values.
const PAGE: u32 = 200;
const MOST: usize = 1_000;

/// What is looked for.
struct Question {
    area: Option<Area>,
    end_point: Option<EndPoint>,
    details: Vec<SpatialMapInfoDetails>,
}

/// GET.
pub(super) async fn discover(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = input::query(query.as_deref())?;
    let features = input::features(&query)?;
    let named: Option<ServiceArea> = query.valid("area-int").map_err(input::bad_query)?;
    let area = named.as_ref().map(Area::of).transpose();
    let area =
        area.map_err(|_| input::parameter("area-int", "names no geographic area that can be searched"))?;
    if area.as_ref().is_some_and(|area| area.area_m2() > sm.limits().area_m2) {
        call.ctx.fail("admission", "at most 10,000 square kilometres", "a larger area");
        return Err(Refusal::open(Reason::AreaTooLarge));
    }
    let filter: Option<SMDataSourceDiscFilter> = query.valid("ds-disc-fltr").map_err(input::bad_query)?;
    let question = Question {
        area,
        end_point: query.valid("end-point").map_err(input::bad_query)?,
        details: filter.map(|filter| filter.sm_info_dets).unwrap_or_default(),
    };
    let (job, by) = (sm.clone(), call.clone());
    let results =
        sm.store().write(move |tx| Box::pin(async move { find(tx, &job, &by, &question).await })).await?;
    sm.wake_outbox();
    steps::granted(&call, "Data source discovery response");
    let supp_feat = features.negotiated().and_then(|bits| bits.to_owned().try_into().ok());
    Ok(Json(SMDataSourceDiscResp { results, supp_feat }).into_response())
}

async fn find(
    tx: &mut dyn Sql,
    sm: &SmServer,
    call: &Call,
    question: &Question,
) -> Result<Vec<api_types::sm::DataSourceProfile>, Refusal> {
    let around = access::around(tx, sm, call).await?;
    around.check_action(call, DISCOVER, None)?;
    let mut results = Vec::new();
    let mut after = String::new();
    while results.len() < MOST {
        let page = registrations::page(tx, Sources::FAMILY, &after, around.now_s, PAGE).await?;
        let Some(last) = page.last() else { break };
        after.clone_from(&last.reg_id);
        for row in &page {
            let own = call.caller.is(&Principal::new(row.owner_issuer.as_str(), row.owner_subject.as_str()));
            // A UE finds its own sources; those of others are for VAL servers.
            if !own && call.caller.kind != CallerKind::ValServer {
                continue;
            }
            let mut source: DataSourceRegReq = parsed(&row.body)?;
            if !meant(question, &source.ds_profile.sm_information, around.now_s) {
                continue;
            }
            if let Some(end_point) = &question.end_point {
                ask(tx, sm, call, row, &source, end_point).await?;
            }
            if !own {
                source.ds_profile.sm_information.sm_position = None;
            }
            results.push(source.ds_profile);
        }
    }
    results.truncate(MOST);
    let permit = Permit::new("sm.data_source.discover")
        .object("datasource-profiles")
        .units((results.len() as u64).max(1))
        .policy_version(around.policy_version());
    ledger::permit(tx, call, &permit).await?;
    Ok(results)
}

/// Whether a source is available and delivers what is looked for, where.
fn meant(question: &Question, source: &SpatialMapInfoDetails, now_s: i64) -> bool {
    let available = source.availability_info.as_ref().is_none_or(|window| window.holds(now_s));
    let meets = |area: &Area| {
        let own = Area::bounding(&source.sm_data_area);
        let boxes = area.boxes();
        own.is_some_and(|own| {
            own.boxes().iter().any(|a| {
                boxes.iter().any(|b| {
                    a.min_lon <= b.max_lon
                        && b.min_lon <= a.max_lon
                        && a.min_lat <= b.max_lat
                        && b.min_lat <= a.max_lat
                })
            })
        })
    };
    let wanted = |wanted: &SpatialMapInfoDetails| {
        wanted.sm_data_identifier == source.sm_data_identifier
            && wanted.sm_data_type == source.sm_data_type
            && wanted.sm_raw_data_format == source.sm_raw_data_format
    };
    available
        && question.area.as_ref().is_none_or(meets)
        && (question.details.is_empty() || question.details.iter().any(wanted))
}

/// Queues the request for data.
async fn ask(
    tx: &mut dyn Sql,
    sm: &SmServer,
    call: &Call,
    row: &RegistrationRow,
    source: &DataSourceRegReq,
    end_point: &EndPoint,
) -> Result<(), StoreError> {
    let information = &source.ds_profile.sm_information;
    let notification = DataSourceNotification {
        requestor_id: source.requestor_id.clone(),
        data_source_reg_id: row.reg_id.clone(),
        ds_notification_info: DataSourceNotificationInfo {
            sm_data_identifier: information.sm_data_identifier.clone(),
            sm_end_pt: end_point.clone(),
            sm_data_type: Some(information.sm_data_type.clone()),
            sm_format: None,
            sm_duration_info: None,
            sm_frequency_info: information.ds_update_interval_info,
        },
    };
    let now_ms = sm.kit().ambient.now_ms();
    let message = Message {
        id: format!("{KIND}:{}:{}", row.reg_id, sm.kit().ambient.random_id()),
        kind: KIND.to_owned(),
        client: hosts_of(sm.kit(), &row.owner_issuer, &row.client),
        target: source.notification_destination.clone(),
        body: serde_json::to_string(&notification).map_err(|_| StoreError::Damaged("a notification"))?,
        trace: Some(call.ctx.trace().trace.to_string()),
        queued_ms: now_ms,
        due_ms: now_ms,
    };
    outbox::queue(tx, &message).await.map(drop)
}

/// Whether a message is one to a source.
pub(super) fn is_ours(message: &Message) -> bool {
    message.kind == KIND
}

/// Decides about a message to a source: one that is registered no more is asked no more.
///
/// # Errors
/// The store failed.
pub(super) async fn decide(sm: &SmServer, message: &Message) -> Result<Decision, StoreError> {
    let Some(reg_id) = message.id.split(':').nth(1).map(str::to_owned) else { return Ok(Decision::Drop) };
    let now_s = sm.kit().ambient.now_s();
    let read = sm.store().write(move |tx| {
        Box::pin(async move { registrations::live(tx, Sources::FAMILY, &reg_id, now_s).await })
    });
    let row: Option<RegistrationRow> = read.await?;
    let is_of = |row: &RegistrationRow| hosts_of(sm.kit(), &row.owner_issuer, &row.client) == message.client;
    if !row.is_some_and(|row| is_of(&row)) {
        return Ok(Decision::Drop);
    }
    Ok(match callback_hosts::hosts_for(sm.hosts(), &message.client, &message.target).await {
        Ok(Some(hosts)) => Decision::Send { hosts, body: message.body.clone() },
        Ok(None) => Decision::Drop,
        Err(_) => Decision::Later("the SIM-S does not answer"),
    })
}
