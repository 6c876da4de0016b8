//! What the tests of the edge share.

pub(crate) mod frames;
pub(crate) mod front;
pub(crate) mod pki;
pub(crate) mod wire;
