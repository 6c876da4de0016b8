//! `/capif/resources/explain` of `admin`: may an API invoker do something with a resource? Decided by what decides about
//! tokens; nothing is granted and nobody is asked.

use api_types::admin::{CapifExplain, CapifExplained, CapifOutcome, Check, CheckVerdict};
use api_types::validate::{Validate, cause_of};
use authorization::Reason;
use authorization::capif::details::{Details, Element, Level, Parts};
use authorization::capif::grant::{Side, Verdict};
use serde_json::json;
use service_http::refusal::Refusal;
use store::Sql;
use store::capif::{contexts, invokers, resources};

use super::{absent, wrong};
use crate::ccf::CcfServer;
use crate::ccf::resource_auth::info;
use crate::ccf::security::{Said, explain};

impl CcfServer {
    /// What would be decided, and by whom.
    ///
    /// # Errors
    /// Members at fault; no such resource, no such API invoker; the store fails.
    pub async fn explain(&self, asked: &CapifExplain) -> Result<CapifExplained, Refusal> {
        asked.validate("").map_err(|faults| Refusal::input(cause_of(&faults), faults))?;
        let (server, asked) = (self.clone(), asked.clone());
        let read =
            self.kit().store.read(move |tx| Box::pin(async move { Ok(decided(tx, &server, &asked).await) }));
        read.await?
    }
}

async fn decided(tx: &mut dyn Sql, ccf: &CcfServer, asked: &CapifExplain) -> Result<CapifExplained, Refusal> {
    let (aef, invoker) = (asked.aef_id.as_str(), asked.api_invoker_id.as_str());
    let row = resources::find(tx, aef, asked.resource_id.as_str()).await?.ok_or_else(absent)?;
    if invokers::find(tx, invoker).await?.is_none() {
        return Err(wrong("/apiInvokerId", "is no onboarded API invoker"));
    }
    let details = details(asked, info(&row)?.resource_type.as_str())?;
    let entries = contexts::entries_at(tx, invoker, aef).await?;
    let apis: Vec<String> =
        entries.into_iter().filter(|entry| entry.method == "OAUTH").map(|entry| entry.api_name).collect();
    let said = explain(tx, ccf, (invoker, aef), &apis, &details).await?;
    Ok(told(apis.is_empty(), &said))
}

/// The question as a token request would ask it.
fn details(asked: &CapifExplain, kind: &str) -> Result<Details, Refusal> {
    let mut element = json!({
        "type": kind, "level": "INSTANCE", "identifier": asked.resource_id, "actions": [asked.action],
    });
    if let Some(parts) = &asked.serv_info_ids {
        element["level"] = "SERVICE_INFO".into();
        element["datatypes"] = json!(["service-info"]);
        element["servInfoIds"] = json!(parts);
    }
    let element = json!([element]).to_string();
    Details::read(element.as_bytes(), &[])
        .map_err(|_| wrong("/action", "is nothing that can be asked for of it"))
}

fn told(without_api: bool, said: &Said) -> CapifExplained {
    let mut checks = vec![check(
        "negotiated APIs",
        "an API at this function that was negotiated with OAUTH",
        without_api.then_some(Reason::MethodNotNegotiated),
    )];
    for (side, verdict) in &said.sides {
        let expected = match side {
            Side::Local => "an API of the scope that serves it, and no rule of class local that denies",
            Side::Owner => "the owner, or a policy that permits and none that denies",
            Side::Permission => "a permission of the resource owner",
        };
        let refused = match verdict {
            Verdict::Permit | Verdict::PermitParts(_) => None,
            Verdict::Ask => Some(Reason::OwnerRequired),
            Verdict::Deny(reason) => Some(*reason),
        };
        checks.push(check(side.as_str(), expected, refused));
    }
    let can_ask = said.granted.to_ask().next().is_some();
    let (decision, reason) = match said.granted.check() {
        _ if without_api => (CapifOutcome::Deny, Some(Reason::MethodNotNegotiated)),
        Ok(_) => (CapifOutcome::Permit, None),
        Err(reason) if can_ask => (CapifOutcome::Ask, Some(reason)),
        Err(reason) => (CapifOutcome::Deny, Some(reason)),
    };
    CapifExplained {
        decision,
        reason: reason.map(|reason| reason.as_str().to_owned()),
        remedy: reason.map(|reason| reason.remedy().to_owned()),
        serv_info_ids: parts(said),
        checks,
    }
}

/// Entries of service information that are left, where the request named some.
fn parts(said: &Said) -> Option<Vec<String>> {
    let element = said.granted.check().ok()?.elements().iter().find_map(Element::spatial)?;
    match &element.level {
        Level::ServiceInfo(_, Parts::These(ids)) => Some(ids.clone()),
        _ => None,
    }
}

fn check(name: &str, expected: &str, refused: Option<Reason>) -> Check {
    Check {
        check: name.to_owned(),
        verdict: if refused.is_none() { CheckVerdict::Pass } else { CheckVerdict::Fail },
        expected: expected.to_owned(),
        seen: refused.map_or("held", Reason::as_str).to_owned(),
        remedy: refused.map(|reason| reason.remedy().to_owned()),
    }
}
