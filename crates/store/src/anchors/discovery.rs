//! Discovery of anchors with the permission inside the query (TS 23.437 8.3.4; design, section 4).
//!
//! What the caller may not see takes part in nothing: neither in the rows, nor in their number, nor in the page.

use crate::anchors::records::{self, AnchorRow};
use crate::params;
use crate::search::{Bounds, Candidates, Index, Search, list};
use crate::spatial_index::{self, GeoBox};
use crate::sql::placeholders;
use crate::{Dialect, Row, Sql, StoreError, Value};

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
    /// How much may be read for them.
    pub bounds: Bounds,
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

/// What was found, and where the search goes on.
#[derive(Clone, PartialEq)]
pub struct Batch {
    /// By identifier, at most `Filter::limit`.
    pub found: Vec<Found>,
    /// Everything up to this identifier was considered; `None`: everything there is.
    pub next: Option<u32>,
}

/// How many columns an anchor has.
const WIDTH: usize = 14;

/// Fewest records that are read at a time. Own value.
const READ_MIN: usize = 16;

/// The anchors that the filter finds, by identifier. Fewer than `limit` are found when there are no more, or when as
/// many as the bounds allow were examined.
///
/// # Errors
/// The engine failed; a record is damaged.
pub async fn find(tx: &mut dyn Sql, filter: &Filter) -> Result<Batch, StoreError> {
    let mut batch = Batch { found: Vec::new(), next: None };
    let no_box = filter.boxes.as_ref().is_some_and(Vec::is_empty);
    if filter.held.is_empty() || filter.limit == 0 || no_box {
        return Ok(batch);
    }
    let Candidates { ids, next } = match &filter.anchor_ids {
        Some(ids) => named(tx, filter, ids).await?,
        None => filter.search().run(tx, filter).await?.0,
    };
    batch.next = next;
    let mut rest = ids.as_slice();
    let limit = filter.limit as usize;
    while !rest.is_empty() {
        let missing = limit - batch.found.len();
        if missing == 0 {
            // The last one that was shown, so that the next search goes on from there.
            batch.next = batch.found.last().map(|found| found.anchor.anchor_id);
            return Ok(batch);
        }
        let (these, others) = rest.split_at(missing.max(READ_MIN).min(rest.len()));
        batch.found.extend(read(tx, filter, these).await?);
        if batch.found.len() > limit {
            batch.found.truncate(limit);
            batch.next = batch.found.last().map(|found| found.anchor.anchor_id);
            return Ok(batch);
        }
        rest = others;
    }
    Ok(batch)
}

impl Filter {
    pub(crate) fn search(&self) -> Search<'_> {
        let Self { held, boxes, after, limit, bounds, .. } = self;
        Search { held, boxes: boxes.as_deref(), after: *after, want: *limit, bounds: *bounds }
    }

    /// The conditions on record `a` that are no matter of place; empty, or beginning with `and`.
    fn equals(&self, params: &mut Vec<Value>) -> String {
        let mut conditions = String::new();
        let equal = [("service_id", &self.service_id), ("spec_hash", &self.spec_hash)];
        for (column, value) in equal {
            if let Some(value) = value {
                params.push(value.into());
                conditions.push_str(&format!(" and a.{column} = ${}", params.len()));
            }
        }
        conditions
    }

    /// The condition that record `a` is active, or the caller's own.
    fn active(&self, params: &mut Vec<Value>) -> String {
        params.push(self.now_s.into());
        let now = params.len();
        params.push((&self.owner_key).into());
        let owner = params.len();
        format!(
            "(((a.start_s is null or a.start_s <= ${now}) and (a.stop_s is null or a.stop_s > ${now})) \
             or a.owner_key = ${owner})"
        )
    }
}

impl Index for Filter {
    fn by_class(&self, dialect: Dialect, boxes: &[GeoBox], params: &mut Vec<Value>) -> String {
        spatial_index::by_class(dialect, boxes, params)
    }

    fn by_area(&self, dialect: Dialect, boxes: &[GeoBox], params: &mut Vec<Value>) -> String {
        spatial_index::by_area(dialect, boxes, params)
    }

    fn by_id(
        &self,
        _: Dialect,
        boxes: Option<&[GeoBox]>,
        (beyond, upto): (i64, i64),
        params: &mut Vec<Value>,
    ) -> String {
        let inside = boxes.map_or("1 = 1".to_owned(), |boxes| spatial_index::holds(boxes, params));
        params.extend([beyond.into(), upto.into()]);
        let (upper, lower) = (params.len(), params.len() - 1);
        let (equals, active) = (self.equals(params), self.active(params));
        format!(
            "select a.anchor_id as id, {inside} as inside from held h cross join anchor a \
             where a.class_id = h.class_id and a.anchor_id > ${lower} and a.anchor_id <= ${upper}{equals} and {active}"
        )
    }

    fn also(&self, params: &mut Vec<Value>) -> Option<String> {
        let equals = self.equals(params);
        (!equals.is_empty())
            .then(|| format!("exists (select 1 from anchor a where a.anchor_id = w.id{equals})"))
    }
}

/// Those of the identifiers that the caller may have, beyond `after`.
async fn named(tx: &mut dyn Sql, filter: &Filter, ids: &[u32]) -> Result<Candidates, StoreError> {
    let mut params = Vec::new();
    let ids: Vec<u32> =
        ids.iter().copied().filter(|id| filter.after.is_none_or(|after| *id > after)).collect();
    let listed = list(tx.dialect(), "a.anchor_id", &ids, &mut params);
    let held = placeholders(&mut params, filter.held.iter().map(Value::from));
    let equals = filter.equals(&mut params);
    let sql = format!(
        "select a.anchor_id from anchor a where {listed} and exists (select 1 from class_match m \
         where m.match_key in ({held}) and m.class_id = a.class_id){equals} order by a.anchor_id"
    );
    let rows = tx.query(&sql, &params).await?;
    Ok(Candidates { ids: rows.iter().map(|row| row.get(0)).collect::<Result<_, _>>()?, next: None })
}

/// The records of visible anchors, by identifier, without those that are inactive.
async fn read(tx: &mut dyn Sql, filter: &Filter, ids: &[u32]) -> Result<Vec<Found>, StoreError> {
    let mut params = Vec::new();
    let listed = list(tx.dialect(), "a.anchor_id", ids, &mut params);
    let active = filter.active(&mut params);
    // `active` has pushed it last.
    let owner = params.len();
    let columns = records::COLUMNS;
    let sql = format!(
        "select {columns}, l.serv_info, l.owner_issuer, l.owner_subject, l.owner_name, \
         case when a.owner_key = ${owner} then 1 else 0 end \
         from anchor a join anchors_list l on l.list_id = a.list_id where {listed} and {active} order by a.anchor_id"
    );
    let rows = tx.query(&sql, &params).await?;
    rows.iter().map(found_of).collect()
}

/// An anchor and its list, in the order of [`read`].
pub(crate) fn found_of(row: &Row) -> Result<Found, StoreError> {
    Ok(Found {
        anchor: records::anchor_of(row, 0)?,
        serv_info: row.get(WIDTH)?,
        owner_issuer: row.get(WIDTH + 1)?,
        owner_subject: row.get(WIDTH + 2)?,
        owner_name: row.get(WIDTH + 3)?,
        own: row.get(WIDTH + 4)?,
    })
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
