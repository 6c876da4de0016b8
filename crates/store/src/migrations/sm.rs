//! The records of the `sm` function. A released line is never edited; the next change is a new number.

use super::{Migration, migration};

pub(crate) const SM: &[Migration] = &[
    migration!("sm", "0001_maps"),
    migration!("sm", "0002_subscriptions"),
    migration!("sm", "0003_class_breadth"),
    migration!("sm", "0004_world_links"),
    migration!("sm", "0005_held_reports"),
    migration!("sm", "0006_publications"),
];
