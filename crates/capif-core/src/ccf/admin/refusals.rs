//! `/capif/refusals/{partyId}` of `admin`: what was refused to a party last.

use store::Sql;
use store::StoreError;
use store::capif::{invokers, providers};

use service_http::refusal::Refusal;

use super::absent;
use crate::ccf::CcfServer;

impl CcfServer {
    /// Decides whether somebody is a party on record: of people there are no refusals to be read so.
    ///
    /// # Errors
    /// There is no such party; the store fails.
    pub async fn check_party(&self, party: &str) -> Result<(), Refusal> {
        let party = party.to_owned();
        let read = self.kit().store.read(move |tx| Box::pin(async move { is_party(tx, &party).await }));
        if read.await? { Ok(()) } else { Err(absent()) }
    }
}

async fn is_party(tx: &mut dyn Sql, party: &str) -> Result<bool, StoreError> {
    Ok(invokers::find(tx, party).await?.is_some() || providers::function(tx, party).await?.is_some())
}
