//! What the profiles of a service API have to be. A service API fits while one of its profiles does, and is answered with
//! those that do, each with the versions that do (TS 29.222 `DiscoveredAPIs`).
//!
//! What a profile does not state it does not promise; only of UEs and slices, silence means all of them.

use std::borrow::Cow;
use std::net::IpAddr;

use api_types::capif::discover::ResOperInfo;
use api_types::capif::ids::AefId;
use api_types::capif::network::{IpAddrInfo, IpAddrRange};
use api_types::capif::profile::{
    AefLocation, AefProfile, CommunicationType, DataFormat, OAuthGrantType, Protocol, ServiceKpis, Version,
};
use api_types::capif::publish::ServiceAPIDescription;
use api_types::capif::vendor::VendorSpecific;
use serde_json::Value;

use super::{kpis, place, resources};

/// What is asked of one service API; absent: anything.
#[derive(Debug, Clone, Default)]
pub(crate) struct Criteria<'f> {
    /// The function.
    pub(crate) aef: Option<&'f AefId>,
    /// One of these versions.
    pub(crate) versions: Option<&'f [String]>,
    /// How one of its resources or operations is used.
    pub(crate) comm_type: Option<&'f CommunicationType>,
    /// One of these protocols.
    pub(crate) protocols: Option<&'f [Protocol]>,
    /// The data format.
    pub(crate) data_format: Option<&'f DataFormat>,
    /// A UE that is served.
    pub(crate) ue: Option<IpAddr>,
    /// At least as good.
    pub(crate) kpis: Option<&'f ServiceKpis>,
    /// All of these grant types, at one interface.
    pub(crate) grants: Option<&'f [OAuthGrantType]>,
    /// All of these resources and operations.
    pub(crate) res_ops: Option<&'f [ResOperInfo]>,
    /// Members of vendors, with their values.
    pub(crate) vendor: Vec<(&'f str, &'f str)>,
    /// Profiles there come first.
    pub(crate) wish: Option<&'f AefLocation>,
    /// Versions whose expiry has come are gone.
    pub(crate) now_s: i64,
}

impl Criteria<'_> {
    /// What fits of a service API, where it is active; `None`: nothing.
    pub(crate) fn narrow<'a>(
        &self,
        api: &'a ServiceAPIDescription,
    ) -> Option<Cow<'a, ServiceAPIDescription>> {
        let published = api.aef_profiles.as_deref().unwrap_or_default();
        let mut fitting: Vec<_> = published
            .iter()
            .filter(|profile| api.is_active_at(&profile.aef_id))
            .filter_map(|profile| self.profile(profile))
            .collect();
        if fitting.is_empty() {
            return None;
        }
        if let Some(wish) = self.wish {
            fitting.sort_by_key(|profile| !place::is_at(profile.aef_location.as_ref(), wish));
        }
        let as_published = |(profile, published): (&Cow<'_, AefProfile>, &AefProfile)| matches!(profile, Cow::Borrowed(same) if std::ptr::eq(*same, published));
        if fitting.len() == published.len() && fitting.iter().zip(published).all(as_published) {
            return Some(Cow::Borrowed(api));
        }
        let mut narrowed = api.clone();
        if let Some(status) = &mut narrowed.api_status {
            status.aef_ids.retain(|aef| fitting.iter().any(|profile| profile.aef_id == *aef));
        }
        narrowed.aef_profiles = Some(fitting.into_iter().map(Cow::into_owned).collect());
        Some(Cow::Owned(narrowed))
    }

    /// Whether the first profile is where it is wished.
    pub(crate) fn is_wished(&self, narrowed: &ServiceAPIDescription) -> bool {
        let first = narrowed.aef_profiles.iter().flatten().next();
        self.wish.is_some_and(|wish| {
            first.is_some_and(|profile| place::is_at(profile.aef_location.as_ref(), wish))
        })
    }

    fn profile<'p>(&self, profile: &'p AefProfile) -> Option<Cow<'p, AefProfile>> {
        let fits = self.aef.is_none_or(|aef| profile.aef_id == *aef)
            && self
                .protocols
                .is_none_or(|list| profile.protocol.as_ref().is_some_and(|known| list.contains(known)))
            && self.data_format.is_none_or(|format| profile.data_format.as_ref() == Some(format))
            && self.ue.is_none_or(|ue| profile.ue_ip_range.as_ref().is_none_or(|range| serves(range, ue)))
            && self.kpis.is_none_or(|asked| {
                profile.service_kpis.as_ref().is_some_and(|kpis| kpis::at_least(kpis, asked))
            })
            && self.grants.is_none_or(|asked| grants(profile, asked))
            && self.vendor.iter().all(|(name, value)| has_member(&profile.vendor_specific, name, value));
        if !fits {
            return None;
        }
        let whole = profile.versions.iter().all(|version| self.version(version));
        if whole {
            return Some(Cow::Borrowed(profile));
        }
        let versions: Vec<_> =
            profile.versions.iter().filter(|version| self.version(version)).cloned().collect();
        (!versions.is_empty()).then(|| Cow::Owned(AefProfile { versions, ..profile.clone() }))
    }

    fn version(&self, version: &Version) -> bool {
        let used_so = |asked: &CommunicationType| {
            let resources = version.resources.iter().flatten();
            let custom = resources.clone().flat_map(|resource| resource.cust_operations.iter().flatten());
            let custom = custom.chain(version.cust_operations.iter().flatten());
            resources
                .map(|resource| &resource.comm_type)
                .chain(custom.map(|custom| &custom.comm_type))
                .any(|known| known == asked)
        };
        version.expiry.is_none_or(|end| self.now_s < end.unix())
            && self.versions.is_none_or(|list| list.contains(&version.api_version))
            && self.comm_type.is_none_or(used_so)
            && self.res_ops.iter().copied().flatten().all(|asked| resources::offers(version, asked))
    }
}

/// The address of a UE; `None` for one that cannot be read, which validation has refused before.
pub(crate) fn address(info: &IpAddrInfo) -> Option<IpAddr> {
    info.ipv4_addr.as_ref().or(info.ipv6_addr.as_ref())?.parse().ok()
}

fn serves(range: &IpAddrRange, ue: IpAddr) -> bool {
    match ue {
        IpAddr::V4(ue) => range.ue_ipv4_addr_ranges.iter().flatten().any(|range| range.holds(ue)),
        IpAddr::V6(ue) => range.ue_ipv6_addr_ranges.iter().flatten().any(|range| range.holds(ue)),
    }
}

/// Whether one interface, or a profile without any, supports all of these grant types. An interface that names its own is
/// not asked what its profile names.
fn grants(profile: &AefProfile, asked: &[OAuthGrantType]) -> bool {
    let of_profile = profile.grant_types.as_deref().unwrap_or_default();
    let all = |known: &[OAuthGrantType]| asked.iter().all(|grant| known.contains(grant));
    match &profile.interface_descriptions {
        Some(list) => {
            list.iter().any(|interface| all(interface.grant_types.as_deref().unwrap_or(of_profile)))
        }
        None => all(of_profile),
    }
}

/// Whether a member of a vendor has this value, given as JSON or as bare text.
pub(crate) fn has_member(members: &VendorSpecific, name: &str, value: &str) -> bool {
    members.member(name).is_some_and(|known| {
        known.as_str() == Some(value)
            || serde_json::from_str::<Value>(value).is_ok_and(|value| value == *known)
    })
}

#[cfg(test)]
mod tests;
