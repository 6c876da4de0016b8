//! The records of the `sim` function. A released line is never edited; the next change is a new number.

use super::{Migration, migration};

pub(crate) const SIM: &[Migration] = &[
    migration!("sim", "0001_sim"),
    migration!("sim", "0002_identities"),
    migration!("sim", "0003_val_services"),
    migration!("sim", "0004_passkeys"),
    migration!("sim", "0005_tokens"),
];
