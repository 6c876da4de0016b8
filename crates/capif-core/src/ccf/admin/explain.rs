//! `/capif/resources/explain` of `admin`: may an API invoker do something with a resource? Decided by what decides about
//! tokens; nothing is granted and nobody is asked.

use api_types::admin::{CapifExplain, CapifExplained, CapifOutcome, Check, CheckVerdict};
use api_types::capif::resource_auth::DefaultDecision;
use api_types::validate::{Validate, cause_of};
use authorization::Reason;
use authorization::capif::grant::Verdict;
use authorization::capif::owner_policy::{Ask, Asker, ResourceAuth, Target};
use authorization::policy::Position;
use service_http::refusal::Refusal;
use store::capif::{invokers, resources};

use super::{absent, resources as shown, wrong};
use crate::ccf::CcfServer;

impl CcfServer {
    /// What the owner's side says.
    ///
    /// # Errors
    /// Members at fault; no such resource, no such API invoker; the store fails.
    pub async fn explain(&self, asked: &CapifExplain) -> Result<CapifExplained, Refusal> {
        asked.validate("").map_err(|faults| Refusal::input(cause_of(&faults), faults))?;
        let wanted = asked.clone();
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move {
                let is_onboarded = invokers::find(tx, wanted.api_invoker_id.as_str()).await?.is_some();
                let row = resources::find(tx, wanted.aef_id.as_str(), wanted.resource_id.as_str()).await?;
                let resource = match row {
                    Some(row) => Some(shown::show(tx, row).await?),
                    None => None,
                };
                Ok((is_onboarded, resource))
            })
        });
        let (is_onboarded, resource) = read.await?;
        let resource = resource.ok_or_else(absent)?;
        if !is_onboarded {
            return Err(wrong("/apiInvokerId", "is no onboarded API invoker"));
        }
        let auth = ResourceAuth::from_wire(
            &resource.resource,
            &resource.owner_policies,
            DefaultDecision::Deny,
            true,
        );
        let auth = auth.map_err(|_| Refusal::open(Reason::StoreFailed))?;
        Ok(explained(&auth, asked, self.now_s()))
    }
}

fn explained(auth: &ResourceAuth, asked: &CapifExplain, now_s: i64) -> CapifExplained {
    let ask = Ask {
        who: Asker { invoker: asked.api_invoker_id.as_str(), ..Asker::default() },
        action: asked.action,
        target: asked.serv_info_ids.as_deref().map_or(Target::Whole, Target::Parts),
        purpose: asked.purpose.as_deref(),
        position: Position::Later,
        now_s,
    };
    let decision = auth.decide(&ask);
    let by = decision.by.map(str::to_owned);
    let (decision, reason, parts) = match decision.verdict {
        Verdict::Permit => (CapifOutcome::Permit, None, None),
        Verdict::PermitParts(parts) => (CapifOutcome::Permit, None, Some(parts)),
        Verdict::Ask => (CapifOutcome::Ask, Some(Reason::OwnerRequired), None),
        Verdict::Deny(reason) => (CapifOutcome::Deny, Some(reason), None),
    };
    let remedy = reason.map(|reason| reason.remedy().to_owned());
    CapifExplained {
        decision,
        reason: reason.map(|reason| reason.as_str().to_owned()),
        policy_id: by,
        serv_info_ids: parts,
        checks: vec![Check {
            check: "policy of the owner".to_owned(),
            verdict: if reason.is_none() { CheckVerdict::Pass } else { CheckVerdict::Fail },
            expected: "the owner, or a policy that permits and none that denies".to_owned(),
            seen: reason.map_or("held", |reason| reason.as_str()).to_owned(),
            remedy: remedy.clone(),
        }],
        remedy,
    }
}
