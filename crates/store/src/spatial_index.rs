//! The spatial index with the permission inside: places by longitude, latitude and, as third dimension, the visibility
//! class. R*Tree of SQLite or GiST of PostGIS (design, section 4). One of the places that know the engine.
//!
//! A second index has the places without classes, for searches that look at an area first: ordered by class before place,
//! the first one would meet an area with many boxes. In the R*Tree the class is part of its keys, which are read anyway.
//!
//! In the R*Tree class `c` is the range from `c - 1` to `c`. Without breadth the boxes of one class would have no volume,
//! whatever their places: the tree tells by the volume where a new entry makes a box grow least, and would pile them up.

use crate::params;
use crate::{Dialect, Sql, StoreError, Value};

/// A box in degrees. `min_lon` is not beyond `max_lon`: what crosses the antimeridian is two boxes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GeoBox {
    /// Western edge.
    pub min_lon: f64,
    /// Southern edge.
    pub min_lat: f64,
    /// Eastern edge.
    pub max_lon: f64,
    /// Northern edge.
    pub max_lat: f64,
}

impl GeoBox {
    /// Whether a place lies inside, edges included.
    pub fn holds(&self, (lon, lat): (f64, f64)) -> bool {
        (self.min_lon..=self.max_lon).contains(&lon) && (self.min_lat..=self.max_lat).contains(&lat)
    }
}

/// The bits of a spot that are the anchor.
const ID: u32 = 0x7FFF_FFFF;

/// Steps of the integer index in a degree, about a centimetre each.
const STEPS: f64 = 1e7;

/// A degree as a step of the integer index; within ±180 it fits 31 bits.
pub(crate) fn steps(degree: f64) -> i64 {
    (degree * STEPS).round() as i64
}

/// Sets the place of an anchor; `None` takes it out of the index.
///
/// # Errors
/// The engine failed.
pub async fn put(
    tx: &mut dyn Sql,
    anchor_id: u32,
    class_id: i64,
    at: Option<(f64, f64)>,
) -> Result<(), StoreError> {
    let Some((lon, lat)) = at else { return remove(tx, anchor_id).await };
    match tx.dialect() {
        Dialect::Sqlite => {
            let sql = "insert or replace into anchor_box (anchor_id, min_lon, max_lon, min_lat, max_lat, min_class, \
                       max_class) values ($1, $2, $2, $3, $3, $4 - 1, $4)";
            let place = params![anchor_id, steps(lon), steps(lat), class_id];
            tx.execute(sql, &place).await?;
            let sql = "insert or replace into anchor_spot (spot, min_lon, max_lon, min_lat, max_lat) \
                       values ($1, $2, $2, $3, $3)";
            tx.execute(sql, &params![spot(anchor_id, class_id), steps(lon), steps(lat)]).await.map(drop)
        }
        Dialect::Postgres => {
            let sql = "insert into anchor_box (anchor_id, at) \
                       values ($1, public.ST_MakePoint($2, $3, CAST($4 AS double precision))) \
                       on conflict (anchor_id) do update set at = excluded.at";
            tx.execute(sql, &params![anchor_id, lon, lat, class_id as f64]).await.map(drop)
        }
    }
}

/// The key of a place in the index without classes: the class, and the anchor in the lower 31 bits.
pub(crate) fn spot(anchor_id: u32, class_id: i64) -> i64 {
    class_id << 31 | i64::from(anchor_id)
}

/// Takes an anchor out of the index, before its record is changed or removed.
///
/// # Errors
/// The engine failed.
pub async fn remove(tx: &mut dyn Sql, anchor_id: u32) -> Result<(), StoreError> {
    tx.execute("delete from anchor_box where anchor_id = $1", &params![anchor_id]).await?;
    match tx.dialect() {
        Dialect::Sqlite => {
            let sql = "delete from anchor_spot \
                       where spot = (select class_id << 31 | anchor_id from anchor where anchor_id = $1)";
            tx.execute(sql, &params![anchor_id]).await.map(drop)
        }
        // One table there, with an index of its own for each way.
        Dialect::Postgres => Ok(()),
    }
}

/// One step of margin outward: the index rounds, the exact test comes after.
fn margin(area: &GeoBox) -> [i64; 4] {
    let GeoBox { min_lon, min_lat, max_lon, max_lat } = *area;
    [steps(min_lon) - 1, steps(max_lon) + 1, steps(min_lat) - 1, steps(max_lat) + 1]
}

/// The places in the boxes that have a class of `held h`, appending the parameters of the boxes.
pub(crate) fn by_class(dialect: Dialect, boxes: &[GeoBox], params: &mut Vec<Value>) -> String {
    let boxes = rows(dialect, boxes, margin, params);
    match dialect {
        Dialect::Sqlite => format!(
            "select b.anchor_id as id from held h cross join ({boxes}) q cross join anchor_box b \
             on b.min_class >= h.class_id - 1 and b.max_class <= h.class_id \
             and b.min_lon >= q.x0 and b.max_lon <= q.x1 and b.min_lat >= q.y0 and b.max_lat <= q.y1"
        ),
        // The index keeps a class as a float of 24 bits; the record tells which one it is.
        Dialect::Postgres => format!(
            "select b.anchor_id as id from held h cross join ({boxes}) q \
             join anchor_box b on b.at OPERATOR(public.&&&) public.ST_MakeLine(\
             public.ST_MakePoint(q.x0, q.y0, CAST(h.class_id AS double precision)), \
             public.ST_MakePoint(q.x1, q.y1, CAST(h.class_id AS double precision))) \
             join anchor a on a.anchor_id = b.anchor_id and a.class_id = h.class_id"
        ),
    }
}

/// All places in the boxes with their classes, appending the parameters of the boxes.
pub(crate) fn by_area(dialect: Dialect, boxes: &[GeoBox], params: &mut Vec<Value>) -> String {
    let boxes = rows(dialect, boxes, margin, params);
    match dialect {
        Dialect::Sqlite => format!(
            "select b.spot & {ID} as id, b.spot >> 31 as class_id from ({boxes}) q cross join anchor_spot b \
             on b.min_lon >= q.x0 and b.max_lon <= q.x1 and b.min_lat >= q.y0 and b.max_lat <= q.y1"
        ),
        Dialect::Postgres => format!(
            "select b.anchor_id as id, a.class_id as class_id from ({boxes}) q \
             join anchor_box b on b.at OPERATOR(public.&&) public.ST_MakeEnvelope(q.x0, q.y0, q.x1, q.y1) \
             join anchor a on a.anchor_id = b.anchor_id"
        ),
    }
}

/// The condition that the place of record `a` is in one of the boxes; appends the parameters.
pub(crate) fn holds(boxes: &[GeoBox], params: &mut Vec<Value>) -> String {
    let edge = 1.0 / STEPS;
    let mut pieces = Vec::with_capacity(boxes.len());
    for GeoBox { min_lon, min_lat, max_lon, max_lat } in boxes {
        let n = params.len();
        let edges = [min_lon - edge, max_lon + edge, min_lat - edge, max_lat + edge];
        params.extend(edges.map(Value::from));
        let [west, east, south, north] = [n + 1, n + 2, n + 3, n + 4];
        pieces.push(format!("a.lon between ${west} and ${east} and a.lat between ${south} and ${north}"));
    }
    format!("({})", pieces.join(" or "))
}

/// The boxes of a query as rows `x0, x1, y0, y1`, in the steps of the integer index or in degrees; appends the parameters.
pub(crate) fn rows(
    dialect: Dialect,
    boxes: &[GeoBox],
    in_steps: impl Fn(&GeoBox) -> [i64; 4],
    params: &mut Vec<Value>,
) -> String {
    let mut rows = Vec::with_capacity(boxes.len());
    for area in boxes {
        let n = params.len();
        let [a, b, c, d] = [n + 1, n + 2, n + 3, n + 4];
        rows.push(match dialect {
            Dialect::Sqlite => {
                params.extend(in_steps(area).map(Value::from));
                format!("select ${a} as x0, ${b} as x1, ${c} as y0, ${d} as y1")
            }
            Dialect::Postgres => {
                params.extend([area.min_lon, area.max_lon, area.min_lat, area.max_lat].map(Value::from));
                format!(
                    "select CAST(${a} AS double precision) as x0, CAST(${b} AS double precision) as x1, \
                     CAST(${c} AS double precision) as y0, CAST(${d} AS double precision) as y1"
                )
            }
        });
    }
    rows.join(" union all ")
}
