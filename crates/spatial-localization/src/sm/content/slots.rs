//! How many payloads one owner may be sending at once. What is not finished counts against no quota, so there must not
//! be any number of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use authorization::Principal;
use authorization::Reason;
use service_http::refusal::Refusal;

/// Uploads of one owner at once. Own value.
const AT_ONCE: usize = 4;

/// Seconds after which somebody with too many uploads may ask again. Own value.
const RETRY_AFTER_S: u32 = 5;

/// Who is sending how many. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(in crate::sm) struct UploadSlots(Arc<Mutex<HashMap<Principal, usize>>>);

/// One upload under way; ends with its drop.
#[derive(Debug)]
pub(in crate::sm) struct UploadSlot {
    slots: UploadSlots,
    owner: Principal,
}

impl UploadSlots {
    /// Begins an upload of `owner`.
    ///
    /// # Errors
    /// `RATE_LIMITED` when the owner has as many as it may.
    pub(in crate::sm) fn begin(&self, owner: &Principal) -> Result<UploadSlot, Refusal> {
        let mut sending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = sending.entry(owner.clone()).or_default();
        if *count >= AT_ONCE {
            return Err(Refusal::open(Reason::RateLimited).retry_after(RETRY_AFTER_S));
        }
        *count += 1;
        Ok(UploadSlot { slots: self.clone(), owner: owner.clone() })
    }
}

impl Drop for UploadSlot {
    fn drop(&mut self) {
        let mut sending = self.slots.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = sending.get_mut(&self.owner) {
            *count -= 1;
            if *count == 0 {
                sending.remove(&self.owner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_owner_has_so_many_uploads_and_no_more_and_others_their_own() {
        let slots = UploadSlots::default();
        let owner =
            |subject: &str| Principal { issuer: "https://sim.example".into(), subject: subject.into() };
        let mut held: Vec<_> = (0..AT_ONCE).map(|_| slots.begin(&owner("vs-1")).unwrap()).collect();
        let refusal = slots.begin(&owner("vs-1")).unwrap_err();
        assert_eq!((refusal.reason, refusal.retry_after_s), (Reason::RateLimited, Some(RETRY_AFTER_S)));
        assert!(slots.begin(&owner("vs-2")).is_ok());
        held.pop();
        assert!(slots.begin(&owner("vs-1")).is_ok(), "one has ended");
        held.clear();
        assert!(slots.0.lock().unwrap().is_empty(), "nothing is remembered");
    }
}
