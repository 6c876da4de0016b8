//! Usage of anchors (TS 29.437 `ssan-usg`).

use serde::{Deserialize, Serialize};

use super::MAX_ANCHORS_PER_LIST;
use super::subscription::MAX_EVENTS;
use crate::common_data::{MAX_LIST, MAX_TEXT, ReportingInformation, SupportedFeatures};
use crate::date_time::{DateTime, TimeWindow};
use crate::geo::{LocationInfo, ServiceArea};
use crate::ids::{SpatialAnchorId, SubscriptionId};
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child};

open_enum! {
    /// Event of usage (TS 29.437 `AnchorUsageEvent`).
    AnchorUsageEvent {
        /// Usage information.
        UsageInformation = "SPATIAL_ANCHOR_USAGE_INFORMATION",
    }
}

/// Whose usage (TS 29.437): at least one member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnchorsUsageFilter {
    /// Anchors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anch_ids: Option<Vec<SpatialAnchorId>>,
    /// Where they are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anch_loc: Option<LocationInfo>,
    /// Area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<ServiceArea>,
    /// Application.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app_id: Option<String>,
}

/// Filter of a usage event (TS 29.437).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnchorsUsageEventFilter {
    /// Whose usage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anch_anl_fltr: Option<AnchorsUsageFilter>,
}

/// One usage event asked for (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnchorsUsageSub {
    /// The event.
    pub event: AnchorUsageEvent,
    /// Its filter.
    pub evnt_fltr: AnchorsUsageEventFilter,
}

/// Counters (TS 29.437).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnchorsUsageInfo {
    /// Anchors.
    pub anch_ids: Vec<SpatialAnchorId>,
    /// Times discovered.
    pub disc_acc: u64,
    /// Times accessed.
    pub ser_acc: u64,
    /// Anchors per location.
    pub anch_density: u64,
    /// Users near.
    pub usr_density: u64,
}

/// Report of usage (TS 29.437).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialAnchorsUsageReport {
    /// The event.
    pub event: AnchorUsageEvent,
    /// Counters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anch_usg_inf: Option<Vec<AnchorsUsageInfo>>,
}

/// Answer to a one-shot question (TS 29.437).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialAnchorsUsageInfo {
    /// Reports, perhaps none.
    pub reports: Vec<SpatialAnchorsUsageReport>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

/// Notification of usage (TS 29.437).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialAnchorsUsageInfoNotif {
    /// The subscription.
    pub sub_id: SubscriptionId,
    /// Reports.
    pub reports: Vec<SpatialAnchorsUsageReport>,
}

/// Subscription to usage, or a one-shot question (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialAnchorsUsageInfoSub {
    /// Events.
    pub event_subs: Vec<AnchorsUsageSub>,
    /// Where notifications go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notif_uri: Option<String>,
    /// First report, in an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<SpatialAnchorsUsageInfoNotif>,
    /// Sampling interval, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samp_int: Option<u32>,
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
pub struct SpatialAnchorsUsageInfoSubPatch {
    /// Events.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_subs: Option<Vec<AnchorsUsageSub>>,
    /// Where notifications go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notif_uri: Option<String>,
    /// Sampling interval, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samp_int: Option<u32>,
    /// How to report.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_req: Option<ReportingInformation>,
    /// Expiry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exp_time: Option<DateTime>,
}

/// Accesses to one anchor, as a consumer reports them (TS 29.437).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnchorUsage {
    /// The anchor.
    pub anch_id: SpatialAnchorId,
    /// Number of accesses.
    pub access: u64,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rep_per: Option<TimeWindow>,
}

/// A consumer's report (TS 29.437).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialAnchorUsageReportReq {
    /// Accesses.
    pub anch_usg: Vec<AnchorUsage>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

impl Validate for AnchorsUsageFilter {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present =
            [self.anch_ids.is_some(), self.anch_loc.is_some(), self.area.is_some(), self.app_id.is_some()];
        faults.at_least_one(&present, at, "needs anchIds, anchLoc, area or appId");
        if let Some(ids) = &self.anch_ids {
            faults.size(ids.len(), MAX_LIST, &child(at, "anchIds"));
        }
        faults.part(self.anch_loc.as_ref(), at, "anchLoc");
        faults.part(self.area.as_ref(), at, "area");
        faults.opt_text(self.app_id.as_ref(), MAX_TEXT, at, "appId");
        faults.done()
    }
}

impl Validate for AnchorsUsageEventFilter {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.anch_anl_fltr.as_ref(), at, "anchAnlFltr");
        faults.done()
    }
}

impl Validate for AnchorsUsageSub {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(self.event.as_str(), MAX_TEXT, at, "event");
        faults.part(Some(&self.evnt_fltr), at, "evntFltr");
        faults.done()
    }
}

impl Validate for SpatialAnchorsUsageInfoSub {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.list(&self.event_subs, MAX_EVENTS, at, "eventSubs");
        faults.opt_uri(self.notif_uri.as_ref(), at, "notifUri");
        faults.part(self.report_req.as_ref(), at, "reportReq");
        faults.done()
    }
}

impl Validate for SpatialAnchorsUsageInfoSubPatch {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_list(self.event_subs.as_ref(), MAX_EVENTS, at, "eventSubs");
        faults.opt_uri(self.notif_uri.as_ref(), at, "notifUri");
        faults.part(self.report_req.as_ref(), at, "reportReq");
        faults.done()
    }
}

impl Validate for AnchorUsage {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.rep_per.as_ref(), at, "repPer");
        faults.done()
    }
}

impl Validate for SpatialAnchorUsageReportReq {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.list(&self.anch_usg, MAX_ANCHORS_PER_LIST, at, "anchUsg");
        faults.done()
    }
}
