//! What every function's schema has.

use super::{Migration, migration};

pub(crate) const COMMON: &[Migration] = &[
    migration!("common", "0001_chains"),
    migration!("common", "0002_once_outbox_leases"),
    migration!("common", "0003_documents"),
    migration!("common", "0004_revocation_expiry"),
    migration!("common", "0005_links"),
    migration!("common", "0006_chain_keys"),
];
