//! The items of the classes held in the order of the pages, window by window of identifiers.
//!
//! Identifiers are random, so that a window holds a share of the items that its width foretells.

use super::text::{Aggregate, aggregate, with_held};
use super::{Candidates, Index, Search};
use crate::{Dialect, Sql, StoreError, Value};

/// Largest identifier: 31 bits.
const LAST: i64 = 0x7FFF_FFFF;

/// Width of the first window. Own value: a million items have 61 in it.
const FIRST: i64 = 1 << 17;

/// How much wider a window may be than the one before. Own value.
const GROWTH: i64 = 32;

impl Search<'_> {
    /// Ends when enough were found, when all were examined, or at the bound.
    pub(super) async fn walk(&self, tx: &mut dyn Sql, index: &dyn Index) -> Result<Candidates, StoreError> {
        let most = u64::from(self.bounds.examined).max(1);
        let mut found = Vec::new();
        let mut examined = 0;
        let mut at = self.after.map_or(-1, i64::from);
        let mut width = FIRST;
        while at < LAST {
            let upto = at.saturating_add(width).min(LAST);
            let (sql, params) = self.window(tx.dialect(), index, (at, upto), most + 1);
            let Aggregate { count, ids } = aggregate(tx, &sql, &params).await?;
            if count > most {
                // More than may be examined at once. An identifier is one item's, so that a window of one fits.
                width = (width / GROWTH).max(1);
                continue;
            }
            found.extend(ids);
            examined += count;
            at = upto;
            let missing = u64::from(self.want).saturating_sub(found.len() as u64);
            let left = most.saturating_sub(examined);
            if missing == 0 || left == 0 {
                break;
            }
            // As many as give what is missing, at the rate so far, and at most half of what is left.
            let hoped = match found.len() as u64 {
                0 => left,
                found => missing.saturating_mul(examined).div_ceil(found).saturating_mul(5) / 4 + 1,
            };
            width = wider(width, count, hoped.min(left.div_ceil(2)));
        }
        let next = (at < LAST).then(|| u32::try_from(at).ok()).flatten();
        Ok(Candidates { ids: self.beyond(found), next })
    }

    fn window(
        &self,
        dialect: Dialect,
        index: &dyn Index,
        window: (i64, i64),
        most: u64,
    ) -> (String, Vec<Value>) {
        let mut params = Vec::new();
        let held = with_held(self.held, &mut params);
        let items = index.by_id(dialect, self.boxes, window, &mut params);
        params.push(most.into());
        let limit = params.len();
        (
            format!(
                "{held} select count(*), string_agg(cast(w.id as text), ',') filter (where w.inside) \
                 from ({items} limit ${limit}) as w"
            ),
            params,
        )
    }
}

/// The width of a window in which so many items are hoped for, after one in which so many were.
fn wider(width: i64, count: u64, hoped: u64) -> i64 {
    let most = width.saturating_mul(GROWTH);
    match (i64::try_from(count), i64::try_from(hoped)) {
        (Ok(1..), Ok(hoped)) => (width.saturating_mul(hoped) / count.cast_signed()).clamp(1, most),
        _ => most,
    }
}
