//! Resources and the policies of their owners at the core function (own API, `capif-resource-auth`; TR 33.721 6.3): told by
//! the API exposing function, looked at, narrowed and answered for by the owner.

use api_types::capif::resource_auth::{
    AskDecision, AuthorizationAsks, OwnerPolicies, ResourceAuthBatch, ResourceAuthBatchResult,
    ResourceAuthInfo, ResourceAuthPage, ResourceAuthPatch, ResourceAuthSubscription, ResourceOwner,
    ResourceType,
};
use api_types::capif::{AefId, ApiInvokerId, AskId, ResourceId};
use url::Url;

use super::CapifClient;
use crate::error::SdkError;
use crate::request::{Created, Request, Versioned};
use crate::san::onto;

/// Media type of a change.
const MERGE_PATCH: &str = "application/merge-patch+json";

/// Which resources of an API exposing function are listed. An absent member matches all.
#[derive(Debug, Clone, Default)]
pub struct ResourceQuery {
    /// Of this owner.
    pub owner: Option<ResourceOwner>,
    /// Of this type.
    pub resource_type: Option<ResourceType>,
    /// Most of them in one page.
    pub limit: Option<u32>,
    /// Cursor of a page before.
    pub cursor: Option<String>,
}

/// A resource as one segment of a path: it has no colon, and a path no encoded slash.
fn segment(id: &ResourceId) -> String {
    id.as_str().replace('/', ":")
}

impl CapifClient {
    fn resource_auth(&self, behind: &[&str]) -> Result<Url, SdkError> {
        self.url(&[&["capif-resource-auth", "v1"], behind].concat())
    }

    fn resource(&self, aef: &AefId, id: &ResourceId) -> Result<Url, SdkError> {
        self.resource_auth(&[aef.as_str(), "resources", &segment(id)])
    }

    /// Tells of a resource, by its API exposing function; the same again changes nothing. `true`: it is new.
    ///
    /// # Errors
    /// The refusal of the core function (`STALE_POLICY`: it knows a newer version), or no answer.
    pub async fn put_resource(&self, info: &ResourceAuthInfo) -> Result<bool, SdkError> {
        let request = Request::put(self.resource(&info.aef_id, &info.resource_id)?).json(info);
        Ok(self.send(request).await?.expect(&[201, 204])?.status == 201)
    }

    /// Changes a resource that is known; what it is after that.
    ///
    /// # Errors
    /// As [`CapifClient::put_resource`].
    pub async fn patch_resource(
        &self,
        aef: &AefId,
        id: &ResourceId,
        change: &ResourceAuthPatch,
    ) -> Result<ResourceAuthInfo, SdkError> {
        let request = Request::patch(self.resource(aef, id)?).json_as(MERGE_PATCH, change);
        self.send(request).await?.expect(&[200])?.json()
    }

    /// Withdraws a resource; tokens that name it are good nowhere when it is answered. That there is none is no error.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn delete_resource(&self, aef: &AefId, id: &ResourceId) -> Result<(), SdkError> {
        let request = Request::delete(self.resource(aef, id)?);
        self.send(request).await?.expect(&[204, 404]).map(|_| ())
    }

    /// A resource, as it was told.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn resource_told(&self, aef: &AefId, id: &ResourceId) -> Result<ResourceAuthInfo, SdkError> {
        self.read(self.resource(aef, id)?).await
    }

    /// A page of the resources that an API exposing function has told of, by their names.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn resources(&self, aef: &AefId, query: &ResourceQuery) -> Result<ResourceAuthPage, SdkError> {
        let mut url = self.resource_auth(&[aef.as_str(), "resources"])?;
        let owner = query.owner.as_ref().map(serde_json::to_string).transpose();
        let pairs = [
            ("owner", owner.map_err(|_| SdkError::Unusable("owner"))?),
            ("type", query.resource_type.map(|one| one.as_str().to_owned())),
            ("limit", query.limit.map(|limit| limit.to_string())),
            ("cursor", query.cursor.clone()),
        ];
        onto(&mut url, &pairs);
        self.read(url).await
    }

    /// Tells of many resources of one API exposing function; what became of each, in their order.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn put_resources(
        &self,
        aef: &AefId,
        batch: &ResourceAuthBatch,
    ) -> Result<ResourceAuthBatchResult, SdkError> {
        let url = self.resource_auth(&[aef.as_str(), "resources", "batch"])?;
        self.send(Request::post(url).json(batch)).await?.expect(&[200])?.json()
    }

    /// Subscribes, by an API exposing function or an owner.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn subscribe_to_resources(
        &self,
        subscription: &ResourceAuthSubscription,
    ) -> Result<Created<String, ResourceAuthSubscription>, SdkError> {
        let url = self.resource_auth(&["subscriptions"])?;
        let answer = self.send(Request::post(url).json(subscription)).await?.expect(&[201])?;
        let id = answer.created_id()?;
        let Versioned { value, etag, trace } = answer.versioned()?;
        Ok(Created { id, value, etag, trace })
    }

    /// Ends a subscription.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn unsubscribe_from_resources(&self, id: &str) -> Result<(), SdkError> {
        self.ended(self.resource_auth(&["subscriptions", id])?).await
    }

    /// A page of an owner's profile: its resources at every API exposing function (TR 33.721 6.3.2.1 step 5).
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn owned_resources(
        &self,
        owner: &ApiInvokerId,
        cursor: Option<&str>,
    ) -> Result<ResourceAuthPage, SdkError> {
        let mut url = self.resource_auth(&["owners", owner.as_str(), "resources"])?;
        onto(&mut url, &[("cursor", cursor.map(str::to_owned))]);
        self.read(url).await
    }

    fn owner_policies_at(
        &self,
        owner: &ApiInvokerId,
        (aef, id): (&AefId, &ResourceId),
    ) -> Result<Url, SdkError> {
        self.resource_auth(&["owners", owner.as_str(), "resources", aef.as_str(), &segment(id), "policies"])
    }

    /// The policies that an owner keeps at the core function for a resource.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn owner_policies(
        &self,
        owner: &ApiInvokerId,
        resource: (&AefId, &ResourceId),
    ) -> Result<OwnerPolicies, SdkError> {
        self.read(self.owner_policies_at(owner, resource)?).await
    }

    /// Sets them; a token that they narrow is good nowhere when it is answered.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn put_owner_policies(
        &self,
        owner: &ApiInvokerId,
        resource: (&AefId, &ResourceId),
        policies: &OwnerPolicies,
    ) -> Result<OwnerPolicies, SdkError> {
        self.replaced(self.owner_policies_at(owner, resource)?, policies).await
    }

    /// The questions that an owner can answer now.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn open_asks(&self, owner: &ApiInvokerId) -> Result<AuthorizationAsks, SdkError> {
        self.read(self.resource_auth(&["owners", owner.as_str(), "asks"])?).await
    }

    /// Answers a question to an owner (TR 33.721 6.3.2.1, NOTE to step 7).
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn decide_ask(
        &self,
        owner: &ApiInvokerId,
        ask: &AskId,
        decision: &AskDecision,
    ) -> Result<(), SdkError> {
        let url = self.resource_auth(&["owners", owner.as_str(), "asks", ask.as_str(), "decision"])?;
        self.send(Request::post(url).json(decision)).await?.expect(&[204]).map(|_| ())
    }
}
