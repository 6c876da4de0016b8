//! Discovery of anchors with the permission inside the query (TS 23.437 8.3.4; design, section 4).
//!
//! What the caller may not see takes part in nothing: neither in the rows, nor in their number, nor in the page.

use crate::anchors::records::{self, AnchorRow};
use crate::params;
use crate::spatial_index::{self, GeoBox};
use crate::sql::placeholders;
use crate::{Sql, StoreError, Value};

/// What is searched. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter {
    /// The matches that the caller holds, as in `ClassDef::matches`.
    pub held: Vec<String>,
    /// The caller as owner, as in `AnchorRow::owner_key`.
    pub owner_key: String,
    /// Boxes, any of which must hold the place; the exact shape is tested by the caller of this function.
    pub boxes: Option<Vec<GeoBox>>,
    /// Identifiers, any of which is meant.
    pub anchor_ids: Option<Vec<u32>>,
    /// VAL service of the list.
    pub service_id: Option<String>,
    /// As `records::spec_hash`.
    pub spec_hash: Option<String>,
    /// Seconds since 1970, for time periods; an owner also finds inactive anchors.
    pub now_s: i64,
    /// Only identifiers beyond this one.
    pub after: Option<u32>,
    /// Most rows.
    pub limit: u32,
}

/// An anchor that was found.
#[derive(Clone, PartialEq)]
pub struct Found {
    /// The anchor.
    pub anchor: AnchorRow,
    /// `valServInfo` of its list as JSON.
    pub serv_info: String,
    /// Issuer of the owner's tokens.
    pub owner_issuer: String,
    /// Subject of the owner's tokens.
    pub owner_subject: String,
    /// The owner as audit and charging name it.
    pub owner_name: String,
    /// Whether the caller is the owner.
    pub own: bool,
}

/// How many columns an anchor has.
const WIDTH: usize = 13;

/// The anchors that the filter finds, by identifier.
///
/// # Errors
/// The engine failed; a record is damaged.
pub async fn find(tx: &mut dyn Sql, filter: &Filter) -> Result<Vec<Found>, StoreError> {
    let nothing_asked = |list: &Option<Vec<u32>>| list.as_ref().is_some_and(Vec::is_empty);
    let no_box = filter.boxes.as_ref().is_some_and(Vec::is_empty);
    if filter.held.is_empty() || filter.limit == 0 || nothing_asked(&filter.anchor_ids) || no_box {
        return Ok(Vec::new());
    }
    let (sql, params) = statement(tx.dialect(), filter);
    let rows = tx.query(&sql, &params).await?;
    rows.iter()
        .map(|row| {
            Ok(Found {
                anchor: records::anchor_of(row, 0)?,
                serv_info: row.get(WIDTH)?,
                owner_issuer: row.get(WIDTH + 1)?,
                owner_subject: row.get(WIDTH + 2)?,
                owner_name: row.get(WIDTH + 3)?,
                own: row.get(WIDTH + 4)?,
            })
        })
        .collect()
}

fn statement(dialect: crate::Dialect, filter: &Filter) -> (String, Vec<Value>) {
    let mut params = Vec::new();
    let held = placeholders(&mut params, filter.held.iter().map(Value::from));
    // With identifiers at hand they lead; else the classes do, inside the spatial index where there is an area.
    let (from, distinct) = match (&filter.anchor_ids, &filter.boxes) {
        (Some(ids), _) => {
            let ids = placeholders(&mut params, ids.iter().map(|id| Value::from(*id)));
            (
                format!(
                    "anchor a cross join held h where a.anchor_id in ({ids}) and h.class_id = a.class_id"
                ),
                "",
            )
        }
        (None, Some(boxes)) => {
            let join = spatial_index::join(dialect, boxes, &mut params);
            // Boxes that overlap find an anchor twice.
            let distinct = if boxes.len() > 1 { "distinct " } else { "" };
            (
                format!(
                    "held h {join} cross join anchor a where a.anchor_id = b.anchor_id and a.class_id = h.class_id"
                ),
                distinct,
            )
        }
        (None, None) => ("held h cross join anchor a where a.class_id = h.class_id".to_owned(), ""),
    };
    let mut bind = |value: Value| {
        params.push(value);
        format!("${}", params.len())
    };
    let (owner, now) = (bind((&filter.owner_key).into()), bind(filter.now_s.into()));
    let mut conditions = format!(
        " and (a.owner_key = {owner} or ((a.start_s is null or a.start_s <= {now}) and (a.stop_s is null or a.stop_s > {now})))"
    );
    if let Some(service_id) = &filter.service_id {
        conditions.push_str(&format!(" and a.service_id = {}", bind(service_id.into())));
    }
    if let Some(spec_hash) = &filter.spec_hash {
        conditions.push_str(&format!(" and a.spec_hash = {}", bind(spec_hash.into())));
    }
    if let Some(after) = filter.after {
        conditions.push_str(&format!(" and a.anchor_id > {}", bind(after.into())));
    }
    let limit = bind(filter.limit.into());
    let columns = records::COLUMNS;
    let sql = format!(
        "with held (class_id) as materialized (select distinct class_id from class_match where match_key in ({held})), \
         hit (anchor_id) as (select {distinct}a.anchor_id from {from}{conditions} \
         order by a.anchor_id limit {limit}) \
         select {columns}, l.serv_info, l.owner_issuer, l.owner_subject, l.owner_name, case when a.owner_key = {owner} then 1 else 0 end \
         from hit join anchor a on a.anchor_id = hit.anchor_id join anchors_list l on l.list_id = a.list_id \
         order by a.anchor_id"
    );
    (sql, params)
}

/// How many of the identifiers are anchors of this owner.
///
/// # Errors
/// The engine failed.
pub async fn count_own(tx: &mut dyn Sql, owner_key: &str, anchor_ids: &[u32]) -> Result<u64, StoreError> {
    if anchor_ids.is_empty() {
        return Ok(0);
    }
    let mut params = params![owner_key].to_vec();
    let ids = placeholders(&mut params, anchor_ids.iter().map(|id| Value::from(*id)));
    let sql = format!("select count(*) from anchor where owner_key = $1 and anchor_id in ({ids})");
    tx.query_one(&sql, &params).await?.get(0)
}
