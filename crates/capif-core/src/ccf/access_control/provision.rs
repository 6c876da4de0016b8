//! What the operator writes: policies of a service API at one function that exposes it.

use api_types::capif::access_control::ApiInvokerPolicy;
use api_types::capif::{AefId, ApiInvokerId, ServiceApiId};
use api_types::problem::{Cause, InvalidParam};
use api_types::validate::{Validate, cause_of};
use authorization::Reason;
use authorization::revocation::Kind;
use service_http::feed::NewEntry;
use service_http::refusal::Refusal;
use store::capif::{access_control, invokers};
use store::{Sql, StoreError};

use super::{EVERY_INVOKER, exposed_at, of_rows, read};
use crate::ccf::CcfServer;
use crate::ccf::events::{ApiAt, Happening, note};

impl CcfServer {
    /// Makes or replaces the policy of an API invoker; that of [`EVERY_INVOKER`] counts for all that have none. Whether it
    /// was made. A policy has taken effect when this returns, wherever the feed is followed; subscribers are told.
    ///
    /// # Errors
    /// Members at fault; no such service API at that function, no such API invoker; the store fails.
    pub async fn put_access_control(
        &self,
        api: &ServiceApiId,
        aef: &AefId,
        policy: ApiInvokerPolicy,
    ) -> Result<bool, Refusal> {
        policy.validate("").map_err(|faults| Refusal::input(cause_of(&faults), faults))?;
        let (server, api, aef) = (self.clone(), api.clone(), aef.clone());
        let body = serde_json::to_string(&policy).map_err(|_| Refusal::open(Reason::StoreFailed))?;
        let (made, epoch): (bool, Option<u64>) = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let at = known(tx, &api, &aef).await?;
                    let id = &policy.api_invoker_id;
                    let invoker = named(id);
                    if invoker.is_some() && invokers::find(tx, id.as_str()).await?.is_none() {
                        let fault = InvalidParam::new("/apiInvokerId", "is no onboarded API invoker");
                        return Err(Refusal::input(Cause::MandatoryIeIncorrect, vec![fault]));
                    }
                    let here = (api.as_str(), aef.as_str());
                    let made = access_control::find(tx, here, invoker).await?.is_none();
                    access_control::put(tx, here, invoker, &body).await?;
                    let epoch = changed(tx, &server, at).await?;
                    Ok::<_, Refusal>((made, epoch))
                })
            })
            .await?;
        self.acknowledge(epoch).await?;
        Ok(made)
    }

    /// Drops the policy of an API invoker, or that of [`EVERY_INVOKER`]. `false`: there is none.
    ///
    /// # Errors
    /// No such service API at that function; the store fails.
    pub async fn delete_access_control(
        &self,
        api: &ServiceApiId,
        aef: &AefId,
        invoker: &ApiInvokerId,
    ) -> Result<bool, Refusal> {
        let (server, api, aef, invoker) = (self.clone(), api.clone(), aef.clone(), invoker.clone());
        let (gone, epoch): (bool, Option<u64>) = self
            .kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let at = known(tx, &api, &aef).await?;
                    let here = (api.as_str(), aef.as_str());
                    let gone = access_control::delete(tx, here, named(&invoker)).await?;
                    let epoch = if gone { changed(tx, &server, at).await? } else { None };
                    Ok::<_, Refusal>((gone, epoch))
                })
            })
            .await?;
        self.acknowledge(epoch).await?;
        Ok(gone)
    }

    /// The policies of a service API at one function, that of [`EVERY_INVOKER`] first.
    ///
    /// # Errors
    /// No such service API at that function; the store fails.
    pub async fn list_access_control(
        &self,
        api: &ServiceApiId,
        aef: &AefId,
    ) -> Result<Vec<ApiInvokerPolicy>, Refusal> {
        let (api, aef) = (api.clone(), aef.clone());
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move {
                if let Err(refusal) = known(tx, &api, &aef).await {
                    return Ok(Err(refusal));
                }
                let rows = access_control::list(tx, (api.as_str(), aef.as_str())).await?;
                rows.iter().map(read).collect::<Result<Vec<_>, StoreError>>().map(Ok)
            })
        });
        read.await?
    }
}

/// Whose policy it is; `None`: of all that have none.
fn named(invoker: &ApiInvokerId) -> Option<&str> {
    Some(invoker.as_str()).filter(|id| *id != EVERY_INVOKER)
}

async fn known(tx: &mut dyn Sql, api: &ServiceApiId, aef: &AefId) -> Result<ApiAt, Refusal> {
    let found = exposed_at(tx, api.as_str(), aef.as_str()).await?;
    found.map(|(_, at)| at).ok_or(Refusal::open(Reason::NotFound))
}

/// How long a change is told by the feed, in seconds. Own value: longer than any copy of a policy is relied on.
const TOLD_S: i64 = 3_600;

/// Tells subscribers how the policies are now, or that there are none any more, and the feed that they are others.
async fn changed(tx: &mut dyn Sql, ccf: &CcfServer, at: ApiAt) -> Result<Option<u64>, StoreError> {
    let aef = at.aefs.first().map(AefId::as_str).unwrap_or_default();
    let value = at.api.as_str().to_owned();
    let rows = access_control::list(tx, (at.api.as_str(), aef)).await?;
    let event = match rows.is_empty() {
        true => Happening::AccessControlGone { api: at },
        false => Happening::AccessControlUpdated { policies: of_rows(&rows)?, api: at },
    };
    note(tx, ccf, event).await?;
    let expires_s = Some(ccf.now_s().saturating_add(TOLD_S));
    ccf.note(tx, vec![NewEntry { kind: Kind::Policy, value, expires_s }]).await
}
