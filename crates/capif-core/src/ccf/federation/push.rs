//! Our service APIs at a partner (TS 23.222 8.25).

use store::StoreError;

use super::outward::outward;
use super::plan::{Step, plan};
use super::{LinkError, Partner};
use crate::ccf::CcfServer;

/// Makes what is published at the partner what is shared with it; how many steps that took. What was cut off is completed
/// the next time, for it is compared each time.
///
/// # Errors
/// The partner does not answer or refuses a step; the others were tried.
pub(super) async fn push(ccf: &CcfServer, own_id: &str, partner: &Partner) -> Result<usize, LinkError> {
    let ours = shared(ccf, own_id, partner).await.map_err(|error| LinkError(error.to_string()))?;
    let steps = plan(partner.link.published().await?, ours);
    let (count, mut failed) = (steps.len(), None);
    for step in steps {
        let done = match &step {
            Step::Withdraw(id) => partner.link.unpublish(id).await,
            Step::Replace(id, api) => partner.link.republish(id, api).await,
            Step::Publish(api) => partner.link.publish(api).await,
        };
        // One that is refused holds up no other.
        if let Err(error) = done {
            failed.get_or_insert(error);
        }
    }
    failed.map_or(Ok(count), Err)
}

async fn shared(
    ccf: &CcfServer,
    own_id: &str,
    partner: &Partner,
) -> Result<Vec<api_types::capif::publish::ServiceAPIDescription>, StoreError> {
    let server = ccf.clone();
    let read = ccf.kit().store.read(|tx| Box::pin(async move { server.catalogue().at(tx).await }));
    let published = read.await?;
    let own = published.all().filter(|entry| entry.is_own());
    Ok(own.filter_map(|entry| outward(&entry.description, own_id, &partner.domain)).collect())
}
