//! Provisioning and profiles at the identity management server (TS 29.549 `ss-ipp` and `ss-upr`).

use serde::{Deserialize, Serialize};

use crate::common_data::SupportedFeatures;
use crate::ids::{ClientId, ValServiceId, ValUeId, ValUserId};
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child, item};

/// Most VAL services of one configuration. Own value.
pub const MAX_SERVICES: usize = 64;

/// Most users and UEs of one VAL service of a configuration. Own value.
pub const MAX_TARGETS: usize = 1_000;

/// A VAL user or a VAL UE (TS 29.549): exactly one member.
#[derive(Clone, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValTargetUe {
    /// VAL user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_user_id: Option<ValUserId>,
    /// VAL UE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_ue_id: Option<ValUeId>,
}

impl std::fmt::Debug for ValTargetUe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ValTargetUe")
    }
}

impl Validate for ValTargetUe {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present = [self.val_user_id.is_some(), self.val_ue_id.is_some()];
        faults.exactly_one(&present, at, "needs exactly one of valUserId and valUeId");
        faults.done()
    }
}

/// Who takes part in one VAL service (TS 29.549).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValServiceParams {
    /// The VAL service.
    pub val_service_id: ValServiceId,
    /// Users and UEs.
    pub id_list: Vec<ValTargetUe>,
}

impl Validate for ValServiceParams {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.list(&self.id_list, MAX_TARGETS, at, "idList");
        faults.done()
    }
}

/// A configuration of a VAL server (TS 29.549 `VALServicesConfig`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = VALServicesConfig)]
pub struct ValServicesConfig {
    /// The VAL server; absent: whoever asks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_server_id: Option<ClientId>,
    /// Its VAL services.
    pub val_svc_conf: Vec<ValServiceParams>,
    /// Features.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supp_feat: Option<SupportedFeatures>,
}

impl Validate for ValServicesConfig {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        services(&self.val_svc_conf, at)
    }
}

/// A change of a configuration (TS 29.549 `VALServicesConfigPatch`, RFC 7396). The VAL server is not changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = VALServicesConfigPatch)]
pub struct ValServicesConfigPatch {
    /// Replaces the whole list; absent: it stays.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_svc_conf: Option<Vec<ValServiceParams>>,
}

impl Validate for ValServicesConfigPatch {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        self.val_svc_conf.as_deref().map_or(Ok(()), |list| services(list, at))
    }
}

fn services(list: &[ValServiceParams], at: &str) -> Result<(), Vec<InvalidParam>> {
    let mut faults = Faults::new();
    faults.list(list, MAX_SERVICES, at, "valSvcConf");
    let here = child(at, "valSvcConf");
    for (index, one) in list.iter().enumerate() {
        if list[..index].iter().any(|other| other.val_service_id == one.val_service_id) {
            faults.add(child(&item(&here, index), "valServiceId"), "stands there twice");
        }
    }
    faults.done()
}

/// What a VAL server may know of a user or UE (TS 29.549 `ProfileDoc`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProfileDoc {
    /// JSON text of ours: `valServices`, those of the VAL server that asks.
    pub profile_information: String,
    /// Of whom.
    pub val_tgt_ue: ValTargetUe,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_spoiled_member_is_named() {
        let good = json!({ "valSvcConf": [{ "valServiceId": "a", "idList": [{ "valUserId": "u" }, { "valUeId": "e" }] }] });
        let read = |value: &serde_json::Value| serde_json::from_value::<ValServicesConfig>(value.clone());
        assert!(read(&good).unwrap().validate("").is_ok());
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("no service",       json!({ "valSvcConf": [] }), "/valSvcConf"),
            ("nobody",           json!({ "valSvcConf": [{ "valServiceId": "a", "idList": [] }] }), "/valSvcConf/0/idList"),
            ("neither",          json!({ "valSvcConf": [{ "valServiceId": "a", "idList": [{}] }] }), "/valSvcConf/0/idList/0"),
            ("both",             json!({ "valSvcConf": [{ "valServiceId": "a", "idList": [{ "valUserId": "u", "valUeId": "e" }] }] }), "/valSvcConf/0/idList/0"),
            ("a service twice",  json!({ "valSvcConf": [{ "valServiceId": "a", "idList": [{ "valUserId": "u" }] }, { "valServiceId": "a", "idList": [{ "valUserId": "v" }] }] }), "/valSvcConf/1/valServiceId"),
        ];
        for (what, body, param) in rows {
            let faults = read(&body).unwrap().validate("").unwrap_err();
            assert_eq!(faults[0].param, param, "{what}");
        }
        assert!(serde_json::from_value::<ValServicesConfigPatch>(json!({ "valServerId": "x" })).is_err());
    }
}
