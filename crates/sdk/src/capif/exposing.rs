//! What an API exposing function asks for and reports: access control policies (TS 29.222 8.6), invocations (8.7).

use api_types::capif::access_control::AccessControlPolicyList;
use api_types::capif::logging::InvocationLog;
use api_types::capif::{AefId, ApiInvokerId, ServiceApiId};

use super::CapifClient;
use crate::error::SdkError;
use crate::request::Request;

impl CapifClient {
    /// The access control policies of a service API at an API exposing function: of one API invoker, or of all that have
    /// one of their own.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn access_control(
        &self,
        api: &ServiceApiId,
        aef: &AefId,
        invoker: Option<&ApiInvokerId>,
    ) -> Result<AccessControlPolicyList, SdkError> {
        let mut url = self.url(&["access-control-policy", "v1", "accessControlPolicyList", api.as_str()])?;
        url.query_pairs_mut().append_pair("aef-id", aef.as_str());
        if let Some(invoker) = invoker {
            url.query_pairs_mut().append_pair("api-invoker-id", invoker.as_str());
        }
        self.read(url).await
    }

    /// Reports how an API exposing function was invoked.
    ///
    /// # Errors
    /// The refusal of the core function, or no answer.
    pub async fn append_invocation_log(&self, log: &InvocationLog) -> Result<(), SdkError> {
        let url = self.url(&["api-invocation-logs", "v1", log.aef_id.as_str(), "logs"])?;
        self.send(Request::post(url).json(log)).await?.expect(&[201]).map(|_| ())
    }
}
