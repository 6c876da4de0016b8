//! H3 cells: the place that a consumer names instead of its own, so that it is not told where exactly the consumer is.

use api_types::geo::{GeographicArea, GeographicalCoordinates, ServiceArea};
use h3o::CellIndex;

use crate::shared::geometry::Area;

/// The area of a cell; `None` for what names none.
pub(super) fn area(text: &str) -> Option<Area> {
    // One spelling for each cell: 15 or 16 lower case digits, as the index is written.
    let cell: CellIndex = text.parse().ok()?;
    if cell.to_string() != text {
        return None;
    }
    let points: Vec<GeographicalCoordinates> = cell
        .boundary()
        .iter()
        .map(|corner| GeographicalCoordinates { lon: corner.lng(), lat: corner.lat() })
        .collect();
    Area::of(&ServiceArea::of(vec![GeographicArea::Polygon { point_list: points }])).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_where_it_is() {
        // Resolution 8 around 48.8566 N, 2.3522 E: somewhat less than a square kilometre.
        let cell = h3o::LatLng::new(48.8566, 2.3522).unwrap().to_cell(h3o::Resolution::Eight).to_string();
        let found = area(&cell).unwrap();
        assert!(found.holds((2.3522, 48.8566)) && !found.holds((2.40, 48.8566)));
        assert!((300_000.0..1_500_000.0).contains(&found.area_m2()), "{}", found.area_m2());
        let pacific = h3o::LatLng::new(0.0, 179.999).unwrap().to_cell(h3o::Resolution::Four).to_string();
        assert!(area(&pacific).is_some_and(|area| area.holds((179.999, 0.0))), "over the antimeridian");
        for bad in
            ["", "x", "8a1fb466659ffff0", &cell.to_uppercase(), &format!("0{cell}"), "0000000000000000"]
        {
            assert!(area(bad).is_none(), "{bad}");
        }
    }
}
