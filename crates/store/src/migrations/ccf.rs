//! The records of the `ccf` function. A released line is never edited; the next change is a new number.

use super::{Migration, migration};

pub(crate) const CCF: &[Migration] = &[migration!("ccf", "0001_ccf")];
