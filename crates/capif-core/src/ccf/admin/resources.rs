//! `/capif/resources` of `admin`: what API exposing functions have told of, with what its owners keep here.

use api_types::DateTime;
use api_types::admin::{CapifResource, Page};
use service_http::refusal::Refusal;
use store::capif::owner_policies;
use store::capif::resources::{self, ResourceRow};
use store::{Sql, StoreError};

use super::{Part, wrong_parameter};
use crate::ccf::CcfServer;
use crate::ccf::resource_auth::{info, own_policies};

/// Between function and resource in a cursor; stands in no identifier of a function.
const BETWEEN: char = ':';

impl CcfServer {
    /// Resources, by function and name; only those of one function, or of an owner of this name.
    ///
    /// # Errors
    /// A cursor that is none of ours; the store fails.
    pub async fn resources(
        &self,
        (aef, owner): (Option<&str>, Option<&str>),
        part: Part<'_>,
    ) -> Result<Page<CapifResource>, Refusal> {
        let after = match part.cursor {
            "" => ("", ""),
            cursor => cursor
                .split_once(BETWEEN)
                .ok_or_else(|| wrong_parameter("cursor", "is not one that this program gave"))?,
        };
        let after = (after.0.to_owned(), after.1.to_owned());
        let (aef, owner) = (aef.map(str::to_owned), owner.map(str::to_owned));
        let most = part.with_one_more();
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move {
                let of = (aef.as_deref(), owner.as_deref());
                let rows = resources::every(tx, of, (&after.0, &after.1), most).await?;
                let mut shown = Vec::new();
                for row in rows {
                    shown.push(show(tx, row).await?);
                }
                Ok(shown)
            })
        });
        let place = |one: &CapifResource| {
            format!("{}{BETWEEN}{}", one.resource.aef_id.as_str(), one.resource.resource_id.as_str())
        };
        Ok(part.page(read.await?, place, Ok)?)
    }
}

/// A resource with what its owner keeps here; what another owner kept before does not count.
async fn show(tx: &mut dyn Sql, row: ResourceRow) -> Result<CapifResource, StoreError> {
    let kept = owner_policies::find(tx, (&row.aef_id, &row.resource_id)).await?;
    Ok(CapifResource {
        resource: info(&row)?,
        owner_policies: own_policies(kept.as_ref(), &row.owner)?,
        owner_policy_version: kept.filter(|kept| kept.owner == row.owner).map(|kept| kept.version),
        changed_at: DateTime::from_unix_ms(row.changed_ms),
    })
}
