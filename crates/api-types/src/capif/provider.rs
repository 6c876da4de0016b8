//! Domains of API providers (TS 29.222 `CAPIF_API_Provider_Management`).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::ids::{ApiProvDomId, CapifRole};
use super::{MAX_DESCRIPTION, MAX_NAME};
use crate::common_data::SupportedFeatures;
use crate::merge_patch;
use crate::problem::InvalidParam;
use crate::secret::Secret;
use crate::validate::{Faults, MISSING, Validate, child};

/// Feature `PatchUpdate`.
pub const PATCH_UPDATE: u32 = 1;
/// Feature `RNAA`.
pub const RNAA: u32 = 2;

/// Most functions of one domain. Own value.
pub const MAX_FUNCTIONS: usize = 64;

open_enum! {
    /// What a function of a domain is (TS 29.222).
    ApiProviderFuncRole {
        /// API exposing function.
        Aef = "AEF",
        /// API publishing function.
        Apf = "APF",
        /// API management function.
        Amf = "AMF",
    }
}

impl ApiProviderFuncRole {
    /// The role of its certificate, if it is a role that this version knows.
    #[must_use]
    pub fn certificate_role(&self) -> Option<CapifRole> {
        match self {
            Self::Aef => Some(CapifRole::Aef),
            Self::Apf => Some(CapifRole::Apf),
            Self::Amf => Some(CapifRole::Amf),
            Self::Other(_) => None,
        }
    }
}

/// The key of a function, and its certificate (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RegistrationInformation {
    /// PEM of a certificate signing request or of a public key.
    pub api_prov_pub_key: String,
    /// PEM of the certificate; only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_prov_cert: Option<String>,
}

/// A function of a domain (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct APIProviderFunctionDetails {
    /// Assigned by the CAPIF core function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_prov_func_id: Option<String>,
    /// Key and certificate.
    pub reg_info: RegistrationInformation,
    /// What it is.
    pub api_prov_func_role: ApiProviderFuncRole,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_prov_func_info: Option<String>,
}

/// A domain of an API provider (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct APIProviderEnrolmentDetails {
    /// Assigned by the CAPIF core function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_prov_dom_id: Option<ApiProvDomId>,
    /// What lets the domain register: mandatory in requests, kept nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reg_sec: Option<Secret>,
    /// Its functions; an answer keeps the order of the request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_prov_funcs: Option<Vec<APIProviderFunctionDetails>>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_prov_dom_info: Option<String>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
    /// Why a function was not registered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fail_reason: Option<String>,
    /// The provider's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_prov_name: Option<String>,
}

/// A change of a domain (TS 29.222), to be sent.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct APIProviderEnrolmentDetailsPatch {
    /// Its functions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_prov_funcs: Option<Vec<APIProviderFunctionDetails>>,
    /// For people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_prov_dom_info: Option<String>,
}

/// The members that a patch may hold.
const PATCHABLE: [&str; 2] = ["apiProvFuncs", "apiProvDomInfo"];

impl APIProviderEnrolmentDetails {
    /// The domain as `patch` makes it (RFC 7396), valid again. Members that a patch may not hold are ignored.
    ///
    /// # Errors
    /// What is wrong with the patch or with the domain that it would make.
    pub fn patched(&self, patch: &Value) -> Result<Self, Vec<InvalidParam>> {
        let domain: Self = merge_patch::patched(self, patch, &PATCHABLE)?;
        domain.but_for_the_secret("").done()?;
        Ok(domain)
    }

    /// The faults of every member but `regSec`, which what is kept has not.
    fn but_for_the_secret(&self, at: &str) -> Faults {
        let mut faults = Faults::new();
        faults.opt_list(self.api_prov_funcs.as_ref(), MAX_FUNCTIONS, at, "apiProvFuncs");
        faults.opt_prose(self.api_prov_dom_info.as_ref(), MAX_DESCRIPTION, at, "apiProvDomInfo");
        faults.opt_prose(self.fail_reason.as_ref(), MAX_DESCRIPTION, at, "failReason");
        faults.opt_text(self.api_prov_name.as_ref(), MAX_NAME, at, "apiProvName");
        faults
    }
}

impl Validate for RegistrationInformation {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.pem(&self.api_prov_pub_key, at, "apiProvPubKey");
        if let Some(certificate) = &self.api_prov_cert {
            faults.pem(certificate, at, "apiProvCert");
        }
        faults.done()
    }
}

impl Validate for APIProviderFunctionDetails {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_text(self.api_prov_func_id.as_ref(), MAX_NAME, at, "apiProvFuncId");
        faults.part(Some(&self.reg_info), at, "regInfo");
        faults.word(self.api_prov_func_role.as_str(), at, "apiProvFuncRole");
        faults.opt_prose(self.api_prov_func_info.as_ref(), MAX_DESCRIPTION, at, "apiProvFuncInfo");
        faults.done()
    }
}

impl Validate for APIProviderEnrolmentDetails {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = self.but_for_the_secret(at);
        match &self.reg_sec {
            Some(secret) => faults.secret(secret, at, "regSec"),
            None => faults.add(child(at, "regSec"), MISSING),
        }
        faults.done()
    }
}

impl Validate for APIProviderEnrolmentDetailsPatch {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_list(self.api_prov_funcs.as_ref(), MAX_FUNCTIONS, at, "apiProvFuncs");
        faults.opt_prose(self.api_prov_dom_info.as_ref(), MAX_DESCRIPTION, at, "apiProvDomInfo");
        faults.done()
    }
}
