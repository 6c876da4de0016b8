//! Subscriptions to map events (TS 29.437 `SpatialMapsSub`).

use serde::{Deserialize, Serialize};

use super::MAX_LAYERS;
use super::map::{MapObjectInfo, SpatialMapLayers};
use crate::common_data::{MAX_LIST, MAX_TEXT, ReportingInformation, SupportedFeatures};
use crate::date_time::DateTime;
use crate::geo::{LocationInfo, Pose, ServiceArea};
use crate::ids::{MAX_ID, SpatialMapId, ValServiceId};
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child};

/// Most events of one subscription. Own value.
pub const MAX_EVENTS: usize = 64;

open_enum! {
    /// Event of maps (TS 29.437 `MapEvent`).
    MapEvent {
        /// Objects changed.
        ChangeOfObjects = "CHANGE_OF_OBJECTS",
        /// Layers changed.
        LayersModification = "LAYERS_MODIFICATION",
        /// The map has been built.
        SpatialMapReady = "SPATIAL_MAP_READY",
    }
}

open_enum! {
    /// Change of an object (TS 29.437 `MapObjectChangeEvent`).
    MapObjectChangeEvent {
        /// Added.
        Added = "ADDED",
        /// Removed.
        Removed = "REMOVED",
        /// Moved; the published spelling goes out, the right one is read as well.
        ChangedPosition = "CHANGED_POSTION" | "CHANGED_POSITION",
        /// Turned.
        ChangedDirection = "CHANGED_DIRECTION",
        /// Other.
        AnyOther = "ANY_OTHER",
    }
}

/// The maps of a subscription (TS 29.437): at least one member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TargetSpatialMaps {
    /// Maps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map_ids: Option<Vec<SpatialMapId>>,
    /// Area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<ServiceArea>,
    /// Location.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub loc_info: Option<LocationInfo>,
    /// Pose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pose: Option<Pose>,
}

/// Filter of a map event (TS 29.437 `EventFilter`): at least one member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MapEventFilter {
    /// Objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obj_list: Option<Vec<String>>,
    /// Layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<Vec<String>>,
}

/// One event subscribed to (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MapEventSub {
    /// The event.
    pub event: MapEvent,
    /// The maps, despite the name.
    pub map_id: TargetSpatialMaps,
    /// Its filter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evnt_fltr: Option<MapEventFilter>,
}

/// Change of an object (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MapObjectChangeReport {
    /// The object.
    pub obj_inf: MapObjectInfo,
    /// The change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obj_chg_evnt: Option<MapObjectChangeEvent>,
}

/// Report of an event (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MapsReport {
    /// Maps.
    pub map_ids: Vec<SpatialMapId>,
    /// The event.
    pub event: MapEvent,
    /// Objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obj_det: Option<Vec<MapObjectChangeReport>>,
    /// Layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lyr_det: Option<SpatialMapLayers>,
}

/// Notification (TS 29.437). After a creation without subscription, `subId` is the map as text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapsNotif {
    /// The subscription.
    pub sub_id: String,
    /// Reports.
    pub reports: Vec<MapsReport>,
}

/// Subscription (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapsSub {
    /// Events.
    pub event_subs: Vec<MapEventSub>,
    /// VAL service.
    pub svc_id: ValServiceId,
    /// Where notifications go.
    pub notif_uri: String,
    /// First report, in an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<SpatialMapsNotif>,
    /// How to report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_req: Option<ReportingInformation>,
    /// Expiry; absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp_time: Option<DateTime>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

/// Change of a subscription (TS 29.437).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapsSubPatch {
    /// Events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_subs: Option<Vec<MapEventSub>>,
    /// Where notifications go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notif_uri: Option<String>,
    /// How to report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_req: Option<ReportingInformation>,
    /// Expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp_time: Option<DateTime>,
}

impl SpatialMapsNotif {
    /// The notification that a map is ready, for a creation without subscription.
    #[must_use]
    pub fn ready(map: SpatialMapId) -> Self {
        let report =
            MapsReport { map_ids: vec![map], event: MapEvent::SpatialMapReady, obj_det: None, lyr_det: None };
        Self { sub_id: map.to_string(), reports: vec![report] }
    }
}

impl Validate for TargetSpatialMaps {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present =
            [self.map_ids.is_some(), self.area.is_some(), self.loc_info.is_some(), self.pose.is_some()];
        faults.at_least_one(&present, at, "needs mapIds, area, locInfo or pose");
        if let Some(ids) = &self.map_ids {
            faults.size(ids.len(), MAX_LIST, &child(at, "mapIds"));
        }
        faults.part(self.area.as_ref(), at, "area");
        faults.part(self.loc_info.as_ref(), at, "locInfo");
        faults.part(self.pose.as_ref(), at, "pose");
        faults.done()
    }
}

impl Validate for MapEventFilter {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.at_least_one(&[self.obj_list.is_some(), self.layers.is_some()], at, "needs objList or layers");
        faults.texts(self.obj_list.as_ref(), MAX_LIST, MAX_ID, at, "objList");
        faults.texts(self.layers.as_ref(), MAX_LAYERS, MAX_ID, at, "layers");
        faults.done()
    }
}

impl Validate for MapEventSub {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(self.event.as_str(), MAX_TEXT, at, "event");
        faults.part(Some(&self.map_id), at, "mapId");
        faults.part(self.evnt_fltr.as_ref(), at, "evntFltr");
        faults.done()
    }
}

impl Validate for SpatialMapsSub {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.list(&self.event_subs, MAX_EVENTS, at, "eventSubs");
        faults.uri(&self.notif_uri, at, "notifUri");
        faults.part(self.report_req.as_ref(), at, "reportReq");
        faults.done()
    }
}

impl Validate for SpatialMapsSubPatch {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_list(self.event_subs.as_ref(), MAX_EVENTS, at, "eventSubs");
        faults.opt_uri(self.notif_uri.as_ref(), at, "notifUri");
        faults.part(self.report_req.as_ref(), at, "reportReq");
        faults.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_misspelt_value_goes_out_and_both_come_in() {
        for text in ["CHANGED_POSTION", "CHANGED_POSITION"] {
            assert_eq!(MapObjectChangeEvent::from(text), MapObjectChangeEvent::ChangedPosition);
        }
        assert_eq!(MapObjectChangeEvent::ChangedPosition.as_str(), "CHANGED_POSTION");
    }

    #[test]
    fn the_creation_callback_names_the_map() {
        let json = serde_json::to_value(SpatialMapsNotif::ready(SpatialMapId(17))).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"subId": "17", "reports": [{"mapIds": [17], "event": "SPATIAL_MAP_READY"}]})
        );
    }
}
