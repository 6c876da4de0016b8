//! What a column or a parameter holds, alike on both engines.

use std::fmt;

use crate::StoreError;

/// A column or a parameter. Booleans are 0 and 1.
///
/// `Debug` shows the kind only: columns hold personal data.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// BIGINT.
    Int(i64),
    /// DOUBLE PRECISION.
    Real(f64),
    /// TEXT.
    Text(String),
    /// BLOB or BYTEA.
    Blob(Vec<u8>),
}

impl Value {
    /// The name of the kind, for messages.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Int(_) => "integer",
            Self::Real(_) => "real",
            Self::Text(_) => "text",
            Self::Blob(_) => "blob",
        }
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

/// The parameters of one statement: `params![id, version, Some(name)]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { [$($crate::Value::from($value)),*] };
}

macro_rules! from_int {
    ($($ty:ty),*) => { $(
        impl From<$ty> for Value {
            fn from(value: $ty) -> Self { Self::Int(i64::from(value)) }
        }
    )* };
}
from_int!(i64, i32, i16, i8, u32, u16, u8, bool);

impl From<u64> for Value {
    /// Saturates at `i64::MAX`: no count, epoch or time comes near it.
    fn from(value: u64) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<usize> for Value {
    /// Saturates at `i64::MAX`.
    fn from(value: usize) -> Self {
        Self::Int(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(value)
    }
}

impl From<&String> for Value {
    fn from(value: &String) -> Self {
        Self::Text(value.clone())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl<const N: usize> From<[u8; N]> for Value {
    fn from(value: [u8; N]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl<const N: usize> From<&[u8; N]> for Value {
    fn from(value: &[u8; N]) -> Self {
        Self::Blob(value.to_vec())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Self {
        value.clone()
    }
}

/// What a column can be read as.
pub trait FromValue: Sized {
    /// What a message calls this type.
    const WANTED: &'static str;

    /// `None` when the value is of another kind or out of range.
    fn from_value(value: &Value) -> Option<Self>;
}

macro_rules! to_int {
    ($($ty:ty),*) => { $(
        impl FromValue for $ty {
            const WANTED: &'static str = stringify!($ty);
            fn from_value(value: &Value) -> Option<Self> {
                match value {
                    Value::Int(int) => Self::try_from(*int).ok(),
                    _ => None,
                }
            }
        }
    )* };
}
to_int!(i64, i32, u64, u32, u16, u8, usize);

impl FromValue for bool {
    const WANTED: &'static str = "boolean as integer";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Int(0) => Some(false),
            Value::Int(1) => Some(true),
            _ => None,
        }
    }
}

impl FromValue for f64 {
    const WANTED: &'static str = "real";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Real(real) => Some(*real),
            // SQLite keeps a whole number of a REAL expression as an integer in some plans.
            Value::Int(int) => Some(*int as f64),
            _ => None,
        }
    }
}

impl FromValue for String {
    const WANTED: &'static str = "text";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.clone()),
            _ => None,
        }
    }
}

impl FromValue for Vec<u8> {
    const WANTED: &'static str = "blob";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Blob(blob) => Some(blob.clone()),
            _ => None,
        }
    }
}

impl<const N: usize> FromValue for [u8; N] {
    const WANTED: &'static str = "blob of fixed length";
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Blob(blob) => blob.as_slice().try_into().ok(),
            _ => None,
        }
    }
}

impl FromValue for Value {
    const WANTED: &'static str = "anything";
    fn from_value(value: &Value) -> Option<Self> {
        Some(value.clone())
    }
}

impl<T: FromValue> FromValue for Option<T> {
    const WANTED: &'static str = T::WANTED;
    fn from_value(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            other => T::from_value(other).map(Some),
        }
    }
}

/// Reads column `index` of a row that was fetched as values.
pub(crate) fn column<T: FromValue>(values: &[Value], index: usize) -> Result<T, StoreError> {
    let value = values.get(index).ok_or(StoreError::NoSuchColumn { index })?;
    T::from_value(value).ok_or(StoreError::ColumnKind { index, wanted: T::WANTED, found: value.kind() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_read_as_its_own_kind_only() {
        let row = params![7_i64, "seven", vec![7_u8], 7.5, None::<String>, 1_i64 << 40, 2_i64, -1_i64];
        assert_eq!(column::<i64>(&row, 0).ok(), Some(7));
        assert_eq!(column::<Option<String>>(&row, 4).ok(), Some(None));
        assert_eq!(column::<f64>(&row, 0).ok(), Some(7.0));
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, bool); 8] = [
            ("text for an integer", column::<i64>(&row, 1).is_err()),
            ("integer for text", column::<String>(&row, 0).is_err()),
            ("blob for text", column::<String>(&row, 2).is_err()),
            ("null for text", column::<String>(&row, 4).is_err()),
            ("over 32 bits", column::<u32>(&row, 5).is_err()),
            ("boolean that is 2", column::<bool>(&row, 6).is_err()),
            ("negative for unsigned", column::<u64>(&row, 7).is_err()),
            ("one past the row", column::<i64>(&row, 8).is_err()),
        ];
        for (what, refused) in rows {
            assert!(refused, "{what}");
        }
    }

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(format!("{:?}", params!["alice", 4711_i64, b"key".as_slice()]), "[text, integer, blob]");
    }
}
