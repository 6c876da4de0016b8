//! An anchor or a map that stays shut.

use authorization::Reason;
use service_http::call::Call;
use service_http::refusal::Refusal;

/// Why, and whether the caller may know: whoever the owner's rules do not let discover the item is told nothing of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Denial {
    pub(crate) reason: Reason,
    may_discover: bool,
}

impl Denial {
    /// The caller may not discover the item.
    pub(crate) fn hidden(reason: Reason) -> Self {
        Self { reason, may_discover: false }
    }

    /// The caller may discover the item.
    pub(crate) fn open(reason: Reason) -> Self {
        Self { reason, may_discover: true }
    }

    /// The refusal, with what was `expected` on record.
    pub(crate) fn told(self, call: &Call, expected: &'static str) -> Refusal {
        call.ctx.fail(self.reason.stage().as_str(), expected, self.reason.as_str());
        Refusal::hidden(self.reason).discoverable(self.may_discover)
    }
}
