//! Discovery of maps with the permission inside the query (TS 23.437 9.3; design, section 4).
//!
//! What the caller may not see takes part in nothing: neither in the rows, nor in their number, nor in the page.

use crate::maps::area_index;
use crate::maps::record::{self, COLUMNS, MapRow};
use crate::spatial_index::GeoBox;
use crate::sql::placeholders;
use crate::{Dialect, Sql, StoreError, Value};

/// What is searched. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// The matches that the caller holds, as in `ClassMatch::key`.
    pub held: Vec<String>,
    /// Issuer of the caller's identity.
    pub issuer: String,
    /// The caller, as that issuer names it.
    pub subject: String,
    /// VAL service.
    pub service_id: Option<String>,
    /// Layers, any of which the map must have.
    pub layers: Option<Vec<String>>,
    /// Boxes, any of which the map must meet; the exact shape is tested by the caller of this function.
    pub boxes: Option<Vec<GeoBox>>,
    /// Seconds since 1970, for time periods; an owner also finds inactive maps.
    pub now_s: i64,
    /// Only identifiers beyond this one.
    pub after: Option<u32>,
    /// Most rows.
    pub limit: u32,
}

/// A map that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The map.
    pub map: MapRow,
    /// Whether the caller is the owner.
    pub own: bool,
}

/// How many columns a map has.
const WIDTH: usize = 12;

/// The maps that the filter finds, by identifier.
///
/// # Errors
/// The engine failed; a record is damaged.
pub async fn find(tx: &mut dyn Sql, filter: &Filter) -> Result<Vec<Found>, StoreError> {
    let no_layer = filter.layers.as_ref().is_some_and(Vec::is_empty);
    let no_box = filter.boxes.as_ref().is_some_and(Vec::is_empty);
    if filter.held.is_empty() || filter.limit == 0 || no_layer || no_box {
        return Ok(Vec::new());
    }
    let (sql, params) = statement(tx.dialect(), filter);
    let rows = tx.query(&sql, &params).await?;
    rows.iter().map(|row| Ok(Found { map: record::read(row)?, own: row.get(WIDTH)? })).collect()
}

fn statement(dialect: Dialect, filter: &Filter) -> (String, Vec<Value>) {
    let mut params = Vec::new();
    let held = placeholders(&mut params, filter.held.iter().map(Value::from));
    // The classes lead: inside the spatial index where there is an area.
    let (from, distinct) = match &filter.boxes {
        Some(boxes) => {
            let join = area_index::join(dialect, boxes, &mut params);
            let from = format!(
                "held h {join} JOIN map_box_of o ON o.box_id = b.box_id JOIN map m ON m.map_id = o.map_id"
            );
            // Boxes that overlap find a map twice.
            (from, "DISTINCT ")
        }
        None => ("held h CROSS JOIN map m".to_owned(), ""),
    };
    let mut conditions = vec!["m.class_id = h.class_id".to_owned()];
    if let Some(layers) = &filter.layers {
        let layers = placeholders(&mut params, layers.iter().map(Value::from));
        conditions.push(format!(
            "EXISTS (SELECT 1 FROM map_layer l WHERE l.map_id = m.map_id AND l.layer_id IN ({layers}))"
        ));
    }
    let mut bind = |value: Value| {
        params.push(value);
        format!("${}", params.len())
    };
    let own = format!(
        "m.owner_issuer = {} AND m.owner_subject = {}",
        bind((&filter.issuer).into()),
        bind((&filter.subject).into())
    );
    let now = bind(filter.now_s.into());
    conditions.push(format!(
        "(({own}) OR ((m.start_s IS NULL OR m.start_s <= {now}) AND (m.stop_s IS NULL OR m.stop_s > {now})))"
    ));
    if let Some(service_id) = &filter.service_id {
        conditions.push(format!("m.service_id = {}", bind(service_id.into())));
    }
    if let Some(after) = filter.after {
        conditions.push(format!("m.map_id > {}", bind(after.into())));
    }
    let limit = bind(filter.limit.into());
    let columns: Vec<String> = COLUMNS.split(", ").map(|column| format!("m.{column}")).collect();
    let sql = format!(
        "WITH held (class_id) AS MATERIALIZED (\
         SELECT DISTINCT class_id FROM class_match WHERE match_key IN ({held})), \
         hit (map_id) AS (SELECT {distinct}m.map_id FROM {from} WHERE {} \
         ORDER BY m.map_id LIMIT {limit}) \
         SELECT {}, CASE WHEN {own} THEN 1 ELSE 0 END FROM hit JOIN map m ON m.map_id = hit.map_id ORDER BY m.map_id",
        conditions.join(" AND "),
        columns.join(", "),
    );
    (sql, params)
}
