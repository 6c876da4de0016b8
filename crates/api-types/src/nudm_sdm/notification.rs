//! What a function is told when subscriber data change (TS 29.503 `ModificationNotification`, TS 29.571 `NotifyItem`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{MAX_PATH, MAX_WORD, UcPurpose};
use crate::problem::InvalidParam;
use crate::validate::{Faults, MAX_URI, Validate};

/// Most changes of one notification. Own value.
pub const MAX_CHANGES: usize = 256;

/// Where the consents stand in `UcSubscriptionData`.
const LIST: &str = "/userConsentPerPurposeList";

open_enum! {
    /// Kind of a change (TS 29.571).
    ChangeType {
        /// New.
        Add = "ADD",
        /// From elsewhere.
        Move = "MOVE",
        /// Gone.
        Remove = "REMOVE",
        /// Another value.
        Replace = "REPLACE",
    }
}

/// Changes of subscriber data (TS 29.503).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ModificationNotification {
    /// By resource.
    pub notify_items: Vec<NotifyItem>,
    /// The subscription that this is told for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<String>,
}

/// Changes of one resource (TS 29.571).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NotifyItem {
    /// The resource.
    pub resource_id: String,
    /// What changed, in order.
    pub changes: Vec<ChangeItem>,
}

/// One change (TS 29.571).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChangeItem {
    /// Kind.
    pub op: ChangeType,
    /// Where, as a JSON Pointer (RFC 6901).
    pub path: String,
    /// Where from; of a move.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// What was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub orig_value: Option<Value>,
    /// What is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub new_value: Option<Value>,
}

/// What a change says about consent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceChange {
    /// The purpose is consented to now.
    Given(UcPurpose),
    /// It is not, or no more.
    Withdrawn(UcPurpose),
    /// Nothing that can be relied on: the resource is read again, and nothing counts as given until then.
    ReadAgain,
}

impl ChangeItem {
    /// The pointer of a purpose in `UcSubscriptionData`.
    #[must_use]
    pub fn path_of(purpose: &UcPurpose) -> String {
        format!("{LIST}/{}", purpose.as_str().replace('~', "~0").replace('/', "~1"))
    }

    /// What it says about consent. Whatever is not understood is read again.
    #[must_use]
    pub fn consent(&self) -> ResourceChange {
        let purpose = self.path.strip_prefix(LIST).and_then(|rest| rest.strip_prefix('/'));
        let Some(token) = purpose.filter(|token| !token.is_empty() && !token.contains('/')) else {
            return ResourceChange::ReadAgain;
        };
        let purpose = UcPurpose::from(&*token.replace("~1", "/").replace("~0", "~"));
        match self.op {
            ChangeType::Remove => ResourceChange::Withdrawn(purpose),
            ChangeType::Add | ChangeType::Replace => match self.new_value.as_ref().and_then(Value::as_str) {
                Some("CONSENT_GIVEN") => ResourceChange::Given(purpose),
                _ => ResourceChange::Withdrawn(purpose),
            },
            ChangeType::Move | ChangeType::Other(_) => ResourceChange::ReadAgain,
        }
    }
}

impl Validate for NotifyItem {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(&self.resource_id, MAX_URI, at, "resourceId");
        faults.list(&self.changes, MAX_CHANGES, at, "changes");
        faults.done()
    }
}

impl Validate for ChangeItem {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.text(self.op.as_str(), MAX_WORD, at, "op");
        // A pointer to the whole document is empty.
        faults.require(self.path.chars().count() <= MAX_PATH, at, "path", "is too long");
        faults.opt_text(self.from.as_ref(), MAX_PATH, at, "from");
        let moved = self.op == ChangeType::Move;
        faults.require(!moved || self.from.is_some(), at, "from", crate::validate::MISSING);
        faults.done()
    }
}
