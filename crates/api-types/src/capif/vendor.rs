//! Members that vendors add (TS 29.122 5.2.13): `vendorSpecific-<id>`, kept as they came.

use std::collections::BTreeMap;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::ser::SerializeMap as _;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate, child};

/// How the names of such members begin (TS 29.122 5.2.13).
pub const PREFIX: &str = "vendorSpecific-";

/// Most of them in one object. Own value.
pub const MAX_MEMBERS: usize = 32;

/// Longest name of one, in bytes. Own value.
pub const MAX_NAME: usize = 128;

/// Longest value of one, in bytes of JSON. Own value.
pub const MAX_BYTES: usize = 16 * 1024;

/// The members of vendors in an object, by their whole names; every other unknown member is ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VendorSpecific(pub BTreeMap<String, Value>);

impl VendorSpecific {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The member with this whole name.
    #[must_use]
    pub fn member(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }
}

impl Validate for VendorSpecific {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        if self.0.len() > MAX_MEMBERS {
            faults.add(at, "has too many vendor-specific members");
        }
        for (name, value) in self.0.iter().take(MAX_MEMBERS) {
            let named = (PREFIX.len() + 1..=MAX_NAME).contains(&name.len());
            faults.require(named, at, name, "is not a vendor-specific name");
            if value.to_string().len() > MAX_BYTES {
                faults.add(child(at, name), "is too long");
            }
        }
        faults.done()
    }
}

impl Serialize for VendorSpecific {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (name, value) in &self.0 {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for VendorSpecific {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = VendorSpecific;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<VendorSpecific, A::Error> {
                let mut members = BTreeMap::new();
                while let Some(name) = map.next_key::<String>()? {
                    if name.starts_with(PREFIX) {
                        members.insert(name, map.next_value()?);
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(VendorSpecific(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}
