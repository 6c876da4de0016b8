//! The sample campus: the same every time, apart from identifiers and passwords.
//!
//! 20 users, three VAL servers with 500 anchors between them, three maps with a payload each.

use serde_json::{Value, json};

/// A VAL service of the campus and the VAL server that runs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct ValService {
    /// Client id of the VAL server.
    pub client: &'static str,
    /// VAL service id.
    pub id: &'static str,
    /// How many anchors it places.
    pub anchors: usize,
    /// Name of the map that it contributes.
    pub map: &'static str,
    /// West and south corner of its part of the campus, degrees.
    pub corner: (f64, f64),
}

/// The three VAL services; 500 anchors together.
pub(super) const SERVICES: [ValService; 3] = [
    ValService { client: "vs-1", id: "museum-guide", anchors: 200, map: "museum", corner: (2.3490, 48.8490) },
    ValService {
        client: "vs-2",
        id: "campus-navigation",
        anchors: 180,
        map: "quad",
        corner: (2.3530, 48.8490),
    },
    ValService {
        client: "vs-3",
        id: "asset-tracking",
        anchors: 120,
        map: "workshop",
        corner: (2.3490, 48.8520),
    },
];

/// Anchors in one list.
pub(super) const LIST: usize = 50;
/// Anchors stand this far apart, degrees; some 15 m.
const STEP: f64 = 0.000_2;
/// Anchors in a row of the grid.
const ROW: usize = 15;

/// Names of the users. The first two may use everything, `eve` nothing.
pub(super) const USERS: [&str; 20] = [
    "alice", "bob", "eve", "carol", "dan", "erin", "frank", "grace", "heidi", "ivan", "judy", "karl",
    "laura", "mallory", "nina", "oscar", "peggy", "quentin", "rupert", "sybil",
];

/// Operators who log in at the console, with their role.
pub(super) const OPERATORS: [(&str, &str); 2] = [("olga", "admin"), ("otto", "auditor")];

/// An operator: an account with a role, and nothing of a subscriber.
#[must_use]
pub(super) fn operator(name: &str, role: &str, password: &str) -> Value {
    json!({
        "password": password,
        "valUserId": format!("{name}@campus.example"),
        "valUeIds": [format!("ue-{name}")],
        "valServices": SERVICES.map(|service| service.id),
        "roles": [role],
    })
}

/// What a user is called in each domain.
#[must_use]
pub(super) fn user(name: &str, number: usize, password: &str) -> Value {
    json!({
        "password": password,
        "valUserId": format!("{name}@campus.example"),
        "valUeIds": [format!("ue-{name}")],
        "gpsi": format!("msisdn-88200{:06}", number + 1),
        "externalId": format!("extid-{name}@op-a.example"),
        "impu": format!("sip:{name}@op-a.example"),
        "supi": format!("imsi-00101{:010}", number + 1),
        "valServices": SERVICES.map(|service| service.id),
        "roles": [],
    })
}

/// The anchors of a service, in lists of at most [`LIST`].
#[must_use]
pub(super) fn lists(service: &ValService) -> Vec<Value> {
    let numbers: Vec<usize> = (0..service.anchors).collect();
    numbers
        .chunks(LIST)
        .enumerate()
        .map(|(index, chunk)| {
            let anchors: serde_json::Map<String, Value> =
                chunk.iter().map(|number| (format!("a{number:03}"), anchor(service, *number))).collect();
            json!({
                "valServInfo": {
                    "serviceId": service.id,
                    "endPt": { "uri": format!("https://{}.campus.example/list/{index}", service.id) },
                },
                "anchors": anchors,
                "suppFeat": "1",
            })
        })
        .collect()
}

/// One anchor. Six in ten are for everybody, three for whoever has the service or a listed peer, one for nobody else.
fn anchor(service: &ValService, number: usize) -> Value {
    let (lon, lat) = place(service, number);
    let mut anchor = json!({
        "posInfo": { "pos": {
            "shape": "LOCAL_3D_POINT_UNCERTAINTY_ELLIPSOID",
            "localOrigin": { "coordinateId": service.map, "point": { "lon": lon, "lat": lat }, "horizAxesOrientation": 0 },
            "point": { "x": 0.5, "y": 0.5, "z": 1.6 },
            "uncertaintyEllipsoid": { "semiMajor": 0.1, "semiMinor": 0.1, "vertical": 0.1, "orientationMajor": 0 },
            "confidence": 90,
        } },
        "name": format!("{} {number}", service.map),
    });
    match number % 10 {
        0..=5 => anchor["visibility"] = json!("UNIVERSAL"),
        6..=8 => {
            anchor["visibility"] = json!("RESTRICTED");
            anchor["rules"] = json!({
                "valServiceList": [service.id],
                "allowedEntities": [{ "type": "VAL_SERVER", "identifier": "vs-1" }],
            });
            anchor["premises"] = json!(format!("room {number}"));
        }
        _ => anchor["visibility"] = json!("PRIVATE"),
    }
    anchor
}

fn place(service: &ValService, number: usize) -> (f64, f64) {
    let (column, row) = ((number % ROW) as f64, (number / ROW) as f64);
    (service.corner.0 + column * STEP, service.corner.1 + row * STEP)
}

/// The area of a service's part of the campus, as a `ServiceArea`.
#[must_use]
pub(super) fn area(service: &ValService) -> Value {
    let (west, south) = service.corner;
    let (east, north) = (west + STEP * ROW as f64, south + STEP * (service.anchors / ROW + 1) as f64);
    let corner = |lon: f64, lat: f64| json!({ "lon": lon, "lat": lat });
    json!({ "geoServAr": { "geoArs": [{ "shape": "POLYGON", "pointList": [
        corner(west, south), corner(east, south), corner(east, north), corner(west, north),
    ] }] } })
}

/// The request that creates the map of a service.
#[must_use]
pub(super) fn map(service: &ValService) -> Value {
    json!({
        "svcId": service.id,
        "areaInt": area(service),
        "mapInf": {
            "lyrInf": [{ "area": area(service), "mapAsc": format!("{} floor 0", service.map) }],
            "allwEnt": { "valServiceList": SERVICES.map(|service| service.id) },
        },
        "suppFeat": "1",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_campus_is_as_large_as_it_says() {
        assert_eq!(SERVICES.iter().map(|service| service.anchors).sum::<usize>(), 500);
        let anchors: usize = SERVICES
            .iter()
            .flat_map(lists)
            .map(|list| list["anchors"].as_object().map_or(0, serde_json::Map::len))
            .sum();
        assert_eq!((anchors, USERS.len()), (500, 20));
    }
}
