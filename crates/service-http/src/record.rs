//! What remains of a request: the audit of a refusal, the steps of its trace, and why it was decided so.
//!
//! [`crate::response::finish_recorded`] makes the [`Ctx`] as soon as the trace is known, and sees what was answered,
//! whoever answered.

use std::net::IpAddr;
use std::time::Duration;

use api_types::DateTime;
use api_types::function::Function;
use api_types::ids::TraceId;
use axum::response::Response;
use store::audit::AuditRow;

use authorization::Reason;

use crate::audit_sink::Denied;
use crate::call::{Actor, Ctx};
use crate::exposure::Invocation;
use crate::interfaces::api_of;
use crate::kit::FunctionKit;
use crate::ledger::{DENY, PERMIT};
use crate::peer::Peer;
use crate::refusal::RefusalRecord;
use crate::routes::{MatchedRoute, Step};
use crate::trace::{Draft, DraftStep, DraftWhy, Written, checks};

/// Records what was answered; `ctx` is absent where the request was refused before it had one.
pub(crate) fn keep(
    kit: &FunctionKit,
    ctx: Option<Ctx>,
    peer: Option<Peer>,
    trace: TraceId,
    began: Duration,
    response: &Response,
) {
    let answered = Answered {
        at_ms: kit.ambient.now_ms(),
        ctx,
        peer,
        refusal: response.extensions().get::<RefusalRecord>().cloned(),
        route: response.extensions().get::<MatchedRoute>().copied(),
        trace,
        status: response.status().as_u16(),
    };
    if let Some(ctx) = &answered.ctx {
        invoked(kit, ctx, began, answered.status);
    }
    answered.keep(kit);
}

/// Tells the exposure of a function that an invocation has ended.
fn invoked(kit: &FunctionKit, ctx: &Ctx, began: Duration, status: u16) {
    let (Some(exposure), Some(begun), Some(route)) = (kit.exposed.by(), ctx.invocation(), ctx.route()) else {
        return;
    };
    let took = kit.ambient.monotonic().saturating_sub(began);
    let took_ms = i64::try_from(took.as_millis()).unwrap_or(i64::MAX);
    exposure.ended(Invocation {
        issuer: begun.issuer.clone(),
        invoker: begun.invoker.clone(),
        api: api_of(route.path).to_owned(),
        resource: route.path.to_owned(),
        uri: begun.uri.clone(),
        method: begun.method.clone(),
        version: begun.version,
        status,
        at_ms: kit.ambient.now_ms().saturating_sub(took_ms),
        took,
    });
}

struct Answered {
    at_ms: i64,
    ctx: Option<Ctx>,
    peer: Option<Peer>,
    refusal: Option<RefusalRecord>,
    route: Option<MatchedRoute>,
    trace: TraceId,
    status: u16,
}

impl Answered {
    fn keep(self, kit: &FunctionKit) {
        let trace = self.trace.clone();
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
        let mut made = self.ctx.as_ref().map(Ctx::take_checks).unwrap_or_default();
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
                procedure: step.procedure,
                step: step.step,
                from: sender(kit.function, actor),
                to: server(kit.function),
                message: step.message,
                checks: checks(&made, reason),
                at: None,
            });
        }
        // Checks that stand with the step are not kept with the decision again.
        let with_step = !steps.is_empty();
        let extra = self.ctx.as_ref().map(Ctx::extra_steps).unwrap_or_default();
        for extra in &extra {
            let extra_at = DateTime::from_unix(extra.at_ms.div_euclid(1_000));
            steps.push(DraftStep {
                procedure: extra.procedure,
                step: extra.step,
                from: &extra.from,
                to: &extra.to,
                message: &extra.message,
                checks: checks(&extra.checks, None),
                at: (extra_at != at).then_some(extra_at),
            });
        }
        if !decided && steps.is_empty() {
            return None;
        }
        let why = decided.then(|| DraftWhy {
            verdict: if reason.is_some() { DENY } else { PERMIT },
            reason: reason.map(Reason::as_str),
            cause: self.refusal.as_ref().map(|refusal| refusal.cause.as_str()),
            status: self.status,
            function: kit.function,
            operation,
            checks: if with_step { Vec::new() } else { checks(&made, reason) },
        });
        let link = self.ctx.as_ref().and_then(|ctx| ctx.trace().link.as_ref());
        Some(Draft { trace, link: link.map(TraceId::as_str), at_ms: self.at_ms, steps, why }.written())
    }
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
        Function::Udm => "UDM",
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
