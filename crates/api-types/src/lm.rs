//! Where UEs are, as a SEAL location management server says (TS 29.549 `ss-lair`, `LMInformation`).

use serde::{Deserialize, Serialize};

use crate::common_data::{MAX_TEXT, ValTargetUe};
use crate::date_time::DateTime;
use crate::geo::LocationInfo;
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate};

/// Where somebody is (TS 29.549).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LMInformation {
    /// VAL user or VAL UE.
    pub val_tgt_ue: ValTargetUe,
    /// Where.
    pub loc_info: LocationInfo,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_stamp: Option<DateTime>,
    /// VAL service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_svc_id: Option<String>,
}

impl Validate for LMInformation {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(Some(&self.val_tgt_ue), at, "valTgtUe");
        faults.part(Some(&self.loc_info), at, "locInfo");
        faults.opt_text(self.val_svc_id.as_ref(), MAX_TEXT, at, "valSvcId");
        faults.done()
    }
}
