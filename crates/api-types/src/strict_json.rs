//! Reading JSON from outside: no duplicate member, no `NaN`, nothing behind the value, bounded depth and size.
//!
//! RFC 8259 4 leaves the meaning of duplicate members open; two readers that choose differently are an attack
//! (RFC 8725 2.4), therefore they are refused.

mod objects;

use std::cell::Cell;

use serde::de::{DeserializeOwned, DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::problem::{Cause, InvalidParam};
use crate::validate::child;

/// Longest text that is read, in bytes. Own value; routes set smaller limits.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// Deepest nesting that any caller may ask for. `serde_json` itself stops a little later.
pub const MAX_DEPTH: usize = 64;

/// Most values (members, elements and scalars) in one text. Own value.
pub const MAX_VALUES: usize = 200_000;

/// What is wrong with a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// More than [`MAX_BYTES`] or [`MAX_VALUES`].
    TooLarge,
    /// Nested deeper than the caller accepts.
    TooDeep,
    /// A member twice in one object.
    Duplicate,
    /// No JSON.
    Syntax,
    /// A mandatory member is missing.
    Missing,
    /// A member of another type than defined.
    WrongType,
    /// A member of the right type with an unacceptable value.
    WrongValue,
}

/// Why a text was not taken. It names the place and never repeats the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct StrictJsonError {
    /// What is wrong.
    pub kind: Kind,
    /// JSON Pointer of the member, `""` for the whole text.
    pub param: String,
    /// A constant text.
    pub reason: &'static str,
}

impl StrictJsonError {
    fn new(kind: Kind, param: impl Into<String>) -> Self {
        let reason = match kind {
            Kind::TooLarge => "is too large",
            Kind::TooDeep => "is nested too deeply",
            Kind::Duplicate => "holds a member twice",
            Kind::Syntax => "is not JSON",
            Kind::Missing => crate::validate::MISSING,
            Kind::WrongType => "has the wrong type",
            Kind::WrongValue => "has an unacceptable value",
        };
        Self { kind, param: param.into(), reason }
    }

    /// The cause on the wire.
    #[must_use]
    pub fn cause(&self) -> Cause {
        match self.kind {
            Kind::TooLarge => Cause::TooLarge,
            Kind::Missing => Cause::MandatoryIeMissing,
            Kind::WrongType | Kind::WrongValue => Cause::MandatoryIeIncorrect,
            Kind::TooDeep | Kind::Duplicate | Kind::Syntax => Cause::InvalidMsgFormat,
        }
    }

    /// The fault as a list for problem details.
    #[must_use]
    pub fn invalid(&self) -> Vec<InvalidParam> {
        vec![InvalidParam::new(self.param.clone(), self.reason)]
    }
}

/// Reads one JSON value.
///
/// A scalar has depth 0; each object or array around it adds 1. `max_depth` above [`MAX_DEPTH`] means [`MAX_DEPTH`].
///
/// # Errors
/// The first thing that is wrong with the text.
pub fn parse(bytes: &[u8], max_depth: usize) -> Result<Value, StrictJsonError> {
    if bytes.len() > MAX_BYTES {
        return Err(StrictJsonError::new(Kind::TooLarge, ""));
    }
    let state = State { kind: Cell::new(Kind::Syntax), values: Cell::new(0) };
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    Strict { state: &state, room: max_depth.min(MAX_DEPTH) }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|_| StrictJsonError::new(state.kind.get(), ""))
}

/// Reads one JSON value as `T`.
///
/// # Errors
/// The first thing that is wrong with the text, or with its value as a `T`.
pub fn from_slice<T: DeserializeOwned>(bytes: &[u8], max_depth: usize) -> Result<T, StrictJsonError> {
    from_value(parse(bytes, max_depth)?)
}

/// Reads a JSON value as `T`.
///
/// # Errors
/// What is wrong with the value as a `T`, with the pointer of the member.
pub fn from_value<T: DeserializeOwned>(value: Value) -> Result<T, StrictJsonError> {
    serde_path_to_error::deserialize(objects::Objects(value)).map_err(|error| {
        let mut at = String::new();
        for segment in error.path() {
            match segment {
                serde_path_to_error::Segment::Seq { index } => at = child(&at, &index.to_string()),
                serde_path_to_error::Segment::Map { key } => at = child(&at, key),
                // An enumeration's variant is no member; an unknown segment adds nothing that is sure.
                serde_path_to_error::Segment::Enum { .. } | serde_path_to_error::Segment::Unknown => {}
            }
        }
        // The texts of serde repeat values; only their beginnings, and names from our own types, are used.
        let text = error.inner().to_string();
        if let Some(member) = text.strip_prefix("missing field `").and_then(|t| t.split('`').next()) {
            return StrictJsonError::new(Kind::Missing, child(&at, member));
        }
        let kind = if text.starts_with("invalid type") { Kind::WrongType } else { Kind::WrongValue };
        StrictJsonError::new(kind, at)
    })
}

/// What the readers of one text share.
struct State {
    kind: Cell<Kind>,
    values: Cell<usize>,
}

/// Reads one value with `room` levels of nesting left.
#[derive(Clone, Copy)]
struct Strict<'s> {
    state: &'s State,
    room: usize,
}

impl Strict<'_> {
    fn fail<E: serde::de::Error>(&self, kind: Kind) -> E {
        self.state.kind.set(kind);
        E::custom("refused")
    }

    fn count<E: serde::de::Error>(&self) -> Result<(), E> {
        let values = self.state.values.get() + 1;
        self.state.values.set(values);
        if values > MAX_VALUES { Err(self.fail(Kind::TooLarge)) } else { Ok(()) }
    }

    fn inner<E: serde::de::Error>(&self) -> Result<Self, E> {
        match self.room.checked_sub(1) {
            Some(room) => Ok(Self { state: self.state, room }),
            None => Err(self.fail(Kind::TooDeep)),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: serde::de::Error>(self, value: f64) -> Result<Value, E> {
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom("refused"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let inner = self.inner()?;
        let mut elements = Vec::new();
        while let Some(element) = seq.next_element_seed(inner)? {
            elements.push(element);
        }
        Ok(Value::Array(elements))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let inner = self.inner::<A::Error>()?;
        let mut object = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if object.contains_key(&name) {
                return Err(self.fail(Kind::Duplicate));
            }
            let value = map.next_value_seed(inner)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Deserialize;

    #[test]
    fn each_fault_has_its_kind() {
        assert!(parse(br#" {"a":[1,-2,1.5,"x",true,null,{}]} "#, 3).is_ok());
        assert!(parse(b"[[1]]", 2).is_ok());
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &[u8], Kind); 14] = [
            ("empty", b"", Kind::Syntax), ("trailing", b"{} {}", Kind::Syntax), ("trailing comma", b"[1,]", Kind::Syntax),
            ("NaN", b"NaN", Kind::Syntax), ("infinity", b"[1e999]", Kind::Syntax), ("comment", b"/**/1", Kind::Syntax),
            ("not UTF-8", b"\"\xff\"", Kind::Syntax), ("lone surrogate", b"\"\\ud800\"", Kind::Syntax),
            ("byte order mark", b"\xef\xbb\xbf{}", Kind::Syntax), ("cut", b"{\"a\":", Kind::Syntax),
            ("duplicate", br#"{"a":1,"a":1}"#, Kind::Duplicate), ("duplicate, escaped", br#"{"a":1,"\u0061":2}"#, Kind::Duplicate),
            ("duplicate, inside", br#"[{"b":{"a":1,"a":1}}]"#, Kind::Duplicate), ("too deep", b"[[[[1]]]]", Kind::TooDeep),
        ];
        for (what, text, kind) in rows {
            assert_eq!(parse(text, 3).map_err(|e| e.kind), Err(kind), "{what}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(parse(deep.as_bytes(), usize::MAX).map_err(|e| e.kind), Err(Kind::TooDeep));
        let long = vec![b' '; MAX_BYTES + 1];
        assert_eq!(parse(&long, 3).map_err(|e| e.kind), Err(Kind::TooLarge));
        let many = format!("[{}1]", "1,".repeat(MAX_VALUES));
        assert_eq!(parse(many.as_bytes(), 3).map_err(|e| e.kind), Err(Kind::TooLarge));
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Outer {
        #[allow(dead_code, reason = "only its reading is tested")]
        inner_list: Vec<Inner>,
    }
    #[derive(Debug, Deserialize)]
    struct Inner {
        #[allow(dead_code, reason = "only its reading is tested")]
        id: crate::ids::ClientId,
    }

    #[test]
    fn a_fault_has_its_pointer_and_no_value() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("missing", r#"{}"#, Kind::Missing, "/innerList"),
            ("missing, inside", r#"{"innerList":[{"id":"a"},{}]}"#, Kind::Missing, "/innerList/1/id"),
            ("wrong type", r#"{"innerList":"SECRET"}"#, Kind::WrongType, "/innerList"),
            ("wrong value", r#"{"innerList":[{"id":"SECRET SECRET"}]}"#, Kind::WrongValue, "/innerList/0/id"),
        ];
        for (what, text, kind, param) in rows {
            let error = from_slice::<Outer>(text.as_bytes(), 8).unwrap_err();
            assert_eq!((error.kind, error.param.as_str()), (kind, param), "{what}");
            assert!(!format!("{error:?} {error}").contains("SECRET"), "{what}");
        }
    }

    proptest! {
        #[test]
        fn never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = parse(&bytes, 8);
        }

        #[test]
        fn never_panics_on_json_like_text(text in "[\\[\\]{}\",:0-9a-c\\\\ ue.-]{0,60}") {
            if let Ok(value) = parse(text.as_bytes(), 8) {
                let again = parse(value.to_string().as_bytes(), 8);
                prop_assert_eq!(again, Ok(value));
            }
        }
    }
}
