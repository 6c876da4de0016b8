//! Areas as they come on the wire, made ready for boxes, exact tests and measuring.

use api_types::geo::{GeographicArea, ServiceArea};

use super::{Arc, Ellipse, GeoBox, LonLat, Polygon};

/// How near a place must be to a point that is given as an area, in metres. Own value: the grain of the index and of
/// positions written with seven decimals.
const POINT_M: f64 = 0.1;

/// Most geographic areas in one question. Own value.
pub(super) const MAX_SHAPES: usize = 16;

/// Boxes of one search, where long thin shapes need more than one each. Own value.
const SEARCH_BOXES: usize = 16;

/// Why an area cannot be searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AreaError {
    /// Cells, tracking areas and civic addresses have no geometry here.
    #[error("names no geographic area")]
    NotGeographic,
    /// A shape that is not known, or one of a local coordinate system.
    #[error("has a shape that cannot be searched")]
    Shape,
    /// A polygon without area, or whose edges cross.
    #[error("is not a simple polygon")]
    Polygon,
    /// More than [`MAX_SHAPES`].
    #[error("has too many areas")]
    TooMany,
}

/// One shape.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// Circles, ellipses and points.
    Ellipse(Ellipse),
    /// Part of a ring.
    Arc(Arc),
    /// Polygon.
    Polygon(Polygon),
}

impl Shape {
    /// # Errors
    /// The shape is not known, or is no simple polygon.
    pub fn of(area: &GeographicArea) -> Result<Self, AreaError> {
        let at = |point: &api_types::geo::GeographicalCoordinates| (point.lon, point.lat);
        Ok(match area {
            GeographicArea::Point { point } | GeographicArea::PointAltitude { point, .. } => {
                Self::Ellipse(Ellipse::circle(at(point), POINT_M))
            }
            GeographicArea::PointUncertaintyCircle { point, uncertainty } => {
                Self::Ellipse(Ellipse::circle(at(point), uncertainty.max(POINT_M)))
            }
            GeographicArea::PointUncertaintyEllipse { point, uncertainty_ellipse: ellipse, .. }
            | GeographicArea::PointAltitudeUncertainty { point, uncertainty_ellipse: ellipse, .. } => {
                Self::Ellipse(Ellipse {
                    centre: at(point),
                    semi_major_m: ellipse.semi_major.max(POINT_M),
                    semi_minor_m: ellipse.semi_minor.max(POINT_M),
                    orientation_deg: f64::from(ellipse.orientation_major),
                })
            }
            GeographicArea::Polygon { point_list } => {
                let points: Vec<LonLat> = point_list.iter().map(at).collect();
                Self::Polygon(Polygon::new(&points).ok_or(AreaError::Polygon)?)
            }
            GeographicArea::EllipsoidArc {
                point,
                inner_radius,
                uncertainty_radius,
                offset_angle,
                included_angle,
                ..
            } => Self::Arc(Arc {
                centre: at(point),
                inner_m: f64::from(*inner_radius),
                width_m: *uncertainty_radius,
                offset_deg: f64::from(*offset_angle),
                included_deg: f64::from(*included_angle),
            }),
            GeographicArea::Other(_) => return Err(AreaError::Shape),
        })
    }

    fn boxes(&self) -> Vec<GeoBox> {
        match self {
            Self::Ellipse(ellipse) => ellipse.boxes(),
            Self::Arc(arc) => arc.boxes(),
            Self::Polygon(polygon) => polygon.boxes(),
        }
    }

    fn search_boxes(&self, most: usize) -> Vec<GeoBox> {
        match self {
            Self::Ellipse(ellipse) => ellipse.search_boxes(most),
            Self::Arc(arc) => arc.search_boxes(most),
            Self::Polygon(polygon) => polygon.search_boxes(most),
        }
    }

    fn holds(&self, place: LonLat) -> bool {
        match self {
            Self::Ellipse(ellipse) => ellipse.holds(place),
            Self::Arc(arc) => arc.holds(place),
            Self::Polygon(polygon) => polygon.holds(place),
        }
    }

    fn area_m2(&self) -> f64 {
        match self {
            Self::Ellipse(ellipse) => ellipse.area_m2(),
            Self::Arc(arc) => arc.area_m2(),
            Self::Polygon(polygon) => polygon.area_m2(),
        }
    }
}

/// Shapes, any of which may hold a place.
#[derive(Clone, Debug, PartialEq)]
pub struct Area(Vec<Shape>);

impl Area {
    /// The geographic part of a service area, for a search.
    ///
    /// # Errors
    /// There is none, or it cannot be searched.
    pub fn of(service_area: &ServiceArea) -> Result<Self, AreaError> {
        let areas = service_area.geographic();
        match areas.len() {
            0 => Err(AreaError::NotGeographic),
            1..=MAX_SHAPES => areas.iter().map(Shape::of).collect::<Result<_, _>>().map(Self),
            _ => Err(AreaError::TooMany),
        }
    }

    /// The geographic part of a service area, for a decision: a shape that is not understood holds nothing. `None`
    /// where the service area is not bounded by geography at all.
    pub fn bounding(service_area: &ServiceArea) -> Option<Self> {
        let areas = service_area.geographic();
        (!areas.is_empty()).then(|| Self(areas.iter().filter_map(|area| Shape::of(area).ok()).collect()))
    }

    /// Boxes that cover it.
    pub fn boxes(&self) -> Vec<GeoBox> {
        self.0.iter().flat_map(Shape::boxes).collect()
    }

    /// Boxes that cover it as closely as a search needs.
    pub fn search_boxes(&self) -> Vec<GeoBox> {
        let most = SEARCH_BOXES / self.0.len().max(1);
        self.0.iter().flat_map(|shape| shape.search_boxes(most)).collect()
    }

    /// Whether it holds a place.
    pub fn holds(&self, place: LonLat) -> bool {
        self.0.iter().any(|shape| shape.holds(place))
    }

    /// Square metres; what overlaps counts twice.
    pub fn area_m2(&self) -> f64 {
        self.0.iter().map(Shape::area_m2).sum()
    }
}
