//! The payload of a map: an extension of ours, since TS 29.437 carries none (contract, section 7).
//!
//! Raw octets of opaque formats, streamed in flat memory, kept once per distinct payload and encrypted. The octets are on
//! the disk before a row names them and leave it after no row does, so that a crash can leave an orphan and never a map
//! whose payload is missing. Orphans go when the server starts.

pub(crate) mod digest;
pub(crate) mod media_type;
pub(crate) mod range;

mod collect;
mod get;
mod headers;
mod put;
mod slots;
mod stream;
mod upload;

pub(super) use collect::{Collector, sweep};
pub(super) use get::{get_content, head_content};
pub(super) use put::put_content;
pub(super) use slots::UploadSlots;
