//! The records of an API exposing function of CAPIF. A released line is never edited; the next change is a new number.

use super::{Migration, migration};

pub(crate) const AEF: &[Migration] = &[migration!("aef", "0001_aef")];
