//! What ends with an API exposing function or with an owner. Without its owner a resource is nobody's to permit: it is
//! unknown here from then on, and no token names it.

use store::capif::resources::{self, ResourceFilter, ResourceRow};
use store::capif::tokens;
use store::{Sql, StoreError, subscriptions};

use super::FAMILY;
use super::record::{invoker, invoker_of};
use super::telling::{gone, tell};
use crate::ccf::CcfServer;

/// Resources that are ended at once. Own value.
const AT_ONCE: u32 = 500;

impl CcfServer {
    /// Forgets the resources of an API exposing function; their owners hear of it.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) async fn end_resources_at(&self, tx: &mut dyn Sql, aef: &str) -> Result<(), StoreError> {
        if subscriptions::any(tx, FAMILY).await? {
            let (filter, mut after) = (ResourceFilter::default(), String::new());
            loop {
                let page = resources::page(tx, aef, &filter, &after, AT_ONCE).await?;
                let Some(last) = page.last() else { break };
                after.clone_from(&last.resource_id);
                for row in &page {
                    if let Some(owner) = invoker_of(row) {
                        tell(tx, self, None, owner, &gone(row)?).await?;
                    }
                }
            }
        }
        resources::delete_aef(tx, aef).await.map(drop)
    }

    /// Forgets the resources of an API invoker; the functions that serve them hear of it. The tokens that named them.
    ///
    /// # Errors
    /// The store fails.
    pub(crate) async fn end_resources_of(
        &self,
        tx: &mut dyn Sql,
        owner: &str,
    ) -> Result<Vec<String>, StoreError> {
        let owner = invoker(owner);
        // Whoever holds one keeps its token first, and it is found then.
        resources::hold_owner(tx, &owner).await?;
        let lost = tokens::of_owner(tx, &owner, self.now_s()).await?;
        let heard = subscriptions::any(tx, FAMILY).await?;
        loop {
            let page: Vec<ResourceRow> = resources::delete_owner(tx, &owner, AT_ONCE).await?;
            if page.is_empty() {
                return Ok(lost);
            }
            for row in page.iter().filter(|_| heard) {
                tell(tx, self, None, &row.aef_id, &gone(row)?).await?;
            }
        }
    }
}
