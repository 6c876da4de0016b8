//! Addresses, slices and ways of notifying that several APIs of CAPIF share (TS 29.122, 29.435, 29.571).

use serde::{Deserialize, Serialize};

use super::MAX_NAME;
use super::checks::{is_ipv4, is_ipv6};
use crate::problem::InvalidParam;
use crate::validate::{Faults, MAX_URI, Validate};

/// Most ranges of addresses of one kind. Own value.
pub const MAX_RANGES: usize = 64;

/// Most slices of one list. Own value.
pub const MAX_SLICES: usize = 64;

/// A range of IPv4 addresses, both ends inside (TS 29.571; TS 29.510 calls the same type its own).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ipv4AddressRange {
    /// First address.
    pub start: String,
    /// Last address.
    pub end: String,
}

/// A range of IPv6 addresses, both ends inside (TS 29.571, TS 29.222).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Ipv6AddressRange {
    /// First address.
    pub start: String,
    /// Last address.
    pub end: String,
}

/// The faults of a range from `start` to `end`.
fn range<A: std::str::FromStr + Ord>(
    (start, end): (&str, &str),
    good: fn(&str) -> bool,
    at: &str,
) -> Result<(), Vec<InvalidParam>> {
    let mut faults = Faults::new();
    faults.require(good(start), at, "start", "is not an address of this kind");
    faults.require(good(end), at, "end", "is not an address of this kind");
    if let (Ok(first), Ok(last)) = (start.parse::<A>(), end.parse::<A>()) {
        faults.require(first <= last, at, "end", "must not be before start");
    }
    faults.done()
}

impl Validate for Ipv4AddressRange {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        range::<std::net::Ipv4Addr>((&self.start, &self.end), is_ipv4, at)
    }
}

impl Validate for Ipv6AddressRange {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        range::<std::net::Ipv6Addr>((&self.start, &self.end), is_ipv6, at)
    }
}

impl Ipv4AddressRange {
    /// Whether an address lies inside.
    #[must_use]
    pub fn holds(&self, address: std::net::Ipv4Addr) -> bool {
        let ends = (self.start.parse::<std::net::Ipv4Addr>(), self.end.parse::<std::net::Ipv4Addr>());
        matches!(ends, (Ok(first), Ok(last)) if first <= address && address <= last)
    }
}

impl Ipv6AddressRange {
    /// Whether an address lies inside.
    #[must_use]
    pub fn holds(&self, address: std::net::Ipv6Addr) -> bool {
        let ends = (self.start.parse::<std::net::Ipv6Addr>(), self.end.parse::<std::net::Ipv6Addr>());
        matches!(ends, (Ok(first), Ok(last)) if first <= address && address <= last)
    }
}

/// Public addresses of UEs (TS 29.222): at least one member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IpAddrRange {
    /// IPv4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ue_ipv4_addr_ranges: Option<Vec<Ipv4AddressRange>>,
    /// IPv6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ue_ipv6_addr_ranges: Option<Vec<Ipv6AddressRange>>,
}

impl Validate for IpAddrRange {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present = [self.ue_ipv4_addr_ranges.is_some(), self.ue_ipv6_addr_ranges.is_some()];
        faults.at_least_one(&present, at, "needs ueIpv4AddrRanges or ueIpv6AddrRanges");
        faults.opt_list(self.ue_ipv4_addr_ranges.as_ref(), MAX_RANGES, at, "ueIpv4AddrRanges");
        faults.opt_list(self.ue_ipv6_addr_ranges.as_ref(), MAX_RANGES, at, "ueIpv6AddrRanges");
        faults.done()
    }
}

/// The address of a UE (TS 29.222): exactly one member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct IpAddrInfo {
    /// IPv4.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv4_addr: Option<String>,
    /// IPv6.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipv6_addr: Option<String>,
}

impl Validate for IpAddrInfo {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present = [self.ipv4_addr.is_some(), self.ipv6_addr.is_some()];
        faults.exactly_one(&present, at, "needs exactly one of ipv4Addr, ipv6Addr");
        faults.address(self.ipv4_addr.as_ref(), is_ipv4, at, "ipv4Addr");
        faults.address(self.ipv6_addr.as_ref(), is_ipv6, at, "ipv6Addr");
        faults.done()
    }
}

/// A slice (TS 29.571).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Snssai {
    /// Slice/service type.
    pub sst: u8,
    /// Slice differentiator, six hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sd: Option<String>,
}

impl Validate for Snssai {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        if let Some(sd) = &self.sd {
            let good = sd.len() == 6 && sd.bytes().all(|b| b.is_ascii_hexdigit());
            faults.require(good, at, "sd", "is not six hexadecimal digits");
        }
        faults.done()
    }
}

/// A slice by one of its names (TS 29.435): exactly one member.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NetSliceId {
    /// S-NSSAI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub snssai: Option<Snssai>,
    /// Slice instance (TS 29.531).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nsi_id: Option<String>,
    /// External name (TS 33.501).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ensi: Option<String>,
}

impl Validate for NetSliceId {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let present = [self.snssai.is_some(), self.nsi_id.is_some(), self.ensi.is_some()];
        faults.exactly_one(&present, at, "needs exactly one of snssai, nsiId, ensi");
        faults.part(self.snssai.as_ref(), at, "snssai");
        faults.opt_text(self.nsi_id.as_ref(), MAX_NAME, at, "nsiId");
        faults.opt_text(self.ensi.as_ref(), MAX_NAME, at, "ensi");
        faults.done()
    }
}

/// Delivery of notifications over WebSocket (TS 29.122). The address need not be one: clients of others send any text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebsockNotifConfig {
    /// Where the notifications are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub websocket_uri: Option<String>,
    /// Whether the sender asks for this way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_websocket_uri: Option<bool>,
}

impl Validate for WebsockNotifConfig {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.opt_text(self.websocket_uri.as_ref(), MAX_URI, at, "websocketUri");
        faults.done()
    }
}

/// A notification that tries whether the way works (TS 29.122).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct TestNotification {
    /// URI of the resource.
    pub subscription: String,
}
