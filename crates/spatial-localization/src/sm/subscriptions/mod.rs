//! Subscriptions to maps (TS 23.437 9.3; TS 29.437 `ssm-smm` `/subscriptions`): objects, layers, and maps that are ready.
//!
//! A subscriber hears of a map what reading it would show at the moment when the notification leaves.

mod diff;
mod tell;

pub(super) use diff::note_change;
pub(super) use tell::{decide, note_ready, round};

use api_types::common_data::ReportingInformation;
use api_types::sm::SpatialMapsSub;
use async_trait::async_trait;
use serde_json::Value;
use service_http::call::Call;
use service_http::callback_hosts::HostSource;
use service_http::kit::FunctionKit;
use service_http::refusal::Refusal;
use store::subscriptions::SubscriptionRow;
use store::{Sql, StoreError};

use super::access::{SCOPE_READ, SCOPE_WRITE};
use super::{SUBSCRIPTIONS, SmServer, steps};
use crate::shared::geometry::{Area, place_of};
use crate::shared::input;
use crate::shared::operator_rules::Action;
use crate::shared::subscriptions::Kind;
use crate::shared::subscriptions::operations::{Act, Members};
use crate::shared::subscriptions::standing::Subscriber;
use crate::shared::surroundings::Surroundings;

/// Subscriptions to maps.
pub(super) struct Maps;

const fn act(name: &'static str, verb: &'static str, scope: &'static str) -> Act {
    Act { name, action: Action { verb, scope } }
}

#[async_trait]
impl Kind for Maps {
    type Server = SmServer;
    type Body = SpatialMapsSub;
    const FAMILY: &'static str = "maps";
    const PATH: &'static str = SUBSCRIPTIONS;
    const CREATE: Act = act("sm.subscription.create", "subscribe", SCOPE_WRITE);
    const READ: Act = act("sm.subscription.read", "read", SCOPE_READ);
    const REPLACE: Act = act("sm.subscription.update", "subscribe", SCOPE_WRITE);
    const MODIFY: Act = Self::REPLACE;
    const DELETE: Act = act("sm.subscription.delete", "unsubscribe", SCOPE_WRITE);

    fn kit(server: &SmServer) -> &FunctionKit {
        server.kit()
    }

    fn hosts(server: &SmServer) -> Option<&dyn HostSource> {
        Some(server.hosts())
    }

    async fn around(server: &SmServer, tx: &mut dyn Sql, call: &Call) -> Result<Surroundings, StoreError> {
        super::access::around(tx, server, call).await
    }

    fn members(body: &mut SpatialMapsSub) -> Members<'_> {
        Members {
            notif_uri: Some(&body.notif_uri),
            report_req: body.report_req.as_ref(),
            exp_time: body.exp_time,
            supp_feat: &mut body.supp_feat,
        }
    }

    fn val_service(body: &SpatialMapsSub) -> Option<String> {
        Some(body.svc_id.as_str().to_owned())
    }

    fn same_events(one: &SpatialMapsSub, other: &SpatialMapsSub) -> bool {
        (&one.event_subs, &one.svc_id) == (&other.event_subs, &other.svc_id)
            && ReportingInformation::same_but_flag(one.report_req.as_ref(), other.report_req.as_ref())
    }

    fn gathered(_: &str, held: Vec<String>) -> Result<Vec<String>, StoreError> {
        tell::gathered(&held)
    }

    fn check(server: &SmServer, _: &Subscriber, body: &SpatialMapsSub) -> Result<(), Refusal> {
        for (part, event) in body.event_subs.iter().enumerate() {
            let at = |member: &str| format!("/eventSubs/{part}/mapId/{member}");
            let target = &event.map_id;
            let areas = [("area", target.area.clone()), ("locInfo", tell::area_of(target.loc_info.as_ref()))];
            for (member, area) in areas.into_iter().filter_map(|(member, area)| Some((member, area?))) {
                match Area::of(&area) {
                    Err(_) => {
                        return Err(input::optional(
                            at(member),
                            "names no geographic area that can be searched",
                        ));
                    }
                    Ok(area) if area.area_m2() > server.limits().area_m2 => {
                        return Err(input::optional(at(member), "is too large"));
                    }
                    Ok(_) => {}
                }
            }
            if target.loc_info.is_some() && tell::area_of(target.loc_info.as_ref()).is_none() {
                return Err(input::optional(at("locInfo"), "names no geographic area that can be searched"));
            }
            let position = target.pose.as_ref().map(|pose| pose.position.as_ref().and_then(place_of));
            if position == Some(None) {
                return Err(input::optional(at("pose"), "has a position in no known system"));
            }
        }
        Ok(())
    }

    async fn reset(_: &SmServer, _: &mut dyn Sql, _: &str) -> Result<(), StoreError> {
        Ok(())
    }

    async fn first(
        server: &SmServer,
        tx: &mut dyn Sql,
        subscriber: &Subscriber,
        row: &mut SubscriptionRow,
        body: &SpatialMapsSub,
    ) -> Result<Option<Value>, StoreError> {
        tell::first(server, tx, subscriber, &row.sub_id, body).await
    }

    async fn begin(_: &SmServer, _: &mut dyn Sql, _: &SubscriptionRow, _: bool) -> Result<(), StoreError> {
        Ok(())
    }

    fn wake(server: &SmServer) {
        server.wake_notifier();
    }

    fn granted(call: &Call) {
        steps::granted(call, "Spatial map subscription response");
    }
}
