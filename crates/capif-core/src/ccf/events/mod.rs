//! `CAPIF_Events` (TS 29.222 8.3; sheet 1.7): who is told of what happens at the core function.
//!
//! What happens is noted in the transaction of the change ([`note()`]). A task takes it, decides who hears of it and queues
//! the messages in one transaction; the outbox delivers them, and it is decided again when one leaves (decision 0051).

mod change;
mod deliver;
pub(crate) mod destination;
mod detail;
mod filter;
mod hearing;
mod hub;
mod note;
mod now;
mod reporting;
mod round;
#[cfg(test)]
mod samples;
mod state;
mod subscribe;
mod subscription;
mod telling;
mod unsubscribe;
mod websocket;

pub(crate) use change::{modify, replace};
pub(crate) use deliver::leave_once;
pub(crate) use hearing::Standing;
pub(crate) use hub::Hub;
pub(crate) use note::{ApiAt, Happening, aefs_of, note};
pub(crate) use subscribe::subscribe;
pub(crate) use subscription::{SUBSCRIBERS, fuzz_subscription, room};
pub(crate) use unsubscribe::unsubscribe;
pub(crate) use websocket::connect;

/// Where subscriptions are.
const PATH: &str = "/capif-events/v1";

/// The word of the subscriptions in the store.
pub(crate) const FAMILY: &str = "capif-events";
