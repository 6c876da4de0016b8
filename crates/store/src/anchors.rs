//! Spatial anchors (TS 23.437 7.3.2, TS 29.437): the lists that are the unit of management, their anchors, the classes
//! of rule sets by which discovery is permission-aware, and where VAL UEs were last seen.

pub mod bulk;
pub mod classes;
pub mod discovery;
pub mod ids;
pub mod imports;
pub mod in_range;
pub mod lists;
pub mod own;
pub mod positions;
pub mod records;
pub mod survey;
pub mod usage;

pub use classes::ClassDef;
pub use discovery::{Batch, Filter, Found};
pub use lists::ListRow;
pub use records::AnchorRow;
