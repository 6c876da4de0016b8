//! Routes of functions that this process does not run.

use authorization::Reason;
use service_http::refusal::Refusal;

/// 404 `ROLE_NOT_HERE`.
pub(super) fn not_here() -> Refusal {
    Refusal::open(Reason::RoleNotHere)
}

/// A route of the contract whose function this process never runs.
pub(super) async fn refuse() -> Refusal {
    not_here()
}
