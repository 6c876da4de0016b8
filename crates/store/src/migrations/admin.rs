//! The records of the `admin` function. A released line is never edited; the next change is a new number.

use super::{Migration, migration};

pub(crate) const ADMIN: &[Migration] = &[migration!("admin", "0001_acts")];
