//! Local policy at the core function: what the operator forbids. Whoever is onboarded may ask for what its enrolment names,
//! unless a rule of class `local` denies it; operator and regulatory rules are decided where position and object are known.

use std::sync::{Arc, PoisonError, RwLock};

use api_types::admin;
use authorization::Reason;
use authorization::capif::details::Kind;
use authorization::capif::grant::{Question, Verdict};
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

/// The rules as they were last read. A job compares their version with that of its transaction, so that it never decides by
/// older ones, and needs not read and parse all of them for each token.
#[derive(Default)]
pub(in crate::ccf) struct KeptRules(RwLock<Option<Arc<LocalRules>>>);

impl KeptRules {
    /// Reads them where they have changed: in a snapshot, before the job.
    ///
    /// # Errors
    /// The store fails.
    pub(in crate::ccf) async fn look(&self, tx: &mut dyn Sql) -> Result<(), StoreError> {
        if self.at(policies::version(tx).await?).is_none() {
            let read = Arc::new(LocalRules::read(tx).await?);
            *self.0.write().unwrap_or_else(PoisonError::into_inner) = Some(read);
        }
        Ok(())
    }

    /// The rules as the transaction sees them.
    ///
    /// # Errors
    /// The store fails.
    pub(in crate::ccf) async fn of(&self, tx: &mut dyn Sql) -> Result<Arc<LocalRules>, StoreError> {
        match self.at(policies::version(tx).await?) {
            Some(rules) => Ok(rules),
            // What a job of the same batch has changed may still be undone: it is not kept.
            None => LocalRules::read(tx).await.map(Arc::new),
        }
    }

    fn at(&self, version: u64) -> Option<Arc<LocalRules>> {
        let held = self.0.read().unwrap_or_else(PoisonError::into_inner);
        held.as_ref().filter(|rules| rules.version == version).cloned()
    }
}

impl LocalRules {
    /// The rules as they are in this transaction.
    async fn read(tx: &mut dyn Sql) -> Result<Self, StoreError> {
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

    /// What local policy says to a question about what is asked for: APIs of the scope that serve it, and no rule that
    /// denies.
    pub(super) fn judge(
        &self,
        question: &Question<'_>,
        (invoker, apis): (&str, &[String]),
        now_s: i64,
    ) -> Verdict {
        let Question::Spatial { element, action } = question else {
            return Verdict::Deny(Reason::NotEntitled);
        };
        let prefix = match element.kind {
            Kind::SpatialAnchor => "ssan-",
            Kind::SpatialMap => "ssm-",
        };
        let resource = element.level.instance().map(ToString::to_string);
        let mut of_kind = apis.iter().filter(|api| api.starts_with(prefix)).peekable();
        // The scope stays the gate: a detail of an API that was not asked for opens nothing.
        let permitted = of_kind.peek().is_some()
            && of_kind
                .all(|api| self.permits(invoker, api, Some(action.as_str()), resource.as_deref(), now_s));
        if permitted { Verdict::Permit } else { Verdict::Deny(Reason::NotEntitled) }
    }
}
