//! A polygon of three to fifteen points (TS 23.032 5.4), on whichever side of the antimeridian or around a pole.

use geo::{Coord, Intersects as _, Line, LineString};
use geographiclib_rs::{PolygonArea, Winding};

use super::cover::cover;
use super::{GeoBox, LonLat, WGS84, boxes};

/// Radius of the sphere with the area of the ellipsoid, in metres.
const AUTHALIC_M: f64 = 6_371_007.2;

/// Degrees by which a box is taken larger than it is, so that rounding leaves nothing out. Own value.
const GRAIN: f64 = 1e-9;

/// How far the two ways of measuring may differ before the larger one counts. Own value; the sphere is off by 0.5 %.
const FLAT: f64 = 1.02;

/// A simple polygon, unrolled: consecutive longitudes differ by less than half a turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Polygon {
    /// The points as they were given, without repetition.
    ring: Vec<LonLat>,
    /// The ring in the plane of unrolled longitude and latitude, closed over the pole that it surrounds.
    plane: geo::Polygon<f64>,
}

impl Polygon {
    /// `None`: fewer than three different points, or edges that meet where they should not.
    pub fn new(points: &[LonLat]) -> Option<Self> {
        let mut ring: Vec<LonLat> = points.to_vec();
        ring.dedup();
        while ring.len() > 1 && ring.first() == ring.last() {
            ring.pop();
        }
        if ring.len() < 3 || ring.iter().any(|(lon, lat)| !lon.is_finite() || !lat.is_finite()) {
            return None;
        }
        let mut unrolled = unroll(&ring);
        let turn = unrolled[ring.len()].0 - unrolled[0].0;
        if turn.abs() < 180.0 {
            unrolled.pop();
        } else {
            // Once around the globe: the ring surrounds the pole of its hemisphere.
            let north = ring.iter().map(|point| point.1).sum::<f64>() >= 0.0;
            let pole = if north { 90.0 } else { -90.0 };
            unrolled.push((unrolled[ring.len()].0, pole));
            unrolled.push((unrolled[0].0, pole));
        }
        if !is_simple(&unrolled) {
            return None;
        }
        let exterior: LineString<f64> = unrolled.into_iter().collect();
        Some(Self { ring, plane: geo::Polygon::new(exterior, Vec::new()) })
    }

    /// Boxes that cover it.
    pub fn boxes(&self) -> Vec<GeoBox> {
        let (west, east, south, north) = self.bounds();
        boxes(west, east, south, north)
    }

    /// At most `most` boxes that cover it closely, or as many as [`Polygon::boxes`] has.
    pub fn search_boxes(&self, most: usize) -> Vec<GeoBox> {
        cover(self.boxes(), self.area_m2(), |area| self.within(area), most)
    }

    /// The part of a box that it reaches into, on whichever turn around the globe.
    fn within(&self, area: &GeoBox) -> Option<GeoBox> {
        // A pole is a line here, of which any place means all.
        if area.max_lat >= 90.0 || area.min_lat <= -90.0 {
            return Some(*area);
        }
        let (west, east, _, _) = self.bounds();
        let first = ((west - area.max_lon - GRAIN) / 360.0).ceil() as i32;
        let last = ((east - area.min_lon + GRAIN) / 360.0).floor() as i32;
        let points = (first..=last).flat_map(|turn| {
            let turned = f64::from(turn) * 360.0;
            let low = Coord { x: area.min_lon + turned - GRAIN, y: area.min_lat - GRAIN };
            let high = Coord { x: area.max_lon + turned + GRAIN, y: area.max_lat + GRAIN };
            let corners = [low, high, Coord { x: low.x, y: high.y }, Coord { x: high.x, y: low.y }];
            let inside = corners.into_iter().filter(|corner| self.plane.intersects(corner));
            let edges = self.plane.exterior().lines().filter_map(move |edge| clipped(edge, low, high));
            inside.chain(edges.flatten()).map(move |at| (at.x - turned, at.y)).collect::<Vec<_>>()
        });
        points.fold(None, |sofar: Option<GeoBox>, (lon, lat)| {
            let (low, high) = ((lon - GRAIN, lat - GRAIN), (lon + GRAIN, lat + GRAIN));
            let sofar =
                sofar.unwrap_or(GeoBox { min_lon: low.0, min_lat: low.1, max_lon: high.0, max_lat: high.1 });
            Some(GeoBox {
                min_lon: sofar.min_lon.min(low.0).max(area.min_lon),
                min_lat: sofar.min_lat.min(low.1).max(area.min_lat),
                max_lon: sofar.max_lon.max(high.0).min(area.max_lon),
                max_lat: sofar.max_lat.max(high.1).min(area.max_lat),
            })
        })
    }

    /// Whether it holds a place, edges included.
    pub fn holds(&self, (lon, lat): LonLat) -> bool {
        let (west, east, _, _) = self.bounds();
        if lat.abs() >= 90.0 {
            return self.plane.exterior().coords().any(|c| c.y == lat);
        }
        let first = lon + 360.0 * ((west - lon) / 360.0).ceil();
        [first - 360.0, first, first + 360.0]
            .into_iter()
            .filter(|turned| (west..=east).contains(turned))
            .any(|turned| self.plane.intersects(&Coord { x: turned, y: lat }))
    }

    /// Square metres on the ellipsoid, of the smaller side.
    ///
    /// Geodesic edges enclose much less than edges that are straight in longitude and latitude where those are long
    /// and far from the equator, down to nothing. What is searched counts there.
    pub fn area_m2(&self) -> f64 {
        let mut area = PolygonArea::new(&WGS84, Winding::CounterClockwise);
        for (lon, lat) in &self.ring {
            area.add_point(*lat, *lon);
        }
        let (geodesic, searched) = (area.compute(true).1.abs(), self.searched_m2());
        if searched > geodesic * FLAT { searched } else { geodesic }
    }

    /// Square metres between the straight edges, on the sphere of equal area.
    fn searched_m2(&self) -> f64 {
        let under = |edge: Line<f64>| {
            let (from, to) = (edge.start.y.to_radians(), edge.end.y.to_radians());
            // The mean of the sine along the edge.
            let mean = match to - from {
                flat if flat.abs() < 1e-9 => f64::midpoint(from, to).sin(),
                steep => (from.cos() - to.cos()) / steep,
            };
            (edge.end.x - edge.start.x).to_radians() * mean
        };
        let turns: f64 = self.plane.exterior().lines().map(under).sum();
        turns.abs() * AUTHALIC_M * AUTHALIC_M
    }

    fn bounds(&self) -> (f64, f64, f64, f64) {
        let start = (f64::INFINITY, f64::NEG_INFINITY, f64::INFINITY, f64::NEG_INFINITY);
        self.plane.exterior().coords().fold(start, |(west, east, south, north), c| {
            (west.min(c.x), east.max(c.x), south.min(c.y), north.max(c.y))
        })
    }
}

/// The ends of the part of an edge between two corners of a box (Liang and Barsky).
fn clipped(edge: Line<f64>, low: Coord<f64>, high: Coord<f64>) -> Option<[Coord<f64>; 2]> {
    let delta = edge.delta();
    let (mut enters, mut leaves) = (0.0_f64, 1.0_f64);
    let sides = [
        (-delta.x, edge.start.x - low.x),
        (delta.x, high.x - edge.start.x),
        (-delta.y, edge.start.y - low.y),
        (delta.y, high.y - edge.start.y),
    ];
    for (outward, room) in sides {
        if outward == 0.0 {
            if room < 0.0 {
                return None;
            }
        } else if outward < 0.0 {
            enters = enters.max(room / outward);
        } else {
            leaves = leaves.min(room / outward);
        }
    }
    let at = |share: f64| Coord { x: edge.start.x + delta.x * share, y: edge.start.y + delta.y * share };
    (enters <= leaves).then(|| [at(enters), at(leaves)])
}

/// The ring and its first point again, each longitude within half a turn of the one before.
fn unroll(ring: &[LonLat]) -> Vec<LonLat> {
    let mut unrolled = vec![ring[0]];
    let mut lon = ring[0].0;
    for next in ring.iter().skip(1).chain(ring.first()) {
        let step = (next.0 - lon + 180.0).rem_euclid(360.0) - 180.0;
        lon += step;
        unrolled.push((lon, next.1));
    }
    unrolled
}

/// Whether no two edges meet but neighbours at their common point.
fn is_simple(points: &[LonLat]) -> bool {
    let count = points.len();
    let edge = |i: usize| Line::new(Coord::from(points[i]), Coord::from(points[(i + 1) % count]));
    for i in 0..count {
        for j in i + 1..count {
            let neighbours = j == i + 1 || (i == 0 && j == count - 1);
            let (a, b) = (edge(i), edge(j));
            if neighbours {
                // Neighbours may only share one end: not run back over each other.
                let (far, near) = if j == i + 1 { (b.end, a) } else { (b.start, a) };
                let back = if j == i + 1 { a.start } else { a.end };
                if near.intersects(&far) || b.intersects(&back) {
                    return false;
                }
            } else if a.intersects(&b) {
                return false;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(west: f64, south: f64, side: f64) -> Polygon {
        let (east, north) = (west + side, south + side);
        Polygon::new(&[(west, south), (east, south), (east, north), (west, north)]).unwrap()
    }

    #[test]
    fn edges_belong_to_a_polygon() {
        let polygon = square(2.0, 48.0, 1.0);
        for (at, inside) in [
            ((2.5, 48.5), true),
            ((2.0, 48.5), true),
            ((2.0, 48.0), true),
            ((1.99, 48.5), false),
            ((2.5, 49.01), false),
        ] {
            assert_eq!(polygon.holds(at), inside, "{at:?}");
        }
        // About 73.6 km by 111.2 km.
        assert!((8.0e9..8.3e9).contains(&polygon.area_m2()), "{}", polygon.area_m2());
    }

    #[test]
    fn the_antimeridian_is_crossed_and_not_wrapped() {
        let polygon = Polygon::new(&[(179.0, -1.0), (-179.0, -1.0), (-179.0, 1.0), (179.0, 1.0)]).unwrap();
        for (lon, inside) in
            [(179.5, true), (180.0, true), (-180.0, true), (-179.5, true), (0.0, false), (-178.5, false)]
        {
            assert_eq!(polygon.holds((lon, 0.0)), inside, "{lon}");
        }
        assert!(polygon.area_m2() < 6.0e10);
        assert_eq!(polygon.boxes().len(), 2);
    }

    #[test]
    fn a_ring_around_a_pole_holds_the_pole() {
        let ring: Vec<LonLat> = [-120.0, 0.0, 120.0].map(|lon| (lon, 89.0)).to_vec();
        let polygon = Polygon::new(&ring).unwrap();
        assert!(polygon.holds((0.0, 90.0)) && polygon.holds((45.0, 89.5)) && !polygon.holds((45.0, 88.5)));
        let south = Polygon::new(&ring.iter().map(|(lon, lat)| (*lon, -lat)).collect::<Vec<_>>()).unwrap();
        assert!(south.holds((0.0, -90.0)) && !south.holds((0.0, 90.0)) && south.holds((-170.0, -89.5)));
        assert!(south.boxes().iter().any(|b| b.holds((0.0, -90.0))));
    }

    #[test]
    fn what_is_searched_counts_where_geodesics_enclose_nothing() {
        // Over the pole and back: nothing for geodesics, a band of a tenth of a degree for the search.
        let band = Polygon::new(&[(0.0, 60.0), (179.9, 60.0), (179.9, 60.1), (0.0, 60.1)]).unwrap();
        assert!(band.holds((90.0, 60.05)) && band.area_m2() > 1.0e11, "{}", band.area_m2());
        let cap = Polygon::new(&[(0.0, 89.0), (120.0, 89.0), (-120.0, 89.0)]).unwrap();
        assert!((3.8e10..4.0e10).contains(&cap.area_m2()), "{}", cap.area_m2());
    }

    #[test]
    fn what_is_no_simple_polygon_is_refused() {
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &[LonLat]); 5] = [
            ("two points", &[(0.0, 0.0), (1.0, 0.0)]),
            ("one point three times", &[(0.0, 0.0), (0.0, 0.0), (0.0, 0.0)]),
            ("bow-tie, whose area would be nothing", &[(-90.0, -45.0), (89.0, 45.0), (89.0, -45.0), (-90.0, 45.0)]),
            ("there and back", &[(0.0, 0.0), (1.0, 0.0), (0.5, 0.0)]),
            ("not a number", &[(f64::NAN, 0.0), (1.0, 0.0), (0.5, 1.0)]),
        ];
        for (what, points) in rows {
            assert!(Polygon::new(points).is_none(), "{what}");
        }
        assert!(
            Polygon::new(&[(0.0, 0.0), (1.0, 0.0), (0.5, 1.0), (0.0, 0.0)]).is_some(),
            "closed explicitly"
        );
    }
}
