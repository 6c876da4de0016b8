//! `/capif/access-control` and `/capif/routing` of `admin`: which policies there are, and at which function one is meant.

use api_types::admin::{CapifAccessControl, Page};
use api_types::capif::access_control::ApiInvokerPolicy;
use api_types::capif::{AefId, ApiInvokerId, ServiceApiId};
use service_http::refusal::Refusal;
use store::StoreError;
use store::capif::access_control::{self, AccessControlFilter, AccessControlRow};
use store::capif::{routing, service_apis};

use super::{Part, Versioned, absent, wrong_parameter};
use crate::ccf::access_control::EVERY_INVOKER;
use crate::ccf::{CcfServer, published};

/// Between the parts of a cursor; stands in no identifier.
const BETWEEN: char = ':';

impl CcfServer {
    /// Policies by service API, function and API invoker; only those of one service API or API invoker.
    ///
    /// # Errors
    /// A cursor that is none of ours; the store fails.
    pub async fn access_control(
        &self,
        api: Option<&str>,
        invoker: Option<&str>,
        part: Part<'_>,
    ) -> Result<Page<CapifAccessControl>, Refusal> {
        let mut after: Vec<String> = part.cursor.split(BETWEEN).map(str::to_owned).collect();
        if part.cursor.is_empty() {
            after = vec![String::new(); 3];
        }
        let [api_after, aef_after, invoker_after] = <[String; 3]>::try_from(after)
            .map_err(|_| wrong_parameter("cursor", "is not one that this program gave"))?;
        let invoker_id = invoker.map(|id| if id == EVERY_INVOKER { "" } else { id }.to_owned());
        let filter = AccessControlFilter { api_id: api.map(str::to_owned), invoker_id };
        let most = part.with_one_more();
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move {
                let after = (api_after.as_str(), aef_after.as_str(), invoker_after.as_str());
                access_control::page(tx, &filter, after, most).await
            })
        });
        let place = |row: &AccessControlRow| {
            let invoker = row.invoker_id.as_deref().unwrap_or_default();
            format!("{}{BETWEEN}{}{BETWEEN}{invoker}", row.api_id, row.aef_id)
        };
        Ok(part.page(read.await?, place, |row| show(&row))?)
    }

    /// The policy of an API invoker, or of `default`, for a service API at a function.
    ///
    /// # Errors
    /// There is none; the store fails.
    pub async fn access_control_of(
        &self,
        api: &ServiceApiId,
        aef: &AefId,
        invoker: &ApiInvokerId,
    ) -> Result<Versioned<CapifAccessControl>, Refusal> {
        let at = (api.as_str().to_owned(), aef.as_str().to_owned());
        let invoker = Some(invoker.as_str().to_owned()).filter(|id| id != EVERY_INVOKER);
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move { access_control::find(tx, (&at.0, &at.1), invoker.as_deref()).await })
        });
        let row = read.await?.ok_or_else(absent)?;
        Ok(Versioned { version: row.version, body: show(&row)? })
    }

    /// The version of the routing rules of a service API at a function.
    ///
    /// # Errors
    /// There are none; the store fails.
    pub async fn routing_version(&self, api: &ServiceApiId, aef: &AefId) -> Result<u64, Refusal> {
        let at = (api.as_str().to_owned(), aef.as_str().to_owned());
        let read =
            self.kit().store.read(move |tx| Box::pin(async move { routing::find(tx, &at.0, &at.1).await }));
        let row = read.await?.ok_or_else(absent)?;
        Ok(u64::try_from(row.version).unwrap_or_default())
    }

    /// The function that is meant: the one that is named, or the only one that exposes the service API.
    ///
    /// # Errors
    /// No such service API; it is exposed at several, and none is named.
    pub async fn exposed_by(&self, api: &ServiceApiId, named: Option<AefId>) -> Result<AefId, Refusal> {
        if let Some(named) = named {
            return Ok(named);
        }
        let id = api.as_str().to_owned();
        let read =
            self.kit().store.read(move |tx| Box::pin(async move { service_apis::find(tx, &id).await }));
        let description = published::read(&read.await?.ok_or_else(absent)?)?;
        let mut profiles = description.aef_profiles.into_iter().flatten();
        match (profiles.next(), profiles.next()) {
            (Some(only), None) => Ok(only.aef_id),
            (Some(_), Some(_)) => {
                Err(wrong_parameter("aef", "is missing: several functions expose this service API"))
            }
            (None, _) => Err(absent()),
        }
    }
}

fn show(row: &AccessControlRow) -> Result<CapifAccessControl, StoreError> {
    let policy: ApiInvokerPolicy =
        serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged("access control policy"))?;
    Ok(CapifAccessControl {
        api_invoker_id: Some(row.invoker_id.clone().unwrap_or_else(|| EVERY_INVOKER.to_owned())),
        service_api_id: Some(row.api_id.clone()),
        aef_id: Some(row.aef_id.clone()),
        allowed_total_invocations: policy.allowed_total_invocations,
        allowed_invocations_per_second: policy.allowed_invocations_per_second,
        allowed_invocation_time_range_list: policy.allowed_invocation_time_range_list,
        net_slice_info: policy.net_slice_info,
    })
}
