//! Traces: which step of which procedure a function performed, with the checks it made, and why a request was decided
//! as it was (design, section 2).
//!
//! The newest records stay in memory, all are written in batches. A trace is kept under the id that this system gave
//! it; a `traceparent` from outside is only a link to it.

mod record;
mod ring;
mod sink;

pub(crate) use record::{Draft, DraftStep, DraftWhy, checks};
pub use record::{TraceRecord, Written};
pub use sink::TraceSink;
