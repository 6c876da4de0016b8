//! Resources, what their owners allow, and what would be decided (TR 33.721 6.3).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::admin::Check;
use crate::capif::resource_auth::{AuthPolicy, MAX_ENTRIES, ResourceAction, ResourceAuthInfo};
use crate::capif::{AefId, ApiInvokerId, MAX_NAME, ResourceId};
use crate::date_time::DateTime;
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate};

/// A resource, as its function has told of it, with what its owner keeps at the core function.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapifResource {
    /// As it was told.
    pub resource: ResourceAuthInfo,
    /// Policies that the owner has set at the core function itself.
    pub owner_policies: Vec<AuthPolicy>,
    /// Their version; absent: the owner has set none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner_policy_version: Option<u64>,
    /// When it was told last.
    pub changed_at: DateTime,
}

/// A question to the owner of a resource.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapifAsk {
    /// The question.
    pub ask_id: String,
    /// Where the resource is.
    pub aef_id: String,
    /// The resource.
    pub resource_id: String,
    /// Who asks.
    pub api_invoker_id: String,
    /// What for, and which parts.
    #[schema(value_type = Object)]
    pub actions: Value,
    /// `OPEN`, `PERMITTED`, `DENIED`, `EXPIRED` or `USED`.
    pub state: String,
    /// When it was asked.
    pub created_at: DateTime,
    /// Until when it can be answered.
    pub expires_at: DateTime,
    /// When it was answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_at: Option<DateTime>,
    /// Until when a yes counts; absent: once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime>,
}

/// POST `/capif/resources/explain`: may somebody do something with a resource?
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CapifExplain {
    /// Where the resource is.
    pub aef_id: AefId,
    /// The resource.
    pub resource_id: ResourceId,
    /// Who would ask.
    pub api_invoker_id: ApiInvokerId,
    /// What.
    pub action: ResourceAction,
    /// Entries of service information; absent: the resource itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serv_info_ids: Option<Vec<String>>,
}

impl Validate for CapifExplain {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.texts(self.serv_info_ids.as_ref(), MAX_ENTRIES, MAX_NAME, at, "servInfoIds");
        faults.done()
    }
}

closed_enum! {
    /// What would be decided.
    CapifOutcome {
        /// Yes.
        Permit = "PERMIT",
        /// No.
        Deny = "DENY",
        /// The owner would be asked.
        Ask = "ASK",
    }
}

/// Answer to POST `/capif/resources/explain`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapifExplained {
    /// The decision.
    pub decision: CapifOutcome,
    /// Fine reason of a no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What would make it a yes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// Entries of service information that would be granted, where some were named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub serv_info_ids: Option<Vec<String>>,
    /// Each side that has to agree.
    pub checks: Vec<Check>,
}
