//! `/views`: anchors and maps as the operator sees them, or as somebody else would.

use serde::{Deserialize, Serialize};

use crate::geo::ServiceArea;
use crate::ids::{SpatialAnchorId, SpatialMapId};

/// A page of a view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Viewed<T> {
    /// The items.
    pub items: Vec<T>,
    /// Cursor of the next page; `null` at the end.
    pub next: Option<String>,
    /// Why the one whose view it is may see nothing at all: a reason, as in audit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub denied: Option<String>,
}

/// An anchor in a view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AnchorView {
    /// The anchor.
    pub anchor_id: SpatialAnchorId,
    /// Degrees, where it has a geographic position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lon: Option<f64>,
    /// Degrees.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lat: Option<f64>,
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// VAL service.
    pub service_id: String,
    /// What lets the one whose view it is see the anchor; for the operator, everything that lets anybody.
    pub rules: Vec<String>,
    /// Its list; only for the operator and for the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub anchors_list_id: Option<String>,
    /// Its label in the list; only for the operator and for the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The owner, as audit names it; only for the operator.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// Whether it belongs to the one whose view it is; in the operator's view, to that operator.
    pub own: bool,
    /// Whether it is inside its time period.
    pub active: bool,
}

/// A map in a view.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct MapView {
    /// The map.
    pub map_id: SpatialMapId,
    /// Name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// VAL service.
    pub service_id: String,
    /// What it covers.
    pub coverage: ServiceArea,
    /// Layers.
    pub layers: Vec<String>,
    /// Media type of its payload, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Length of its payload in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
    /// As of an anchor.
    pub rules: Vec<String>,
    /// As of an anchor.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// As of an anchor.
    pub own: bool,
    /// Whether it is inside its time period.
    pub active: bool,
}
