//! Interfaces of others over our anchors and maps: ETSI GS ARF 005 and the spatial service discovery of the Open Spatial
//! Computing Platform.
//!
//! Names and letter case of their members are read from public code and not from the texts; they stand in these files
//! and nowhere else, so that a correction is one line (decision 0042).

pub mod arf005;
pub mod oscp;
pub mod trackable;
pub mod world_link;
