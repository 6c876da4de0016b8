//! Spatial anchors lists: the unit of management (TS 29.437 `SpatialAnchorsList`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::anchor::{AllowedRules, PositionInfo, SpatialAnchor, SpatialAnchorProfile, VALServiceInfo};
use super::own::{PersonalDataCategory, ServInfo, Visibility, own_members};
use super::{MAX_ANCHORS_PER_LIST, MAX_LABEL, MAX_LIST_RULE_ENTRIES};
use crate::common_data::SupportedFeatures;
use crate::date_time::TimeWindow;
use crate::geo::ServiceArea;
use crate::ids::SpatialAnchorId;
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child};
use crate::{merge_patch, strict_json};

/// The anchors of one VAL service (TS 29.437).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialAnchorsList {
    /// The VAL service.
    pub val_serv_info: VALServiceInfo,
    /// The anchors by labels that hold within the list.
    pub anchors: BTreeMap<String, SpatialAnchor>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

/// A change of one anchor (TS 29.437); what is absent stays. `posInfo` is not needed here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialAnchorRm {
    /// Must be the one assigned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor_id: Option<SpatialAnchorId>,
    /// Where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pos_info: Option<PositionInfo>,
    /// Application specific information, base64.
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
    /// Own member: information about the premises.
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

/// A change of a list (TS 29.437), to be sent: an anchor that is `null` is removed. A server applies the JSON text of a patch by [`SpatialAnchorsList::patched`], which knows `null` at every depth.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialAnchorsListPatch {
    /// The VAL service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_serv_info: Option<VALServiceInfo>,
    /// The anchors by label.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<BTreeMap<String, SpatialAnchorRm>>)]
    pub anchors: Option<BTreeMap<String, Option<SpatialAnchorRm>>>,
    /// Features; own member of a patch, so that own members can be patched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

/// Discovered anchors (TS 29.437).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SpatialAnchorsDiscResp {
    /// The anchors, perhaps none.
    pub results: Vec<SpatialAnchorProfile>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

own_members!(SpatialAnchorRm);

impl SpatialAnchorsList {
    /// Whether an anchor has a member beyond Rel-19.
    #[must_use]
    pub fn has_own_members(&self) -> bool {
        self.anchors.values().any(SpatialAnchor::has_own_members)
    }

    /// Removes every member beyond Rel-19.
    pub fn strip_own_members(&mut self) {
        self.anchors.values_mut().for_each(SpatialAnchor::strip_own_members);
    }

    /// The list as `patch` makes it (RFC 7396), valid again.
    ///
    /// `suppFeat` of a patch says what its sender knows; it is not part of the list and leaves it unchanged.
    ///
    /// # Errors
    /// What is wrong with the patch or with the list that it would make.
    pub fn patched(&self, patch: &Value) -> Result<Self, Vec<InvalidParam>> {
        let Value::Object(members) = patch else {
            return Err(vec![InvalidParam::new("", "is not an object")]);
        };
        let mut members = members.clone();
        members.remove("suppFeat");
        let mut value =
            serde_json::to_value(self).map_err(|_| vec![InvalidParam::new("", "cannot be changed")])?;
        merge_patch::apply(&mut value, &Value::Object(members));
        let list: Self = strict_json::from_value(value).map_err(|error| error.invalid())?;
        list.validate("")?;
        Ok(list)
    }
}

impl SpatialAnchorsDiscResp {
    /// Removes every member beyond Rel-19.
    pub fn strip_own_members(&mut self) {
        self.results.iter_mut().for_each(|profile| profile.anch_info.strip_own_members());
    }
}

fn anchors<'a, T: Validate + 'a>(
    faults: &mut Faults,
    entries: impl ExactSizeIterator<Item = (&'a String, Option<&'a T>)>,
    at: &str,
) {
    let here = child(at, "anchors");
    faults.size(entries.len(), MAX_ANCHORS_PER_LIST, &here);
    for (label, anchor) in entries.take(MAX_ANCHORS_PER_LIST) {
        let place = child(&here, label);
        if label.is_empty() || label.chars().count() > MAX_LABEL || label.chars().any(char::is_control) {
            faults.add(place.clone(), "has a label that is empty, too long or holds control characters");
        }
        if let Some(anchor) = anchor {
            faults.merge(anchor.validate(&place));
        }
    }
}

impl Validate for SpatialAnchorsList {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(Some(&self.val_serv_info), at, "valServInfo");
        anchors(&mut faults, self.anchors.iter().map(|(label, anchor)| (label, Some(anchor))), at);
        let mut seen = std::collections::BTreeSet::new();
        for (label, anchor) in &self.anchors {
            if anchor.anchor_id.is_some_and(|id| !seen.insert(id)) {
                faults.add(child(&child(&child(at, "anchors"), label), "anchorId"), "stands there twice");
            }
        }
        let entries: usize =
            self.anchors.values().filter_map(|anchor| anchor.rules.as_ref()).map(rule_entries).sum();
        faults.require(
            entries <= MAX_LIST_RULE_ENTRIES,
            at,
            "anchors",
            "hold too many entries of rules together",
        );
        faults.done()
    }
}

fn rule_entries(rules: &AllowedRules) -> usize {
    let entities = rules.allowed_entities.as_ref().map_or(0, Vec::len);
    entities + rules.val_service_list.as_ref().map_or(0, Vec::len)
}

impl Validate for SpatialAnchorRm {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.pos_info.as_ref(), at, "posInfo");
        super::anchor::spec_info(&mut faults, self.spec_info.as_ref(), at);
        faults.part(self.svc_area.as_ref(), at, "svcArea");
        faults.part(self.rules.as_ref(), at, "rules");
        faults.merge(self.own().validate(at));
        faults.done()
    }
}

impl Validate for SpatialAnchorsListPatch {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.val_serv_info.as_ref(), at, "valServInfo");
        if let Some(entries) = &self.anchors {
            anchors(&mut faults, entries.iter().map(|(label, anchor)| (label, anchor.as_ref())), at);
        }
        faults.done()
    }
}

#[cfg(test)]
#[path = "list_tests.rs"]
mod tests;
