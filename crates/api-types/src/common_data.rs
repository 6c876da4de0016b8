//! Small types that several APIs share (TS 29.122, 29.523, 29.548, 29.549, 29.558, 29.571).

use serde::{Deserialize, Serialize};

use crate::date_time::{DateTime, TimeWindow};
use crate::ids::{ValUeId, ValUserId};
use crate::problem::InvalidParam;
use crate::validate::{Faults, MAX_URI, Validate, child, item};

/// Most elements of a list that has no limit of its own. Own value.
pub const MAX_LIST: usize = 256;

/// Longest text that has no limit of its own, in characters. Own value.
pub const MAX_TEXT: usize = 1024;

/// Supported features (TS 29.571 `SupportedFeatures`): a bit mask in hex digits, feature 1 in the last bit.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(try_from = "String", into = "String")]
#[schema(value_type = String, pattern = "^[A-Fa-f0-9]*$")]
pub struct SupportedFeatures(String);

/// Feature number of our own members on anchors and maps.
pub const OWN_MEMBERS: u32 = 1;

/// Most hex digits of a feature mask. Own value.
const MAX_FEATURES: usize = 64;

/// A text is no feature mask. Says nothing about the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a hexadecimal feature mask")]
pub struct FeaturesError;

impl SupportedFeatures {
    /// The mask with our own members alone.
    #[must_use]
    pub fn own_members() -> Self {
        Self("1".to_owned())
    }

    /// The mask of features by their numbers, counted from 1; a number beyond the longest mask is left out.
    #[must_use]
    pub fn of(numbers: &[u32]) -> Self {
        let mut digits = [0u8; MAX_FEATURES];
        for bit in numbers.iter().filter_map(|number| number.checked_sub(1)) {
            if let Some(digit) = digits.get_mut((bit / 4) as usize) {
                *digit |= 1 << (bit % 4);
            }
        }
        Self::from_digits(&digits)
    }

    /// The features of both: what a server answers (TS 29.500 6.6.2).
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let mut digits = [0u8; MAX_FEATURES];
        let both = self.0.bytes().rev().zip(other.0.bytes().rev());
        for (digit, (one, two)) in digits.iter_mut().zip(both) {
            let value =
                |byte: u8| char::from(byte).to_digit(16).and_then(|d| u8::try_from(d).ok()).unwrap_or(0);
            *digit = value(one) & value(two);
        }
        Self::from_digits(&digits)
    }

    /// The mask of hex digits, the last one first, without leading zeros; `0` for none.
    fn from_digits(digits: &[u8]) -> Self {
        let length = digits.iter().rposition(|digit| *digit != 0).map_or(1, |last| last + 1);
        Self(digits[..length].iter().rev().filter_map(|d| char::from_digit(u32::from(*d), 16)).collect())
    }

    /// The mask as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether feature `number`, counted from 1, is set.
    #[must_use]
    pub fn has(&self, number: u32) -> bool {
        let Some(bit) = number.checked_sub(1) else { return false };
        let digit = self.0.chars().rev().nth((bit / 4) as usize).and_then(|c| c.to_digit(16));
        digit.is_some_and(|d| d >> (bit % 4) & 1 == 1)
    }
}

impl TryFrom<String> for SupportedFeatures {
    type Error = FeaturesError;

    fn try_from(text: String) -> Result<Self, FeaturesError> {
        let good = text.len() <= MAX_FEATURES && text.bytes().all(|b| b.is_ascii_hexdigit());
        if good { Ok(Self(text)) } else { Err(FeaturesError) }
    }
}

impl From<SupportedFeatures> for String {
    fn from(features: SupportedFeatures) -> Self {
        features.0
    }
}

/// Whether a text can be a URI: a scheme, a colon and something behind, no white space or control character.
#[must_use]
pub fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    text.len() <= MAX_URI
        && scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b))
        && !rest.is_empty()
        && !text.chars().any(|c| c.is_control() || c.is_whitespace())
}

impl Faults {
    /// Notes a text at member `key` that is no URI.
    pub fn uri(&mut self, text: &str, at: &str, key: &str) {
        self.require(is_uri(text), at, key, "is not a URI");
    }

    /// Notes an optional text at member `key` that is no URI.
    pub fn opt_uri(&mut self, text: Option<&String>, at: &str, key: &str) {
        if let Some(text) = text {
            self.uri(text, at, key);
        }
    }
}

/// Where a service is reached (TS 29.548 `ConnInfo`): exactly one of the addresses, and a port.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ConnInfo {
    /// IPv4 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4_addr: Option<String>,
    /// IPv6 address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_addr: Option<String>,
    /// Port.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    /// URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
}

impl Validate for ConnInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present = [self.ipv4_addr.is_some(), self.ipv6_addr.is_some(), self.uri.is_some()];
        faults.exactly_one(&present, at, "needs exactly one of ipv4Addr, ipv6Addr, uri");
        if let Some(address) = &self.ipv4_addr {
            faults.require(is_ipv4(address), at, "ipv4Addr", "is not an IPv4 address");
        }
        if let Some(address) = &self.ipv6_addr {
            faults.require(is_ipv6(address), at, "ipv6Addr", "is not an IPv6 address");
        }
        faults.opt_uri(self.uri.as_ref(), at, "uri");
        faults.done()
    }
}

fn is_ipv4(text: &str) -> bool {
    text.parse::<std::net::Ipv4Addr>().is_ok()
}

fn is_ipv6(text: &str) -> bool {
    text.parse::<std::net::Ipv6Addr>().is_ok()
}

/// Where something is reached (TS 29.558 `EndPoint`): exactly one of the members.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EndPoint {
    /// URI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uri: Option<String>,
    /// Domain name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fqdn: Option<String>,
    /// IPv4 addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4_addrs: Option<Vec<String>>,
    /// IPv6 addresses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_addrs: Option<Vec<String>>,
}

impl Validate for EndPoint {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present =
            [self.uri.is_some(), self.fqdn.is_some(), self.ipv4_addrs.is_some(), self.ipv6_addrs.is_some()];
        faults.exactly_one(&present, at, "needs exactly one of uri, fqdn, ipv4Addrs, ipv6Addrs");
        faults.opt_uri(self.uri.as_ref(), at, "uri");
        if let Some(name) = &self.fqdn {
            let good = name.len() >= 4
                && name.len() <= 253
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'.');
            faults.require(good, at, "fqdn", "is not a domain name");
        }
        addresses(&mut faults, self.ipv4_addrs.as_ref(), is_ipv4, at, "ipv4Addrs");
        addresses(&mut faults, self.ipv6_addrs.as_ref(), is_ipv6, at, "ipv6Addrs");
        faults.done()
    }
}

fn addresses(faults: &mut Faults, list: Option<&Vec<String>>, good: fn(&str) -> bool, at: &str, key: &str) {
    let Some(list) = list else { return };
    let here = child(at, key);
    faults.size(list.len(), MAX_LIST, &here);
    for (index, address) in list.iter().take(MAX_LIST).enumerate() {
        if !good(address) {
            faults.add(item(&here, index), "is not an address of this kind");
        }
    }
}

/// Connectivity of an application service (TS 29.437): at least one member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ServConnectInfo {
    /// Data network access identifiers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dnais: Option<Vec<String>>,
    /// Data network name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dnn: Option<String>,
}

impl Validate for ServConnectInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.at_least_one(&[self.dnais.is_some(), self.dnn.is_some()], at, "needs dnais or dnn");
        faults.texts(self.dnais.as_ref(), MAX_LIST, MAX_TEXT, at, "dnais");
        faults.opt_text(self.dnn.as_ref(), 255, at, "dnn");
        faults.done()
    }
}

/// A VAL user or a VAL UE (TS 29.549 `ValTargetUe`): exactly one member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ValTargetUe {
    /// VAL user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_user_id: Option<ValUserId>,
    /// VAL UE.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_ue_id: Option<ValUeId>,
}

impl Validate for ValTargetUe {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present = [self.val_user_id.is_some(), self.val_ue_id.is_some()];
        faults.exactly_one(&present, at, "needs exactly one of valUserId, valUeId");
        faults.done()
    }
}

/// A schedule within the week (TS 29.122).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ScheduledCommunicationTime {
    /// Days, 1 is Monday.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub days_of_week: Option<Vec<u8>>,
    /// `hh:mm:ss` with offset (TS 29.122 `TimeOfDay`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_of_day_start: Option<String>,
    /// Likewise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_of_day_end: Option<String>,
}

/// When something is available (TS 29.549 `TimeReqs`): exactly one member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TimeReqs {
    /// Windows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_windows: Option<Vec<TimeWindow>>,
    /// Schedule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_schedule: Option<Vec<ScheduledCommunicationTime>>,
}

impl Validate for ScheduledCommunicationTime {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        if let Some(days) = &self.days_of_week {
            let here = child(at, "daysOfWeek");
            faults.size(days.len(), 6, &here);
            faults.require(days.iter().all(|d| (1..=7).contains(d)), at, "daysOfWeek", "is out of range");
        }
        faults.opt_text(self.time_of_day_start.as_ref(), 64, at, "timeOfDayStart");
        faults.opt_text(self.time_of_day_end.as_ref(), 64, at, "timeOfDayEnd");
        faults.done()
    }
}

impl Validate for TimeReqs {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present = [self.time_windows.is_some(), self.time_schedule.is_some()];
        faults.exactly_one(&present, at, "needs exactly one of timeWindows, timeSchedule");
        faults.opt_list(self.time_windows.as_ref(), MAX_LIST, at, "timeWindows");
        faults.opt_list(self.time_schedule.as_ref(), MAX_LIST, at, "timeSchedule");
        faults.done()
    }
}

open_enum! {
    /// When notifications are sent (TS 29.508 `NotificationMethod`).
    NotificationMethod {
        /// Periodically.
        Periodic = "PERIODIC",
        /// Once.
        OneTime = "ONE_TIME",
        /// Each time.
        OnEventDetection = "ON_EVENT_DETECTION",
    }
}

/// How to report (TS 29.523 `ReportingInformation`).
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportingInformation {
    /// Whether the first report comes with the answer.
    #[serde(default)]
    pub imm_rep: bool,
    /// When notifications are sent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notif_method: Option<NotificationMethod>,
    /// Most reports.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_report_nbr: Option<u32>,
    /// End of the monitoring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mon_dur: Option<DateTime>,
    /// Period of reports, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rep_period: Option<u32>,
    /// Share sampled, in per cent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub samp_ratio: Option<u8>,
    /// Partitioning before sampling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_criteria: Option<Vec<String>>,
    /// Time in which reports are grouped, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grp_rep_time: Option<u32>,
    /// Whether notifications are muted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notif_flag: Option<String>,
}

impl ReportingInformation {
    /// Whether two say the same but for `notifFlag`; nothing said is as good as nothing wanted.
    #[must_use]
    pub fn same_but_flag(one: Option<&Self>, other: Option<&Self>) -> bool {
        let plain = |wanted: Option<&Self>| Self { notif_flag: None, ..wanted.cloned().unwrap_or_default() };
        plain(one) == plain(other)
    }
}

impl Validate for ReportingInformation {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        if let Some(ratio) = self.samp_ratio {
            faults.require((1..=100).contains(&ratio), at, "sampRatio", "is out of range");
        }
        faults.texts(self.partition_criteria.as_ref(), MAX_LIST, MAX_TEXT, at, "partitionCriteria");
        faults.opt_text(self.notif_flag.as_ref(), MAX_TEXT, at, "notifFlag");
        faults.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn features_count_from_the_last_bit() {
        let mask = |text: &str| SupportedFeatures::try_from(text.to_owned());
        #[rustfmt::skip] // a table stays a table
        let rows = [("1", 1, true), ("0", 1, false), ("", 1, false), ("2", 1, false), ("3", 1, true), ("F1", 1, true),
            ("10", 5, true), ("10", 1, false), ("1", 0, false), ("8", 4, true), ("f", 200, false)];
        for (text, number, set) in rows {
            assert_eq!(mask(text).unwrap().has(number), set, "{text} {number}");
        }
        for text in ["g", " 1", "0x1", &"0".repeat(65)] {
            assert!(mask(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_answer_holds_what_both_know() {
        let mask = |text: &str| SupportedFeatures::try_from(text.to_owned()).unwrap();
        #[rustfmt::skip] // a table stays a table
        let rows = [("3", "5", "1"), ("F0", "ff", "f0"), ("", "1", "0"), ("1", "0010", "0"), ("00a", "A", "a")];
        for (one, other, both) in rows {
            assert_eq!(mask(one).intersection(&mask(other)).as_str(), both, "{one} {other}");
            assert_eq!(mask(other).intersection(&mask(one)).as_str(), both, "{other} {one}");
        }
        for (numbers, text) in [
            (&[1, 5, 10][..], "211"),
            (&[], "0"),
            (&[0, 9_999], "0"),
            (&[256], &format!("8{}", "0".repeat(63))),
        ] {
            assert_eq!(SupportedFeatures::of(numbers).as_str(), text, "{numbers:?}");
        }
    }

    type Spoil = fn(&mut ConnInfo);

    #[test]
    fn exactly_one_address() {
        let good = ConnInfo { uri: Some("https://val.example/guide".into()), ..ConnInfo::default() };
        assert!(good.validate("").is_ok());
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, Spoil, &str); 5] = [
            ("none", |c| c.uri = None, "/e"),
            ("two", |c| c.ipv4_addr = Some("192.0.2.1".into()), "/e"),
            ("no URI", |c| c.uri = Some("not a uri".into()), "/e/uri"),
            ("no IPv4", |c| { c.uri = None; c.ipv4_addr = Some("192.0.2.256".into()) }, "/e/ipv4Addr"),
            ("no IPv6", |c| { c.uri = None; c.ipv6_addr = Some("192.0.2.1".into()) }, "/e/ipv6Addr"),
        ];
        for (what, spoil, param) in rows {
            let mut info = good.clone();
            spoil(&mut info);
            let faults = info.validate("/e").unwrap_err();
            assert_eq!(faults[0].param, param, "{what}");
        }
    }

    #[test]
    fn exactly_one_target() {
        let target = |user: Option<&str>, ue: Option<&str>| ValTargetUe {
            val_user_id: user.map(|u| u.try_into().unwrap()),
            val_ue_id: ue.map(|u| u.try_into().unwrap()),
        };
        assert!(target(Some("u"), None).validate("").is_ok());
        assert!(target(None, Some("e")).validate("").is_ok());
        assert!(target(None, None).validate("").is_err());
        assert!(target(Some("u"), Some("e")).validate("").is_err());
    }
}
