//! Times on the wire: RFC 3339 (TS 29.122 `DateTime`) and windows of time.

use serde::{Deserialize, Serialize};
use time::format_description::well_known::Rfc3339;
use time::{OffsetDateTime, UtcOffset};

use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate};

/// Last second that RFC 3339 can write: 9999-12-31T23:59:59Z.
const LAST_S: i64 = 253_402_300_799;

/// First second that RFC 3339 can write: 0000-01-01T00:00:00Z.
const FIRST_S: i64 = -62_167_219_200;

/// Longest text read as a time, in bytes. Own value.
const MAX_TEXT: usize = 64;

/// A point in time, RFC 3339 on the wire; held and written in UTC.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, utoipa::ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct DateTime(OffsetDateTime);

/// A text is no RFC 3339 time. Says nothing about the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not an RFC 3339 date and time")]
pub struct DateTimeError;

impl DateTime {
    /// The time `unix_s` seconds after 1970-01-01T00:00:00Z, held inside what RFC 3339 can write.
    #[must_use]
    pub fn from_unix(unix_s: i64) -> Self {
        let held = unix_s.clamp(FIRST_S, LAST_S);
        Self(OffsetDateTime::from_unix_timestamp(held).unwrap_or(OffsetDateTime::UNIX_EPOCH))
    }

    /// The time `unix_ms` milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn from_unix_ms(unix_ms: i64) -> Self {
        let whole = Self::from_unix(unix_ms.div_euclid(1000)).0;
        let rest = time::Duration::milliseconds(unix_ms.rem_euclid(1000));
        Self(whole.checked_add(rest).unwrap_or(whole))
    }

    /// Whole seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix(self) -> i64 {
        self.0.unix_timestamp()
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn unix_ms(self) -> i64 {
        self.unix() * 1000 + i64::from(self.0.millisecond())
    }

    /// The time as the `time` crate has it, in UTC.
    #[must_use]
    pub fn as_offset(self) -> OffsetDateTime {
        self.0
    }
}

impl From<OffsetDateTime> for DateTime {
    fn from(at: OffsetDateTime) -> Self {
        let held = (FIRST_S..=LAST_S).contains(&at.unix_timestamp());
        if held { Self(at.to_offset(UtcOffset::UTC)) } else { Self::from_unix(at.unix_timestamp()) }
    }
}

impl std::str::FromStr for DateTime {
    type Err = DateTimeError;

    fn from_str(text: &str) -> Result<Self, DateTimeError> {
        if text.len() > MAX_TEXT {
            return Err(DateTimeError);
        }
        let at = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| DateTimeError)?;
        // An offset can carry a time of the first or last day out of the years that can be written.
        if (FIRST_S..=LAST_S).contains(&at.unix_timestamp()) {
            Ok(Self::from(at))
        } else {
            Err(DateTimeError)
        }
    }
}

impl std::fmt::Display for DateTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.format(&Rfc3339).map_err(|_| std::fmt::Error)?)
    }
}

impl std::fmt::Debug for DateTime {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

impl Serialize for DateTime {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for DateTime {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A window of time (TS 29.122 `TimeWindow`): from `startTime` on, before `stopTime`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TimeWindow {
    /// First instant inside.
    pub start_time: DateTime,
    /// First instant outside again.
    pub stop_time: DateTime,
}

impl TimeWindow {
    /// Whether the second `now_s` (since 1970) lies inside.
    #[must_use]
    pub fn holds(&self, now_s: i64) -> bool {
        self.start_time.unix() <= now_s && now_s < self.stop_time.unix()
    }
}

impl Validate for TimeWindow {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.require(self.start_time < self.stop_time, at, "stopTime", "must be later than startTime");
        faults.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_rfc_3339_is_read() {
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Option<i64>); 9] = [
            ("1970-01-01T00:00:00Z", Some(0)), ("1970-01-01T01:00:00+01:00", Some(0)), ("1970-01-01T00:00:00.999Z", Some(0)),
            ("1970-01-01", None), ("1970-01-01T00:00:00", None), ("1970-13-01T00:00:00Z", None), ("", None), ("0", None),
            ("9999-12-31T23:59:59-01:00", None),
        ];
        for (text, unix_s) in rows {
            assert_eq!(text.parse::<DateTime>().ok().map(DateTime::unix), unix_s, "{text}");
        }
    }

    #[test]
    fn any_second_can_be_written() {
        for unix_s in [i64::MIN, FIRST_S, -1, 0, 1, LAST_S, i64::MAX] {
            let at = DateTime::from_unix(unix_s);
            assert_eq!(at.to_string().parse(), Ok(at));
            assert_eq!(at.unix(), unix_s.clamp(FIRST_S, LAST_S));
        }
        assert_eq!(DateTime::from_unix_ms(1_500).to_string(), "1970-01-01T00:00:01.5Z");
        assert_eq!(DateTime::from_unix_ms(-1).unix_ms(), -1);
    }

    #[test]
    fn a_window_starts_before_it_stops() {
        let window = |start, stop| TimeWindow {
            start_time: DateTime::from_unix(start),
            stop_time: DateTime::from_unix(stop),
        };
        assert!(window(10, 11).validate("").is_ok());
        assert_eq!(window(10, 10).validate("/w").unwrap_err()[0].param, "/w/stopTime");
        for (now_s, inside) in [(9, false), (10, true), (11, true), (12, false)] {
            assert_eq!(window(10, 12).holds(now_s), inside, "{now_s}");
        }
    }
}
