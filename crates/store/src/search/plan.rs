//! Which way a search in an area takes.

use super::text::count_up_to;
use super::{Index, Search, Way};
use crate::spatial_index::GeoBox;
use crate::sql::placeholders;
use crate::{Sql, StoreError, Value};

impl Search<'_> {
    /// Whether so few looks are needed that they are made without a further thought.
    pub(super) async fn has_few_classes(
        &self,
        tx: &mut dyn Sql,
        boxes: &[GeoBox],
    ) -> Result<bool, StoreError> {
        let most = u64::from(self.bounds.probes) / (boxes.len() as u64).max(1);
        Ok(self.classes(tx, most.saturating_add(1)).await? <= most)
    }

    /// What lies in the boxes is read where that is cheaper, whoever may see it, and the rest is left out afterwards.
    pub(super) async fn plan(
        &self,
        tx: &mut dyn Sql,
        index: &dyn Index,
        boxes: &[GeoBox],
    ) -> Result<Way, StoreError> {
        let probes = self.classes(tx, u64::MAX).await?.saturating_mul(boxes.len() as u64);
        let few = probes.saturating_mul(self.bounds.entries_per_probe.into());
        let mut params = Vec::new();
        let entries = index.by_area(tx.dialect(), boxes, &mut params);
        let count = count_up_to(tx, &entries, params, few.saturating_add(1)).await?;
        Ok(if count <= few { Way::Area } else { Way::Classes })
    }

    /// How many classes are held, counted up to `most`; one held in two ways counts twice.
    async fn classes(&self, tx: &mut dyn Sql, most: u64) -> Result<u64, StoreError> {
        let mut params = Vec::new();
        let held = placeholders(&mut params, self.held.iter().map(Value::from));
        let rows = format!("select 1 from class_match where match_key in ({held})");
        count_up_to(tx, &rows, params, most.min(i64::MAX.unsigned_abs())).await
    }
}
