//! What an API exposing function answers (TS 29.222 `AEF_Security`).

use serde::{Deserialize, Serialize};

use super::ids::ApiInvokerId;
use super::security::SecurityNotification;
use crate::common_data::SupportedFeatures;
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate};

/// Feature `CAPIF_Ext1`: one access token can be revoked.
pub const CAPIF_EXT1: u32 = 1;

/// An API invoker announces itself (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckAuthenticationReq {
    /// The API invoker.
    pub api_invoker_id: ApiInvokerId,
    /// Features.
    pub supported_features: SupportedFeatures,
}

/// It is known (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CheckAuthenticationRsp {
    /// Features.
    pub supported_features: SupportedFeatures,
}

/// An authorization is revoked (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevokeAuthorizationReq {
    /// Which.
    pub revoke_info: SecurityNotification,
    /// Features.
    pub supported_features: SupportedFeatures,
}

/// It counts no longer (TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct RevokeAuthorizationRsp {
    /// Features.
    pub supported_features: SupportedFeatures,
}

impl Validate for CheckAuthenticationReq {
    fn validate(&self, _: &str) -> Result<(), Vec<InvalidParam>> {
        Ok(())
    }
}

impl Validate for CheckAuthenticationRsp {
    fn validate(&self, _: &str) -> Result<(), Vec<InvalidParam>> {
        Ok(())
    }
}

impl Validate for RevokeAuthorizationRsp {
    fn validate(&self, _: &str) -> Result<(), Vec<InvalidParam>> {
        Ok(())
    }
}

impl Validate for RevokeAuthorizationReq {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.part(Some(&self.revoke_info), at, "revokeInfo");
        faults.done()
    }
}
