//! Where the SM server learns where UEs are, beside what was told over the admin interface: a location management server
//! (TS 23.437 9.3.1.2; TS 29.549 `ss-lair`).
//!
//! What it says is used for the question at hand and not kept: who may hear of it is decided here as for every position.

use std::collections::BTreeMap;

use api_types::geo::{GeographicArea, GeographicalCoordinates, LocationInfo};
use api_types::lm::LMInformation;
use async_trait::async_trait;
use authorization::Reason;
use sdk::{LmClient, SdkError};
use service_http::call::Call;
use service_http::refusal::Refusal;
use store::anchors::positions::UePosition;

use super::SmServer;
use crate::shared::geometry::{Area, LonLat, centre_of, circle_around};

/// A VAL UE and where it is.
pub type Seen = (String, UePosition);

/// Who knows where UEs are.
#[async_trait]
pub trait LocationSource: Send + Sync {
    /// The UEs within `range_m` metres of a place; perhaps more.
    ///
    /// # Errors
    /// It does not answer, or not so that it can be understood.
    async fn around(&self, place: LonLat, range_m: f64) -> Result<Vec<LMInformation>, SdkError>;
}

#[async_trait]
impl LocationSource for LmClient {
    async fn around(&self, (lon, lat): LonLat, range_m: f64) -> Result<Vec<LMInformation>, SdkError> {
        let point = GeographicalCoordinates { lon, lat };
        let area = Some(GeographicArea::Point { point });
        self.ues_around(&LocationInfo { geographic_area: area, ..LocationInfo::default() }, range_m).await
    }
}

/// The UEs in an area as the source sees them; without a source none.
///
/// # Errors
/// `DEPENDENCY_DOWN`: positions that are not known now are not guessed.
pub(super) async fn within(sm: &SmServer, call: &Call, area: &Area) -> Result<Vec<Seen>, Refusal> {
    const EXPECTED: &str = "the location management server answers";
    let Some(source) = sm.lm() else { return Ok(Vec::new()) };
    let now_s = call.ctx.ambient().now_s();
    let mut found = Vec::new();
    for part in area.boxes() {
        let (centre, reach_m) = circle_around(&part);
        let said = source.around(centre, reach_m).await.map_err(|error| {
            tracing::warn!(error = %error, "the location management server cannot be asked");
            call.ctx.fail("positions", EXPECTED, "no answer");
            // The caller may discover the map, and is told what does not answer.
            Refusal::open(Reason::DependencyDown)
        })?;
        found.extend(said.iter().filter_map(|one| seen(one, now_s)));
    }
    call.ctx.pass("positions", EXPECTED, "answered");
    found.retain(|(_, at)| area.holds((at.lon, at.lat)));
    Ok(found)
}

/// What is said of a VAL UE at a point. Which UE a user is at is the issuer's to know, and an area is no position.
fn seen(one: &LMInformation, now_s: i64) -> Option<Seen> {
    let ue = one.val_tgt_ue.val_ue_id.as_ref()?;
    let area = one.loc_info.geographic_area.as_ref()?;
    let GeographicalCoordinates { lon, lat } = centre_of(area)?;
    let alt = match area {
        GeographicArea::PointAltitude { altitude, .. }
        | GeographicArea::PointAltitudeUncertainty { altitude, .. } => Some(*altitude),
        _ => None,
    };
    let aged_s = one.loc_info.age_of_location_info.map_or(now_s, |minutes| now_s - i64::from(minutes) * 60);
    let at_s = one.time_stamp.map_or(aged_s, |at| at.unix());
    Some((ue.as_str().to_owned(), UePosition { lon, lat, alt, at_s }))
}

/// One position for each UE, the latest, by name.
pub(super) fn latest(all: impl IntoIterator<Item = Seen>) -> Vec<Seen> {
    let mut by_ue: BTreeMap<String, UePosition> = BTreeMap::new();
    for (ue, position) in all {
        let known = by_ue.entry(ue).or_insert(position);
        if known.at_s < position.at_s {
            *known = position;
        }
    }
    by_ue.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn only_a_ue_at_a_point_is_seen() {
        let point = json!({ "lon": 2.0, "lat": 48.0 });
        let ue = |location: Value| json!({ "valTgtUe": { "valUeId": "ue-1" }, "locInfo": location });
        let of = |shape: Value| ue(json!({ "geographicArea": shape }));
        let at = |alt, at_s| Some(("ue-1".to_owned(), UePosition { lon: 2.0, lat: 48.0, alt, at_s }));
        let plain = json!({ "shape": "POINT", "point": point });
        let mut stamped = of(plain.clone());
        stamped["timeStamp"] = json!("2027-01-15T07:59:00Z");
        let mut aged = of(plain.clone());
        aged["locInfo"]["ageOfLocationInfo"] = json!(2);
        let user = json!({ "valTgtUe": { "valUserId": "u" }, "locInfo": { "geographicArea": plain } });
        let corners =
            [(2.0, 48.0), (2.1, 48.0), (2.1, 48.1)].map(|(lon, lat)| json!({ "lon": lon, "lat": lat }));
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("a point",       of(plain.clone()),                                                        at(None, NOW)),
            ("with height",   of(json!({ "shape": "POINT_ALTITUDE", "point": point, "altitude": 7.5 })), at(Some(7.5), NOW)),
            ("with its time", stamped,                                                                  at(None, NOW - 60)),
            ("with its age",  aged,                                                                     at(None, NOW - 120)),
            ("a user",        user,                                                                     None),
            ("a cell",        ue(json!({ "cellId": "1" })),                                             None),
            ("an area",       of(json!({ "shape": "POLYGON", "pointList": corners })),                  None),
        ];
        for (what, said, expected) in rows {
            let said: LMInformation = serde_json::from_value(said).unwrap();
            assert_eq!(seen(&said, NOW), expected, "{what}");
        }
    }

    #[test]
    fn the_latest_counts() {
        let at = |at_s| UePosition { lon: at_s as f64, lat: 0.0, alt: None, at_s };
        let all = [("b", 3), ("a", 1), ("b", 5), ("a", 0)].map(|(ue, at_s)| (ue.to_owned(), at(at_s)));
        assert_eq!(latest(all), [("a".to_owned(), at(1)), ("b".to_owned(), at(5))]);
    }
}
