//! What a handler knows of the request in hand: its context, and, behind the guard, its caller.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use api_types::function::Function;
use api_types::ids::ValServiceId;
use api_types::secret::Secret;
use authorization::capif::invocation::Grants;
use authorization::{AccessClaims, Caller, Check, Reason, Verdict};
use axum::extract::FromRequestParts;
use http::request::Parts;
use jose::dpop::DpopChecked;

use crate::ambient::Ambient;
use crate::exposure::Begun;
use crate::kit::FunctionKit;
use crate::peer::{CertRole, Peer};
use crate::refusal::Refusal;
use crate::response::TraceContext;
use crate::routes::{RouteSpec, Step};
use crate::verifier::VerifiedToken;

/// Most checks that one request records. Own value.
const CHECKS_MAX: usize = 128;

/// Most steps that one request records beside that of its route. Own value.
const STEPS_MAX: usize = 64;

/// The context of one request, on every route. Cheap to clone; all clones share one record.
#[derive(Clone)]
pub struct Ctx(Arc<Inner>);

struct Inner {
    kit: FunctionKit,
    trace: TraceContext,
    peer: Option<Peer>,
    route: OnceLock<&'static RouteSpec>,
    actor: OnceLock<Actor>,
    step: OnceLock<(&'static str, &'static str)>,
    checks: Mutex<Vec<Check>>,
    steps: Mutex<Vec<ExtraStep>>,
    permitted: AtomicBool,
    invocation: OnceLock<Begun>,
}

/// A procedure step beside that of the route.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtraStep {
    /// As `TR33.721-S1`.
    pub procedure: &'static str,
    /// Number in the source.
    pub step: &'static str,
    /// Who sends, as `SIM-S`.
    pub from: String,
    /// Who receives.
    pub to: String,
    /// The message as the source names it.
    pub message: String,
    /// Checks that belong to this step alone.
    pub checks: Vec<Check>,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
}

/// Who acts, as audit and charging name it.
#[derive(Clone, PartialEq, Eq)]
pub struct Actor {
    /// A client as it is, or the pseudonym of a user.
    pub name: String,
    /// The client, where one is known.
    pub client: Option<String>,
    /// The SEAL client or server that speaks, as the diagrams name it.
    pub label: &'static str,
}

impl Actor {
    /// Nobody that is known yet.
    pub fn anonymous() -> Self {
        Self { name: "anonymous".to_owned(), client: None, label: "peer" }
    }

    /// A machine client, named as it is.
    pub fn client(client: &str) -> Self {
        Self { name: client.to_owned(), client: Some(client.to_owned()), label: "VAL server" }
    }

    /// The client of a VAL UE before its user is known, named as it is.
    pub fn ue(client: &str) -> Self {
        Self { label: "VAL UE", ..Self::client(client) }
    }

    /// A user, named by a pseudonym, by way of `client`.
    pub fn user(kit: &FunctionKit, user: &str, client: &str) -> Self {
        Self { name: kit.pseudonym(user), client: Some(client.to_owned()), label: "VAL UE" }
    }

    /// An operator, named by a pseudonym, and the function that acts for him (RFC 8693 4.1).
    pub fn operator(kit: &FunctionKit, user: &str, by: &str) -> Self {
        let name = format!("{}{}", kit.pseudonym(user), acting(by));
        Self { name, client: Some(by.to_owned()), label: "administrator" }
    }

    /// Another function, for itself.
    pub fn function(name: &str) -> Self {
        let label = name.parse().map_or("function", crate::record::server);
        Self { name: name.to_owned(), client: Some(name.to_owned()), label }
    }

    /// Whoever holds the certificate of the connection: a client or function by its name, a person by role and name.
    pub fn peer(peer: Option<&Peer>) -> Self {
        let Some(certificate) = peer.and_then(|peer| peer.certificate.as_ref()) else {
            return Self::anonymous();
        };
        match certificate.role {
            CertRole::Client => Self::client(&certificate.name),
            CertRole::Function => Self::function(&certificate.name),
            CertRole::Invoker => Self { label: "API invoker", ..Self::client(&certificate.name) },
            CertRole::Aef => Self { label: "AEF", ..Self::client(&certificate.name) },
            CertRole::Apf => Self { label: "APF", ..Self::client(&certificate.name) },
            CertRole::Amf => Self { label: "AMF", ..Self::client(&certificate.name) },
            CertRole::Ccf => Self { label: "CCF", ..Self::client(&certificate.name) },
            role => {
                Self { name: format!("{role}:{}", certificate.name), client: None, label: "administrator" }
            }
        }
    }
}

/// What follows the name of an operator in records: who acted for him.
pub fn acting(by: &str) -> String {
    format!("/{by}")
}

impl fmt::Debug for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Actor").field("label", &self.label).finish_non_exhaustive()
    }
}

impl Ctx {
    /// The context of a request that begins.
    pub fn new(kit: FunctionKit, trace: TraceContext, peer: Option<Peer>) -> Self {
        Self(Arc::new(Inner {
            kit,
            trace,
            peer,
            route: OnceLock::new(),
            actor: OnceLock::new(),
            step: OnceLock::new(),
            checks: Mutex::new(Vec::new()),
            steps: Mutex::new(Vec::new()),
            permitted: AtomicBool::new(false),
            invocation: OnceLock::new(),
        }))
    }

    /// The surroundings.
    pub fn kit(&self) -> &FunctionKit {
        &self.0.kit
    }

    /// The function that serves.
    pub fn function(&self) -> Function {
        self.0.kit.function
    }

    /// Clock and randomness.
    pub fn ambient(&self) -> &Ambient {
        &self.0.kit.ambient
    }

    /// The trace.
    pub fn trace(&self) -> &TraceContext {
        &self.0.trace
    }

    /// The other end of the connection; `None` only where a router was built without the edge.
    pub fn peer(&self) -> Option<&Peer> {
        self.0.peer.as_ref()
    }

    /// The route, once the guard has seen the request.
    pub fn route(&self) -> Option<&'static RouteSpec> {
        self.0.route.get().copied()
    }

    /// The operation id of the route, else `unrouted`.
    pub fn operation(&self) -> &'static str {
        self.route().map_or("unrouted", |route| route.operation)
    }

    pub(crate) fn set_route(&self, route: &'static RouteSpec) {
        let _ = self.0.route.set(route);
    }

    /// Says that the request is a step of another procedure than its route names: the same message with a token of another
    /// issuer.
    pub(crate) fn set_step(&self, procedure: &'static str, step: &'static str) {
        let _ = self.0.step.set((procedure, step));
    }

    /// The step that the request is.
    pub(crate) fn route_step(&self, of_route: Step) -> Step {
        match self.0.step.get() {
            Some((procedure, step)) => Step { procedure, step, ..of_route },
            None => of_route,
        }
    }

    /// Names who acts. The first name stays.
    pub fn set_actor(&self, actor: Actor) {
        let _ = self.0.actor.set(actor);
    }

    /// Who acts: the caller behind the guard, else the certificate of the peer, else nobody.
    pub fn actor(&self) -> Actor {
        self.0.actor.get().cloned().unwrap_or_else(|| Actor::peer(self.peer()))
    }

    /// Records a check. Texts hold no secret and no personal data: they stand in traces.
    pub fn push(&self, check: Check) {
        let mut checks = self.0.checks.lock().unwrap_or_else(PoisonError::into_inner);
        if checks.len() < CHECKS_MAX {
            checks.push(check);
        }
    }

    /// Records a check that held.
    pub fn pass(&self, check: &'static str, expected: impl Into<Text>, seen: impl Into<Text>) {
        self.push(made(check, Verdict::Pass, expected.into(), seen.into()));
    }

    /// Records a check that did not hold.
    pub fn fail(&self, check: &'static str, expected: impl Into<Text>, seen: impl Into<Text>) {
        self.push(made(check, Verdict::Fail, expected.into(), seen.into()));
    }

    /// Records a check that had nothing to check.
    pub fn skip(&self, check: &'static str, expected: impl Into<Text>) {
        self.push(made(check, Verdict::Skip, expected.into(), "".into()));
    }

    /// The checks made so far.
    pub fn checks(&self) -> Vec<Check> {
        self.0.checks.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The checks made, for the record that is kept of them.
    pub(crate) fn take_checks(&self) -> Vec<Check> {
        std::mem::take(&mut *self.0.checks.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Records a procedure step beside that of the route, as `ctx.step("TR33.721-S1", "A2", "SIM-C", "SIM-S", "token request")`.
    pub fn step(
        &self,
        procedure: &'static str,
        step: &'static str,
        from: impl Into<String>,
        to: impl Into<String>,
        message: impl Into<String>,
    ) {
        self.step_checked(procedure, step, from, to, message, Vec::new());
    }

    /// As [`Ctx::step`], with checks of its own.
    pub fn step_checked(
        &self,
        procedure: &'static str,
        step: &'static str,
        from: impl Into<String>,
        to: impl Into<String>,
        message: impl Into<String>,
        checks: Vec<Check>,
    ) {
        let mut steps = self.0.steps.lock().unwrap_or_else(PoisonError::into_inner);
        if steps.len() < STEPS_MAX {
            steps.push(ExtraStep {
                procedure,
                step,
                from: from.into(),
                to: to.into(),
                message: message.into(),
                checks,
                at_ms: self.ambient().now_ms(),
            });
        }
    }

    pub(crate) fn extra_steps(&self) -> Vec<ExtraStep> {
        std::mem::take(&mut *self.0.steps.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Says that the request is an invocation by an API invoker that has proved to be the one of its token.
    pub(crate) fn set_invocation(&self, begun: Begun) {
        let _ = self.0.invocation.set(begun);
    }

    /// The invocation that the request is.
    pub(crate) fn invocation(&self) -> Option<&Begun> {
        self.0.invocation.get()
    }

    pub(crate) fn set_permitted(&self) {
        self.0.permitted.store(true, Ordering::Release);
    }

    /// Whether a permit was recorded for this request.
    pub fn is_permitted(&self) -> bool {
        self.0.permitted.load(Ordering::Acquire)
    }
}

/// A text of a check: most are constant.
type Text = std::borrow::Cow<'static, str>;

fn made(check: &'static str, verdict: Verdict, expected: Text, seen: Text) -> Check {
    Check { check: check.into(), verdict, expected, seen }
}

impl fmt::Debug for Ctx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx")
            .field("function", &self.function())
            .field("operation", &self.operation())
            .finish_non_exhaustive()
    }
}

impl<S: Sync> FromRequestParts<S> for Ctx {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        // Absent only where a router was built without the recording layer: nothing is served then.
        parts.extensions.get::<Self>().cloned().ok_or_else(|| Refusal::open(Reason::StoreFailed))
    }
}

/// An admitted request: everything up to `operation` has held.
#[derive(Clone)]
pub struct Call {
    /// Who calls.
    pub caller: Arc<Caller>,
    /// The request.
    pub ctx: Ctx,
    session: Arc<Session>,
    only: Option<ValServiceId>,
    grants: Option<Arc<Grants>>,
}

/// The token of a call and the proof that came with it.
pub(crate) struct Session {
    pub(crate) token: VerifiedToken,
    pub(crate) presented: Secret,
    pub(crate) x5t: Option<String>,
    pub(crate) proof: Option<DpopChecked>,
    pub(crate) proof_spent: AtomicBool,
}

impl Call {
    pub(crate) fn new(caller: Arc<Caller>, ctx: Ctx, session: Session) -> Self {
        Self { caller, ctx, session: Arc::new(session), only: None, grants: None }
    }

    /// The same call, with what the details of its token leave of it.
    pub(crate) fn narrowed(mut self, grants: Option<Grants>) -> Self {
        self.grants = grants.map(Arc::new);
        self
    }

    /// What a token of a CAPIF core function grants, by service, instance and service information; `None`: the token is
    /// of the SIM-S, whose scopes say it all.
    pub fn grants(&self) -> Option<&Grants> {
        self.grants.as_deref()
    }

    /// The same call, opened for the objects of one VAL service only (GEN-7).
    pub(crate) fn only_of(mut self, val_service: Option<ValServiceId>) -> Self {
        self.only = val_service;
        self
    }

    /// Whether the token opens anything of this VAL service: one by the scope of an added service opens that service's
    /// objects and no other.
    pub fn opens_service(&self, val_service: &str) -> bool {
        self.only.as_ref().is_none_or(|only| only.as_str() == val_service)
    }

    /// The one VAL service whose objects the token opens, where it is not for all.
    pub fn only(&self) -> Option<&ValServiceId> {
        self.only.as_ref()
    }

    /// The claims of the token, verified.
    pub fn claims(&self) -> &AccessClaims {
        self.session.token.claims()
    }

    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// The token as it was presented: for an exchange in the caller's name (RFC 8693), and nothing else.
    pub fn presented(&self) -> &Secret {
        &self.session.presented
    }

    /// Decides again whether lease, revocations and expiry let the token stand: before a write is committed, and once
    /// a second in a stream (design, section 2, "Revocation").
    ///
    /// # Errors
    /// The reason; [`Reason::LeaseExpired`] when the issuer has not been heard of in time.
    pub fn recheck(&self) -> Result<(), Reason> {
        self.session.token.recheck(self.ctx.ambient(), self.session.x5t.as_deref())
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").field("ctx", &self.ctx).finish_non_exhaustive()
    }
}

/// Extractor of the [`Call`] that the guard let through; refuses on a route that the guard does not protect.
#[derive(Clone, Debug)]
pub struct Authorized(pub Call);

impl<S: Sync> FromRequestParts<S> for Authorized {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refusal> {
        let call = parts.extensions.get::<Call>().cloned();
        call.map(Self).ok_or_else(|| Refusal::open(Reason::TokenMissing))
    }
}
