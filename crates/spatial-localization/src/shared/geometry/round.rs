//! Round shapes: ellipses, of which circle and point are special cases (TS 23.032 5.1 to 5.3), and arcs (5.7).

use std::f64::consts::PI;

use super::cover::cover;
use super::{GeoBox, LonLat, boxes, distance_and_azimuth};

/// Shortest degree of a meridian, a little rounded down, in metres.
const DEGREE_M: f64 = 110_500.0;

/// Longest degree of a meridian or parallel, a little rounded up, in metres.
const DEGREE_MAX_M: f64 = 111_800.0;

/// Smallest radius of curvature of the ellipsoid, a little rounded down, in metres.
const RADIUS_M: f64 = 6_330_000.0;

/// An ellipse around a centre.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ellipse {
    /// Its centre.
    pub centre: LonLat,
    /// Longer half axis in metres.
    pub semi_major_m: f64,
    /// Shorter half axis in metres.
    pub semi_minor_m: f64,
    /// Direction of the longer axis in degrees clockwise from north.
    pub orientation_deg: f64,
}

impl Ellipse {
    /// A circle.
    pub fn circle(centre: LonLat, radius_m: f64) -> Self {
        Self { centre, semi_major_m: radius_m, semi_minor_m: radius_m, orientation_deg: 0.0 }
    }

    /// Whether it holds a place, its edge included.
    pub fn holds(&self, at: LonLat) -> bool {
        let (distance_m, azimuth_deg) = distance_and_azimuth(self.centre, at);
        let (major, minor) =
            (self.semi_major_m.max(self.semi_minor_m), self.semi_major_m.min(self.semi_minor_m));
        if distance_m <= minor {
            return true;
        }
        let (sin, cos) = (azimuth_deg - self.orientation_deg).to_radians().sin_cos();
        let across = (minor * cos).hypot(major * sin);
        distance_m <= major && across > 0.0 && distance_m <= major * minor / across
    }

    /// Boxes that cover it.
    pub fn boxes(&self) -> Vec<GeoBox> {
        around(self.centre, self.semi_major_m.max(self.semi_minor_m))
    }

    /// At most `most` boxes that cover it closely, or as many as [`Ellipse::boxes`] has.
    pub fn search_boxes(&self, most: usize) -> Vec<GeoBox> {
        cover(self.boxes(), self.area_m2(), |area| self.may_meet(area).then_some(*area), most)
    }

    /// Whether a box may have a place of it: judged by the rectangle around the ellipse, in the plane of distance and
    /// azimuth, and by the circle around the box.
    fn may_meet(&self, area: &GeoBox) -> bool {
        let (centre, reach_m) = circle_around(area);
        let (distance_m, azimuth_deg) = distance_and_azimuth(self.centre, centre);
        let Some(stretch) = stretch(distance_m + reach_m) else { return true };
        let (sin, cos) = (azimuth_deg - self.orientation_deg).to_radians().sin_cos();
        let reach_m = reach_m * stretch;
        let (major, minor) =
            (self.semi_major_m.max(self.semi_minor_m), self.semi_major_m.min(self.semi_minor_m));
        distance_m * cos.abs() <= major + reach_m && distance_m * sin.abs() <= minor + reach_m
    }

    /// Square metres.
    pub fn area_m2(&self) -> f64 {
        PI * self.semi_major_m * self.semi_minor_m
    }
}

/// A part of a ring around a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Arc {
    /// The centre.
    pub centre: LonLat,
    /// Inner radius in metres.
    pub inner_m: f64,
    /// Width of the ring in metres.
    pub width_m: f64,
    /// Where it begins, in degrees clockwise from north.
    pub offset_deg: f64,
    /// How far it goes, in degrees clockwise.
    pub included_deg: f64,
}

impl Arc {
    /// Whether it holds a place, its edges included.
    pub fn holds(&self, at: LonLat) -> bool {
        let (distance_m, azimuth_deg) = distance_and_azimuth(self.centre, at);
        let turned = (azimuth_deg - self.offset_deg).rem_euclid(360.0);
        let in_ring = self.inner_m <= distance_m && distance_m <= self.inner_m + self.width_m;
        in_ring && (self.included_deg >= 360.0 || turned <= self.included_deg)
    }

    /// Boxes that cover it.
    pub fn boxes(&self) -> Vec<GeoBox> {
        around(self.centre, self.inner_m + self.width_m)
    }

    /// At most `most` boxes that cover its ring closely, or as many as [`Arc::boxes`] has.
    pub fn search_boxes(&self, most: usize) -> Vec<GeoBox> {
        let meets = |area: &GeoBox| {
            let (centre, reach_m) = circle_around(area);
            let (distance_m, _) = distance_and_azimuth(self.centre, centre);
            let met =
                distance_m + reach_m >= self.inner_m && distance_m - reach_m <= self.inner_m + self.width_m;
            met.then_some(*area)
        };
        cover(self.boxes(), self.area_m2(), meets, most)
    }

    /// Square metres.
    pub fn area_m2(&self) -> f64 {
        let outer = self.inner_m + self.width_m;
        PI * (outer * outer - self.inner_m * self.inner_m) * (self.included_deg.clamp(0.0, 360.0) / 360.0)
    }
}

/// The centre of a box, and a distance within which all of it lies, in metres: along a meridian, then along a parallel.
pub(crate) fn circle_around(area: &GeoBox) -> (LonLat, f64) {
    let centre = (f64::midpoint(area.min_lon, area.max_lon), f64::midpoint(area.min_lat, area.max_lat));
    let flattest = if area.min_lat <= 0.0 && area.max_lat >= 0.0 {
        0.0
    } else {
        area.min_lat.abs().min(area.max_lat.abs())
    };
    let (wide, tall) = (area.max_lon - area.min_lon, area.max_lat - area.min_lat);
    (centre, f64::midpoint(tall, wide * flattest.to_radians().cos()) * DEGREE_MAX_M + 1.0)
}

/// By how much distances across grow at most in the plane of distance and azimuth, up to a distance; `None`: too far.
fn stretch(distance_m: f64) -> Option<f64> {
    let angle = distance_m / RADIUS_M;
    (angle < 2.5).then(|| angle / angle.sin() * 1.01)
}

/// Boxes around everything within a distance of a place.
fn around((lon, lat): LonLat, radius_m: f64) -> Vec<GeoBox> {
    let tall = radius_m / DEGREE_M + 1e-9;
    let (south, north) = (lat - tall, lat + tall);
    let reach = (radius_m / RADIUS_M).min(PI / 2.0).sin();
    let cos = lat.to_radians().cos();
    if south <= -90.0 || north >= 90.0 || reach >= cos {
        return boxes(-180.0, 180.0, south, north);
    }
    let wide = (reach / cos).asin().to_degrees() * 1.001 + 1e-9;
    boxes(lon - wide, lon + wide, south, north)
}

#[cfg(test)]
mod tests {
    use super::*;
    use geographiclib_rs::DirectGeodesic as _;

    fn beyond(from: LonLat, azimuth: f64, metres: f64) -> LonLat {
        let (lat, lon): (f64, f64) = super::super::WGS84.direct(from.1, from.0, azimuth, metres);
        (lon, lat)
    }

    #[test]
    fn a_circle_reaches_its_radius_and_its_boxes_cover_it() {
        for centre in [(2.0, 48.0), (179.999, 0.0), (-180.0, -33.0), (10.0, 89.9), (0.0, 90.0), (50.0, -90.0)]
        {
            let circle = Ellipse::circle(centre, 20_000.0);
            for azimuth in [0.0, 45.0, 90.0, 135.0, 180.0, 225.0, 270.0, 315.0] {
                let (inside, outside) =
                    (beyond(centre, azimuth, 19_999.0), beyond(centre, azimuth, 20_001.0));
                assert!(circle.holds(inside) && !circle.holds(outside), "{centre:?} {azimuth}");
                let kept = super::super::canonical(inside);
                assert!(circle.boxes().iter().any(|b| b.holds(kept)), "{centre:?} {azimuth} {kept:?}");
            }
        }
    }

    #[test]
    fn an_ellipse_is_longer_one_way_and_an_arc_is_part_of_a_ring() {
        let centre = (2.0, 48.0);
        let ellipse = Ellipse { centre, semi_major_m: 2_000.0, semi_minor_m: 500.0, orientation_deg: 90.0 };
        let arc = Arc { centre, inner_m: 1_000.0, width_m: 500.0, offset_deg: 350.0, included_deg: 20.0 };
        #[rustfmt::skip] // a table stays a table
        let rows: [(f64, f64, bool, bool); 7] = [
            (0.0, 499.0, true, false), (0.0, 1_200.0, false, true), (90.0, 1_900.0, true, false), (90.0, 1_200.0, true, false),
            (359.0, 1_499.0, false, true), (345.0, 1_200.0, false, false), (0.0, 1_501.0, false, false),
        ];
        for (azimuth, metres, in_ellipse, in_arc) in rows {
            let at = beyond(centre, azimuth, metres);
            assert_eq!((ellipse.holds(at), arc.holds(at)), (in_ellipse, in_arc), "{azimuth} {metres}");
        }
        assert!((ellipse.area_m2() - PI * 1.0e6).abs() < 1.0 && arc.area_m2() > 0.0);
    }
}
