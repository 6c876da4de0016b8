//! Subscriptions to anchor events (TS 29.437 `SpatialAnchorsSub`).

use serde::{Deserialize, Serialize};

use super::anchor::SpatialAnchorProfile;
use crate::common_data::{MAX_LIST, MAX_TEXT, ReportingInformation, SupportedFeatures};
use crate::date_time::DateTime;
use crate::geo::{LocationInfo, Pose, ServiceArea};
use crate::ids::{SpatialAnchorId, SubscriptionId, ValServiceId, ValUeId};
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child};

/// Most events of one subscription. Own value.
pub const MAX_EVENTS: usize = 64;

/// Largest range, in metres. Own value.
pub const MAX_RANGE_M: f64 = 1.0e6;

open_enum! {
    /// Event of anchors (TS 29.437 `AnchorEvent`).
    AnchorEvent {
        /// Anchors were created, changed or deleted.
        Discovery = "ANCHOR_DISCOVERY",
        /// A UE is interested in anchors.
        UeInterest = "UE_SPATIAL_ANCHOR_INTEREST",
        /// An anchor is in range.
        InRange = "SPATIAL_ANCHOR_IN_RANGE",
    }
}

open_enum! {
    /// Management of anchors (TS 29.437 `AnchorManagementEvent`).
    AnchorManagementEvent {
        /// Created.
        Creation = "ANCHOR_CREATION",
        /// Changed.
        Update = "ANCHOR_UPDATE",
        /// Deleted.
        Deletion = "ANCHOR_DELETION",
    }
}

open_enum! {
    /// What was detected (TS 29.437 `DetectedEvent`).
    DetectedEvent {
        /// Anchor came into range of the UE.
        AnchorInRangeOfUe = "ANCHOR_IN_RANGE_OF_UE",
        /// Anchor left the range of the UE.
        AnchorOutRangeOfUe = "ANCHOR_OUT_RANGE_OF_UE",
        /// UE came into range of the anchor.
        UeInRangeOfAnchor = "UE_IN_RANGE_OF_ANCHOR",
        /// UE left the range of the anchor.
        UeOutRangeOfAnchor = "UE_OUT_RANGE_OF_ANCHOR",
    }
}

/// Filter of discovery events (TS 29.437).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DiscoveryFilter {
    /// The events.
    pub mgnt_evts: Vec<AnchorManagementEvent>,
}

/// Filter of interest events (TS 29.437).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UeFilter {
    /// Range, in metres.
    pub rng_val: f64,
    /// Also UEs that have discovered anchors.
    #[serde(default)]
    pub disc: bool,
}

/// Filter of range events (TS 29.437).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RangeFilter {
    /// Range, in metres.
    pub app_rng: f64,
    /// Persistent search.
    #[serde(default)]
    pub per_srch: bool,
    /// Where the user is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usr_loc: Option<LocationInfo>,
    /// Pose of the user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pose: Option<Pose>,
}

/// Filter of anchors (TS 29.437): at least one member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnchorFilter {
    /// Anchors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anch_ids: Option<Vec<SpatialAnchorId>>,
    /// VAL services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub svc_ids: Option<Vec<ValServiceId>>,
    /// Area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area_int: Option<ServiceArea>,
}

/// Filters of an event (TS 29.437).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventFilter {
    /// For `ANCHOR_DISCOVERY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disc_fltr: Option<DiscoveryFilter>,
    /// For `UE_SPATIAL_ANCHOR_INTEREST`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ue_fltr: Option<UeFilter>,
    /// For `SPATIAL_ANCHOR_IN_RANGE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rng_fltr: Option<RangeFilter>,
    /// For any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchr_fltr: Option<AnchorFilter>,
}

/// One event subscribed to (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnchorsEventsSub {
    /// The event.
    pub event: AnchorEvent,
    /// Its filters.
    pub evnt_fltr: EventFilter,
}

/// A UE and an anchor (TS 29.437): at least one member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UEAnchorInterest {
    /// The UE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ue_id: Option<ValUeId>,
    /// The anchor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchr_id: Option<SpatialAnchorId>,
    /// Their distance, in metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchr_rng: Option<f64>,
}

/// Report of an event (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnchorsReport {
    /// The event.
    pub event: AnchorEvent,
    /// What was detected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub det_event: Option<DetectedEvent>,
    /// Anchors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub achr_list: Option<Vec<SpatialAnchorProfile>>,
    /// UEs and anchors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ue_anchr_int: Option<Vec<UEAnchorInterest>>,
}

/// Notification (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialAnchorsNotif {
    /// The subscription.
    pub sub_id: SubscriptionId,
    /// Reports.
    pub reports: Vec<AnchorsReport>,
}

/// Subscription (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialAnchorsSub {
    /// Events.
    pub event_subs: Vec<AnchorsEventsSub>,
    /// Where notifications go.
    pub notif_uri: String,
    /// First report, in an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<SpatialAnchorsNotif>,
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
pub struct SpatialAnchorsSubPatch {
    /// Events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_subs: Option<Vec<AnchorsEventsSub>>,
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

impl Validate for UeFilter {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.range(self.rng_val, 0.0, MAX_RANGE_M, at, "rngVal");
        faults.done()
    }
}

impl Validate for RangeFilter {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.range(self.app_rng, 0.0, MAX_RANGE_M, at, "appRng");
        faults.part(self.usr_loc.as_ref(), at, "usrLoc");
        faults.part(self.pose.as_ref(), at, "pose");
        faults.done()
    }
}

impl Validate for AnchorFilter {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present = [self.anch_ids.is_some(), self.svc_ids.is_some(), self.area_int.is_some()];
        faults.at_least_one(&present, at, "needs anchIds, svcIds or areaInt");
        if let Some(ids) = &self.anch_ids {
            faults.size(ids.len(), MAX_LIST, &child(at, "anchIds"));
        }
        if let Some(ids) = &self.svc_ids {
            faults.size(ids.len(), MAX_LIST, &child(at, "svcIds"));
        }
        faults.part(self.area_int.as_ref(), at, "areaInt");
        faults.done()
    }
}

impl Validate for DiscoveryFilter {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.size(self.mgnt_evts.len(), MAX_EVENTS, &child(at, "mgntEvts"));
        faults.done()
    }
}

impl Validate for EventFilter {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.disc_fltr.as_ref(), at, "discFltr");
        faults.part(self.ue_fltr.as_ref(), at, "ueFltr");
        faults.part(self.rng_fltr.as_ref(), at, "rngFltr");
        faults.part(self.anchr_fltr.as_ref(), at, "anchrFltr");
        faults.done()
    }
}

impl Validate for AnchorsEventsSub {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(self.event.as_str(), MAX_TEXT, at, "event");
        faults.part(Some(&self.evnt_fltr), at, "evntFltr");
        faults.done()
    }
}

impl Validate for SpatialAnchorsSub {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.list(&self.event_subs, MAX_EVENTS, at, "eventSubs");
        faults.uri(&self.notif_uri, at, "notifUri");
        faults.part(self.report_req.as_ref(), at, "reportReq");
        faults.done()
    }
}

impl Validate for SpatialAnchorsSubPatch {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_list(self.event_subs.as_ref(), MAX_EVENTS, at, "eventSubs");
        faults.opt_uri(self.notif_uri.as_ref(), at, "notifUri");
        faults.part(self.report_req.as_ref(), at, "reportReq");
        faults.done()
    }
}
