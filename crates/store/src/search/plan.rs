//! Which way a search in an area takes.

use super::text::count_up_to;
use super::{Index, Search, Way};
use crate::spatial_index::GeoBox;
use crate::sql::placeholders;
use crate::{Sql, StoreError, Value};

impl Search<'_> {
    /// Few looks are made at once. Else what lies in the boxes is read where that is cheaper, whoever may see it, and
    /// the rest is left out afterwards.
    pub(super) async fn plan(
        &self,
        tx: &mut dyn Sql,
        index: &dyn Index,
        boxes: &[GeoBox],
    ) -> Result<Way, StoreError> {
        let probes = self.classes(tx).await?.saturating_mul(boxes.len() as u64);
        if probes <= u64::from(self.bounds.probes) {
            return Ok(Way::Classes);
        }
        let few = probes.saturating_mul(self.bounds.entries_per_probe.into());
        let mut params = Vec::new();
        let entries = index.by_area(tx.dialect(), boxes, &mut params);
        let count = count_up_to(tx, &entries, params, few.saturating_add(1)).await?;
        Ok(if count <= few { Way::Area } else { Way::Classes })
    }

    /// How many classes are held; one held in two ways counts twice.
    async fn classes(&self, tx: &mut dyn Sql) -> Result<u64, StoreError> {
        let mut params = Vec::new();
        let held = placeholders(&mut params, self.held.iter().map(Value::from));
        let sql = format!("select count(*) from class_match where match_key in ({held})");
        tx.query_one(&sql, &params).await?.get(0)
    }
}
