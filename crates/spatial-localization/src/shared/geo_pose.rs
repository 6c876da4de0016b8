//! From places and poses of TS 29.437 to GeoPose. Pure; the way back is in `api_types::geo`.
//!
//! Local axes lie in the plane that is tangent to the ellipsoid; the second one points to `horizAxesOrientation`,
//! clockwise from north (as in [`super::geometry::place_of`]). An offset of some kilometres turns east and north a little
//! against those of the origin: that is left out, as the turn of a local system is given to a tenth of a degree.

use api_types::geo::{GeoPose, GeoPosition, Local3dPointUncertaintyEllipsoid, Pose, Quaternion};
use api_types::san::SpatialAnchor;
use api_types::validate::Validate as _;

use super::geometry::place_of;

/// Where a local point is on the Earth, if its origin is.
#[must_use]
pub fn position_of(local: &Local3dPointUncertaintyEllipsoid) -> Option<GeoPosition> {
    local.geo_position().or_else(|| {
        let (lon, lat) = place_of(local)?;
        Some(GeoPosition { lat, lon, h: local.height_m() })
    })
}

/// The turn of the local axes against east, north and up.
#[must_use]
pub fn axes_of(local: &Local3dPointUncertaintyEllipsoid) -> Quaternion {
    let clockwise_deg = f64::from(local.local_origin.horiz_axes_orientation.unwrap_or(0)) / 10.0;
    Quaternion::about([0.0, 0.0, 1.0], -clockwise_deg).unwrap_or_default()
}

/// The pose of an anchor on the Earth: the one that was kept with it, else its place and the turn of its axes.
#[must_use]
pub fn of_anchor(anchor: &SpatialAnchor) -> Option<GeoPose> {
    let local = anchor.pos_info.pos.as_ref()?;
    let position = position_of(local)?;
    let kept = anchor.kept_geo_pose(&position);
    let pose = kept.unwrap_or_else(|| GeoPose { position, quaternion: axes_of(local) });
    pose.validate("").is_ok().then_some(pose)
}

/// A pose of TS 29.437 on the Earth: its orientation is counted from the local axes.
#[must_use]
pub fn of_pose(pose: &Pose) -> Option<GeoPose> {
    let local = pose.position.as_ref()?;
    let turn = Quaternion::try_from(&pose.orientation).ok()?;
    Some(GeoPose { position: position_of(local)?, quaternion: turn.within(axes_of(local)) })
}

#[cfg(test)]
mod tests {
    use api_types::geo::{GeographicalCoordinates, Orientation, RelativeCartesianLocation};
    use proptest::prelude::*;

    use super::*;
    use crate::shared::geometry::distance_and_azimuth;

    fn local(x: f64, y: f64, turn: u32) -> Local3dPointUncertaintyEllipsoid {
        let origin = GeographicalCoordinates { lon: 2.35, lat: 48.85 };
        let mut local = Local3dPointUncertaintyEllipsoid::at(
            "hall",
            origin,
            RelativeCartesianLocation { x, y, z: Some(1.5) },
        );
        local.local_origin.horiz_axes_orientation = Some(turn);
        local
    }

    #[test]
    fn an_offset_and_a_turn_are_followed() {
        let placed = position_of(&local(0.0, 100.0, 900)).unwrap();
        let (metres, azimuth) = distance_and_azimuth((2.35, 48.85), (placed.lon, placed.lat));
        assert!((metres - 100.0).abs() < 1e-6 && (azimuth - 90.0).abs() < 1e-3 && placed.h == 1.5);

        // The local second axis points east: a turn by a quarter to the left about up makes it point north.
        let orientation = Orientation { x: 0.0, y: 0.0, z: 1.0, w: 90 };
        let pose = Pose { orientation, position: Some(local(0.0, 0.0, 900)), fov: None };
        let turned = of_pose(&pose).unwrap();
        assert!(turned.quaternion.degrees_to(Quaternion::IDENTITY) < 1e-9);
        let no_axis = Pose { orientation: Orientation { w: 5, ..Orientation::default() }, ..pose };
        assert_eq!(of_pose(&no_axis), None);
    }

    proptest! {
        #[test]
        fn an_anchor_gives_back_the_pose_that_it_was_given(
            lat in -90.0..=90.0_f64, lon in -180.0..=180.0_f64, h in -99.0..9_999.0_f64, degrees in 0.0..360.0_f64,
        ) {
            let quaternion = Quaternion::about([0.3, -0.4, 0.5], degrees).unwrap();
            let pose = GeoPose { position: GeoPosition { lat, lon, h }, quaternion };
            let mut anchor = SpatialAnchor::default();
            anchor.set_geo_pose("geopose", &pose).unwrap();
            let back = of_anchor(&anchor).unwrap();
            prop_assert_eq!(back.position, pose.position);
            prop_assert!(back.quaternion.degrees_to(quaternion) < 1e-6);
        }

        #[test]
        fn a_pose_comes_back_from_its_own_system(lat in -89.0..89.0_f64, lon in -179.0..179.0_f64, degrees in 1_u32..359) {
            let quaternion = Quaternion::about([1.0, 2.0, 3.0], f64::from(degrees)).unwrap();
            let pose = GeoPose { position: GeoPosition { lat, lon, h: 3.0 }, quaternion };
            let back = of_pose(&pose.to_pose("geopose:x")).unwrap();
            prop_assert_eq!(back.position, pose.position);
            prop_assert!(back.quaternion.degrees_to(quaternion) < 1e-6);
        }
    }
}
