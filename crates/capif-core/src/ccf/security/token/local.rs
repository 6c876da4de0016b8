//! Local policy at the core function: what the operator forbids. Whoever is onboarded may ask for what its enrolment names,
//! unless a rule of class `local` denies it; operator and regulatory rules are decided where position and object are known.

use api_types::admin;
use authorization::capif::details::{Details, Element, Kind, Spatial};
use authorization::policy::{self, Ask, Class, Policy, Position};
use store::{MOST_DOCUMENTS, Sql, StoreError, policies};

/// Rules that are read at once. Own value.
const PAGE: u32 = 500;

/// Service identifiers of the spatial services, by which rules name their APIs.
const SERVICES: [(&str, &str); 3] =
    [("ssan-", "spatial-anchor-mgmt"), ("ssm-", "spatial-map-mgmt"), ("sm_smds", "spatial-map-mgmt")];

/// The rules of class `local`.
pub(in crate::ccf) struct LocalRules {
    rules: Vec<Policy>,
    /// Their version.
    pub(in crate::ccf) version: u64,
}

impl LocalRules {
    /// The rules as they are in this transaction.
    pub(in crate::ccf) async fn read(tx: &mut dyn Sql) -> Result<Self, StoreError> {
        let (mut rules, mut after, mut seen) = (Vec::new(), String::new(), 0_u64);
        loop {
            let page = policies::page(tx, &after, PAGE).await?;
            let Some(last) = page.last() else { break };
            after.clone_from(&last.id);
            seen = seen.saturating_add(page.len() as u64);
            if seen > MOST_DOCUMENTS {
                return Err(StoreError::Damaged("more policies than are looked at"));
            }
            for document in page {
                let wire: admin::Policy =
                    serde_json::from_str(&document.body).map_err(|_| StoreError::Damaged("policy"))?;
                if wire.class != Class::Local {
                    continue;
                }
                let id = document.id.try_into().map_err(|_| StoreError::Damaged("policy"))?;
                let rule = Policy::from_wire(id, document.version, &wire);
                rules.push(rule.map_err(|_| StoreError::Damaged("policy"))?);
            }
        }
        Ok(Self { rules, version: policies::version(tx).await? })
    }

    /// Whether no rule denies.
    pub(in crate::ccf) fn permits(
        &self,
        invoker: &str,
        api: &str,
        action: Option<&str>,
        resource: Option<&str>,
        now_s: i64,
    ) -> bool {
        let service =
            SERVICES.iter().find(|(prefix, _)| api.starts_with(prefix)).map(|(_, service)| *service);
        [Some(api), service].into_iter().flatten().all(|service| {
            let ask = Ask {
                subjects: &[invoker],
                service: Some(service),
                action,
                resource,
                position: Position::Later,
                now_s,
            };
            let decision = policy::decide_by(&self.rules, &ask, &[Class::Local]);
            decision.is_permit() || decision.by.is_none()
        })
    }

    /// What no rule denies of the details: action by action, in order.
    pub(super) fn within(&self, details: &Details, invoker: &str, apis: &[String], now_s: i64) -> Details {
        let left = details.elements().iter().filter_map(|element| match element {
            Element::Spatial(element) => self.left_of(element, invoker, apis, now_s).map(Element::Spatial),
            Element::Other(_) => None,
        });
        Details::of(left.collect())
    }

    fn left_of(&self, element: &Spatial, invoker: &str, apis: &[String], now_s: i64) -> Option<Spatial> {
        let prefix = match element.kind {
            Kind::SpatialAnchor => "ssan-",
            Kind::SpatialMap => "ssm-",
        };
        let of_kind: Vec<&String> = apis.iter().filter(|api| api.starts_with(prefix)).collect();
        // The scope stays the gate: a detail of an API that was not asked for opens nothing.
        if of_kind.is_empty() {
            return None;
        }
        let resource = element.level.instance().map(ToString::to_string);
        let may = |action: &&authorization::capif::details::Action| {
            of_kind
                .iter()
                .all(|api| self.permits(invoker, api, Some(action.as_str()), resource.as_deref(), now_s))
        };
        let actions: Vec<_> = element.actions.iter().filter(may).copied().collect();
        (!actions.is_empty()).then(|| Spatial { actions, ..element.clone() })
    }
}
