//! What a subscriber consents to, by purpose (TS 29.503 `UcSubscriptionData`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::MAX_WORD;
use crate::problem::InvalidParam;
use crate::san::PersonalDataCategory;
use crate::validate::{Faults, Validate, child};

/// Most purposes of one subscriber. Own value.
pub const MAX_PURPOSES: usize = 256;

open_enum! {
    /// What user data is processed for. The metaverse has no purpose in TS 29.503; ours fit in because it is open.
    UcPurpose {
        /// Analytics.
        Analytics = "ANALYTICS",
        /// Training of a model.
        ModelTraining = "MODEL_TRAINING",
        /// Exposure of capabilities of the network.
        NwCapExposure = "NW_CAP_EXPOSURE",
        /// Location of a UE for edge applications.
        EdgeappUeLocation = "EDGEAPP_UE_LOCATION",
        /// Energy.
        Energy = "ENERGY",
        /// Own purpose: discovery of anchors, maps and assets (TR 33.721 6.5).
        SpatialDiscovery = "METAVERSE_SPATIAL_DISCOVERY",
    }
}

impl UcPurpose {
    /// The own purpose of a category of personal data: `METAVERSE_<CATEGORY>`.
    #[must_use]
    pub fn of(category: PersonalDataCategory) -> Self {
        Self::Other(format!("METAVERSE_{}", category.as_str().to_ascii_uppercase()))
    }

    /// Whether it can stand in a path, a query and a JSON Pointer without being escaped.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let text = self.as_str();
        (1..=MAX_WORD).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    }
}

open_enum! {
    /// What the subscriber said. A value that is not known is not given.
    UserConsent {
        /// No.
        NotGiven = "CONSENT_NOT_GIVEN",
        /// Yes.
        Given = "CONSENT_GIVEN",
    }
}

impl UserConsent {
    /// Whether it is a yes.
    #[must_use]
    pub fn is_given(&self) -> bool {
        *self == Self::Given
    }
}

/// What a subscriber consents to (TS 29.503).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UcSubscriptionData {
    /// By purpose.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_consent_per_purpose_list: Option<BTreeMap<UcPurpose, UserConsent>>,
}

impl UcSubscriptionData {
    /// What was said about exactly this purpose.
    #[must_use]
    pub fn about(&self, purpose: &UcPurpose) -> Option<&UserConsent> {
        self.user_consent_per_purpose_list.as_ref()?.get(purpose)
    }
}

impl Validate for UcSubscriptionData {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        if let Some(list) = &self.user_consent_per_purpose_list {
            let here = child(at, "userConsentPerPurposeList");
            faults.size(list.len(), MAX_PURPOSES, &here);
            for (purpose, consent) in list.iter().take(MAX_PURPOSES) {
                faults.text(purpose.as_str(), MAX_WORD, &here, purpose.as_str());
                faults.text(consent.as_str(), MAX_WORD, &here, purpose.as_str());
            }
        }
        faults.done()
    }
}
