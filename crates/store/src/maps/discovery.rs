//! Discovery of maps with the permission inside the query (TS 23.437 9.3; design, section 4).
//!
//! What the caller may not see takes part in nothing: neither in the rows, nor in their number, nor in the page.

use crate::maps::area_index;
use crate::maps::record::{self, COLUMNS, MapRow};
use crate::search::{Bounds, Candidates, Index, Search, list};
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
    /// How much may be read for them.
    pub bounds: Bounds,
}

/// A map that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The map.
    pub map: MapRow,
    /// Whether the caller is the owner.
    pub own: bool,
}

/// What was found, and where the search goes on.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// By identifier, at most `Filter::limit`.
    pub found: Vec<Found>,
    /// Everything up to this identifier was considered; `None`: everything there is.
    pub next: Option<u32>,
}

/// How many columns a map has.
const WIDTH: usize = 13;

/// The maps that the filter finds, by identifier. Fewer than `limit` are found when there are no more, or when as many
/// as the bounds allow were examined.
///
/// # Errors
/// The engine failed; a record is damaged.
pub async fn find(tx: &mut dyn Sql, filter: &Filter) -> Result<Batch, StoreError> {
    let no_layer = filter.layers.as_ref().is_some_and(Vec::is_empty);
    let no_box = filter.boxes.as_ref().is_some_and(Vec::is_empty);
    if filter.held.is_empty() || filter.limit == 0 || no_layer || no_box {
        return Ok(Batch { found: Vec::new(), next: None });
    }
    let Filter { held, boxes, after, limit, bounds, .. } = filter;
    let search = Search { held, boxes: boxes.as_deref(), after: *after, want: *limit, bounds: *bounds };
    let Candidates { ids, next } = search.run(tx, filter).await?.0;
    // A document may have some megabytes: one too many tells whether there are more.
    let found = read(tx, filter, &ids, limit.saturating_add(1)).await?;
    let mut batch = Batch { found, next };
    if batch.found.len() > *limit as usize {
        batch.found.truncate(*limit as usize);
        batch.next = batch.found.last().map(|found| found.map.map_id);
    }
    Ok(batch)
}

impl Filter {
    /// The condition that record `m` is the caller's own; appends the parameters.
    fn own(&self, params: &mut Vec<Value>) -> String {
        params.extend([Value::from(&self.issuer), Value::from(&self.subject)]);
        let subject = params.len();
        format!("m.owner_issuer = ${} AND m.owner_subject = ${subject}", subject - 1)
    }

    /// The conditions on record `m` that are no matter of place.
    fn holds(&self, own: &str, params: &mut Vec<Value>) -> String {
        params.push(self.now_s.into());
        let now = params.len();
        let mut holds = format!(
            "(((m.start_s IS NULL OR m.start_s <= ${now}) AND (m.stop_s IS NULL OR m.stop_s > ${now})) OR ({own}))"
        );
        if let Some(service_id) = &self.service_id {
            params.push(service_id.into());
            holds.push_str(&format!(" AND m.service_id = ${}", params.len()));
        }
        if let Some(layers) = &self.layers {
            let layers = placeholders(params, layers.iter().map(Value::from));
            holds.push_str(&format!(
                " AND EXISTS (SELECT 1 FROM map_layer l WHERE l.map_id = m.map_id AND l.layer_id IN ({layers}))"
            ));
        }
        holds
    }
}

impl Index for Filter {
    fn by_class(&self, dialect: Dialect, boxes: &[GeoBox], params: &mut Vec<Value>) -> String {
        area_index::by_class(dialect, boxes, params)
    }

    fn by_area(&self, dialect: Dialect, boxes: &[GeoBox], params: &mut Vec<Value>) -> String {
        area_index::by_area(dialect, boxes, params)
    }

    fn by_id(
        &self,
        dialect: Dialect,
        boxes: Option<&[GeoBox]>,
        (beyond, upto): (i64, i64),
        params: &mut Vec<Value>,
    ) -> String {
        let inside = boxes.map_or("1 = 1".to_owned(), |boxes| area_index::meets(dialect, boxes, params));
        params.extend([beyond.into(), upto.into()]);
        let (upper, lower) = (params.len(), params.len() - 1);
        let own = self.own(params);
        let holds = self.holds(&own, params);
        format!(
            "SELECT m.map_id AS id, {inside} AS inside FROM held h CROSS JOIN map m \
             WHERE m.class_id = h.class_id AND m.map_id > ${lower} AND m.map_id <= ${upper} AND {holds}"
        )
    }

    fn also(&self, _: &mut Vec<Value>) -> Option<String> {
        None
    }
}

/// The first `limit` of the maps for which everything holds, by identifier.
async fn read(tx: &mut dyn Sql, filter: &Filter, ids: &[u32], limit: u32) -> Result<Vec<Found>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut params = Vec::new();
    let listed = list(tx.dialect(), "m.map_id", ids, &mut params);
    let own = filter.own(&mut params);
    let holds = filter.holds(&own, &mut params);
    params.push(limit.into());
    let limit = params.len();
    let columns: Vec<String> = COLUMNS.split(", ").map(|column| format!("m.{column}")).collect();
    let columns = columns.join(", ");
    // The identifiers first: only documents that are shown are read.
    let sql = format!(
        "WITH hit (map_id) AS (SELECT m.map_id FROM map m WHERE {listed} AND {holds} ORDER BY m.map_id LIMIT ${limit}) \
         SELECT {columns}, CASE WHEN {own} THEN 1 ELSE 0 END \
         FROM hit JOIN map m ON m.map_id = hit.map_id ORDER BY m.map_id"
    );
    let rows = tx.query(&sql, &params).await?;
    rows.iter().map(|row| Ok(Found { map: record::read(row)?, own: row.get(WIDTH)? })).collect()
}
