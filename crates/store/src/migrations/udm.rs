//! The records of the UDM. A released line is never edited; the next change is a new number.

use super::{Migration, migration};

pub(crate) const UDM: &[Migration] = &[migration!("udm", "0001_udm")];
