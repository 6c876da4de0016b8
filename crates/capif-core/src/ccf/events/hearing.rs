//! Who may hear of what (decision 0051). TS 29.222 lets everybody subscribe to everything and says nothing of permission:
//! here each party hears of itself, and of the service APIs that it may discover or exposes.

use std::collections::BTreeSet;

use api_types::capif::AefId;
use serde::{Deserialize, Serialize};
use service_http::peer::CertRole;
use store::capif::invokers::InvokerState;
use store::capif::{certificates, invokers, providers};
use store::subscriptions::SubscriptionRow;
use store::{Sql, StoreError};

use super::note::{ApiAt, Happening, aefs_of};
use super::state::{parsed, written};
use crate::ccf::CcfServer;
use crate::ccf::discover::{Criteria, Viewer};
use crate::ccf::party::Party;

/// What has become of a subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// It is on record, and has a certificate that counts.
    Stands(Hearer),
    /// It has no certificate that counts, and may get another one.
    Silent,
    /// It is not on record any more.
    Gone,
}

/// What is kept of a subscriber.
#[derive(Serialize, Deserialize)]
struct KeptParty {
    role: String,
    registration: String,
}

impl Standing {
    /// What of a party is kept with its subscription.
    pub(crate) fn kept(party: &Party) -> Result<String, StoreError> {
        written(&KeptParty { role: party.role.as_str().to_owned(), registration: party.registration.clone() })
    }

    /// What the records say now of the subscriber of `row`.
    pub(crate) async fn of(
        tx: &mut dyn Sql,
        ccf: &CcfServer,
        row: &SubscriptionRow,
    ) -> Result<Self, StoreError> {
        let kept: KeptParty = parsed(&row.standing)?;
        let role = kept.role.parse().map_err(|_| StoreError::Damaged("the role of a subscriber"))?;
        let (id, now_s) = (row.owner_subject.as_str(), ccf.now_s());
        let hearer = match role {
            CertRole::Invoker => invoker(tx, id, now_s).await?,
            _ => provider(tx, id, role, &kept.registration).await?,
        };
        let Some(hearer) = hearer else { return Ok(Self::Gone) };
        let counts = !certificates::live_of(tx, id, now_s).await?.is_empty();
        Ok(if counts { Self::Stands(hearer) } else { Self::Silent })
    }
}

async fn invoker(tx: &mut dyn Sql, id: &str, now_s: i64) -> Result<Option<Hearer>, StoreError> {
    let Some(row) = invokers::find(tx, id).await? else { return Ok(None) };
    if row.state != InvokerState::Onboarded || row.expires_s.is_some_and(|end| end <= now_s) {
        return Ok(None);
    }
    let viewer = Viewer::enrolled(tx, &row.enrolment_id).await?;
    Ok(Some(Hearer::Invoker { id: id.to_owned(), viewer, now_s }))
}

async fn provider(
    tx: &mut dyn Sql,
    id: &str,
    role: CertRole,
    registration: &str,
) -> Result<Option<Hearer>, StoreError> {
    let functions = providers::functions(tx, registration).await?;
    if !functions.iter().any(|function| function.function_id == id && function.role == role.as_str()) {
        return Ok(None);
    }
    let exposing = functions.into_iter().filter(|function| function.role == CertRole::Aef.as_str());
    let domain = exposing.map(|function| function.function_id).collect();
    Ok(Some(Hearer::Provider { role, id: id.to_owned(), domain }))
}

/// A party that is on record, as far as it matters for what it hears of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Hearer {
    /// An API invoker, and what it may discover, if that is on record.
    Invoker { id: String, viewer: Option<Viewer>, now_s: i64 },
    /// A function of an API provider, and the API exposing functions of its domain.
    Provider { role: CertRole, id: String, domain: BTreeSet<String> },
}

impl Hearer {
    /// What of a happening it may hear of; `None`: nothing. Pure.
    pub(crate) fn hears(&self, happening: Happening) -> Option<Happening> {
        match self {
            Self::Invoker { id, viewer, now_s } => of_invoker(id, viewer.as_ref(), *now_s, happening),
            Self::Provider { role, id, domain } => {
                // A function that exposes hears of itself, the others of their domain.
                let own = |aef: &AefId| match role {
                    CertRole::Aef => aef.as_str() == id,
                    _ => domain.contains(aef.as_str()),
                };
                of_provider(&own, domain, happening)
            }
        }
    }
}

fn of_invoker(id: &str, viewer: Option<&Viewer>, now_s: i64, happening: Happening) -> Option<Happening> {
    use Happening as H;
    let sees = |api: &_| viewer.is_some_and(|viewer| viewer.sees(api));
    // As a discovery would show it: what is active nowhere is not there.
    let shown = |api: Box<_>| {
        let api = Some(api).filter(|api| sees(api))?;
        Criteria { now_s, ..Criteria::default() }.narrow(&api).map(|api| Box::new(api.into_owned()))
    };
    match happening {
        H::ServiceApiAvailable { api } => shown(api).map(|api| H::ServiceApiAvailable { api }),
        H::ServiceApiUpdated { api } => shown(api).map(|api| H::ServiceApiUpdated { api }),
        H::ServiceApiUnavailable { ref api } => sees(api).then_some(happening),
        H::InvokerOnboarded { ref invoker }
        | H::InvokerOffboarded { ref invoker }
        | H::InvokerUpdated { ref invoker }
        | H::AuthorizationRevoked { ref invoker, .. } => (invoker.as_str() == id).then_some(happening),
        H::Invoked { ref log } => (log.api_invoker_id.as_str() == id).then_some(happening),
        H::AccessControlUpdated { api, mut policies } => {
            policies.retain(|policy| policy.api_invoker_id.as_str() == id);
            (!policies.is_empty()).then_some(H::AccessControlUpdated { api, policies })
        }
        H::CriteriaFailed { ref invoker, .. } => {
            invoker.as_ref().is_some_and(|invoker| invoker.as_str() == id).then_some(happening)
        }
        // Whose policies they were is not said; where a service API really is, is what is hidden; counts tell of others.
        H::AccessControlGone { .. }
        | H::TopologyHidden { .. }
        | H::TopologyShown { .. }
        | H::AskedAtOnboarding { .. }
        | H::Discovered { .. } => None,
    }
}

fn of_provider(
    own: &dyn Fn(&AefId) -> bool,
    domain: &BTreeSet<String>,
    happening: Happening,
) -> Option<Happening> {
    use Happening as H;
    let exposes = |aefs: &[AefId]| aefs.iter().any(own);
    let in_domain = |aefs: &[AefId]| aefs.iter().any(|aef| domain.contains(aef.as_str()));
    match happening {
        H::ServiceApiAvailable { .. } | H::ServiceApiUnavailable { .. } | H::ServiceApiUpdated { .. } => {
            let aefs = aefs_of(happening.service_api()?);
            in_domain(&aefs).then_some(happening)
        }
        // Whoever exposes has to know who may call: the identifiers, and nothing else of them.
        H::InvokerOnboarded { .. } | H::InvokerOffboarded { .. } | H::InvokerUpdated { .. } => {
            Some(happening)
        }
        H::CriteriaFailed { .. } => Some(happening),
        H::Invoked { ref log } => own(&log.aef_id).then_some(happening),
        H::AccessControlUpdated { ref api, .. }
        | H::AccessControlGone { ref api }
        | H::TopologyHidden { ref api, .. }
        | H::TopologyShown { ref api, .. } => exposes(&api.aefs).then_some(happening),
        // Without a function it ended everywhere.
        H::AuthorizationRevoked { ref aef, .. } => aef.as_ref().is_none_or(own).then_some(happening),
        H::AskedAtOnboarding { mut apis } => {
            apis.retain(|api: &ApiAt| in_domain(&api.aefs));
            (!apis.is_empty()).then_some(H::AskedAtOnboarding { apis })
        }
        H::Discovered { mut asked, mut told } => {
            asked.retain(|api| in_domain(&api.aefs));
            told.retain(|api| in_domain(&api.aefs));
            (!asked.is_empty() || !told.is_empty()).then_some(H::Discovered { asked, told })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, happenings, policy, service_api};
    use super::*;
    use crate::ccf::identifier::Realm;

    fn invoker(id: &str, apis: &[&str]) -> Hearer {
        let apis = apis.iter().map(|api| (*api).to_owned()).collect();
        Hearer::Invoker {
            id: id.to_owned(),
            viewer: Some(Viewer { apis, domain: None, realm: Realm::Native }),
            now_s: 0,
        }
    }

    fn provider(role: CertRole, id: &str, domain: &[&str]) -> Hearer {
        let domain = domain.iter().map(|aef| (*aef).to_owned()).collect();
        Hearer::Provider { role, id: id.to_owned(), domain }
    }

    #[test]
    fn each_hears_of_what_is_its_own() {
        let hearers = [
            invoker("INV1", &[]),
            invoker("INV2", &["other"]),
            provider(CertRole::Aef, "AEF1", &["AEF1", "AEF9"]),
            provider(CertRole::Aef, "AEF9", &["AEF1", "AEF9"]),
            provider(CertRole::Amf, "AMF1", &["AEF1"]),
            provider(CertRole::Apf, "APF2", &["AEF2"]),
        ];
        let rows = [
            // INV1, INV2, AEF1, AEF9 of the same domain, AMF1 of it, APF2 of another
            ("available", [true, false, true, true, true, false]),
            ("unavailable", [true, false, true, true, true, false]),
            ("updated", [true, false, true, true, true, false]),
            ("onboarded", [true, false, true, true, true, true]),
            ("offboarded", [true, false, true, true, true, true]),
            ("invoker updated", [true, false, true, true, true, true]),
            ("invoked", [true, false, true, false, true, false]),
            ("access control updated", [true, false, true, false, true, false]),
            ("access control gone", [false, false, true, false, true, false]),
            ("revoked", [true, false, true, false, true, false]),
            ("hidden", [false, false, true, false, true, false]),
            ("shown", [false, false, true, false, true, false]),
            ("criteria failed", [true, false, true, true, true, true]),
            ("asked", [false, false, true, true, true, false]),
            ("discovered", [false, false, true, true, true, false]),
        ];
        let samples = happenings();
        assert_eq!(samples.len(), rows.len(), "a row for each");
        for ((what, happening), (named, expected)) in samples.into_iter().zip(rows) {
            assert_eq!(what, named);
            let heard = hearers.iter().map(|hearer| hearer.hears(happening.clone()).is_some());
            assert_eq!(heard.collect::<Vec<_>>(), expected, "{what}");
        }
    }

    #[test]
    fn of_a_list_only_what_is_its_own_is_left() {
        let policies = vec![policy("INV1"), policy("INV2")];
        let updated = Happening::AccessControlUpdated { api: at("API1"), policies };
        let own = Happening::AccessControlUpdated { api: at("API1"), policies: vec![policy("INV1")] };
        assert_eq!(invoker("INV1", &[]).hears(updated.clone()), Some(own));
        assert_eq!(provider(CertRole::Aef, "AEF1", &["AEF1"]).hears(updated.clone()), Some(updated));
        let other = ApiAt { aefs: vec!["AEF2".parse().unwrap()], ..at("API2") };
        let discovered =
            Happening::Discovered { asked: vec![at("API1"), other.clone()], told: vec![other.clone()] };
        let left = Happening::Discovered { asked: vec![at("API1")], told: Vec::new() };
        assert_eq!(provider(CertRole::Apf, "APF1", &["AEF1"]).hears(discovered), Some(left));
    }

    #[test]
    fn an_invoker_hears_of_service_apis_that_it_may_discover() {
        let mut inactive = service_api();
        inactive.api_status = Some(Default::default());
        let updated = |api| Happening::ServiceApiUpdated { api: Box::new(api) };
        assert!(invoker("INV1", &["ssan-sanm"]).hears(updated(service_api())).is_some());
        assert!(invoker("INV1", &["ssan-disc"]).hears(updated(service_api())).is_none(), "not allowed");
        assert!(invoker("INV1", &[]).hears(updated(inactive.clone())).is_none(), "active nowhere");
        let gone = Happening::ServiceApiUnavailable { api: Box::new(inactive) };
        assert!(invoker("INV1", &[]).hears(gone).is_some(), "that it is gone");
        let unknown = Hearer::Invoker { id: "INV1".to_owned(), viewer: None, now_s: 0 };
        assert!(unknown.hears(updated(service_api())).is_none(), "nobody knows what it may use");
    }

    #[test]
    fn what_ended_everywhere_concerns_every_function() {
        let revoked = Happening::AuthorizationRevoked {
            invoker: "INV1".parse().unwrap(),
            aef: None,
            apis: vec!["API1".parse().unwrap()],
        };
        assert!(provider(CertRole::Aef, "AEF2", &["AEF2"]).hears(revoked).is_some());
    }
}
