//! Records of the SM server: spatial maps (TS 23.437 table 7.3.3.1-1), maps under construction, references to their
//! payloads, and the hosts that clients have registered for callbacks.
//!
//! Visibility classes and positions of VAL UEs have the tables of [`crate::anchors`], in the schema of `sm`.

mod area_index;
pub mod building;
pub mod classes;
pub mod content;
pub mod discovery;
pub mod hosts;
pub mod record;

pub use area_index::MAX_BOXES;
pub use building::{Building, NewBuilding};
pub use content::{Content, SetContent};
pub use discovery::{Batch, Filter, Found};
pub use record::{Changed, MapRow, NewMap};
