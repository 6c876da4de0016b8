//! One line: an anchor as a GeoJSON feature.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::run::MAX_ISSUER;
use super::{DEPTH_MAX, ImportDefaults, MAX_LINE};
use crate::common_data::ConnInfo;
use crate::geo::{GeoPose, GeoPosition};
use crate::ids::{SpatialAnchorId, is_id};
use crate::problem::InvalidParam;
use crate::san::{MAX_LABEL, SpatialAnchor, VALServiceInfo};
use crate::strict_json;
use crate::validate::{Faults, Validate};

closed_enum! {
    /// Kind of a line.
    FeatureType {
        /// RFC 7946 3.2.
        Feature = "Feature",
    }
}

closed_enum! {
    /// Kind of a geometry.
    PointType {
        /// RFC 7946 3.1.2.
        Point = "Point",
    }
}

closed_enum! {
    /// Who owns a list.
    OwnerKind {
        /// A machine client of the issuer.
        Client = "CLIENT",
        /// A user of the issuer.
        User = "USER",
    }
}

/// The owner of an anchor. Personal data: `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OwnerRef {
    /// Issuer of the owner's tokens; absent: that of the server which reads it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The owner as that issuer names it.
    pub subject: String,
    /// Kind.
    pub kind: OwnerKind,
}

impl std::fmt::Debug for OwnerRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OwnerRef")
    }
}

/// A point (RFC 7946 3.1.2): longitude, latitude, and metres above the ellipsoid where known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct PointGeometry {
    /// `Point`.
    #[serde(rename = "type")]
    pub type_: PointType,
    /// Two or three numbers.
    pub coordinates: Vec<f64>,
}

/// An anchor on a line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AnchorFeature {
    /// `Feature`.
    #[serde(rename = "type")]
    pub type_: FeatureType,
    /// Identifier of the anchor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<SpatialAnchorId>,
    /// Where it is; none where it has no place on the Earth.
    pub geometry: Option<PointGeometry>,
    /// The rest.
    #[serde(default)]
    pub properties: FeatureProperties,
}

/// What GeoJSON itself has no member for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct FeatureProperties {
    /// Pose of the anchor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geopose: Option<GeoPose>,
    /// Its name, where there is no `anchor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The list that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// Its label in the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// Life of the anchor, decimal: grants hold for one life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incarnation: Option<String>,
    /// Life of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_incarnation: Option<String>,
    /// Owner of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<OwnerRef>,
    /// VAL service of the list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_serv_info: Option<VALServiceInfo>,
    /// The anchor, with its rules. Where it is there, it decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchor: Option<SpatialAnchor>,
    /// A demo made it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub demo: bool,
}

/// Why a line is bad. It names the member and never repeats what the line says.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{param} {reason}")]
pub struct FeatureError {
    /// JSON Pointer of the member at fault, `""` for the whole line.
    pub param: String,
    /// A constant text.
    pub reason: Cow<'static, str>,
}

impl FeatureError {
    /// A fault of `param`.
    #[must_use]
    pub fn new(param: &str, reason: &'static str) -> Self {
        Self { param: param.to_owned(), reason: reason.into() }
    }
}

impl AnchorFeature {
    /// Reads a line: strict JSON of bounded length and depth, valid, complete once `defaults` are filled in.
    ///
    /// # Errors
    /// The first thing that is wrong with it.
    pub fn read(line: &[u8], defaults: Option<&ImportDefaults>) -> Result<Self, FeatureError> {
        if line.len() > MAX_LINE {
            return Err(FeatureError::new("", "is too long"));
        }
        let mut feature: Self = strict_json::from_slice(line, DEPTH_MAX)
            .map_err(|error| FeatureError { param: error.param, reason: error.reason.into() })?;
        feature.complete(defaults);
        feature.validate("").map_err(|faults| match faults.into_iter().next() {
            Some(fault) => {
                let reason = fault.reason.map_or("is unacceptable".into(), Cow::Owned);
                FeatureError { param: fault.param, reason }
            }
            None => FeatureError::new("", "is unacceptable"),
        })?;
        Ok(feature)
    }

    /// Fills in what the file leaves to the operator, and makes an anchor of a plain feature.
    fn complete(&mut self, defaults: Option<&ImportDefaults>) {
        let pose = self.pose();
        let properties = &mut self.properties;
        if let Some(defaults) = defaults {
            properties.owner.get_or_insert_with(|| defaults.owner.clone());
            properties.val_serv_info.get_or_insert_with(|| VALServiceInfo {
                service_id: defaults.service_id.clone(),
                end_pt: ConnInfo { uri: Some(defaults.end_pt.clone()), ..ConnInfo::default() },
                serv_con_info: None,
            });
        }
        if properties.anchor.is_none()
            && let Some(pose) = pose
        {
            let mut anchor = SpatialAnchor { name: properties.name.take(), ..SpatialAnchor::default() };
            // A new anchor has room.
            let _ = anchor.set_geo_pose("geopose", &pose);
            properties.anchor = Some(anchor);
        }
    }

    /// The pose that a plain feature says: `geopose`, else the geometry, not turned.
    fn pose(&self) -> Option<GeoPose> {
        self.properties.geopose.or_else(|| {
            let geometry = self.geometry.as_ref()?;
            let [lon, lat, rest @ ..] = geometry.coordinates.as_slice() else { return None };
            let position = GeoPosition { lat: *lat, lon: *lon, h: rest.first().copied().unwrap_or(0.0) };
            Some(GeoPose { position, ..GeoPose::default() })
        })
    }
}

/// A random number of a life, as text: not every reader of JSON keeps 63 bits.
fn is_life(text: &str) -> bool {
    text.parse::<i64>().is_ok_and(|life| life >= 0 && life.to_string() == text)
}

impl Validate for OwnerRef {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_text(self.issuer.as_ref(), MAX_ISSUER, at, "issuer");
        faults.require(is_id(&self.subject), at, "subject", "is not a valid identifier");
        faults.done()
    }
}

impl Validate for PointGeometry {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let good = match self.coordinates.as_slice() {
            [lon, lat] => lon.abs() <= 180.0 && lat.abs() <= 90.0,
            [lon, lat, h] => lon.abs() <= 180.0 && lat.abs() <= 90.0 && h.is_finite(),
            _ => false,
        };
        faults.require(good, at, "coordinates", "is no place on the Earth");
        faults.done()
    }
}

impl Validate for AnchorFeature {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.geometry.as_ref(), at, "geometry");
        faults.part(Some(&self.properties), at, "properties");
        faults.done()
    }
}

impl Validate for FeatureProperties {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.geopose.as_ref(), at, "geopose");
        faults.require(
            self.anchor.is_some(),
            at,
            "anchor",
            "is missing, and there is no place to make one of",
        );
        faults.require(self.owner.is_some(), at, "owner", "is missing");
        faults.require(self.val_serv_info.is_some(), at, "valServInfo", "is missing");
        faults.part(self.anchor.as_ref(), at, "anchor");
        faults.part(self.owner.as_ref(), at, "owner");
        faults.part(self.val_serv_info.as_ref(), at, "valServInfo");
        faults.require(
            self.list.as_ref().is_none_or(|id| is_id(id)),
            at,
            "list",
            "is not a valid identifier",
        );
        let label = |label: &String| {
            !label.is_empty() && label.chars().count() <= MAX_LABEL && !label.chars().any(char::is_control)
        };
        faults.require(self.label.as_ref().is_none_or(label), at, "label", "is not a label");
        for (key, life) in [("incarnation", &self.incarnation), ("listIncarnation", &self.list_incarnation)] {
            faults.require(life.as_ref().is_none_or(|life| is_life(life)), at, key, "is no number of a life");
        }
        let infos = self.anchor.iter().flat_map(|anchor| anchor.serv_infos.iter().flatten());
        let providers = infos.filter_map(|info| info.provider_id.as_ref());
        for provider in providers {
            faults.require(is_id(provider), at, "anchor", "names a provider that is none");
        }
        faults.done()
    }
}

#[cfg(test)]
#[path = "feature_tests.rs"]
mod tests;
