//! Tokens of a CAPIF core function at the guard: told from those of the SIM-S by their issuer and by nothing else, so that
//! neither passes for the other (NA-9; clauses 6.x.a and 6.x.b of the draft).

use authorization::capif::details::Action;
use authorization::capif::invocation::{self, Grants, Reach};
use authorization::{AccessClaims, IssuerRow, Reason};
use http::request::Parts;

use crate::call::Ctx;
use crate::exposure::Begun;
use crate::interfaces::api_of;
use crate::kit::FunctionKit;
use crate::peer::CertRole;
use crate::refusal::Refusal;
use crate::routes::RouteSpec;
use crate::verifier::VerifiedToken;

/// The procedure that a request with a token of a core function belongs to: solution #2 (TR 33.721 6.2.2.1).
const PROCEDURE: &str = "TR33.721-S2";
/// Its step 5: the request with the token.
const REQUEST: &str = "5";

/// Decides whether this interface takes tokens of this issuer, from a peer of this role: an API invoker has a certificate
/// of the core function, whoever else has none of it.
///
/// # Errors
/// [`Reason::IssuerWrong`], [`Reason::HolderWrong`].
pub(super) fn check_mode(
    kit: &FunctionKit,
    ctx: &Ctx,
    spec: &RouteSpec,
    issuer: &IssuerRow,
    role: Option<CertRole>,
) -> Result<(), Reason> {
    const EXPECTED: &str = "an issuer that opens this interface, and a certificate of its own root";
    if issuer.capif {
        ctx.set_step(PROCEDURE, REQUEST);
    }
    if let Err(reason) = kit.settings.interfaces.check(api_of(spec.path), issuer) {
        ctx.fail("mode of the interface", EXPECTED, "another issuer");
        return Err(reason);
    }
    let is_invoker = role == Some(CertRole::Invoker);
    // An API invoker always shows its certificate: its tokens are bound to it.
    if is_invoker != issuer.capif {
        ctx.fail("mode of the interface", EXPECTED, "a certificate of another root, or none");
        return Err(Reason::HolderWrong);
    }
    Ok(())
}

/// Decides whether subject and client are one, whom the token is bound to by a certificate: the core function grants nothing
/// for anybody else, and nothing unbound (design, section 3).
///
/// # Errors
/// [`Reason::HolderWrong`].
pub(super) fn check_subject(ctx: &Ctx, claims: &AccessClaims) -> Result<(), Reason> {
    const EXPECTED: &str = "sub and client_id of one API invoker, and its certificate in cnf";
    let bound = claims.cnf.as_ref().is_some_and(|cnf| cnf.x5t_s256.is_some());
    if claims.sub == claims.client_id.as_str() && bound {
        ctx.pass("subject of the token", EXPECTED, "held");
        return Ok(());
    }
    ctx.fail("subject of the token", EXPECTED, "of different ones, or unbound");
    Err(Reason::HolderWrong)
}

/// From here on the request is one of the API invoker, and goes into the log that the core function is sent, however it
/// ends. What came from whoever only has its token does not.
pub(super) fn invoked(ctx: &Ctx, parts: &Parts, path: &str, claims: &AccessClaims) {
    if ctx.kit().exposed.by().is_some() {
        ctx.set_invocation(Begun {
            issuer: claims.iss.clone(),
            invoker: claims.sub.clone(),
            uri: path.to_owned(),
            method: parts.method.clone(),
            version: parts.version,
        });
    }
}

/// Decides by the access control policy that the core function has for the API invoker (TS 29.222 8.6), and counts.
///
/// # Errors
/// [`Reason::InvocationLimit`], [`Reason::RateLimited`], [`Reason::OutsideAllowedTime`]; [`Reason::DependencyDown`] where
/// the policy cannot be had.
pub(super) async fn check_access_control(
    ctx: &Ctx,
    spec: &RouteSpec,
    claims: &AccessClaims,
) -> Result<(), Refusal> {
    const EXPECTED: &str = "within the access control policy of the API invoker";
    let Some(exposure) = ctx.kit().exposed.by() else { return Ok(()) };
    let api = api_of(spec.path);
    let decided = match exposure.admit(claims, api) {
        Some(decided) => decided,
        None => exposure.admit_asked(claims, api).await,
    };
    let Err(over) = decided else {
        ctx.pass("access control", EXPECTED, "held");
        return Ok(());
    };
    ctx.fail("access control", EXPECTED, over.reason.as_str());
    let refusal = Refusal::open(over.reason);
    Err(match over.retry_after_s {
        Some(seconds) => refusal.retry_after(u32::try_from(seconds).unwrap_or(u32::MAX)),
        None => refusal,
    })
}

/// Decides the stage `operation`: scope of TS 29.222, then whether the details leave anything of the operation.
///
/// # Errors
/// [`Reason::ScopeNarrow`], [`Reason::DetailsNarrow`].
pub(super) fn check_operation(ctx: &Ctx, spec: &RouteSpec, token: &VerifiedToken) -> Result<Grants, Reason> {
    let wanted = wanted(spec, token.issuer());
    let decided = decide(spec, token);
    match &decided {
        Ok(grants) => {
            let seen = if grants.is_coarse() { "held" } else { "held, narrowed by details" };
            ctx.pass("operation", wanted, seen);
        }
        Err(reason) => ctx.fail("operation", wanted, reason.as_str()),
    }
    decided
}

fn decide(spec: &RouteSpec, token: &VerifiedToken) -> Result<Grants, Reason> {
    let aef = token.issuer().audience.as_deref().unwrap_or_default();
    let grants = Grants::of_token(token.claims(), aef)?;
    let operation = invocation::operation(spec.operation).ok_or(Reason::ScopeNarrow)?;
    grants.check_operation(operation)?;
    // What a subscription tells of is not known beforehand: it needs the service.
    let is_subscription = operation.action == Action::Subscribe && operation.reach == Reach::Objects;
    if is_subscription && !grants.permits_service(operation.kind, operation.action) {
        return Err(Reason::DetailsNarrow);
    }
    Ok(grants)
}

/// The scope that would do.
pub(super) fn wanted(spec: &RouteSpec, issuer: &IssuerRow) -> String {
    format!("3gpp#{}:{}", issuer.audience.as_deref().unwrap_or_default(), api_of(spec.path))
}
