//! The steps of TR 33.721 figure 6.1.2-2 that the SM server performs. Step 1 is the request itself, and stands with its
//! route; a request that is refused ends with the refusal of that step.

use service_http::call::Call;

use crate::shared::grants;

/// The procedure.
pub(super) const PROCEDURE: &str = "TR33.721-S1";
/// Step 1: the request with the token.
pub(super) const REQUEST: &str = "1";

/// Steps 2 and 3, when the request was granted: the token was validated, the answer goes out.
pub(super) fn granted(call: &Call, what: &'static str) {
    if grants::granted(call, "SM-S", what) {
        return;
    }
    let client = match call.ctx.actor().label {
        "VAL UE" => "SM-C",
        other => other,
    };
    call.ctx.step(PROCEDURE, "2", "SM-S", "SM-S", "Validate access token");
    call.ctx.step(PROCEDURE, "3", "SM-S", client, what);
}
