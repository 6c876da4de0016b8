//! Spatial maps (TS 29.437 `ssm-smm`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{MAX_AUGMENT_DETAILS, MAX_AUGMENTS, MAX_LAYERS, MAX_OBJECT_INFO, MAX_OBJECTS};
use crate::common_data::{MAX_TEXT, SupportedFeatures};
use crate::date_time::TimeWindow;
use crate::geo::{Local3dPointUncertaintyEllipsoid, ServiceArea};
use crate::ids::{MAX_ID, SpatialMapId, ValServiceId};
use crate::problem::InvalidParam;
use crate::san::own_members;
use crate::san::{AllowedRules, PersonalDataCategory, ServInfo, SyncState, Visibility};
use crate::validate::{Faults, Validate, child, item};
use crate::{merge_patch, strict_json};

open_enum! {
    /// What a map can be augmented with (TS 29.437 `AugmentLayer`).
    AugmentLayer {
        /// VAL users in the area.
        ValUsers = "VAL_USERS",
        /// Anchors in the area.
        SpatialAnchors = "SPATIAL_ANCHORS",
    }
}

/// An augmentation (TS 29.437).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AugmentLayerInfo {
    /// With what.
    pub aug_with: AugmentLayer,
    /// Identifiers of users or anchors.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aug_lyr_det: Option<Vec<String>>,
}

/// Augmentations asked for (TS 29.437).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AugmentLayerList {
    /// With what.
    pub aug_lyrs: Vec<AugmentLayer>,
}

/// Information of a layer (TS 29.437): at least one member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MapLayerInfo {
    /// Its area.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<ServiceArea>,
    /// A map that details it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map_asc: Option<String>,
}

/// A layer (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapLayerInfo {
    /// Its identifier within the map.
    pub map_lyr_id: String,
    /// Its information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map_lyr_inf: Option<MapLayerInfo>,
}

/// Layers (TS 29.437).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapLayers {
    /// The layers.
    pub lyr_list: Vec<SpatialMapLayerInfo>,
}

/// An object in a map (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MapObjectInfo {
    /// Its identifier within the map.
    pub obj_id: String,
    /// Its kind.
    pub obj_type: String,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obj_pos: Option<Local3dPointUncertaintyEllipsoid>,
    /// Information.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obj_inf: Option<String>,
}

/// What a new map shall hold (TS 29.437): at least one member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapCreateInfo {
    /// Who may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allw_ent: Option<AllowedRules>,
    /// Layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lyr_inf: Option<Vec<MapLayerInfo>>,
    /// Augmentations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aug_lyr_inf: Option<Vec<AugmentLayerInfo>>,
    /// Own member: who may discover it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// Own member: when it is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_period: Option<TimeWindow>,
    /// Own member: information about the premises, for those who may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub premises: Option<String>,
    /// Own member: service information of several providers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serv_infos: Option<Vec<ServInfo>>,
    /// Own member: name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Own member: personal data that the service needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal_data_required: Option<Vec<PersonalDataCategory>>,
}

/// Request for a map (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapCreateReq {
    /// VAL service.
    pub svc_id: ValServiceId,
    /// Area of interest.
    pub area_int: ServiceArea,
    /// Where SPATIAL_MAP_READY goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notif_uri: Option<String>,
    /// What it shall hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub map_inf: Option<SpatialMapCreateInfo>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

/// Profile of a map (TS 29.437), with our own members.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapProfile {
    /// Assigned by the server.
    pub map_id: SpatialMapId,
    /// What it covers.
    pub map_cov: ServiceArea,
    /// Layers.
    pub map_lyr_list: SpatialMapLayers,
    /// Who may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allw_ent: Option<AllowedRules>,
    /// Objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obj_list: Option<Vec<MapObjectInfo>>,
    /// Own member: who may discover it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub visibility: Option<Visibility>,
    /// Own member: when it is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_period: Option<TimeWindow>,
    /// Own member: information about the premises, for those who may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub premises: Option<String>,
    /// Own member: service information of several providers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serv_infos: Option<Vec<ServInfo>>,
    /// Own member: name for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Own member: personal data that the service needs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personal_data_required: Option<Vec<PersonalDataCategory>>,
    /// Own member, only in answers to the owner: whether the CAPIF core function knows of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sync_state: Option<SyncState>,
}

/// A map (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMap {
    /// VAL service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub svc_id: Option<ValServiceId>,
    /// Its profile.
    pub sm_prof: SpatialMapProfile,
    /// Augmentations: one goes out as an object, several as an array.
    #[serde(with = "super::one_or_many", default, skip_serializing_if = "Option::is_none")]
    pub aug_lyr_inf: Option<Vec<AugmentLayerInfo>>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

/// Change of a map (TS 29.437), to be sent. A server applies the JSON text by [`SpatialMap::patched`].
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapPatch {
    /// VAL service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub svc_id: Option<ValServiceId>,
    /// Its profile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sm_prof: Option<SpatialMapProfile>,
    /// Augmentations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aug_lyr_inf: Option<Vec<AugmentLayerInfo>>,
    /// Features; own member of a patch, so that own members can be patched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

/// A map as retrieved (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapRetResp {
    /// VAL service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub svc_id: Option<ValServiceId>,
    /// Its profile.
    pub map_inf: SpatialMapProfile,
    /// Augmentations, likewise.
    #[serde(with = "super::one_or_many", default, skip_serializing_if = "Option::is_none")]
    pub aug_lyr_inf: Option<Vec<AugmentLayerInfo>>,
}

/// A map that is still being built (TS 29.437).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialMapTempResp {
    /// Its identifier.
    pub map_id: SpatialMapId,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

own_members!(SpatialMapCreateInfo, SpatialMapProfile);

impl SpatialMap {
    /// Whether the profile has a member beyond Rel-19.
    #[must_use]
    pub fn has_own_members(&self) -> bool {
        self.sm_prof.has_own_members()
    }

    /// Removes every member beyond Rel-19.
    pub fn strip_own_members(&mut self) {
        self.sm_prof.strip_own_members();
    }

    /// Validates the body of a PUT or the outcome of a PATCH: `mapId` must be the one of the path.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn validate_at(&self, path: SpatialMapId) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        if self.sm_prof.map_id != path {
            faults.add("/smProf/mapId", "is not the map of the path");
        }
        faults.merge(self.validate(""));
        faults.done()
    }

    /// The map as `patch` makes it (RFC 7396), valid again and with the same identifier.
    ///
    /// # Errors
    /// What is wrong with the patch or with the map that it would make.
    pub fn patched(&self, patch: &Value) -> Result<Self, Vec<InvalidParam>> {
        let Value::Object(members) = patch else {
            return Err(vec![InvalidParam::new("", "is not an object")]);
        };
        let mut members = members.clone();
        members.remove("suppFeat");
        let mut value =
            serde_json::to_value(self).map_err(|_| vec![InvalidParam::new("", "cannot be changed")])?;
        merge_patch::apply(&mut value, &Value::Object(members));
        let map: Self = strict_json::from_value(value).map_err(|error| error.invalid())?;
        map.validate_at(self.sm_prof.map_id)?;
        Ok(map)
    }
}

impl SpatialMapRetResp {
    /// Removes every member beyond Rel-19.
    pub fn strip_own_members(&mut self) {
        self.map_inf.strip_own_members();
    }
}

impl Validate for AugmentLayerInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(self.aug_with.as_str(), 64, at, "augWith");
        faults.texts(self.aug_lyr_det.as_ref(), MAX_AUGMENT_DETAILS, MAX_ID, at, "augLyrDet");
        faults.done()
    }
}

impl Validate for AugmentLayerList {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.size(self.aug_lyrs.len(), MAX_AUGMENTS, &child(at, "augLyrs"));
        faults.done()
    }
}

impl Validate for MapLayerInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.at_least_one(&[self.area.is_some(), self.map_asc.is_some()], at, "needs area or mapAsc");
        faults.part(self.area.as_ref(), at, "area");
        faults.opt_text(self.map_asc.as_ref(), MAX_TEXT, at, "mapAsc");
        faults.done()
    }
}

impl Validate for SpatialMapLayerInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.map_lyr_id, MAX_ID, at, "mapLyrId");
        faults.part(self.map_lyr_inf.as_ref(), at, "mapLyrInf");
        faults.done()
    }
}

/// Notes each element of a list whose identifier stands there twice.
fn distinct<'a>(faults: &mut Faults, ids: impl Iterator<Item = &'a String>, here: &str, key: &str) {
    let mut seen = std::collections::BTreeSet::new();
    for (index, id) in ids.enumerate() {
        if !seen.insert(id) {
            faults.add(child(&item(here, index), key), "stands there twice");
        }
    }
}

impl Validate for SpatialMapLayers {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.list(&self.lyr_list, MAX_LAYERS, at, "lyrList");
        let ids = self.lyr_list.iter().take(MAX_LAYERS).map(|layer| &layer.map_lyr_id);
        distinct(&mut faults, ids, &child(at, "lyrList"), "mapLyrId");
        faults.done()
    }
}

impl Validate for MapObjectInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.obj_id, MAX_ID, at, "objId");
        faults.text(&self.obj_type, MAX_ID, at, "objType");
        faults.part(self.obj_pos.as_ref(), at, "objPos");
        let chars = self.obj_inf.as_ref().map_or(0, |text| text.chars().count());
        faults.require(chars <= MAX_OBJECT_INFO, at, "objInf", "is too long");
        faults.done()
    }
}

impl Validate for SpatialMapCreateInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        // Our own members count too: a map may be created with nothing but a visibility.
        let present = [
            self.allw_ent.is_some(),
            self.lyr_inf.is_some(),
            self.aug_lyr_inf.is_some(),
            self.has_own_members(),
        ];
        faults.at_least_one(&present, at, "needs allwEnt, lyrInf or augLyrInf");
        faults.part(self.allw_ent.as_ref(), at, "allwEnt");
        faults.opt_list(self.lyr_inf.as_ref(), MAX_LAYERS, at, "lyrInf");
        faults.opt_list(self.aug_lyr_inf.as_ref(), MAX_AUGMENTS, at, "augLyrInf");
        faults.merge(self.own().validate(at));
        faults.done()
    }
}

impl SpatialMapCreateReq {
    /// Whether a member beyond Rel-19 is there.
    #[must_use]
    pub fn has_own_members(&self) -> bool {
        self.map_inf.as_ref().is_some_and(SpatialMapCreateInfo::has_own_members)
    }

    /// Removes every member beyond Rel-19.
    pub fn strip_own_members(&mut self) {
        if let Some(info) = &mut self.map_inf {
            info.strip_own_members();
        }
    }
}

impl Validate for SpatialMapCreateReq {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(Some(&self.area_int), at, "areaInt");
        faults.opt_uri(self.notif_uri.as_ref(), at, "notifUri");
        faults.part(self.map_inf.as_ref(), at, "mapInf");
        faults.done()
    }
}

impl Validate for SpatialMapProfile {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(Some(&self.map_cov), at, "mapCov");
        faults.part(Some(&self.map_lyr_list), at, "mapLyrList");
        faults.part(self.allw_ent.as_ref(), at, "allwEnt");
        faults.opt_list(self.obj_list.as_ref(), MAX_OBJECTS, at, "objList");
        let objects = self.obj_list.iter().flatten().take(MAX_OBJECTS).map(|object| &object.obj_id);
        distinct(&mut faults, objects, &child(at, "objList"), "objId");
        faults.merge(self.own().validate(at));
        faults.done()
    }
}

impl Validate for SpatialMap {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(Some(&self.sm_prof), at, "smProf");
        faults.opt_list(self.aug_lyr_inf.as_ref(), MAX_AUGMENTS, at, "augLyrInf");
        faults.done()
    }
}

impl Validate for SpatialMapPatch {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.sm_prof.as_ref(), at, "smProf");
        faults.opt_list(self.aug_lyr_inf.as_ref(), MAX_AUGMENTS, at, "augLyrInf");
        faults.done()
    }
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
