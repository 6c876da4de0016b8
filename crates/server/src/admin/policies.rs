//! `/policies`: rules of the operator, kept by each function (decision 0006).

use api_types::admin::{Page, Policy, PolicyExplain, PolicyExplained, PolicyOutcome};
use api_types::ids::PolicyId;
use api_types::problem::Cause;
use authorization::Reason;
use authorization::area::Point;
use authorization::policy::{self, Ask, Policy as Rule, Position};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::refusal::Refusal;

use super::everywhere::{self, Kept, Kind};
use super::query::Filters;
use super::{Admin, record};

/// `PUT /v1/policies/{policyId}`: every function of the process has it when this is answered.
pub(super) async fn put(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(id): Path<String>,
    JsonBody(policy): JsonBody<Policy>,
) -> Result<Response, Refusal> {
    let id = policy_id(id)?;
    let policy = Policy { policy_id: None, version: None, ..policy };
    Rule::from_wire(id.clone(), 0, &policy)
        .map_err(|invalid| Refusal::input(Cause::MandatoryIeIncorrect, invalid))?;
    let body = serde_json::to_string(&policy).map_err(|_| Refusal::open(Reason::StoreFailed))?;
    let act = ("admin.policy.put", format!("policies/{id}"));
    let (this, name) = (admin.clone(), id.clone());
    let work = async move {
        let turn = this.turn_of_documents().await;
        let put = everywhere::put(&this, Kind::Policy, name.as_str(), &body, None).await?;
        drop(turn);
        applied(&this).await?;
        Ok(put)
    };
    let put = record::act(&admin, &ctx, act, everywhere::status, work).await?;
    everywhere::wrote(&put, id.as_str(), policy)
}

/// `GET /v1/policies/{policyId}`
pub(super) async fn get(State(admin): State<Admin>, Path(id): Path<String>) -> Result<Response, Refusal> {
    everywhere::read::<Policy>(&admin, policy_id(id)?.as_str()).await
}

/// `GET /v1/policies?limit&cursor`
pub(super) async fn list(
    State(admin): State<Admin>,
    filters: Filters,
) -> Result<Json<Page<Policy>>, Refusal> {
    everywhere::list(&admin, &filters).await
}

/// `DELETE /v1/policies/{policyId}`
pub(super) async fn delete(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let id = policy_id(id)?;
    let (act, this) = (("admin.policy.delete", format!("policies/{id}")), admin.clone());
    let work = async move {
        let turn = this.turn_of_documents().await;
        everywhere::delete(&this, Kind::Policy, id.as_str()).await?;
        drop(turn);
        applied(&this).await
    };
    record::act(&admin, &ctx, act, |()| 204, work).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `POST /v1/policies/explain`: what the rules would say, without doing anything.
pub(super) async fn explain(
    State(admin): State<Admin>,
    ctx: Ctx,
    JsonBody(ask): JsonBody<PolicyExplain>,
) -> Result<Json<PolicyExplained>, Refusal> {
    let documents = everywhere::all(&admin.kit, Kind::Policy).await?;
    let mut rules = Vec::with_capacity(documents.len());
    for document in &documents {
        let (id, policy) = (policy_id(document.id.clone())?, Policy::of(document)?);
        let rule =
            Rule::from_wire(id, document.version, &policy).map_err(|_| Refusal::open(Reason::StoreFailed))?;
        rules.push(rule);
    }
    let now = admin.kit.ambient.now_s();
    record::looked(&admin, &ctx, "admin.policy.explain", "policies").await?;
    Ok(Json(explained(&rules, &ask, now)))
}

/// What the rules say; the version is that of the youngest rule.
fn explained(rules: &[Rule], asked: &PolicyExplain, now_s: i64) -> PolicyExplained {
    let subjects: Vec<&str> = asked.subjects.iter().map(String::as_str).collect();
    let position = match &asked.position {
        Some(place) => Position::At(Point { lon: place.lon, lat: place.lat }),
        None => Position::Later,
    };
    let ask = Ask {
        subjects: &subjects,
        service: asked.service.as_deref(),
        action: asked.action.as_deref(),
        resource: asked.resource.as_deref(),
        position,
        now_s: asked.at.map_or(now_s, |at| at.unix()),
    };
    let decision = policy::decide(rules, &ask);
    let matched: Vec<PolicyId> = policy::explain(rules, &ask)
        .into_iter()
        .filter(|row| row.matched)
        .map(|row| row.id.clone())
        .collect();
    let outcome = match (decision.is_permit(), decision.by) {
        (true, _) => PolicyOutcome::Permit,
        (false, Some(_)) => PolicyOutcome::Deny,
        (false, None) => PolicyOutcome::NotApplicable,
    };
    PolicyExplained {
        decision: outcome,
        policy_id: decision.by.map(|rule| rule.id.clone()),
        class: decision.by.map(|rule| rule.class),
        matched,
        version: rules.iter().map(|rule| rule.version).max().unwrap_or_default(),
    }
}

/// Tokens that the rules no longer give are revoked before the change is answered.
async fn applied(admin: &Admin) -> Result<(), Refusal> {
    match &admin.sim {
        Some(sim) => sim.policies_changed().await,
        None => Ok(()),
    }
}

impl Kept for Policy {
    const KIND: Kind = Kind::Policy;

    fn shown(self, id: &str, version: u64) -> Option<Self> {
        Some(Self { policy_id: Some(PolicyId::try_from(id).ok()?), version: Some(version), ..self })
    }
}

fn policy_id(text: String) -> Result<PolicyId, Refusal> {
    PolicyId::try_from(text).map_err(|_| super::query::refuse("policyId", "is not an identifier"))
}
