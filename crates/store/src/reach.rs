//! Whether a caller reaches an object at all, told from index entries and never from the object's document: that an
//! object is hidden takes no longer than that it is absent, however large it is (design, section 2, "same timing class").
//!
//! This only refuses. Who reaches an object is decided about by the document, as ever.

use crate::sql::placeholders;
use crate::{Row, StoreError, Value};

/// Who asks, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reader {
    /// The matches that the caller holds, as in `ClassDef::matches`; at least one.
    pub held: Vec<String>,
    /// Issuer of the caller's identity.
    pub issuer: String,
    /// The caller, as that issuer names it.
    pub subject: String,
    /// Seconds since 1970, for time periods; an owner also reaches what is inactive.
    pub now_s: i64,
}

/// How far a caller comes, by what is furthest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Nobody but the owner is named.
    Private,
    /// Others are named.
    Unlisted,
    /// The caller holds a class, outside of the time period.
    Inactive,
    /// The caller holds a class.
    Open,
}

/// The reach of one item `item`, as a number; `owner` is the alias that has the columns of the owner.
pub(crate) fn level(item: &str, owner: &str, reader: &Reader, params: &mut Vec<Value>) -> String {
    let held = placeholders(params, reader.held.iter().map(Value::from));
    let mut bind = |value: Value| {
        params.push(value);
        format!("${}", params.len())
    };
    let (issuer, subject) = (bind((&reader.issuer).into()), bind((&reader.subject).into()));
    let now = bind(reader.now_s.into());
    format!(
        "case when not exists (select 1 from class_match c where c.class_id = {item}.class_id and c.match_key in ({held})) \
         then case when (select count(*) from class_match c where c.class_id = {item}.class_id) > 1 then 1 else 0 end \
         when ({owner}.owner_issuer = {issuer} and {owner}.owner_subject = {subject}) \
         or (({item}.start_s is null or {item}.start_s <= {now}) and ({item}.stop_s is null or {item}.stop_s > {now})) \
         then 3 else 2 end"
    )
}

/// Reads what [`level`] selected; `None`: there is no such object.
pub(crate) fn of_row(row: Option<Row>) -> Result<Option<Reach>, StoreError> {
    let Some(row) = row else { return Ok(None) };
    let level: Option<i64> = row.get(0)?;
    level
        .map(|level| match level {
            0 => Ok(Reach::Private),
            1 => Ok(Reach::Unlisted),
            2 => Ok(Reach::Inactive),
            3 => Ok(Reach::Open),
            _ => Err(StoreError::Damaged("a reach")),
        })
        .transpose()
}
