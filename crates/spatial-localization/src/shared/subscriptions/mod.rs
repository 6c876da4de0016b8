//! Subscriptions, alike at the anchor server and the map server: the resource, how reports are made, and on whose
//! authority a notification leaves.
//!
//! What happens is noted in the transaction of the change. A task takes it, decides who hears of it and queues the
//! messages, in one transaction; the outbox delivers them, and decides again when it does.

pub(crate) mod notifier;
pub(crate) mod operations;
pub mod reporting;
pub mod sample;
pub(crate) mod standing;

pub(crate) use operations::Kind;
