//! From GPSI to SUPI (TS 29.503 `IdTranslationResult`).

use serde::{Deserialize, Serialize};

use crate::common_data::SupportedFeatures;
use crate::ids::{Gpsi, Supi};
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate};

/// Most further identifiers. Own value.
const MAX_MORE: usize = 32;

/// Who is behind an identifier (TS 29.503). Stays in the core.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IdTranslationResult {
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_features: Option<SupportedFeatures>,
    /// SUPI.
    pub supi: Supi,
    /// GPSI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpsi: Option<Gpsi>,
    /// Further SUPIs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_supis: Option<Vec<Supi>>,
    /// Further GPSIs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional_gpsis: Option<Vec<Gpsi>>,
}

impl Validate for IdTranslationResult {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let supis = self.additional_supis.as_ref().map(Vec::len);
        let gpsis = self.additional_gpsis.as_ref().map(Vec::len);
        for (key, len) in [("additionalSupis", supis), ("additionalGpsis", gpsis)] {
            let fits = len.is_none_or(|len| (1..=MAX_MORE).contains(&len));
            faults.require(fits, at, key, "must have 1 to 32 elements");
        }
        faults.done()
    }
}
