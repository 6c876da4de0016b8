//! Usage of anchors (TS 23.437 8.4; TS 29.437 `ssan-usg`): asked once, told by subscription, reported by consumers.
//!
//! How much an anchor is used is its owner's to know (FFS-11): counters are told of the caller's own anchors only.

mod count;
mod report;
mod subscription;

pub(super) use count::Tally;
pub(super) use report::report;
pub(super) use subscription::{Usage, ask, decide, periodic};
