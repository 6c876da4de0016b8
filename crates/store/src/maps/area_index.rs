//! The spatial index of maps: boxes by longitude, latitude and, as third dimension, the visibility class. R*Tree of
//! SQLite, where a class has breadth as in [`spatial_index`], or GiST of PostGIS. One of the places that know the engine.

use crate::spatial_index::{self, GeoBox};
use crate::{Dialect, Sql, StoreError, Value, params};

/// Boxes that one map may have; the id of a box is that of its map times this, plus its number.
pub const MAX_BOXES: usize = 64;

/// Steps of the integer index in a degree, about a centimetre each.
const STEPS: f64 = 1e7;

/// The step at or below a degree; within ±180 it fits 31 bits.
fn below(degree: f64) -> i64 {
    (degree * STEPS).floor() as i64
}

/// The step at or above a degree.
fn above(degree: f64) -> i64 {
    (degree * STEPS).ceil() as i64
}

/// West, east, south and north of a box, rounded outward.
fn in_steps(area: &GeoBox) -> [i64; 4] {
    [below(area.min_lon), above(area.max_lon), below(area.min_lat), above(area.max_lat)]
}

/// Adds the boxes of a map that has none.
///
/// # Errors
/// More than [`MAX_BOXES`]; the engine failed.
pub(super) async fn put(
    tx: &mut dyn Sql,
    map_id: u32,
    class_id: i64,
    boxes: &[GeoBox],
) -> Result<(), StoreError> {
    if boxes.len() > MAX_BOXES {
        return Err(StoreError::Unsupported("a map of so many areas"));
    }
    for (n, area) in boxes.iter().enumerate() {
        let box_id = u64::from(map_id) * MAX_BOXES as u64 + n as u64;
        let of = "INSERT INTO map_box_of (box_id, map_id) VALUES ($1, $2)";
        tx.execute(of, &params![box_id, map_id]).await?;
        match tx.dialect() {
            Dialect::Sqlite => {
                let sql = "INSERT INTO map_box (box_id, min_lon, max_lon, min_lat, max_lat, min_class, max_class) \
                           VALUES ($1, $2, $3, $4, $5, $6 - 1, $6)";
                let [west, east, south, north] = in_steps(area);
                tx.execute(sql, &params![box_id, west, east, south, north, class_id]).await?;
            }
            Dialect::Postgres => {
                // The diagonal is enough: the index keeps the box around a geometry.
                let sql = "INSERT INTO map_box (box_id, area) VALUES ($1, public.ST_MakeLine(\
                           public.ST_MakePoint($2, $4, CAST($6 AS double precision)), \
                           public.ST_MakePoint($3, $5, CAST($6 AS double precision))))";
                let GeoBox { min_lon, min_lat, max_lon, max_lat } = *area;
                let class = class_id as f64;
                tx.execute(sql, &params![box_id, min_lon, max_lon, min_lat, max_lat, class]).await?;
            }
        }
    }
    Ok(())
}

/// Takes the boxes of a map out.
///
/// # Errors
/// The engine failed.
pub(super) async fn remove(tx: &mut dyn Sql, map_id: u32) -> Result<(), StoreError> {
    let boxes = tx.query("SELECT box_id FROM map_box_of WHERE map_id = $1", &params![map_id]).await?;
    for row in &boxes {
        tx.execute("DELETE FROM map_box WHERE box_id = $1", &params![row.get::<i64>(0)?]).await?;
    }
    tx.execute("DELETE FROM map_box_of WHERE map_id = $1", &params![map_id]).await?;
    Ok(())
}

/// Gives the boxes of a map another class.
///
/// # Errors
/// The engine failed.
pub(super) async fn reclass(tx: &mut dyn Sql, map_id: u32, class_id: i64) -> Result<(), StoreError> {
    let of_map = "box_id IN (SELECT box_id FROM map_box_of WHERE map_id = $1)";
    let (sql, class) = match tx.dialect() {
        Dialect::Sqlite => (
            format!("UPDATE map_box SET min_class = $2 - 1, max_class = $2 WHERE {of_map}"),
            Value::from(class_id),
        ),
        Dialect::Postgres => (
            format!(
                "UPDATE map_box SET area = public.ST_MakeLine(\
                 public.ST_MakePoint(public.ST_XMin(area), public.ST_YMin(area), CAST($2 AS double precision)), \
                 public.ST_MakePoint(public.ST_XMax(area), public.ST_YMax(area), CAST($2 AS double precision))) \
                 WHERE {of_map}"
            ),
            Value::from(class_id as f64),
        ),
    };
    tx.execute(&sql, &[Value::from(map_id), class]).await.map(drop)
}

/// The maps whose boxes meet those of a query and have a class of `held h`; appends the parameters.
pub(super) fn by_class(dialect: Dialect, boxes: &[GeoBox], params: &mut Vec<Value>) -> String {
    let boxes = spatial_index::rows(dialect, boxes, in_steps, params);
    match dialect {
        Dialect::Sqlite => format!(
            "SELECT b.box_id / {MAX_BOXES} AS id FROM held h CROSS JOIN ({boxes}) q CROSS JOIN map_box b \
             ON b.min_class >= h.class_id - 1 AND b.max_class <= h.class_id AND {MEETS}"
        ),
        // The index keeps a class as a float of 24 bits; the record tells which one it is.
        Dialect::Postgres => format!(
            "SELECT m.map_id AS id FROM held h CROSS JOIN ({boxes}) q \
             JOIN map_box b ON b.area OPERATOR(public.&&&) public.ST_MakeLine(\
             public.ST_MakePoint(q.x0, q.y0, CAST(h.class_id AS double precision)), \
             public.ST_MakePoint(q.x1, q.y1, CAST(h.class_id AS double precision))) \
             JOIN map m ON m.map_id = b.box_id / {MAX_BOXES} AND m.class_id = h.class_id"
        ),
    }
}

/// All maps whose boxes meet those of a query, with their classes; appends the parameters.
pub(super) fn by_area(dialect: Dialect, boxes: &[GeoBox], params: &mut Vec<Value>) -> String {
    let boxes = spatial_index::rows(dialect, boxes, in_steps, params);
    match dialect {
        Dialect::Sqlite => format!(
            "SELECT b.box_id / {MAX_BOXES} AS id, b.max_class AS class_id FROM ({boxes}) q CROSS JOIN map_box b ON {MEETS}"
        ),
        Dialect::Postgres => format!(
            "SELECT m.map_id AS id, m.class_id AS class_id FROM ({boxes}) q \
             JOIN map_box b ON b.area OPERATOR(public.&&&) {WHOLE} JOIN map m ON m.map_id = b.box_id / {MAX_BOXES}"
        ),
    }
}

/// The condition that a box of record `m` meets one of the query; appends the parameters.
pub(super) fn meets(dialect: Dialect, boxes: &[GeoBox], params: &mut Vec<Value>) -> String {
    let boxes = spatial_index::rows(dialect, boxes, in_steps, params);
    let met = dialect.pick(MEETS, "b.area OPERATOR(public.&&&) ");
    let whole = dialect.pick("", WHOLE);
    format!(
        "EXISTS (SELECT 1 FROM map_box_of o JOIN map_box b ON b.box_id = o.box_id JOIN ({boxes}) q ON {met}{whole} \
         WHERE o.map_id = m.map_id)"
    )
}

/// A box `b` of the R*Tree meets a box `q`.
const MEETS: &str = "b.max_lon >= q.x0 AND b.min_lon <= q.x1 AND b.max_lat >= q.y0 AND b.min_lat <= q.y1";

/// A box `q` with all classes.
const WHOLE: &str =
    "public.ST_MakeLine(public.ST_MakePoint(q.x0, q.y0, 0), public.ST_MakePoint(q.x1, q.y1, 2147483648))";
