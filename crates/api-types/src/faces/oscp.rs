//! Open Spatial Computing Platform, spatial service discovery: the spatial service record.

use serde::{Deserialize, Serialize};

use crate::geo::{GeographicArea, GeographicalCoordinates, MAX_POINTS, MIN_POINTS};
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate};

/// Media type of records.
pub const OSCP_JSON: &str = "application/vnd.oscp+json; version=1.0";

/// Most services of one record, and most properties of one. Own values.
pub const MAX_SERVICES: usize = 16;

/// Longest text in a service, in characters. Own value.
const MAX_TEXT: usize = 2_048;

closed_enum! {
    /// Kind of a record.
    RecordType {
        /// Spatial service record.
        Ssr = "ssr",
    }
}

closed_enum! {
    /// Kind of its geometry (RFC 7946 3.1.6).
    PolygonType {
        /// Polygon.
        Polygon = "Polygon",
    }
}

/// A polygon (RFC 7946 3.1.6) without holes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecordPolygon {
    /// `Polygon`.
    #[serde(rename = "type")]
    pub type_: PolygonType,
    /// One closed ring of longitude and latitude.
    pub coordinates: Vec<Vec<[f64; 2]>>,
}

/// A property of a service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ServiceProperty {
    /// Name.
    #[serde(rename = "type")]
    pub type_: String,
    /// Value.
    pub value: String,
}

/// A service of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RecordService {
    /// Its identifier; that of the first service is the VAL service of the map.
    pub id: String,
    /// Its kind.
    #[serde(rename = "type")]
    pub type_: String,
    /// Name for people.
    pub title: String,
    /// What it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Where it is.
    pub url: String,
    /// More.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub properties: Option<Vec<ServiceProperty>>,
}

/// A spatial service record: a map and the services there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ServiceRecord {
    /// Given by the server: the number of the map.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// `ssr`.
    #[serde(rename = "type")]
    pub type_: RecordType,
    /// The services.
    pub services: Vec<RecordService>,
    /// Where they are.
    pub geometry: RecordPolygon,
    /// Metres; read over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altitude: Option<f64>,
    /// The VAL service; read over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Milliseconds since 1970; read over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<i64>,
    /// Whether it is in use now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

impl RecordPolygon {
    /// A ring through these points, closed.
    #[must_use]
    pub fn through(points: &[(f64, f64)]) -> Self {
        let mut ring: Vec<[f64; 2]> = points.iter().map(|(lon, lat)| [*lon, *lat]).collect();
        ring.extend(ring.first().copied());
        Self { type_: PolygonType::Polygon, coordinates: vec![ring] }
    }

    /// The polygon as TS 29.572 says it: the ring without the point that closes it.
    #[must_use]
    pub fn area(&self) -> Option<GeographicArea> {
        let [ring] = self.coordinates.as_slice() else { return None };
        let (last, rest) = ring.split_last()?;
        let open = if rest.first() == Some(last) { rest } else { return None };
        let points = open.iter().map(|[lon, lat]| GeographicalCoordinates { lon: *lon, lat: *lat });
        (MIN_POINTS..=MAX_POINTS)
            .contains(&open.len())
            .then(|| GeographicArea::Polygon { point_list: points.collect() })
    }
}

impl Validate for RecordPolygon {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        match self.area() {
            None => faults.require(false, at, "coordinates", "is not one closed ring of 3 to 15 points"),
            Some(area) => {
                faults.require(area.validate(at).is_ok(), at, "coordinates", "is no place on the Earth");
            }
        }
        faults.done()
    }
}

impl Validate for ServiceProperty {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.type_, 256, at, "type");
        faults.text(&self.value, MAX_TEXT, at, "value");
        faults.done()
    }
}

impl Validate for RecordService {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.require(crate::ids::is_id(&self.id), at, "id", "is not a valid identifier");
        faults.text(&self.type_, 256, at, "type");
        faults.text(&self.title, crate::san::MAX_NAME, at, "title");
        faults.opt_text(self.description.as_ref(), MAX_TEXT, at, "description");
        faults.text(&self.url, MAX_TEXT, at, "url");
        faults.opt_list(self.properties.as_ref(), MAX_SERVICES, at, "properties");
        faults.done()
    }
}

impl Validate for ServiceRecord {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.list(&self.services, MAX_SERVICES, at, "services");
        faults.part(Some(&self.geometry), at, "geometry");
        faults.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    #[test]
    fn one_spoiled_member_is_named() {
        let good = || {
            json!({
                "type": "ssr",
                "services": [{ "id": "museum-guide", "type": "geopose", "title": "Guide", "url": "https://val.example" }],
                "geometry": { "type": "Polygon", "coordinates": [[[2.0, 48.0], [2.1, 48.0], [2.1, 48.1], [2.0, 48.0]]] },
                "provider": "x", "timestamp": 1,
            })
        };
        let read = |value: Value| -> Result<ServiceRecord, String> {
            let record: ServiceRecord = crate::strict_json::from_value(value).map_err(|error| error.param)?;
            record.validate("").map_err(|faults| faults[0].param.clone())?;
            Ok(record)
        };
        assert!(read(good()).is_ok());
        // A height may follow (RFC 7946 3.1.1); an area has none.
        let mut high = good();
        high["geometry"]["coordinates"][0][1] = json!([2.1, 48.0, 1.0]);
        assert_eq!(read(high), read(good()));
        type Spoil = fn(&mut Value);
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Spoil, &str); 8] = [
            ("another type",    |v| v["type"] = json!("scr"), "/type"),
            ("no services",     |v| v["services"] = json!([]), "/services"),
            ("an id of blanks", |v| v["services"][0]["id"] = json!("a b"), "/services/0/id"),
            ("no url",          |v| drop(v["services"][0].as_object_mut().unwrap().remove("url")), "/services/0/url"),
            ("an open ring",    |v| drop(v["geometry"]["coordinates"][0].as_array_mut().unwrap().pop()), "/geometry/coordinates"),
            ("a hole",          |v| { let ring = v["geometry"]["coordinates"][0].clone(); v["geometry"]["coordinates"].as_array_mut().unwrap().push(ring); }, "/geometry/coordinates"),
            ("latitude first",  |v| v["geometry"]["coordinates"][0][1] = json!([48.0, 102.1]), "/geometry/coordinates"),
            ("a point",         |v| v["geometry"]["type"] = json!("Point"), "/geometry/type"),
        ];
        for (what, spoil, param) in rows {
            let mut value = good();
            spoil(&mut value);
            let got = read(value).unwrap_err();
            assert_eq!(got, param, "{what}");
        }
    }
}
