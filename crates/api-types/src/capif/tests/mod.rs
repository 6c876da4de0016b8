//! Samples with every member go through unchanged; one spoilt member is refused with its pointer.

mod parties;
mod publish;
mod queries;
mod reports;
mod resource_auth;
mod security;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::strict_json;
use crate::validate::Validate;

/// Embeds a good input of the fuzzer, which `tests/peers/samples.py` holds against the published documents.
macro_rules! sample {
    ($path:literal) => {
        serde_json::from_str::<serde_json::Value>(include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../fuzz/corpus/",
            $path
        )))
        .unwrap()
    };
}
use sample;

/// Reads as a route does: the pointers of what is wrong.
fn read<T: DeserializeOwned + Validate>(value: Value) -> Result<T, Vec<String>> {
    let params =
        |faults: Vec<crate::InvalidParam>| faults.into_iter().map(|fault| fault.param).collect::<Vec<_>>();
    let value: T = strict_json::from_value(value).map_err(|error| params(error.invalid()))?;
    value.validate("").map_err(params)?;
    Ok(value)
}

/// A sample with every member is read and written unchanged; with unknown members as well, without them.
fn unchanged<T: DeserializeOwned + Serialize + Validate>(sample: &Value) {
    let value: T = read(sample.clone()).unwrap();
    assert_eq!(serde_json::to_value(&value).unwrap(), *sample);
    let mut more = sample.clone();
    more["unknownMember"] = true.into();
    let value: T = read(more).unwrap();
    assert_eq!(serde_json::to_value(&value).unwrap(), *sample);
}

/// What a row does with the member at a pointer.
enum Spoil {
    /// Removes it.
    Gone,
    /// Sets it, new or not.
    Set(Value),
}
use Spoil::{Gone, Set};

fn set(value: impl Into<Value>) -> Spoil {
    Set(value.into())
}

/// `count` times the same element.
fn many(element: impl Into<Value>, count: usize) -> Spoil {
    Set(Value::Array(vec![element.into(); count]))
}

fn long(count: usize) -> Spoil {
    set("x".repeat(count))
}

fn spoilt(sample: &Value, at: &str, spoil: Spoil) -> Value {
    let mut value = sample.clone();
    let (parent, key) = at.rsplit_once('/').unwrap();
    let parent = value.pointer_mut(parent).unwrap_or_else(|| panic!("nothing at {at}"));
    match (parent, spoil) {
        (Value::Object(members), Gone) => assert!(members.remove(key).is_some(), "nothing at {at}"),
        (Value::Object(members), Set(new)) => drop(members.insert(key.to_owned(), new)),
        (Value::Array(elements), Gone) => drop(elements.remove(key.parse::<usize>().unwrap())),
        (Value::Array(elements), Set(new)) => elements[key.parse::<usize>().unwrap()] = new,
        _ => panic!("nothing at {at}"),
    }
    value
}

/// Each row spoils the good sample at one place: what it is, where, how, and the pointer that is answered first.
fn refused<T: DeserializeOwned + Validate>(sample: &Value, rows: Vec<(&str, &str, Spoil, &str)>) {
    assert!(read::<T>(sample.clone()).is_ok());
    for (what, at, spoil, param) in rows {
        match read::<T>(spoilt(sample, at, spoil)) {
            Ok(_) => panic!("{what} at {at} was taken"),
            Err(params) => assert_eq!(params[0], param, "{what}"),
        }
    }
}

/// Each row changes the good sample at one place, and it stays good.
fn taken<T: DeserializeOwned + Validate>(sample: &Value, rows: Vec<(&str, &str, Spoil)>) {
    for (what, at, spoil) in rows {
        if let Err(params) = read::<T>(spoilt(sample, at, spoil)) {
            panic!("{what} at {at}: {params:?}");
        }
    }
}
