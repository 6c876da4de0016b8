//! Collecting the faults of a message, each with the JSON Pointer of its member (RFC 6901).
//!
//! A reason is a constant text: it says what the member must be, never what it was.

use crate::problem::{Cause, InvalidParam};

/// A value outside a closed enumeration. The text says nothing about the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not one of the values defined")]
pub struct UnknownValue;

/// Longest member name that is repeated in a JSON Pointer, in characters. Own value.
pub const MAX_POINTER_TOKEN: usize = 64;

/// Most faults listed in one answer. Own value.
pub const MAX_INVALID_PARAMS: usize = 32;

/// Reason of a member that must be there.
pub const MISSING: &str = "is mandatory";

/// The pointer of member `key` below `at`.
///
/// Names of members are the sender's text as well: letters, digits and `. _ : @ -` are kept, others become `?`.
#[must_use]
pub fn child(at: &str, key: &str) -> String {
    let mut pointer = String::with_capacity(at.len() + key.len().min(MAX_POINTER_TOKEN) + 1);
    pointer.push_str(at);
    pointer.push('/');
    for c in key.chars().take(MAX_POINTER_TOKEN) {
        match c {
            '~' => pointer.push_str("~0"),
            '/' => pointer.push_str("~1"),
            c if c.is_ascii_alphanumeric() || ".-_:@".contains(c) => pointer.push(c),
            _ => pointer.push('?'),
        }
    }
    pointer
}

/// The pointer of element `index` below `at`.
#[must_use]
pub fn item(at: &str, index: usize) -> String {
    format!("{at}/{index}")
}

/// The faults found so far.
#[derive(Debug, Default)]
pub struct Faults(Vec<InvalidParam>);

impl Faults {
    /// Nothing found yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a fault of the member at `param`.
    pub fn add(&mut self, param: impl Into<String>, reason: &'static str) {
        if self.0.len() < MAX_INVALID_PARAMS {
            self.0.push(InvalidParam::new(param, reason));
        }
    }

    /// Notes a fault of member `key` of the object at `at`, unless `holds`.
    pub fn require(&mut self, holds: bool, at: &str, key: &str, reason: &'static str) {
        if !holds {
            self.add(child(at, key), reason);
        }
    }

    /// Takes over the faults of a part.
    pub fn merge(&mut self, part: Result<(), Vec<InvalidParam>>) {
        if let Err(faults) = part {
            let room = MAX_INVALID_PARAMS.saturating_sub(self.0.len());
            self.0.extend(faults.into_iter().take(room));
        }
    }

    /// Validates an optional part at member `key`.
    pub fn part<T: Validate>(&mut self, part: Option<&T>, at: &str, key: &str) {
        if let Some(part) = part {
            self.merge(part.validate(&child(at, key)));
        }
    }

    /// Validates a list at member `key`: one to `max` elements, each valid.
    pub fn list<T: Validate>(&mut self, list: &[T], max: usize, at: &str, key: &str) {
        let here = child(at, key);
        self.size(list.len(), max, &here);
        for (index, element) in list.iter().take(max).enumerate() {
            self.merge(element.validate(&item(&here, index)));
        }
    }

    /// Validates a list at member `key` that may be absent, but not empty.
    pub fn opt_list<T: Validate>(&mut self, list: Option<&Vec<T>>, max: usize, at: &str, key: &str) {
        if let Some(list) = list {
            self.list(list, max, at, key);
        }
    }

    /// Validates a text at member `key`: one to `max` characters, no control characters.
    pub fn text(&mut self, text: &str, max: usize, at: &str, key: &str) {
        if let Some(reason) = text_fault(text, max) {
            self.add(child(at, key), reason);
        }
    }

    /// Validates a text that may be absent.
    pub fn opt_text(&mut self, text: Option<&String>, max: usize, at: &str, key: &str) {
        if let Some(text) = text {
            self.text(text, max, at, key);
        }
    }

    /// Validates a list of texts that may be absent, but not empty.
    pub fn texts(&mut self, list: Option<&Vec<String>>, max_items: usize, max: usize, at: &str, key: &str) {
        let Some(list) = list else { return };
        let here = child(at, key);
        self.size(list.len(), max_items, &here);
        for (index, text) in list.iter().take(max_items).enumerate() {
            if let Some(reason) = text_fault(text, max) {
                self.add(item(&here, index), reason);
            }
        }
    }

    /// Notes a list at `here` that is empty or longer than `max`.
    pub fn size(&mut self, len: usize, max: usize, here: &str) {
        if len == 0 {
            self.add(here, "needs at least one element");
        } else if len > max {
            self.add(here, "has too many elements");
        }
    }

    /// Notes a number at member `key` outside `low..=high`; NaN is outside.
    pub fn range(&mut self, value: f64, low: f64, high: f64, at: &str, key: &str) {
        if !(low..=high).contains(&value) {
            self.add(child(at, key), "is out of range");
        }
    }

    /// Notes a number at member `key` that is not finite or negative.
    pub fn not_negative(&mut self, value: f64, at: &str, key: &str) {
        self.range(value, 0.0, f64::MAX, at, key);
    }

    /// Notes a number at member `key` that is not finite.
    pub fn finite(&mut self, value: f64, at: &str, key: &str) {
        self.require(value.is_finite(), at, key, "is out of range");
    }

    /// Notes the object at `at` if none of `present` holds.
    pub fn at_least_one(&mut self, present: &[bool], at: &str, reason: &'static str) {
        if !present.iter().any(|p| *p) {
            self.add(at, reason);
        }
    }

    /// Notes the object at `at` if not exactly one of `present` holds.
    pub fn exactly_one(&mut self, present: &[bool], at: &str, reason: &'static str) {
        if present.iter().filter(|p| **p).count() != 1 {
            self.add(at, reason);
        }
    }

    /// The outcome: nothing, or every fault found.
    ///
    /// # Errors
    /// The faults, if there is one.
    pub fn done(self) -> Result<(), Vec<InvalidParam>> {
        if self.0.is_empty() { Ok(()) } else { Err(self.0) }
    }
}

/// Longest URI that is accepted, in bytes. Own value.
pub const MAX_URI: usize = 2048;

/// What is wrong with a text of one to `max` characters.
fn text_fault(text: &str, max: usize) -> Option<&'static str> {
    if text.is_empty() {
        Some("must not be empty")
    } else if text.chars().count() > max {
        Some("is too long")
    } else if text.chars().any(char::is_control) {
        Some("must not hold control characters")
    } else {
        None
    }
}

/// What can tell whether it is acceptable, beyond what its types already say.
pub trait Validate {
    /// Lists every fault of the value that stands at JSON Pointer `at` (`""` for a whole body).
    ///
    /// # Errors
    /// At least one fault, at most [`MAX_INVALID_PARAMS`].
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>>;
}

/// JSON of any shape, as a merge patch is before it is applied: what comes of it is validated then.
impl Validate for serde_json::Value {
    fn validate(&self, _: &str) -> Result<(), Vec<InvalidParam>> {
        Ok(())
    }
}

/// The cause of a list of faults, by its first: the whole body, a query parameter (no pointer), a missing member or an
/// incorrect one.
#[must_use]
pub fn cause_of(faults: &[InvalidParam]) -> Cause {
    match faults.first() {
        Some(fault) if fault.param.is_empty() => Cause::InvalidMsgFormat,
        Some(fault) if !fault.param.starts_with('/') => Cause::InvalidQueryParam,
        Some(fault) if fault.reason.as_deref() == Some(MISSING) => Cause::MandatoryIeMissing,
        Some(_) => Cause::MandatoryIeIncorrect,
        None => Cause::InvalidMsgFormat,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_gives_the_cause() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("", "is not an object", Cause::InvalidMsgFormat), ("map-id", MISSING, Cause::InvalidQueryParam),
            ("area-int/geoServAr", "has the wrong type", Cause::InvalidQueryParam),
            ("/anchors", MISSING, Cause::MandatoryIeMissing), ("/anchors", "is too long", Cause::MandatoryIeIncorrect),
        ];
        for (param, reason, cause) in rows {
            assert_eq!(cause_of(&[InvalidParam::new(param, reason)]), cause, "{param} {reason}");
        }
        assert_eq!(cause_of(&[]), Cause::InvalidMsgFormat);
    }

    #[test]
    fn names_from_outside_are_cut_and_cleaned() {
        assert_eq!(child("/a", "b/c~d"), "/a/b~1c~0d");
        assert_eq!(child("", "x y\n<>"), "/x?y???");
        assert_eq!(child("", &"k".repeat(1000)).len(), 1 + MAX_POINTER_TOKEN);
    }

    #[test]
    fn the_list_of_faults_is_bounded() {
        let mut faults = Faults::new();
        for _ in 0..1000 {
            faults.add("/a", MISSING);
            faults.merge(Err(vec![InvalidParam::new("/b", MISSING); 3]));
        }
        assert_eq!(faults.done().unwrap_err().len(), MAX_INVALID_PARAMS);
    }
}
