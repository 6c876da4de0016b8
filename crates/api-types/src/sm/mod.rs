//! Spatial maps (TS 29.437 `ssm-*`) and their data sources (TS 24.550 `sm_smds`).

mod data_source;
mod discovery;
mod localization;
mod map;
mod one_or_many;
mod smas;
mod subscription;

pub use data_source::{
    DataSourceNotification, DataSourceNotificationInfo, DataSourcePatchRegReq, DataSourceProfile,
    DataSourceRegReq, SMDataSourceDiscFilter, SMDataSourceDiscResp, SmFormat, SpatialMapInfoDetails,
};
pub use discovery::{SpatialMapDiscovered, SpatialMapsDiscFilter, SpatialMapsDiscResp};
pub use localization::{SpatialMapLocDetails, SpatialMapLocalizeResp};
pub use map::{
    AugmentLayer, AugmentLayerInfo, AugmentLayerList, MapLayerInfo, MapObjectInfo, SpatialMap,
    SpatialMapCreateInfo, SpatialMapCreateReq, SpatialMapLayerInfo, SpatialMapLayers, SpatialMapPatch,
    SpatialMapProfile, SpatialMapRetResp, SpatialMapTempResp,
};
pub use smas::{SMASInfo, SMASProfile, SMASReg, SMASRegPatch, SpatialMapInfo};
pub use subscription::MAX_EVENTS;
pub use subscription::{
    MapEvent, MapEventFilter, MapEventSub, MapObjectChangeEvent, MapObjectChangeReport, MapsReport,
    SpatialMapsNotif, SpatialMapsSub, SpatialMapsSubPatch, TargetSpatialMaps,
};

/// Most layers of one map. Own value.
pub const MAX_LAYERS: usize = 256;

/// Most objects of one map. Own value.
pub const MAX_OBJECTS: usize = 1_000;

/// Most augmentations of one map. Own value.
pub const MAX_AUGMENTS: usize = 16;

/// Most details of one augmentation. Own value.
pub const MAX_AUGMENT_DETAILS: usize = 1_000;

/// Longest information about an object, in characters. Own value.
pub const MAX_OBJECT_INFO: usize = 16 * 1024;
