//! Spatial anchors (TS 29.437, `ssan-sanm`, `ssan-disc`, `ssan-usg`).

mod anchor;
mod geo_pose;
mod group;
mod list;
pub(crate) mod own;
mod subscription;
mod usage;

pub use anchor::{
    AllowedEntity, AllowedRules, EntityType, LocalizationInfo, PositionInfo, SpatialAnchor,
    SpatialAnchorMapPosition, SpatialAnchorProfile, VALServiceInfo,
};
pub use geo_pose::NoRoom;
pub use group::{SpatialAnchorGroup, SpatialAnchorGroups};
pub use list::{SpatialAnchorRm, SpatialAnchorsDiscResp, SpatialAnchorsList, SpatialAnchorsListPatch};
pub(crate) use own::own_members;
pub use own::{PersonalDataCategory, ServInfo, SyncState, Visibility};
pub use subscription::{
    AnchorEvent, AnchorFilter, AnchorManagementEvent, AnchorsEventsSub, AnchorsReport, DetectedEvent,
    DiscoveryFilter, EventFilter, RangeFilter, SpatialAnchorsNotif, SpatialAnchorsSub,
    SpatialAnchorsSubPatch, UEAnchorInterest, UeFilter,
};
pub use subscription::{MAX_EVENTS, MAX_RANGE_M};
pub use usage::{
    AnchorUsage, AnchorUsageEvent, AnchorsUsageEventFilter, AnchorsUsageFilter, AnchorsUsageInfo,
    AnchorsUsageSub, SpatialAnchorUsageReportReq, SpatialAnchorsUsageInfo, SpatialAnchorsUsageInfoNotif,
    SpatialAnchorsUsageInfoSub, SpatialAnchorsUsageInfoSubPatch, SpatialAnchorsUsageReport,
};

/// Most anchors of one list. Own value.
pub const MAX_ANCHORS_PER_LIST: usize = 1_000;
/// Most entries of rules in the anchors of a list together: each is a row of the index in which permissions are looked
/// up. Own value.
pub const MAX_LIST_RULE_ENTRIES: usize = 4_096;

/// Longest label of an anchor in its list, in characters. Own value.
pub const MAX_LABEL: usize = 128;

/// Longest `specInfo`, in characters of base64. Own value.
pub const MAX_SPEC_INFO: usize = 64 * 1024;

/// Most allowed entities, and most VAL services, of one rule set. Own value.
pub const MAX_RULE_ENTRIES: usize = 256;

/// Most service informations of one anchor or map. Own value.
pub const MAX_SERV_INFOS: usize = 64;

/// Longest `info` of one service information, in characters. Own value.
pub const MAX_INFO: usize = 16 * 1024;

/// Longest `premises`, in characters. Own value.
pub const MAX_PREMISES: usize = 16 * 1024;

/// Longest `name`, in characters. Own value.
pub const MAX_NAME: usize = 256;

/// Most layers that an anchor names. Own value.
pub const MAX_LAYERS: usize = 256;
