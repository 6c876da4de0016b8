//! The core function, as an API exposing function needs it (CAPIF-3).

use api_types::capif::access_control::ApiInvokerPolicy;
use api_types::capif::logging::InvocationLog;
use api_types::capif::security::{RevocationCause, ServiceSecurity};
use api_types::capif::{AefId, ApiInvokerId, ServiceApiId};
use async_trait::async_trait;
use sdk::{CapifClient, SdkError};

/// The core function does not answer, or not with what it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the core function cannot be asked")]
pub struct Unavailable;

/// A log was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotTaken {
    /// It may be taken another time.
    #[error("not taken now")]
    Now,
    /// It will never be.
    #[error("refused with status {0}")]
    Ever(u16),
}

/// What is asked of a core function, and told to it.
#[async_trait]
pub trait CoreFunction: Send + Sync + 'static {
    /// The access control policy of an API invoker for a service API of this function; `None`: there is no bound.
    async fn policy(
        &self,
        aef: &AefId,
        api: &ServiceApiId,
        invoker: &ApiInvokerId,
    ) -> Result<Option<ApiInvokerPolicy>, Unavailable>;

    /// Reports invocations.
    async fn report(&self, log: &InvocationLog) -> Result<(), NotTaken>;

    /// Withdraws service APIs of this function from an API invoker.
    async fn withdraw(
        &self,
        invoker: &ApiInvokerId,
        apis: &[ServiceApiId],
        cause: RevocationCause,
    ) -> Result<(), Unavailable>;

    /// The security context of an API invoker, as far as it concerns this function; `None`: there is none.
    async fn context(&self, invoker: &ApiInvokerId) -> Result<Option<ServiceSecurity>, Unavailable>;
}

#[async_trait]
impl CoreFunction for CapifClient {
    async fn policy(
        &self,
        aef: &AefId,
        api: &ServiceApiId,
        invoker: &ApiInvokerId,
    ) -> Result<Option<ApiInvokerPolicy>, Unavailable> {
        match self.access_control(api, aef, Some(invoker)).await {
            Ok(list) => {
                let policies = list.api_invoker_policies.unwrap_or_default();
                Ok(policies.into_iter().find(|policy| policy.api_invoker_id == *invoker))
            }
            Err(error) => Err(unavailable("access control policies", &error)),
        }
    }

    async fn report(&self, log: &InvocationLog) -> Result<(), NotTaken> {
        match self.append_invocation_log(log).await {
            Ok(()) => Ok(()),
            Err(error) => match error.status() {
                // The certificate may be renewed, the registration be made again.
                Some(status @ 400..=499) if !matches!(status, 401 | 403 | 408 | 429) => {
                    Err(NotTaken::Ever(status))
                }
                _ => Err(NotTaken::Now),
            },
        }
    }

    async fn withdraw(
        &self,
        invoker: &ApiInvokerId,
        apis: &[ServiceApiId],
        cause: RevocationCause,
    ) -> Result<(), Unavailable> {
        match self.revoke_authorization(invoker, apis, cause).await {
            // What is not there any more is withdrawn.
            Err(error) if error.status() != Some(404) => Err(unavailable("a withdrawal", &error)),
            _ => Ok(()),
        }
    }

    async fn context(&self, invoker: &ApiInvokerId) -> Result<Option<ServiceSecurity>, Unavailable> {
        match CapifClient::context(self, invoker).await {
            Ok(context) => Ok(Some(context)),
            Err(error) if error.status() == Some(404) => Ok(None),
            Err(error) => Err(unavailable("a security context", &error)),
        }
    }
}

fn unavailable(what: &'static str, error: &SdkError) -> Unavailable {
    tracing::warn!(what, %error, "the core function cannot be asked");
    Unavailable
}
