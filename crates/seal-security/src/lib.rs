//! Security services of SEAL (TS 33.434): identity management.

pub mod sim_s;
