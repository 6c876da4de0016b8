//! Where a service is offered (TS 29.558 `ServiceArea`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::area::GeographicArea;
use crate::common_data::MAX_LIST;
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child, item};

/// Most geographic areas of one service area. Own value.
pub const MAX_AREAS: usize = 64;

/// Most civic addresses of one service area. Own value.
pub const MAX_CIVIC: usize = 64;

/// A part of the network (TS 29.558).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TopologicalServiceArea {
    /// E-UTRA cells, as they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ecgis: Option<Vec<Value>>,
    /// NR cells, as they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ncgis: Option<Vec<Value>>,
    /// Tracking areas, as they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tais: Option<Vec<Value>>,
    /// Networks, as they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plmn_ids: Option<Vec<Value>>,
}

/// A part of the Earth (TS 29.558).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct GeographicalServiceArea {
    /// Areas.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geo_ars: Option<Vec<GeographicArea>>,
    /// Civic addresses (TS 29.572 `CivicAddress`), as they came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub civic_addrs: Option<Vec<Value>>,
}

/// Where a service is offered (TS 29.558).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServiceArea {
    /// By the network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub top_serv_ar: Option<TopologicalServiceArea>,
    /// By geography.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub geo_serv_ar: Option<GeographicalServiceArea>,
}

impl ServiceArea {
    /// A service area of one polygon or other area.
    #[must_use]
    pub fn of(areas: Vec<GeographicArea>) -> Self {
        let geo = GeographicalServiceArea { geo_ars: Some(areas), civic_addrs: None };
        Self { top_serv_ar: None, geo_serv_ar: Some(geo) }
    }

    /// Its geographic areas.
    #[must_use]
    pub fn geographic(&self) -> &[GeographicArea] {
        self.geo_serv_ar.as_ref().and_then(|geo| geo.geo_ars.as_deref()).unwrap_or_default()
    }
}

fn objects(faults: &mut Faults, list: Option<&Vec<Value>>, max: usize, at: &str, key: &str) {
    let Some(list) = list else { return };
    let here = child(at, key);
    faults.size(list.len(), max, &here);
    for (index, element) in list.iter().take(max).enumerate() {
        if !element.is_object() {
            faults.add(item(&here, index), "is not an object");
        }
    }
}

impl Validate for TopologicalServiceArea {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        objects(&mut faults, self.ecgis.as_ref(), MAX_LIST, at, "ecgis");
        objects(&mut faults, self.ncgis.as_ref(), MAX_LIST, at, "ncgis");
        objects(&mut faults, self.tais.as_ref(), MAX_LIST, at, "tais");
        objects(&mut faults, self.plmn_ids.as_ref(), MAX_LIST, at, "plmnIds");
        faults.done()
    }
}

impl Validate for GeographicalServiceArea {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_list(self.geo_ars.as_ref(), MAX_AREAS, at, "geoArs");
        objects(&mut faults, self.civic_addrs.as_ref(), MAX_CIVIC, at, "civicAddrs");
        faults.done()
    }
}

impl Validate for ServiceArea {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(self.top_serv_ar.as_ref(), at, "topServAr");
        faults.part(self.geo_serv_ar.as_ref(), at, "geoServAr");
        faults.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn faults(raw: Value) -> Vec<String> {
        let area: ServiceArea = serde_json::from_value(raw).unwrap();
        area.validate("/areaInt").err().unwrap_or_default().into_iter().map(|f| f.param).collect()
    }

    #[test]
    fn lists_are_bounded_and_never_empty() {
        let point = json!({"shape": "POINT", "point": {"lon": 0, "lat": 0}});
        let areas = |n: usize| json!({"geoServAr": {"geoArs": vec![point.clone(); n]}});
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Value, &[&str]); 6] = [
            ("nothing", json!({}), &[]),
            ("most", areas(MAX_AREAS), &[]),
            ("too many", areas(MAX_AREAS + 1), &["/areaInt/geoServAr/geoArs"]),
            ("empty", areas(0), &["/areaInt/geoServAr/geoArs"]),
            ("no object", json!({"topServAr": {"tais": ["x"]}}), &["/areaInt/topServAr/tais/0"]),
            ("no address", json!({"geoServAr": {"civicAddrs": [1]}}), &["/areaInt/geoServAr/civicAddrs/0"]),
        ];
        for (what, raw, params) in rows {
            assert_eq!(faults(raw), params, "{what}");
        }
    }
}
