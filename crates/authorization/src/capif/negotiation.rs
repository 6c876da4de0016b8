//! Which security method and which grant types an invoker uses at an API (TS 33.122 6.3 and 6.5.2, TS 29.222
//! `SecurityInformation`; TR 33.721 6.2.2 NOTE, 6.3.1 NOTE).
//!
//! Selected is what the interface publishes, the invoker prefers and local policy allows, the first in the order of local
//! policy. The spatial services are for tokens only: an API may say so, and is then never reached by certificate alone.
//! AEF_PSK is never selected; its derivation is in [`super::aef_psk`].

pub use api_types::capif::profile::{OAuthGrantType, SecurityMethod};

use crate::Reason;

/// What a profile and one of its interfaces publish, of methods or of grant types.
#[derive(Debug)]
pub struct Published<'a, T> {
    /// Of the profile.
    pub profile: &'a [T],
    /// Of the interface. One that says something is not asked what its profile says.
    pub interface: &'a [T],
}

impl<T> Clone for Published<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Published<'_, T> {}

impl<'a, T> Published<'a, T> {
    /// What holds at the interface.
    #[must_use]
    pub const fn at_interface(self) -> &'a [T] {
        if self.interface.is_empty() { self.profile } else { self.interface }
    }
}

/// What the operator of the core function allows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalPolicy {
    /// Methods that may be selected, the first one first.
    pub order: Vec<SecurityMethod>,
    /// Grant types that may be used.
    pub grants: Vec<OAuthGrantType>,
}

impl Default for LocalPolicy {
    /// A token before a certificate alone; an authorization code only with its verifier (RFC 9700 2.1.1).
    fn default() -> Self {
        Self {
            order: vec![SecurityMethod::Oauth, SecurityMethod::Pki],
            grants: vec![OAuthGrantType::ClientCredentials, OAuthGrantType::AuthorizationCodeWithPkce],
        }
    }
}

/// Why no method was selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NoMethod {
    /// The interface publishes no method that this version knows.
    #[error("the interface publishes no known security method")]
    NothingPublished,
    /// The invoker prefers no method that this version knows.
    #[error("prefSecurityMethods names no known security method")]
    NothingPreferred,
    /// No method is on both sides.
    #[error("the interface publishes none of prefSecurityMethods")]
    NothingCommon,
    /// The API is for tokens, and the two sides do not have OAUTH in common.
    #[error("the API takes OAUTH only")]
    TokenNeeded,
    /// Only PSK is common.
    #[error("PSK is not negotiated")]
    PskOnly,
    /// The policy of the core function allows none of what is common.
    #[error("local policy allows none of the common security methods")]
    LocalPolicy,
}

impl From<NoMethod> for Reason {
    fn from(_: NoMethod) -> Self {
        Self::MethodNotNegotiated
    }
}

/// Selects the method for one interface. `token_only`: the API takes nothing but access tokens.
///
/// # Errors
/// Why there is none; `selSecurityMethod` is then absent.
pub fn select(
    published: Published<'_, SecurityMethod>,
    preferred: &[SecurityMethod],
    token_only: bool,
    local: &LocalPolicy,
) -> Result<SecurityMethod, NoMethod> {
    use SecurityMethod::{Oauth, Pki, Psk};
    let published = published.at_interface();
    if !published.iter().any(SecurityMethod::is_known) {
        return Err(NoMethod::NothingPublished);
    }
    if !preferred.iter().any(SecurityMethod::is_known) {
        return Err(NoMethod::NothingPreferred);
    }
    let common = |method: &SecurityMethod| published.contains(method) && preferred.contains(method);
    if token_only && !common(&Oauth) {
        return Err(NoMethod::TokenNeeded);
    }
    let open = |method: &SecurityMethod| *method == Oauth || *method == Pki && !token_only;
    if let Some(method) = local.order.iter().find(|method| open(method) && common(method)) {
        return Ok(method.clone());
    }
    Err(match (common(&Oauth) || common(&Pki), common(&Psk)) {
        (true, _) => NoMethod::LocalPolicy,
        (false, true) => NoMethod::PskOnly,
        (false, false) => NoMethod::NothingCommon,
    })
}

/// Why no grant type can be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, thiserror::Error)]
pub enum NoGrant {
    /// The interface publishes none of those that are asked for.
    #[error("the interface publishes none of the grant types")]
    NothingCommon,
    /// The policy of the core function allows none of what is common.
    #[error("local policy allows none of the common grant types")]
    LocalPolicy,
}

impl From<NoGrant> for Reason {
    fn from(_: NoGrant) -> Self {
        Self::GrantWrong
    }
}

/// The grant types that the invoker may use at one interface, in the invoker's order. A publisher that says nothing
/// offers client credentials, as before grant types were published; an invoker that says nothing takes what is offered.
///
/// # Errors
/// Why there is none.
pub fn grants(
    published: Published<'_, OAuthGrantType>,
    asked: Option<&[OAuthGrantType]>,
    local: &LocalPolicy,
) -> Result<Vec<OAuthGrantType>, NoGrant> {
    let published = match published.at_interface() {
        [] => &[OAuthGrantType::ClientCredentials],
        said => said,
    };
    let mut common: Vec<OAuthGrantType> = Vec::new();
    for grant in asked.unwrap_or(published).iter().filter(|grant| grant.is_known()) {
        if published.contains(grant) && !common.contains(grant) {
            common.push(grant.clone());
        }
    }
    if common.is_empty() {
        return Err(NoGrant::NothingCommon);
    }
    common.retain(|grant| local.grants.contains(grant));
    if common.is_empty() { Err(NoGrant::LocalPolicy) } else { Ok(common) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::SecurityMethod::{Oauth, Pki, Psk};
    use super::*;

    const ALL: &[SecurityMethod] = &[Psk, Pki, Oauth];

    #[test]
    fn the_method_is_published_preferred_and_allowed() {
        use NoMethod::{
            LocalPolicy as Local, NothingCommon, NothingPreferred, NothingPublished, PskOnly, TokenNeeded,
        };
        type Row = (
            &'static str,
            [&'static [SecurityMethod]; 3],
            bool,
            &'static [SecurityMethod],
            Result<SecurityMethod, NoMethod>,
        );
        const OURS: &[SecurityMethod] = &[Oauth, Pki];
        #[rustfmt::skip] // a table stays a table
        let rows: [Row; 24] = [
            // profile, interface, preferred; token only; local order
            ("everything", [ALL, &[], ALL], false, OURS, Ok(Oauth)),
            ("the invoker's order does not count", [ALL, &[], &[Pki, Oauth]], false, OURS, Ok(Oauth)),
            ("the order of the operator counts", [ALL, &[], ALL], false, &[Pki, Oauth], Ok(Pki)),
            ("no token at the API", [&[Psk, Pki], &[], ALL], false, OURS, Ok(Pki)),
            ("no token of the invoker", [ALL, &[], &[Psk, Pki]], false, OURS, Ok(Pki)),
            ("the interface says less", [ALL, &[Pki], ALL], false, OURS, Ok(Pki)),
            ("the interface says other", [&[Oauth], &[Pki], &[Oauth]], false, OURS, Err(NothingCommon)),
            ("only the interface says", [&[], &[Oauth], ALL], false, OURS, Ok(Oauth)),
            ("nothing published", [&[], &[], ALL], false, OURS, Err(NothingPublished)),
            ("nothing preferred", [ALL, &[], &[]], false, OURS, Err(NothingPreferred)),
            ("nothing common", [&[Oauth], &[], &[Pki]], false, OURS, Err(NothingCommon)),
            ("PSK is common", [&[Psk], &[], ALL], false, OURS, Err(PskOnly)),
            ("PSK is common and the operator names it", [&[Psk], &[], ALL], false, &[Psk], Err(PskOnly)),
            ("PSK is first of the operator", [ALL, &[], ALL], false, &[Psk, Pki], Ok(Pki)),
            ("the operator allows none of it", [&[Oauth], &[], ALL], false, &[Pki], Err(Local)),
            ("the operator allows nothing", [ALL, &[], ALL], false, &[], Err(Local)),
            ("token only", [ALL, &[], ALL], true, OURS, Ok(Oauth)),
            ("token only, certificates first", [ALL, &[], ALL], true, &[Pki, Oauth], Ok(Oauth)),
            ("token only, invoker with a certificate", [ALL, &[], &[Pki]], true, OURS, Err(TokenNeeded)),
            ("token only, invoker with PSK and certificate", [ALL, &[], &[Psk, Pki]], true, OURS, Err(TokenNeeded)),
            ("token only, not published", [&[Pki], &[], ALL], true, OURS, Err(TokenNeeded)),
            ("token only, not allowed", [ALL, &[], ALL], true, &[Pki], Err(Local)),
            ("token only, nothing published", [&[], &[], ALL], true, OURS, Err(NothingPublished)),
            ("token only, nothing preferred", [ALL, &[], &[]], true, OURS, Err(NothingPreferred)),
        ];
        for (what, [profile, interface, preferred], token_only, order, expected) in rows {
            let local = LocalPolicy { order: order.to_vec(), ..LocalPolicy::default() };
            let published = Published { profile, interface };
            assert_eq!(select(published, preferred, token_only, &local), expected, "{what}");
        }
        assert_eq!(LocalPolicy::default().order, OURS);
        assert_eq!(Reason::from(TokenNeeded), Reason::MethodNotNegotiated);
    }

    #[test]
    fn grant_types_are_published_asked_for_and_allowed() {
        use OAuthGrantType::{
            AuthorizationCode as Code, AuthorizationCodeWithPkce as Pkce, ClientCredentials as Client,
        };
        type Row = (
            &'static str,
            [&'static [OAuthGrantType]; 2],
            Option<&'static [OAuthGrantType]>,
            Result<Vec<OAuthGrantType>, NoGrant>,
        );
        #[rustfmt::skip] // a table stays a table
        let rows: [Row; 11] = [
            ("nobody says anything", [&[], &[]], None, Ok(vec![Client])),
            ("the invoker says nothing", [&[Client, Pkce], &[]], None, Ok(vec![Client, Pkce])),
            ("the interface says less", [&[Client, Pkce], &[Pkce]], None, Ok(vec![Pkce])),
            ("the invoker's order", [&[Client, Pkce], &[]], Some(&[Pkce, Client]), Ok(vec![Pkce, Client])),
            ("twice", [&[Client], &[]], Some(&[Client, Client]), Ok(vec![Client])),
            ("the publisher says nothing", [&[], &[]], Some(&[Client, Pkce]), Ok(vec![Client])),
            ("none common", [&[Client], &[]], Some(&[Pkce]), Err(NoGrant::NothingCommon)),
            ("the publisher says nothing of codes", [&[], &[]], Some(&[Pkce]), Err(NoGrant::NothingCommon)),
            ("only unknown ones asked for", [&[Client], &[]], Some(&[]), Err(NoGrant::NothingCommon)),
            ("a code without verifier", [&[Code], &[]], None, Err(NoGrant::LocalPolicy)),
            ("a code without verifier among others", [&[Code, Client], &[]], Some(&[Code, Client]), Ok(vec![Client])),
        ];
        for (what, [profile, interface], asked, expected) in rows {
            let local = LocalPolicy::default();
            assert_eq!(grants(Published { profile, interface }, asked, &local), expected, "{what}");
        }
        assert_eq!(Reason::from(NoGrant::LocalPolicy), Reason::GrantWrong);
    }

    #[test]
    fn values_of_later_versions_are_passed_over() {
        let later = [SecurityMethod::from("EAP"), SecurityMethod::from("oauth")];
        let mixed = [SecurityMethod::from("EAP"), Pki];
        let of = |profile| Published { profile, interface: &[] };
        let local = LocalPolicy { order: vec!["EAP".into(), Pki], ..LocalPolicy::default() };
        assert_eq!(select(of(&mixed), &mixed, false, &local), Ok(Pki));
        assert_eq!(select(of(&later), &mixed, false, &local), Err(NoMethod::NothingPublished));
        assert_eq!(select(of(&mixed), &later, false, &local), Err(NoMethod::NothingPreferred));
        assert_eq!(select(of(&mixed), &[Oauth], false, &local), Err(NoMethod::NothingCommon));
        let later = [OAuthGrantType::from("DEVICE_CODE")];
        let local = LocalPolicy { grants: later.to_vec(), ..local };
        let published = Published { profile: &later, interface: &[] };
        assert_eq!(grants(published, None, &local), Err(NoGrant::NothingCommon));
    }

    fn methods() -> impl Strategy<Value = Vec<SecurityMethod>> {
        proptest::collection::vec(proptest::sample::select(ALL), 0..4)
    }

    proptest! {
        #[test]
        fn what_is_selected_is_on_all_sides(
            profile in methods(), interface in methods(), preferred in methods(), order in methods(), token_only in any::<bool>(),
        ) {
            let local = LocalPolicy { order: order.clone(), ..LocalPolicy::default() };
            let published = Published { profile: &profile, interface: &interface };
            let on_all_sides = |method: &SecurityMethod| {
                *method != Psk
                    && (!token_only || *method == Oauth)
                    && published.at_interface().contains(method)
                    && preferred.contains(method)
                    && order.contains(method)
            };
            match select(published, &preferred, token_only, &local) {
                Ok(method) => prop_assert!(on_all_sides(&method)),
                Err(_) => prop_assert!(!ALL.iter().any(on_all_sides)),
            }
        }
    }
}
