//! Records of the SM server: spatial maps (TS 23.437 table 7.3.3.1-1), maps under construction, and references
//! to their payloads.
//!
//! Visibility classes and positions of VAL UEs have the tables of [`crate::anchors`], in the schema of `sm`.

mod area_index;
pub mod building;
pub mod classes;
pub mod content;
pub mod discovery;
pub mod record;
pub mod survey;

pub use area_index::MAX_BOXES;
pub use building::{Building, NewBuilding};
pub use content::{Content, SetContent};
pub use discovery::{Batch, Filter, Found};
pub use record::{Changed, MapRow, NewMap};
