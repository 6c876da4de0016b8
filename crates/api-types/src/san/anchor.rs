//! A spatial anchor and its parts (TS 29.437 `SpatialAnchor`).

use base64::Engine as _;
use serde::{Deserialize, Serialize};

use super::own::{PersonalDataCategory, ServInfo, SyncState, Visibility, own_members};
use super::{MAX_LAYERS, MAX_RULE_ENTRIES, MAX_SPEC_INFO};
use crate::common_data::{ConnInfo, ServConnectInfo};
use crate::date_time::TimeWindow;
use crate::geo::{Local3dPointUncertaintyEllipsoid, ServiceArea};
use crate::ids::{SpatialAnchorId, SpatialMapId, ValServiceId};
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate};

open_enum! {
    /// Kind of an allowed entity (TS 29.437 `EntityType`).
    EntityType {
        /// A VAL server.
        ValServer = "VAL_SERVER",
        /// A VAL client.
        ValClient = "VAL_CLIENT",
    }
}

/// Who may use something (TS 29.437): at least one member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllowedEntity {
    /// Kind; alone it means any of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<EntityType>,
    /// Client, VAL user or VAL UE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub identifier: Option<String>,
}

/// Access control rules (TS 29.437): at least one list; the lists are OR-ed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AllowedRules {
    /// Entities.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_entities: Option<Vec<AllowedEntity>>,
    /// VAL services.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_service_list: Option<Vec<ValServiceId>>,
}

/// Localization as text, specific to the map format (TS 29.437).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LocalizationInfo {
    /// The text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_info: Option<String>,
}

/// Position in a spatial map (TS 29.437).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialAnchorMapPosition {
    /// The map, a decimal number as text.
    pub spa_map_id: String,
    /// Layers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spa_map_layer_id: Option<Vec<String>>,
    /// Localization.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local_info: Option<LocalizationInfo>,
}

/// Where an anchor is (TS 29.437): at least one member.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PositionInfo {
    /// Position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pos: Option<Local3dPointUncertaintyEllipsoid>,
    /// Position in a map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spa_map_pos: Option<SpatialAnchorMapPosition>,
}

/// VAL service information (TS 29.437).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VALServiceInfo {
    /// VAL service.
    pub service_id: ValServiceId,
    /// Where it is reached.
    pub end_pt: ConnInfo,
    /// Connectivity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serv_con_info: Option<ServConnectInfo>,
}

/// A spatial anchor (TS 29.437), with our own members.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialAnchor {
    /// Assigned by the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor_id: Option<SpatialAnchorId>,
    /// Where it is.
    pub pos_info: PositionInfo,
    /// Application specific information, base64, never interpreted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec_info: Option<String>,
    /// Where it is accessible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub svc_area: Option<ServiceArea>,
    /// Who may use it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rules: Option<AllowedRules>,
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

/// A discovered anchor (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialAnchorProfile {
    /// The anchor.
    pub anch_info: SpatialAnchor,
    /// Its VAL service.
    pub val_svc_inf: VALServiceInfo,
}

own_members!(SpatialAnchor);

impl SpatialAnchorMapPosition {
    /// The map as a number, if it is one.
    #[must_use]
    pub fn map_id(&self) -> Option<SpatialMapId> {
        self.spa_map_id.parse().ok()
    }
}

impl Validate for AllowedEntity {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.at_least_one(
            &[self.type_.is_some(), self.identifier.is_some()],
            at,
            "needs type or identifier",
        );
        if let Some(kind) = &self.type_ {
            faults.text(kind.as_str(), 64, at, "type");
        }
        faults.opt_text(self.identifier.as_ref(), crate::ids::MAX_ID, at, "identifier");
        faults.done()
    }
}

impl Validate for AllowedRules {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present = [self.allowed_entities.is_some(), self.val_service_list.is_some()];
        faults.at_least_one(&present, at, "needs allowedEntities or valServiceList");
        faults.opt_list(self.allowed_entities.as_ref(), MAX_RULE_ENTRIES, at, "allowedEntities");
        if let Some(services) = &self.val_service_list {
            faults.size(services.len(), MAX_RULE_ENTRIES, &crate::validate::child(at, "valServiceList"));
        }
        faults.done()
    }
}

impl Validate for LocalizationInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let chars = self.local_info.as_ref().map_or(0, |text| text.chars().count());
        faults.require(chars <= super::MAX_INFO, at, "localInfo", "is too long");
        faults.done()
    }
}

impl Validate for SpatialAnchorMapPosition {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.spa_map_id, crate::ids::MAX_ID, at, "spaMapId");
        faults.texts(self.spa_map_layer_id.as_ref(), MAX_LAYERS, crate::ids::MAX_ID, at, "spaMapLayerId");
        faults.part(self.local_info.as_ref(), at, "localInfo");
        faults.done()
    }
}

impl Validate for PositionInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.at_least_one(&[self.pos.is_some(), self.spa_map_pos.is_some()], at, "needs pos or spaMapPos");
        faults.part(self.pos.as_ref(), at, "pos");
        faults.part(self.spa_map_pos.as_ref(), at, "spaMapPos");
        faults.done()
    }
}

impl Validate for VALServiceInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(Some(&self.end_pt), at, "endPt");
        faults.part(self.serv_con_info.as_ref(), at, "servConInfo");
        faults.done()
    }
}

/// Notes a `specInfo` that is too long or no base64 (TS 29.122 `Bytes`).
pub(super) fn spec_info(faults: &mut Faults, text: Option<&String>, at: &str) {
    let Some(text) = text else { return };
    if text.len() > MAX_SPEC_INFO {
        faults.require(false, at, "specInfo", "is too long");
    } else {
        let good = base64::engine::general_purpose::STANDARD.decode(text).is_ok();
        faults.require(good, at, "specInfo", "is not base64");
    }
}

impl Validate for SpatialAnchor {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(Some(&self.pos_info), at, "posInfo");
        spec_info(&mut faults, self.spec_info.as_ref(), at);
        faults.part(self.svc_area.as_ref(), at, "svcArea");
        faults.part(self.rules.as_ref(), at, "rules");
        faults.merge(self.own().validate(at));
        faults.done()
    }
}

impl Validate for SpatialAnchorProfile {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(Some(&self.anch_info), at, "anchInfo");
        faults.part(Some(&self.val_svc_inf), at, "valSvcInf");
        faults.done()
    }
}
