//! The records of the `san` function. A released line is never edited; the next change is a new number.

use super::{Migration, migration};

pub(crate) const SAN: &[Migration] = &[
    migration!("san", "0001_anchors"),
    migration!("san", "0002_subscriptions"),
    migration!("san", "0003_discovery"),
    migration!("san", "0004_import"),
    migration!("san", "0005_class_breadth"),
    migration!("san", "0006_places"),
    migration!("san", "0007_held_reports"),
    migration!("san", "0008_spots"),
    migration!("san", "0009_publications"),
];
