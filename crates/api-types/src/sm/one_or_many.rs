//! A list that is one object in some places of the published API and an array in others.
//!
//! Held as a list; one element goes out as an object, several as an array; both are read.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

pub(super) fn serialize<T: Serialize, S: Serializer>(
    list: &Option<Vec<T>>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match list.as_deref() {
        Some([one]) => one.serialize(serializer),
        many => many.serialize(serializer),
    }
}

pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<Vec<T>>, D::Error>
where
    T: serde::de::DeserializeOwned,
    D: Deserializer<'de>,
{
    match Value::deserialize(deserializer)? {
        Value::Null => Ok(None),
        Value::Array(elements) => {
            let list: Result<Vec<T>, _> = elements.into_iter().map(T::deserialize).collect();
            list.map(Some).map_err(D::Error::custom)
        }
        one => T::deserialize(one).map(|one| Some(vec![one])).map_err(D::Error::custom),
    }
}
