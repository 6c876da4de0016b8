//! From a map to a spatial service record and back. Pure.
//!
//! A record is a map with an area on the Earth; its services are kept as service information of whoever wrote them, under
//! identifiers of their own, so that nothing is lost and nobody's right changes.

use api_types::faces::oscp::{
    PolygonType, RecordPolygon, RecordService, RecordType, ServiceProperty, ServiceRecord,
};
use api_types::geo::{GeographicArea, ServiceArea};
use api_types::ids::ValServiceId;
use api_types::problem::InvalidParam;
use api_types::san::{ServInfo, Visibility};
use api_types::sm::{SpatialMap, SpatialMapCreateInfo, SpatialMapCreateReq};
use api_types::strict_json;
use serde_json::{Value, json};

use crate::shared::geometry::Area;

/// Service informations that are services of a record.
const PREFIX: &str = "oscp-";

/// The property of the first service that says who may discover the map; without it nobody but its owner may, until
/// rules are set by the interface of TS 29.437.
const VISIBILITY: &str = "3gpp.visibility";

/// What a map is called that has no service of a record.
const MAP_SERVICE: &str = "3gpp-spatial-map";

/// The record of a map; `url` is where the map itself is. `None`: it has no area on the Earth.
pub(super) fn shown(map: &SpatialMap, url: String, active: bool) -> Option<ServiceRecord> {
    let profile = &map.sm_prof;
    let service_id = map.svc_id.as_ref().map(|id| id.as_str().to_owned());
    let kept = profile.serv_infos.iter().flatten().filter(|info| info.serv_info_id.starts_with(PREFIX));
    let mut services: Vec<RecordService> =
        kept.filter_map(|info| strict_json::from_slice(info.info.as_bytes(), 8).ok()).collect();
    if services.is_empty() {
        services.push(RecordService {
            id: service_id.clone().unwrap_or_else(|| profile.map_id.to_string()),
            type_: MAP_SERVICE.to_owned(),
            title: profile.name.clone().unwrap_or_else(|| format!("Spatial map {}", profile.map_id)),
            description: None,
            url,
            properties: profile.visibility.map(|visibility| {
                vec![ServiceProperty { type_: VISIBILITY.to_owned(), value: visibility.as_str().to_owned() }]
            }),
        });
    }
    Some(ServiceRecord {
        id: Some(profile.map_id.to_string()),
        type_: RecordType::Ssr,
        services,
        geometry: polygon(&profile.map_cov)?,
        altitude: None,
        provider: service_id,
        timestamp: profile.time_period.map(|period| period.start_time.unix_ms()),
        active: Some(active),
    })
}

/// The coverage as one polygon: itself, or the rectangle around what else it is.
fn polygon(coverage: &ServiceArea) -> Option<RecordPolygon> {
    if let [GeographicArea::Polygon { point_list }] = coverage.geographic() {
        let points: Vec<(f64, f64)> = point_list.iter().map(|point| (point.lon, point.lat)).collect();
        return Some(RecordPolygon::through(&points));
    }
    let boxes = Area::bounding(coverage)?.boxes();
    let first = boxes.first()?;
    // Beyond the antimeridian a polygon of GeoJSON would have to be two: what is west of it is enough to be found by.
    let near: Vec<_> = boxes
        .iter()
        .filter(|one| one.min_lon < first.max_lon + 180.0 && one.max_lon > first.min_lon - 180.0)
        .collect();
    let (w, e) = near
        .iter()
        .fold((first.min_lon, first.max_lon), |(w, e), one| (w.min(one.min_lon), e.max(one.max_lon)));
    let (s, n) = near
        .iter()
        .fold((first.min_lat, first.max_lat), |(s, n), one| (s.min(one.min_lat), n.max(one.max_lat)));
    let ring = RecordPolygon::through(&[(w, s), (e, s), (e, n), (w, n)]);
    debug_assert_eq!(ring.type_, PolygonType::Polygon);
    Some(ring)
}

/// What a record says of a map.
struct Said {
    service_id: ValServiceId,
    area: ServiceArea,
    serv_infos: Vec<ServInfo>,
    name: String,
    visibility: Option<Visibility>,
}

fn said(record: &ServiceRecord) -> Result<Said, InvalidParam> {
    let bad = |param: &str, reason| InvalidParam::new(param.to_owned(), reason);
    let first = record.services.first().ok_or_else(|| bad("/services", "needs at least one element"))?;
    let service_id = ValServiceId::try_from(first.id.as_str())
        .map_err(|_| bad("/services/0/id", "is not a valid identifier"))?;
    let area = record.geometry.area().ok_or_else(|| bad("/geometry", "is no polygon that can be kept"))?;
    let named = first.properties.iter().flatten().find(|property| property.type_ == VISIBILITY);
    let visibility = named.map(|property| serde_json::from_value(json!(property.value)));
    let visibility = visibility
        .transpose()
        .map_err(|_| bad("/services/0/properties", "names a visibility that is none"))?;
    let kept = record.services.iter().enumerate().map(|(n, service)| {
        let info = serde_json::to_string(service).map_err(|_| bad("/services", "cannot be kept"))?;
        if info.chars().count() > api_types::san::MAX_INFO {
            return Err(bad("/services", "is too large"));
        }
        Ok(ServInfo { serv_info_id: format!("{PREFIX}{n}"), provider_id: None, info })
    });
    Ok(Said {
        service_id,
        area: ServiceArea::of(vec![area]),
        serv_infos: kept.collect::<Result<_, _>>()?,
        name: first.title.clone(),
        visibility,
    })
}

/// The request for a map that a new record is.
///
/// # Errors
/// The member at fault.
pub(super) fn request(record: &ServiceRecord) -> Result<SpatialMapCreateReq, InvalidParam> {
    let Said { service_id, area, serv_infos, name, visibility } = said(record)?;
    Ok(SpatialMapCreateReq {
        svc_id: service_id,
        area_int: area,
        notif_uri: None,
        map_inf: Some(SpatialMapCreateInfo {
            serv_infos: Some(serv_infos),
            name: Some(name),
            visibility,
            ..SpatialMapCreateInfo::default()
        }),
        supp_feat: None,
    })
}

/// The patch of a map that a changed record is (RFC 7396): what a record cannot say stays.
///
/// # Errors
/// The member at fault.
pub(super) fn patch(record: &ServiceRecord) -> Result<Value, InvalidParam> {
    let Said { service_id, area, serv_infos, name, visibility } = said(record)?;
    let mut profile = json!({ "mapCov": area, "servInfos": serv_infos, "name": name });
    if let Some(visibility) = visibility {
        profile["visibility"] = json!(visibility);
    }
    Ok(json!({ "svcId": service_id, "smProf": profile }))
}
