//! From what happened to notifications: one for each event (TS 29.222 8.3.4.2.3 `EventNotification`, 8.3.4.2.6
//! `CAPIFEventDetail`). Pure.

use std::collections::BTreeMap;

use api_types::capif::events::{
    AccessControlPolicyListExt, ApiInvokerCount, CAPIFEvent, CAPIFEventDetail, DiscoveryCount, TopologyHiding,
};
use api_types::capif::ids::ServiceApiId;
use api_types::capif::logging::{InvocationLog, Log};
use api_types::capif::publish::ServiceAPIDescription;
use serde::{Deserialize, Serialize};

use super::note::{ApiAt, Happening};

/// What a subscriber was told of so far, or how often.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts {
    /// Per service API: how often API invokers asked for it at onboarding.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) onboarded: BTreeMap<ServiceApiId, u64>,
    /// Per service API: how often it was looked for, and how often it was in an answer.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) discovered: BTreeMap<ServiceApiId, (u64, u64)>,
}

/// Most service APIs that are counted for one subscription. Own value: what a notification can hold.
const COUNTED: usize = api_types::capif::MAX_LIST;

impl Counts {
    /// Counts what happened, if it is counted.
    pub(crate) fn add(&mut self, happening: &Happening) {
        match happening {
            Happening::AskedAtOnboarding { apis } => {
                for at in apis {
                    if let Some(count) = place(&mut self.onboarded, &at.api) {
                        *count += 1;
                    }
                }
            }
            Happening::Discovered { asked, told } => {
                for at in asked {
                    if let Some((requests, _)) = place(&mut self.discovered, &at.api) {
                        *requests += 1;
                    }
                }
                for at in told {
                    if let Some((_, responses)) = place(&mut self.discovered, &at.api) {
                        *responses += 1;
                    }
                }
            }
            _ => {}
        }
    }
}

fn place<'c, T: Default>(counts: &'c mut BTreeMap<ServiceApiId, T>, api: &ServiceApiId) -> Option<&'c mut T> {
    if counts.len() >= COUNTED && !counts.contains_key(api) {
        return None;
    }
    Some(counts.entry(api.clone()).or_default())
}

/// Whether an event tells how often, instead of what.
pub(crate) fn is_counted(event: &CAPIFEvent) -> bool {
    use CAPIFEvent as E;
    matches!(event, E::ServiceApiOnboardedByApiInvokersCount | E::ServiceApiDiscoveryByApiInvokersCount)
}

/// Whether an invocation went well: for HTTP by its status. Of other protocols there is no such rule, and what is no
/// status of 2xx counts as a failure (decision 0051).
pub(crate) fn is_success(log: &Log) -> bool {
    log.result.len() == 3 && log.result.starts_with('2') && log.result.bytes().all(|b| b.is_ascii_digit())
}

impl Happening {
    /// The service API that came, changed or went.
    pub(crate) fn service_api(&self) -> Option<&ServiceAPIDescription> {
        match self {
            Self::ServiceApiAvailable { api }
            | Self::ServiceApiUnavailable { api }
            | Self::ServiceApiUpdated { api } => Some(api),
            _ => None,
        }
    }

    /// What of it is one event: a log holds both successes and failures, and each invocation is an event of its own.
    pub(crate) fn as_event(&self, event: &CAPIFEvent) -> Vec<Self> {
        if !self.events().contains(event) {
            return Vec::new();
        }
        let Self::Invoked { log } = self else { return vec![self.clone()] };
        let wanted = *event == CAPIFEvent::ServiceApiInvocationSuccess;
        let entries = log.logs.iter().filter(|entry| is_success(entry) == wanted);
        let one = |entry: &Log| {
            let log = InvocationLog {
                logs: vec![entry.clone()],
                supported_features: None,
                ..InvocationLog::clone(log)
            };
            Self::Invoked { log: Box::new(log) }
        };
        entries.map(one).collect()
    }

    /// What a subscriber is told of it. `described`: service APIs that come and go are told with their descriptions too
    /// (feature `ApiStatusMonitoring`).
    pub(crate) fn detail(self, counts: &Counts, described: bool) -> Option<CAPIFEventDetail> {
        let nothing = CAPIFEventDetail::default();
        let detail = match self {
            Self::ServiceApiAvailable { api } | Self::ServiceApiUnavailable { api } => CAPIFEventDetail {
                api_ids: api.api_id.clone().map(|id| vec![id]),
                service_api_descriptions: described.then(|| vec![*api]),
                ..nothing
            },
            Self::ServiceApiUpdated { api } => {
                CAPIFEventDetail { service_api_descriptions: Some(vec![*api]), ..nothing }
            }
            Self::InvokerOnboarded { invoker }
            | Self::InvokerOffboarded { invoker }
            | Self::InvokerUpdated { invoker } => {
                CAPIFEventDetail { api_invoker_ids: Some(vec![invoker]), ..nothing }
            }
            Self::Invoked { log } => CAPIFEventDetail { invocation_logs: Some(vec![*log]), ..nothing },
            Self::AccessControlUpdated { api, policies } => {
                let api_invoker_policies = (!policies.is_empty()).then_some(policies);
                let list = AccessControlPolicyListExt { api_id: api.api, api_invoker_policies };
                CAPIFEventDetail { acc_ctrl_pol_list: Some(list), ..nothing }
            }
            Self::AccessControlGone { api } => CAPIFEventDetail { api_ids: Some(vec![api.api]), ..nothing },
            // TS 29.222 has no detail for it; the filters say what it is about.
            Self::AuthorizationRevoked { .. } => return None,
            Self::TopologyHidden { api, rules } | Self::TopologyShown { api, rules } => {
                let hiding = TopologyHiding { api_id: api.api, routing_rules: rules };
                CAPIFEventDetail { api_topo_hide: Some(hiding), ..nothing }
            }
            Self::CriteriaFailed { invoker, criteria } => CAPIFEventDetail {
                api_invoker_ids: invoker.map(|invoker| vec![invoker]),
                onboarding_criteria: (!criteria.is_empty()).then_some(criteria),
                ..nothing
            },
            Self::AskedAtOnboarding { apis } => {
                let count = |at: &ApiAt| {
                    let count = *counts.onboarded.get(&at.api)?;
                    Some(ApiInvokerCount { api_id: at.api.clone(), count })
                };
                let counted: Vec<_> = apis.iter().filter_map(count).collect();
                CAPIFEventDetail { onboarded_count: (!counted.is_empty()).then_some(counted), ..nothing }
            }
            Self::Discovered { asked, told } => {
                let apis: std::collections::BTreeSet<_> =
                    asked.iter().chain(&told).map(|at| &at.api).collect();
                let count = |api: &ServiceApiId| {
                    let (requests, responses) = *counts.discovered.get(api)?;
                    Some(DiscoveryCount {
                        api_id: api.clone(),
                        discovery_req_count: Some(requests),
                        discovery_rsp_count: Some(responses),
                    })
                };
                let counted: Vec<_> = apis.into_iter().filter_map(count).collect();
                CAPIFEventDetail { discovery_count: (!counted.is_empty()).then_some(counted), ..nothing }
            }
        };
        Some(detail)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, happenings, log};
    use super::*;
    use serde_json::{Value, json};

    fn told(happening: &Happening, described: bool) -> Value {
        let mut counts = Counts::default();
        counts.add(happening);
        let detail = happening.clone().detail(&counts, described);
        detail.map_or(Value::Null, |detail| serde_json::to_value(detail).unwrap())
    }

    #[test]
    fn each_event_tells_its_own_detail() {
        let rows: [(&str, &[&str]); 15] = [
            ("available", &["apiIds"]),
            ("unavailable", &["apiIds"]),
            ("updated", &["serviceAPIDescriptions"]),
            ("onboarded", &["apiInvokerIds"]),
            ("offboarded", &["apiInvokerIds"]),
            ("invoker updated", &["apiInvokerIds"]),
            ("invoked", &["invocationLogs"]),
            ("access control updated", &["accCtrlPolList"]),
            ("access control gone", &["apiIds"]),
            ("revoked", &[]),
            ("hidden", &["apiTopoHide"]),
            ("shown", &["apiTopoHide"]),
            ("criteria failed", &["apiInvokerIds", "onboardingCriteria"]),
            ("asked", &["onboardedCount"]),
            ("discovered", &["discoveryCount"]),
        ];
        for ((what, happening), (named, members)) in happenings().into_iter().zip(rows) {
            assert_eq!(what, named);
            let detail = told(&happening, false);
            let seen: Vec<_> =
                detail.as_object().map(|object| object.keys().cloned().collect()).unwrap_or_default();
            assert_eq!(seen, members, "{what}");
        }
        let (_, available) = happenings().swap_remove(0);
        let described = told(&available, true);
        assert_eq!(
            described["serviceAPIDescriptions"][0]["apiName"], "ssan-sanm",
            "with ApiStatusMonitoring"
        );
    }

    #[test]
    fn each_invocation_is_an_event_of_its_own() {
        let entries = [("API1", "200"), ("API1", "204"), ("API1", "404"), ("API2", "OK"), ("API1", "20")];
        let invoked = Happening::Invoked { log: Box::new(log(&entries)) };
        let results = |event: CAPIFEvent| -> Vec<String> {
            let one = |happening: Happening| {
                let Happening::Invoked { log } = happening else { panic!("an invocation") };
                assert_eq!(log.logs.len(), 1);
                log.logs[0].result.clone()
            };
            invoked.as_event(&event).into_iter().map(one).collect()
        };
        assert_eq!(results(CAPIFEvent::ServiceApiInvocationSuccess), ["200", "204"]);
        assert_eq!(results(CAPIFEvent::ServiceApiInvocationFailure), ["404", "OK", "20"]);
        assert!(results(CAPIFEvent::ServiceApiUpdate).is_empty());
    }

    #[test]
    fn what_is_counted_is_counted_from_the_subscription_on() {
        let mut counts = Counts::default();
        let asked = Happening::AskedAtOnboarding { apis: vec![at("API1")] };
        let discovered =
            Happening::Discovered { asked: vec![at("API1"), at("API2")], told: vec![at("API1")] };
        for happening in [&asked, &asked, &discovered, &discovered] {
            counts.add(happening);
        }
        let told = |happening: &Happening| {
            serde_json::to_value(happening.clone().detail(&counts, false).unwrap()).unwrap()
        };
        assert_eq!(told(&asked), json!({ "onboardedCount": [{ "apiId": "API1", "count": 2 }] }));
        let expected = json!({ "discoveryCount": [
            { "apiId": "API1", "discoveryReqCount": 2, "discoveryRspCount": 2 },
            { "apiId": "API2", "discoveryReqCount": 2, "discoveryRspCount": 0 },
        ] });
        assert_eq!(told(&discovered), expected);
        for number in 0..2 * COUNTED {
            counts.add(&Happening::AskedAtOnboarding { apis: vec![at(&format!("X{number}"))] });
        }
        assert_eq!(counts.onboarded.len(), COUNTED, "a bound");
        let text = serde_json::to_string(&counts).unwrap();
        assert_eq!(serde_json::from_str::<Counts>(&text).unwrap(), counts, "it is kept");
    }
}
