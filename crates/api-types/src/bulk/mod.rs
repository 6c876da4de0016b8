//! Anchors in bulk: one GeoJSON feature (RFC 7946) on each line, with a GeoPose, and all that the server needs to keep
//! the anchor elsewhere (decision 0041).
//!
//! A line stands for itself: lists and owners are repeated on each, so that a file may be cut, joined and searched line
//! by line. Other tools read `geometry` and `geopose`; what decides on the way back is `anchor`.

mod feature;
mod header;
mod run;

pub use feature::{
    AnchorFeature, FeatureError, FeatureProperties, FeatureType, OwnerKind, OwnerRef, PointGeometry,
    PointType,
};
pub use header::{ExportHeader, FORMAT};
pub use run::{BadLine, ImportBegin, ImportDefaults, ImportRun};

/// Longest line, in bytes. Own value: the largest anchor, and what is said of its list.
pub const MAX_LINE: usize = 512 * 1024;

/// Most bytes of lines in one request. Own value.
pub const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;

/// Most lines in one request. Own value: what one transaction writes well within a second.
pub const MAX_BATCH_LINES: usize = 5_000;

/// Media type of lines.
pub const NDJSON: &str = "application/x-ndjson";

/// Deepest nesting of a line. Own value: an area of polygons inside an anchor needs 10.
pub const DEPTH_MAX: usize = 32;
