//! `CAPIF_Events` (TS 29.222 8.3; sheet 1.7): who is told of what happens at the core function.

mod note;

#[expect(unused_imports, reason = "called where something happens")]
pub(crate) use note::{ApiAt, Happening, note};

/// The word of the subscriptions in the store.
pub(crate) const FAMILY: &str = "capif-events";
