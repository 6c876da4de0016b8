//! An operator by way of the console: `act`, roles, kind and age of the login (design, section 3; RFC 8693 4.1, RFC 9470).

use api_types::Function;
use authorization::Reason;

use crate::call::{Call, Ctx};
use crate::peer::CertRole;
use crate::refusal::{Challenge, ChallengeScheme, Refusal};
use crate::routes::{RouteSpec, StepUp};

/// Whether the token speaks for an operator who may use the route.
///
/// # Errors
/// The first of: it does not name the console as `act`, it has none of the roles, the login is of another kind, or is too old.
pub(super) fn check(ctx: &Ctx, call: &Call, spec: &RouteSpec, roles: &[CertRole]) -> Result<(), Refusal> {
    let caller = &call.caller;
    let console = Function::Console.as_str();
    // A token that the console got for itself, or that another function exchanged, speaks for no operator.
    if caller.user.is_none() || caller.actor.as_deref() != Some(console) {
        ctx.fail("operator", "sub is a user, act is the console", "another token");
        return Err(Refusal::open(Reason::HolderWrong));
    }
    let claims = call.claims();
    let wanted: Vec<&str> = roles.iter().map(|role| role.as_str()).collect();
    let words = format!("one role of: {}", wanted.join(" "));
    if !claims.roles.iter().any(|role| wanted.contains(&role.as_str())) {
        ctx.fail("role", words, "none of them");
        return Err(Refusal::open(Reason::RoleMissing));
    }
    ctx.pass("role", words, "held");
    let Some(StepUp { acr, max_age_s }) = spec.step_up else { return Ok(()) };
    // Both are told at once, so that one login heals either.
    let challenge = Challenge {
        scheme: Some(ChallengeScheme::Bearer),
        step_up: Some(Box::new(StepUp { acr, max_age_s })),
        ..Challenge::default()
    };
    if claims.acr.as_deref() != Some(acr) {
        ctx.fail("kind of the login", acr, "another");
        return Err(Refusal::open(Reason::LoginWeak).challenged(challenge));
    }
    ctx.pass("kind of the login", acr, acr);
    let expected = format!("a login of the last {max_age_s} s");
    let logged_in = claims.auth_time.map(|at| at.0);
    if logged_in.is_some_and(|at| ctx.ambient().now_s().saturating_sub(at) <= i64::from(max_age_s)) {
        ctx.pass("age of the login", expected, "fresh");
        return Ok(());
    }
    ctx.fail("age of the login", expected, "older");
    Err(Refusal::open(Reason::LoginStale).challenged(challenge))
}
