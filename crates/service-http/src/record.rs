//! What remains of a request: the audit of a refusal, the steps of its trace, and why it was decided so.
//!
//! Two layers: [`open`] inside of [`crate::response::finish`] makes the [`Ctx`] as soon as the trace is known,
//! [`close`] outside of it sees what was answered, whoever answered.

use std::net::IpAddr;
use std::sync::{Arc, OnceLock};

use api_types::DateTime;
use api_types::function::Function;
use api_types::ids::TraceId;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use store::audit::AuditRow;

use authorization::Reason;

use crate::audit_sink::Denied;
use crate::call::{Actor, Ctx};
use crate::kit::FunctionKit;
use crate::ledger::{DENY, PERMIT};
use crate::peer::Peer;
use crate::refusal::{Refusal, RefusalRecord};
use crate::response::{TRACEPARENT, TraceContext};
use crate::routes::{MatchedRoute, Step};
use crate::trace::{Draft, DraftStep, DraftWhy, Written, checks};

/// Where the inner layer leaves the context for the outer one.
#[derive(Clone, Default)]
struct Slot(Arc<OnceLock<Ctx>>);

/// Makes the context of a request.
pub(crate) async fn open(State(kit): State<FunctionKit>, mut request: Request, next: Next) -> Response {
    let extensions = request.extensions_mut();
    let Some(trace) = extensions.get::<TraceContext>().cloned() else {
        return Refusal::open(Reason::StoreFailed).into_response();
    };
    let peer = extensions.get::<Peer>().cloned();
    let ctx = Ctx::new(kit, trace, peer);
    if let Some(slot) = extensions.get::<Slot>() {
        let _ = slot.0.set(ctx.clone());
    }
    extensions.insert(ctx);
    next.run(request).await
}

/// Records what was answered.
pub(crate) async fn close(State(kit): State<FunctionKit>, mut request: Request, next: Next) -> Response {
    let slot = Slot::default();
    request.extensions_mut().insert(slot.clone());
    let peer = request.extensions().get::<Peer>().cloned();
    let response = next.run(request).await;
    let answered = Answered {
        at_ms: kit.ambient.now_ms(),
        ctx: slot.0.get().cloned(),
        peer,
        refusal: response.extensions().get::<RefusalRecord>().cloned(),
        route: response.extensions().get::<MatchedRoute>().copied(),
        trace: trace_of(&response),
        status: response.status().as_u16(),
    };
    answered.keep(&kit);
    response
}

struct Answered {
    at_ms: i64,
    ctx: Option<Ctx>,
    peer: Option<Peer>,
    refusal: Option<RefusalRecord>,
    route: Option<MatchedRoute>,
    trace: Option<TraceId>,
    status: u16,
}

impl Answered {
    fn keep(self, kit: &FunctionKit) {
        let Some(trace) = self.trace.clone() else { return };
        // A panic loses what the response would have said; the context knows the route as well.
        let route = self.route.map(|route| route.0).or_else(|| self.ctx.as_ref().and_then(Ctx::route));
        let operation = route.map_or("unrouted", |route| route.operation);
        let actor = self.ctx.as_ref().map_or_else(|| Actor::peer(self.peer.as_ref()), Ctx::actor);
        if let Some(refusal) = &self.refusal {
            kit.audit.deny(self.denied(kit, refusal, &actor, operation, &trace));
        }
        // What nobody decided and no procedure names (a health check, a metadata document) leaves no trace.
        let decided = self.refusal.is_some() || self.ctx.as_ref().is_some_and(Ctx::is_permitted);
        let step = route.and_then(|route| route.step);
        let step = step.map(|step| self.ctx.as_ref().map_or(step, |ctx| ctx.route_step(step)));
        if let Some(record) = self.record(kit, &actor, operation, step, &trace, decided) {
            kit.traces.push(record);
        }
    }

    fn denied(
        &self,
        kit: &FunctionKit,
        refusal: &RefusalRecord,
        actor: &Actor,
        operation: &'static str,
        trace: &TraceId,
    ) -> Denied {
        let source: Option<IpAddr> = self.peer.as_ref().map(|peer| peer.addr.ip());
        let source_name =
            source.map_or_else(|| "s_unknown".to_owned(), |ip| kit.pseudonyms.source(&ip.to_string()));
        Denied {
            row: AuditRow {
                at_ms: self.at_ms,
                function: kit.function,
                actor: actor.name.clone(),
                owner: None,
                action: operation.to_owned(),
                object: None,
                verdict: DENY.to_owned(),
                reason: Some(refusal.reason.as_str().to_owned()),
                cause: Some(refusal.cause.as_str().to_owned()),
                status: Some(refusal.status),
                policy_version: None,
                consent_version: None,
                trace: Some(trace.to_string()),
            },
            reason: refusal.reason,
            source,
            source_name,
        }
    }

    fn record(
        &self,
        kit: &FunctionKit,
        actor: &Actor,
        operation: &'static str,
        step: Option<Step>,
        trace: &TraceId,
        decided: bool,
    ) -> Option<Written> {
        let reason = self.refusal.as_ref().map(|refusal| refusal.reason);
        let mut made = self.ctx.as_ref().map(Ctx::checks).unwrap_or_default();
        if let Some(refusal) = &self.refusal {
            made.extend(refusal.checks.iter().cloned());
            // A refusal that nobody explained is explained by its reason.
            if !made.iter().any(|check| check.verdict == authorization::Verdict::Fail) {
                made.push(authorization::Check::refused(refusal.reason));
            }
        }
        let trace = trace.as_str();
        let at = DateTime::from_unix(self.at_ms.div_euclid(1_000));
        let mut steps = Vec::new();
        if let Some(step) = step {
            steps.push(DraftStep {
                trace,
                procedure: step.procedure,
                step: step.step,
                from: sender(kit.function, actor),
                to: server(kit.function),
                message: step.message,
                checks: checks(&made, reason),
                at,
            });
        }
        // Checks that stand with the step are not kept with the decision again.
        let with_step = !steps.is_empty();
        let extra = self.ctx.as_ref().map(Ctx::extra_steps).unwrap_or_default();
        for extra in &extra {
            steps.push(DraftStep {
                trace,
                procedure: extra.procedure,
                step: extra.step,
                from: &extra.from,
                to: &extra.to,
                message: &extra.message,
                checks: checks(&extra.checks, None),
                at: DateTime::from_unix(extra.at_ms.div_euclid(1_000)),
            });
        }
        if !decided && steps.is_empty() {
            return None;
        }
        let why = decided.then(|| DraftWhy {
            trace,
            verdict: if reason.is_some() { DENY } else { PERMIT },
            reason: reason.map(Reason::as_str),
            cause: self.refusal.as_ref().map(|refusal| refusal.cause.as_str()),
            status: self.status,
            function: kit.function,
            operation,
            checks: if with_step { Vec::new() } else { checks(&made, reason) },
            at,
        });
        let link = self.ctx.as_ref().and_then(|ctx| ctx.trace().link.as_ref());
        Some(Draft { trace, link: link.map(TraceId::as_str), at_ms: self.at_ms, steps, why }.written())
    }
}

/// The trace of a response, by its header: it is there whoever answered.
fn trace_of(response: &Response) -> Option<TraceId> {
    let value = response.headers().get(TRACEPARENT)?.to_str().ok()?;
    TraceId::try_from(value.split('-').nth(1)?.to_owned()).ok()
}

/// A function, as the diagrams of the sources name it.
pub const fn server(function: Function) -> &'static str {
    match function {
        Function::Admin => "admin",
        Function::Sim => "SIM-S",
        Function::Ccf => "CCF",
        Function::San => "SAn-S",
        Function::Sm => "SM-S",
        Function::Lm => "LM-S",
        Function::Console => "console",
    }
}

/// Who speaks to a function: its SEAL client in a VAL UE, or what else the actor is.
fn sender(function: Function, actor: &Actor) -> &'static str {
    match (actor.label, function) {
        ("peer" | "VAL UE", Function::Sim) => "SIM-C",
        ("peer" | "VAL UE", Function::San) => "SAn-C",
        ("peer" | "VAL UE", Function::Sm) => "SM-C",
        ("peer" | "VAL UE", Function::Lm) => "LM-C",
        (label, _) => label,
    }
}
