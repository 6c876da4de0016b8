//! JSON values from which a structure is read only where an object stands.
//!
//! Left to itself, a derived reader also takes a list and fills the members by their order: `[]` would be a body whose
//! members are all absent.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, Error as _, IntoDeserializer, Unexpected, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};

/// A value, read so.
pub(super) struct Objects(pub(super) Value);

impl<'de> IntoDeserializer<'de, Error> for Objects {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Objects {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(items) => visitor.visit_seq(SeqDeserializer::new(items.into_iter().map(Self))),
            Value::Object(members) => {
                let members = members.into_iter().map(|(name, value)| (name, Self(value)));
                visitor.visit_map(MapDeserializer::new(members))
            }
            plain => plain.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(_) => Err(Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        if self.0.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Inner {
        number: f64,
        pair: Option<(u8, u8)>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(default)]
    struct Outer {
        inner: Option<Inner>,
        by_name: BTreeMap<String, Inner>,
        list: Vec<Inner>,
    }

    #[test]
    fn a_list_is_no_object() {
        let read = |value| Outer::deserialize(Objects(value));
        let inner = || Inner { number: 2.0, pair: Some((1, 2)) };
        let good = json!({ "inner": { "number": 2, "pair": [1, 2] }, "by_name": { "a": {} }, "list": [{}] });
        let whole = Outer {
            inner: Some(inner()),
            by_name: BTreeMap::from([("a".to_owned(), Inner::default())]),
            list: vec![Inner::default()],
        };
        assert_eq!(read(good).unwrap(), whole);
        assert_eq!(read(json!({ "inner": null })).unwrap(), Outer::default());
        for bad in [
            json!([]),
            json!([null]),
            json!({ "inner": [] }),
            json!({ "list": [[]] }),
            json!({ "by_name": { "a": [2] } }),
        ] {
            let text = read(bad.clone()).unwrap_err().to_string();
            assert!(text.starts_with("invalid type"), "{bad}: {text}");
        }
    }
}
