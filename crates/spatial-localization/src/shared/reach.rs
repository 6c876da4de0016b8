//! How far a caller comes with an object, asked before the object is read: a hidden one is told as fast as an absent
//! one, however large it is (design, section 2).

use authorization::{Principal, Reason};
use service_http::call::Call;
use store::reach::{Reach, Reader};

use super::rules;

/// Who asks, as the index knows it.
pub(crate) fn reader(call: &Call, now_s: i64) -> Reader {
    let Principal { issuer, subject } = call.caller.principal();
    Reader { held: rules::held(&call.caller), issuer, subject, now_s }
}

/// Why the object stays shut whatever its document says.
///
/// # Errors
/// The reason, for the record alone: to the caller each of them is an absent object.
pub(crate) fn check(reach: Option<Reach>) -> Result<(), Reason> {
    check_permitted(reach, false)
}

/// Likewise, where the owner may have permitted at the core function what the rules of the object do not.
///
/// # Errors
/// As [`check`].
pub(crate) fn check_permitted(reach: Option<Reach>, permitted: bool) -> Result<(), Reason> {
    match reach {
        None => Err(Reason::NotFound),
        Some(Reach::Private | Reach::Unlisted) if permitted => Ok(()),
        Some(Reach::Private) => Err(Reason::NotVisible),
        Some(Reach::Unlisted) => Err(Reason::NotAllowedEntity),
        Some(Reach::Inactive) => Err(Reason::OutsidePeriod),
        Some(Reach::Open) => Ok(()),
    }
}
