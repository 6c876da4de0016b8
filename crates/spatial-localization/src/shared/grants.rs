//! The three levels of solution #2 at the spatial servers (TR 33.721 6.2.2.1 step 6): what the details of a token of the
//! CAPIF core function leave of a request. A token of the SIM-S has none, and is not narrowed here.
//!
//! Whether an object is named by the token is decided before it is looked whether it exists, and told alike.

use api_types::ids::{SpatialAnchorId, SpatialMapId};
use authorization::Reason;
use authorization::capif::details::{Action, Instance, Kind};
use authorization::capif::invocation::{self, Grants, Need};
use service_http::call::Call;
use service_http::refusal::Refusal;

use super::publication::CoreFunction;

const CHECK: &str = "details of the token";
/// The procedure with CAPIF (TR 33.721 6.2.2.1).
const PROCEDURE: &str = "TR33.721-S2";
/// The procedure with owners' policies at the core function (TR 33.721 6.3.2.1).
const OWNERS: &str = "TR33.721-S3";

/// Notes steps 6 to 8 of the procedure with CAPIF, when the request was granted; `false` for a token of the SIM-S, whose
/// steps are of another procedure.
pub(crate) fn granted(call: &Call, server: &'static str, answer: &'static str) -> bool {
    if call.grants().is_none() {
        return false;
    }
    call.ctx.step(PROCEDURE, "6", server, server, "Validate access token");
    call.ctx.step(PROCEDURE, "7", server, server, "Process the operation");
    call.ctx.step(PROCEDURE, "8", server, call.ctx.actor().label, answer);
    owners(call, server, answer);
    true
}

/// Notes the same request as what it is where owners decide: of the one who creates, or of another who has asked the core
/// function for this very object.
fn owners(call: &Call, server: &'static str, answer: &'static str) {
    let creates = invocation::operation(call.ctx.operation()).is_some_and(|of| of.action == Action::Create);
    let names = call.grants().is_some_and(|grants| !grants.is_coarse());
    let numbers = match (creates, names) {
        (true, _) => ["1", "2", "3"],
        (false, true) => ["9", "10", "11"],
        (false, false) => return,
    };
    let from = call.ctx.actor().label;
    call.ctx.step(OWNERS, numbers[0], from, server, "Request with access token");
    call.ctx.step(OWNERS, numbers[1], server, server, "Validate access token and request, perform it");
    call.ctx.step(OWNERS, numbers[2], server, from, answer);
}

/// Whether the token is of the core function that knows the owners of this server's objects: what one of another domain
/// grants, no owner here was asked about.
pub(crate) fn asks_owners(call: &Call, core: Option<&CoreFunction>) -> bool {
    core.is_some_and(|core| core.issuer == call.caller.principal().issuer)
}

/// Whether such a token grants reading an object that `is` takes by its name (TR 33.721 6.3.2.1 steps 7 to 10): then its
/// owner permits it, whatever the rules say that the object itself has.
pub(crate) fn owner_permits(call: &Call, kind: Kind, is: impl Fn(&Instance) -> bool) -> bool {
    call.grants().is_some_and(|grants| grants.names_instance(kind, Action::Read, is))
}

/// Refuses a list of which the token names no anchor.
///
/// # Errors
/// `DETAILS_NARROW`.
pub(crate) fn check_list(call: &Call, list: &str, action: Action) -> Result<(), Refusal> {
    let within = |instance: &Instance| matches!(instance, Instance::Anchor { list: own, .. } if own == list);
    decide(call, "the service or an anchor of this list", |grants| {
        let by_update = action == Action::Update;
        let any = |action| grants.any_within(Kind::SpatialAnchor, action, within);
        any(action) || (by_update && (any(Action::Create) || any(Action::Delete)))
    })
}

/// Refuses a map that the token does not name as a whole.
///
/// # Errors
/// `DETAILS_NARROW`.
pub(crate) fn check_map(call: &Call, map: &str, action: Action) -> Result<(), Refusal> {
    let Some(instance) = Instance::read(Kind::SpatialMap, map) else { return Ok(()) };
    decide(call, "the service or this map", |grants| grants.permits_instance(&instance, action))
}

/// Refuses a map of which the token names no part.
///
/// # Errors
/// `DETAILS_NARROW`.
pub(crate) fn check_part_of_map(call: &Call, map: &str, action: Action) -> Result<(), Refusal> {
    let Some(instance) = Instance::read(Kind::SpatialMap, map) else { return Ok(()) };
    decide(call, "the service, this map or a part of it", |grants| {
        grants.any_within(Kind::SpatialMap, action, |own| *own == instance)
    })
}

/// Whether an anchor of a list is among those that the token names.
pub(crate) fn names_anchor(call: &Call, list: &str, anchor: u32, action: Action) -> bool {
    let anchor = SpatialAnchorId(anchor);
    call.grants().is_none_or(|grants| grants.permits_anchor(list, anchor, action))
}

/// Whether a map is among those that the token names.
pub(crate) fn names_map(call: &Call, map: u32, action: Action) -> bool {
    let instance = Instance::Map(SpatialMapId(map));
    call.grants().is_none_or(|grants| grants.permits_instance(&instance, action))
}

/// Refuses a change of which the token does not grant every part: all or nothing.
///
/// # Errors
/// `DETAILS_NARROW`, naming the first part in the trace.
pub(crate) fn check_parts(call: &Call, needs: impl FnOnce() -> Vec<Need>) -> Result<(), Refusal> {
    let Some(grants) = call.grants() else { return Ok(()) };
    const EXPECTED: &str = "every part that the change touches";
    match grants.check(&needs()) {
        Ok(()) => {
            call.ctx.pass(CHECK, EXPECTED, "held");
            Ok(())
        }
        Err(missing) => {
            call.ctx.fail(CHECK, EXPECTED, missing.to_string());
            Err(Refusal::open(Reason::DetailsNarrow))
        }
    }
}

fn decide(call: &Call, expected: &'static str, holds: impl FnOnce(&Grants) -> bool) -> Result<(), Refusal> {
    match call.grants() {
        None => Ok(()),
        Some(grants) if holds(grants) => {
            call.ctx.pass(CHECK, expected, "held");
            Ok(())
        }
        Some(_) => {
            call.ctx.fail(CHECK, expected, "others");
            Err(Refusal::open(Reason::DetailsNarrow))
        }
    }
}
