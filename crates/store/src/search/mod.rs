//! Which items a caller may be shown next, found in bounded work (design, sections 4 and 6).
//!
//! Three ways lead to the same answer, and only their cost differs:
//!
//! | way | reads | good for |
//! |---|---|---|
//! | by class | the spatial index, once for each class held and box | few classes |
//! | by area | what lies in the boxes, whoever may see it | many classes, little in the boxes |
//! | by identifier | the items of the classes held, in the order of the pages | no boxes, or much in them |
//!
//! What bounds an answer counts only what the caller may see: the classes are filtered before anything is counted. The
//! way is chosen by a count that stops early, hidden entries included; it changes how long an answer takes, never what
//! it says nor where its page ends.

mod held;
mod plan;
mod text;
mod walk;

#[cfg(test)]
mod tests;

use crate::spatial_index::GeoBox;
use crate::{Dialect, Sql, StoreError, Value};

pub(crate) use held::{HeldClasses, KnownClasses};
pub(crate) use text::list;
use text::{Aggregate, aggregate, with_held};

/// How much one search may read. Own values, each measured in milliseconds at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Looks into the spatial index, one per class held and box, that are made without a further thought.
    pub probes: u32,
    /// Entries of the boxes, whoever may see them, that are read at once where there are more classes than that.
    pub glance: u32,
    /// Entries of the index, whoever may see them, that are read in the time of one such look.
    pub entries_per_probe: u32,
    /// Visible entries of the boxes: with more of them, items are read in the order of the pages instead.
    pub in_boxes: u32,
    /// Visible items examined in the order of the pages before a page ends short.
    pub examined: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { probes: 64, glance: 1_024, entries_per_probe: 4, in_boxes: 4_096, examined: 16_384 }
    }
}

/// The entries that a kind of item has in the spatial index and in the index of its classes. `h` is a class held.
pub(crate) trait Index: Sync {
    /// `SELECT … AS id` of the entries in the boxes, for each class of `held h`.
    fn by_class(&self, dialect: Dialect, boxes: &[GeoBox], params: &mut Vec<Value>) -> String;

    /// `SELECT … AS id, … AS class_id` of all entries in the boxes.
    fn by_area(&self, dialect: Dialect, boxes: &[GeoBox], params: &mut Vec<Value>) -> String;

    /// `SELECT … AS id, … AS inside` of the items of each class of `held h` in a window of identifiers, its lower end
    /// left out; `inside` tells whether the boxes hold it.
    fn by_id(
        &self,
        dialect: Dialect,
        boxes: Option<&[GeoBox]>,
        window: (i64, i64),
        params: &mut Vec<Value>,
    ) -> String;

    /// What else must hold of an entry `w.id` that the spatial index gave; nothing: `None`.
    fn also(&self, params: &mut Vec<Value>) -> Option<String>;
}

/// What is searched.
pub(crate) struct Search<'f> {
    pub(crate) held: &'f [String],
    pub(crate) boxes: Option<&'f [GeoBox]>,
    /// Only identifiers beyond this one.
    pub(crate) after: Option<u32>,
    /// How many are wanted. More may come.
    pub(crate) want: u32,
    pub(crate) bounds: Bounds,
}

/// What may be shown next.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Candidates {
    /// Identifiers in ascending order, each once.
    pub(crate) ids: Vec<u32>,
    /// All identifiers up to here were considered; `None`: all there are.
    pub(crate) next: Option<u32>,
}

impl Search<'_> {
    /// # Errors
    /// The engine failed.
    pub(crate) async fn run(
        &self,
        tx: &mut dyn Sql,
        index: &dyn Index,
    ) -> Result<(Candidates, Way), StoreError> {
        let Some(boxes) = self.boxes else { return Ok((self.walk(tx, index).await?, Way::Identifiers)) };
        let few = self.has_few_classes(tx, boxes).await?;
        if !few && let Some(found) = self.glance(tx, index, boxes).await? {
            return self.bounded(tx, index, found, Way::Area).await;
        }
        let way = if few { Way::Classes } else { self.plan(tx, index, boxes).await? };
        let (sql, params) = match way {
            Way::Classes => self.class_first(tx.dialect(), index, boxes),
            Way::Area => self.area_first(tx.dialect(), index, boxes),
            Way::Identifiers => return Ok((self.walk(tx, index).await?, way)),
        };
        let found = aggregate(tx, &sql, &params).await?;
        self.bounded(tx, index, found, way).await
    }

    /// What was found, unless it is too much for one answer.
    async fn bounded(
        &self,
        tx: &mut dyn Sql,
        index: &dyn Index,
        Aggregate { count, ids }: Aggregate,
        way: Way,
    ) -> Result<(Candidates, Way), StoreError> {
        // Whichever way was taken: what is hidden has a say in the way, and must have none in the pages.
        if count > u64::from(self.bounds.in_boxes) {
            return Ok((self.walk(tx, index).await?, Way::Identifiers));
        }
        Ok((Candidates { ids: self.beyond(ids), next: None }, way))
    }

    fn class_first(&self, dialect: Dialect, index: &dyn Index, boxes: &[GeoBox]) -> (String, Vec<Value>) {
        let mut params = Vec::new();
        let held = with_held(self.held, &mut params);
        let entries = index.by_class(dialect, boxes, &mut params);
        let filter = index.also(&mut params).map_or(String::new(), |also| format!(" filter (where {also})"));
        params.push((u64::from(self.bounds.in_boxes) + 1).into());
        let limit = params.len();
        (
            format!(
                "{held} select count(*), string_agg(cast(w.id as text), ','){filter} \
                 from ({entries} limit ${limit}) as w"
            ),
            params,
        )
    }

    /// All that lies in the boxes, read and decided in one go; `None`: more than a glance shows.
    async fn glance(
        &self,
        tx: &mut dyn Sql,
        index: &dyn Index,
        boxes: &[GeoBox],
    ) -> Result<Option<Aggregate>, StoreError> {
        let mut params = Vec::new();
        if index.also(&mut params).is_none() && tx.dialect() == Dialect::Sqlite {
            return self.glance_and_decide(tx, index, boxes).await;
        }
        params.clear();
        let held = crate::sql::placeholders(&mut params, self.held.iter().map(Value::from));
        let entries = index.by_area(tx.dialect(), boxes, &mut params);
        let also = index.also(&mut params).map_or(String::new(), |also| format!(" and {also}"));
        params.push((u64::from(self.bounds.glance) + 1).into());
        let limit = params.len();
        let sql = format!(
            "select count(*) filter (where w.seen), string_agg(cast(w.id as text), ',') filter (where w.seen{also}), \
             count(*) from (select e.id, exists (select 1 from class_match m where m.match_key in ({held}) \
             and m.class_id = e.class_id) as seen from ({entries} limit ${limit}) as e) as w"
        );
        let row = tx.query_one(&sql, &params).await?;
        let read: u64 = row.get(2)?;
        if read > u64::from(self.bounds.glance) { Ok(None) } else { text::aggregate_of(&row).map(Some) }
    }

    /// The same, entry by entry, with what is known of classes from other searches.
    async fn glance_and_decide(
        &self,
        tx: &mut dyn Sql,
        index: &dyn Index,
        boxes: &[GeoBox],
    ) -> Result<Option<Aggregate>, StoreError> {
        let mut params = Vec::new();
        let entries = index.by_area(tx.dialect(), boxes, &mut params);
        params.push((u64::from(self.bounds.glance) + 1).into());
        let rows = tx.query(&format!("{entries} limit ${}", params.len()), &params).await?;
        if rows.len() > self.bounds.glance as usize {
            return Ok(None);
        }
        let entries: Vec<(u32, i64)> =
            rows.iter().map(|row| Ok((row.get(0)?, row.get(1)?))).collect::<Result<_, StoreError>>()?;
        let classes = entries.iter().map(|(_, class)| *class).collect();
        let held = held::held_of(tx, self.held, classes).await?;
        let ids: Vec<u32> =
            entries.into_iter().filter(|(_, class)| held.contains(class)).map(|(id, _)| id).collect();
        Ok(Some(Aggregate { count: ids.len() as u64, ids }))
    }

    fn area_first(&self, dialect: Dialect, index: &dyn Index, boxes: &[GeoBox]) -> (String, Vec<Value>) {
        let mut params = Vec::new();
        let held = crate::sql::placeholders(&mut params, self.held.iter().map(Value::from));
        let entries = index.by_area(dialect, boxes, &mut params);
        let filter = index.also(&mut params).map_or(String::new(), |also| format!(" filter (where {also})"));
        (
            format!(
                "select count(*), string_agg(cast(w.id as text), ','){filter} from ({entries}) as w where exists (\
                 select 1 from class_match m where m.match_key in ({held}) and m.class_id = w.class_id)"
            ),
            params,
        )
    }

    /// In order, each once, and only those that the pages before this one have not had.
    fn beyond(&self, mut ids: Vec<u32>) -> Vec<u32> {
        ids.retain(|id| self.after.is_none_or(|after| *id > after));
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// The way that was taken, for tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    Classes,
    Area,
    Identifiers,
}
