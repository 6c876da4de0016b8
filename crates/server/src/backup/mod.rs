//! One encrypted file that holds a whole data directory.

mod pack;
mod sealed;

pub use pack::{Restored, backup, restore};
pub use sealed::{SealError, fuzz_backup};
