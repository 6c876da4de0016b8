//! Reading the query parameters of CAPIF, every fault at once.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde::de::DeserializeOwned;

use super::{MAX_LIST, MAX_WORD, vendor};
use crate::date_time::DateTime;
use crate::problem::InvalidParam;
use crate::query::Query;
use crate::validate::{Faults, MISSING, Validate, item};

/// Reads parameter after parameter and keeps the faults.
pub(super) struct Reader<'q> {
    query: &'q Query,
    faults: Faults,
}

impl<'q> Reader<'q> {
    pub(super) fn new(query: &'q Query) -> Self {
        Self { query, faults: Faults::new() }
    }

    /// Notes a fault of parameter `name`.
    pub(super) fn fault(&mut self, name: &str, reason: &'static str) {
        self.faults.add(name, reason);
    }

    /// What `read` gives.
    pub(super) fn take<T>(
        &mut self,
        read: impl FnOnce(&Query) -> Result<Option<T>, InvalidParam>,
    ) -> Option<T> {
        self.take_all(|query| read(query).map_err(|fault| vec![fault]))
    }

    /// What `read` gives, of several faults.
    pub(super) fn take_all<T>(
        &mut self,
        read: impl FnOnce(&Query) -> Result<Option<T>, Vec<InvalidParam>>,
    ) -> Option<T> {
        match read(self.query) {
            Ok(value) => value,
            Err(faults) => {
                self.faults.merge(Err(faults));
                None
            }
        }
    }

    /// A parameter that must be there.
    pub(super) fn required<T: FromStr>(&mut self, name: &'static str) -> Option<T> {
        if self.query.raw(name).is_none() {
            self.fault(name, MISSING);
        }
        self.take(|query| query.parsed(name))
    }

    /// A text of at most `max` characters.
    pub(super) fn text(&mut self, name: &'static str, max: usize) -> Option<String> {
        self.take(|query| match query.text(name)? {
            Some(text) if text.chars().count() > max => Err(InvalidParam::new(name, "is too long")),
            other => Ok(other),
        })
    }

    /// A time. A `+` that was not escaped is the sign of an offset, because a time has no blank.
    pub(super) fn time(&mut self, name: &'static str) -> Option<DateTime> {
        self.take(|query| match query.text(name)? {
            Some(text) => text
                .replace(' ', "+")
                .parse()
                .map(Some)
                .map_err(|_| InvalidParam::new(name, "is not an RFC 3339 date and time")),
            None => Ok(None),
        })
    }

    /// A value of an open enumeration.
    pub(super) fn word<T: for<'a> From<&'a str>>(&mut self, name: &'static str) -> Option<T> {
        self.text(name, MAX_WORD).map(|word| T::from(&word))
    }

    /// Texts, as JSON or separated by commas (`style=form, explode=false`): one to `max`.
    pub(super) fn texts(&mut self, name: &'static str, max: usize) -> Option<Vec<String>> {
        let list = self.take(|query| query.texts(name))?;
        self.faults.size(list.len(), max, name);
        let good = |text: &String| {
            !text.is_empty() && text.chars().count() <= super::MAX_NAME && !text.chars().any(char::is_control)
        };
        if list.iter().take(max).all(good) {
            return Some(list);
        }
        self.fault(name, "holds an element that is no text");
        None
    }

    /// Values of an open enumeration, as texts.
    pub(super) fn words<T: for<'a> From<&'a str>>(
        &mut self,
        name: &'static str,
        max: usize,
    ) -> Option<Vec<T>> {
        let list = self.texts(name, max)?;
        if list.iter().any(|word| word.chars().count() > MAX_WORD) {
            self.fault(name, "holds an element that is too long");
        }
        Some(list.iter().map(|word| T::from(word.as_str())).collect())
    }

    /// Identifiers, as texts.
    pub(super) fn ids<T: FromStr>(&mut self, name: &'static str) -> Option<Vec<T>> {
        let list = self.texts(name, MAX_LIST)?;
        let ids: Result<Vec<T>, _> = list.iter().map(|text| text.parse()).collect();
        if ids.is_err() {
            self.fault(name, "holds an element that is no identifier");
        }
        ids.ok()
    }

    /// Objects in JSON: one to `max`.
    pub(super) fn objects<T: DeserializeOwned + Validate>(
        &mut self,
        name: &'static str,
        max: usize,
    ) -> Option<Vec<T>> {
        let list: Vec<T> = self.take(|query| query.json(name))?;
        self.faults.size(list.len(), max, name);
        for (index, element) in list.iter().take(max).enumerate() {
            self.faults.merge(element.validate(&item(name, index)));
        }
        Some(list)
    }

    /// The parameters of vendors, by their whole names.
    pub(super) fn vendor_specific(&mut self) -> BTreeMap<String, String> {
        let mut members = BTreeMap::new();
        for name in self.query.names().filter(|name| name.starts_with(vendor::PREFIX)) {
            let value = self.query.raw(name).unwrap_or_default();
            if name.len() > vendor::MAX_NAME || value.len() > vendor::MAX_BYTES {
                self.faults.add("vendorSpecific", "is too long");
            } else {
                members.insert(name.to_owned(), value.to_owned());
            }
        }
        members
    }

    /// The faults, or else the parameter that had to be there.
    pub(super) fn done<T>(self, required: Option<T>) -> Result<T, Vec<InvalidParam>> {
        self.finish()?;
        required.ok_or_else(|| vec![InvalidParam::new("query", MISSING)])
    }

    /// The faults.
    pub(super) fn finish(self) -> Result<(), Vec<InvalidParam>> {
        self.faults.done()
    }
}
