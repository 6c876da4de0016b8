//! Being told of changes of subscriber data (TS 29.503 `SdmSubscription`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{MAX_WORD, ModificationNotification, UcSubscriptionData};
use crate::common_data::SupportedFeatures;
use crate::date_time::DateTime;
use crate::merge_patch;
use crate::problem::InvalidParam;
use crate::validate::{Faults, MAX_URI, Validate, child};

/// Most resources of one subscription. Own value.
pub const MAX_MONITORED: usize = 16;

/// What a subscriber of data wants to be told of (TS 29.503).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SdmSubscription {
    /// The function that subscribes, a UUID (TS 29.571 `NfInstanceId`).
    pub nf_instance_id: String,
    /// Where notifications go.
    pub callback_reference: String,
    /// What is watched: absolute URIs or paths of resources.
    pub monitored_resource_uris: Vec<String>,
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime>,
    /// Assigned by the UDM.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscription_id: Option<String>,
    /// Whether the answer is to hold the data as they are now.
    #[serde(default, skip_serializing_if = "is_false")]
    pub immediate_report: bool,
    /// The data as they are now; only in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<ImmediateReport>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_features: Option<SupportedFeatures>,
}

/// Data sets as they are now (TS 29.503 `ImmediateReport`, of which a subscription for consent uses this member).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImmediateReport {
    /// User consent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uc_data: Option<UcSubscriptionData>,
}

/// Change of a subscription, as a merge patch (TS 29.503).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct SdmSubsModification {
    /// Until when.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<DateTime>,
    /// What is watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monitored_resource_uris: Option<Vec<String>>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes a reference")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl SdmSubscription {
    /// What a merge patch makes of it: its end and what is watched can change.
    ///
    /// # Errors
    /// The pointers of what is wrong.
    pub fn patched(&self, patch: &Value) -> Result<Self, Vec<InvalidParam>> {
        let after: Self = merge_patch::patched(self, patch, &["expires", "monitoredResourceUris"])?;
        after.validate("")?;
        Ok(after)
    }
}

impl Validate for SdmSubscription {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.require(is_uuid(&self.nf_instance_id), at, "nfInstanceId", "is not a UUID");
        faults.text(&self.callback_reference, MAX_URI, at, "callbackReference");
        let here = child(at, "monitoredResourceUris");
        faults.size(self.monitored_resource_uris.len(), MAX_MONITORED, &here);
        for (index, uri) in self.monitored_resource_uris.iter().take(MAX_MONITORED).enumerate() {
            faults.text(uri, MAX_URI, &here, &index.to_string());
        }
        faults.opt_text(self.subscription_id.as_ref(), MAX_WORD, at, "subscriptionId");
        if let Some(data) = self.report.as_ref().and_then(|report| report.uc_data.as_ref()) {
            faults.merge(data.validate(&child(&child(at, "report"), "ucData")));
        }
        faults.done()
    }
}

/// Whether a text is a UUID (TS 29.571 `NfInstanceId`).
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(index, byte)| match index {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

impl Validate for ModificationNotification {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.list(&self.notify_items, super::MAX_CHANGES, at, "notifyItems");
        faults.opt_text(self.subscription_id.as_ref(), MAX_WORD, at, "subscriptionId");
        faults.done()
    }
}
