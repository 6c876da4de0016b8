//! Which security method and which grant types an invoker uses at an API (TS 33.122 6.3 and 6.5.2, TS 29.222
//! `SecurityInformation`; TR 33.721 6.2.2 NOTE, 6.3.1 NOTE).
//!
//! Selected is what the interface publishes, the invoker prefers and local policy allows, the first in the order of local
//! policy. The spatial services are for tokens only: an API may say so, and is then never reached by certificate alone.
//! AEF_PSK is never selected; its derivation is in [`super::aef_psk`].

use crate::Reason;

/// A security method that this version knows (TS 29.222 `SecurityMethod`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// TLS with a pre-shared key (TS 33.122 6.5.2.1).
    Psk,
    /// Mutual TLS (TS 33.122 6.5.2.2).
    Pki,
    /// TLS and an access token (TS 33.122 6.5.2.3).
    OAuth,
}

impl Method {
    /// The text on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Psk => "PSK",
            Self::Pki => "PKI",
            Self::OAuth => "OAUTH",
        }
    }

    /// The method of a text; `None` for values of a later version.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        [Self::Psk, Self::Pki, Self::OAuth].into_iter().find(|method| method.as_str() == text)
    }

    /// The known ones of a list, in its order.
    pub fn read_all<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        texts.into_iter().filter_map(Self::read).collect()
    }
}

/// A grant type that this version knows (TS 29.222 `OAuthGrantType`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum GrantType {
    /// The invoker for itself.
    ClientCredentials,
    /// With the resource owner, by redirection.
    AuthorizationCode,
    /// The same, proven by a code verifier (RFC 7636).
    AuthorizationCodeWithPkce,
}

impl GrantType {
    /// Every grant type.
    pub const ALL: [Self; 3] =
        [Self::ClientCredentials, Self::AuthorizationCode, Self::AuthorizationCodeWithPkce];

    /// The text on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ClientCredentials => "CLIENT_CREDENTIALS",
            Self::AuthorizationCode => "AUTHORIZATION_CODE",
            Self::AuthorizationCodeWithPkce => "AUTHORIZATION_CODE_WITH_PKCE",
        }
    }

    /// The grant type of a text; `None` for values of a later version.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant| grant.as_str() == text)
    }

    /// The known ones of a list, in its order.
    pub fn read_all<'a>(texts: impl IntoIterator<Item = &'a str>) -> Vec<Self> {
        texts.into_iter().filter_map(Self::read).collect()
    }
}

/// What a profile and one of its interfaces publish, of methods or of grant types.
#[derive(Debug, Clone, Copy, Default)]
pub struct Published<'a, T> {
    /// Of the profile.
    pub profile: &'a [T],
    /// Of the interface. One that says something is not asked what its profile says.
    pub interface: &'a [T],
}

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
    pub order: Vec<Method>,
    /// Grant types that may be used.
    pub grants: Vec<GrantType>,
}

impl Default for LocalPolicy {
    /// A token before a certificate alone; an authorization code only with its verifier (RFC 9700 2.1.1).
    fn default() -> Self {
        Self {
            order: vec![Method::OAuth, Method::Pki],
            grants: vec![GrantType::ClientCredentials, GrantType::AuthorizationCodeWithPkce],
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
    published: Published<'_, Method>,
    preferred: &[Method],
    token_only: bool,
    local: &LocalPolicy,
) -> Result<Method, NoMethod> {
    let published = published.at_interface();
    if published.is_empty() {
        return Err(NoMethod::NothingPublished);
    }
    if preferred.is_empty() {
        return Err(NoMethod::NothingPreferred);
    }
    let common = |method: Method| published.contains(&method) && preferred.contains(&method);
    if token_only && !common(Method::OAuth) {
        return Err(NoMethod::TokenNeeded);
    }
    let open = |method: Method| method != Method::Psk && (!token_only || method == Method::OAuth);
    if let Some(method) = local.order.iter().copied().find(|method| common(*method) && open(*method)) {
        return Ok(method);
    }
    Err(match (common(Method::OAuth) || common(Method::Pki), common(Method::Psk)) {
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
    published: Published<'_, GrantType>,
    asked: Option<&[GrantType]>,
    local: &LocalPolicy,
) -> Result<Vec<GrantType>, NoGrant> {
    let published = match published.at_interface() {
        [] => &[GrantType::ClientCredentials],
        said => said,
    };
    let mut common: Vec<GrantType> = Vec::new();
    for grant in asked.unwrap_or(published) {
        if published.contains(grant) && !common.contains(grant) {
            common.push(*grant);
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

    use super::Method::{OAuth, Pki, Psk};
    use super::*;

    const ALL: &[Method] = &[Psk, Pki, OAuth];

    #[test]
    fn the_method_is_published_preferred_and_allowed() {
        use NoMethod::{
            LocalPolicy as Local, NothingCommon, NothingPreferred, NothingPublished, PskOnly, TokenNeeded,
        };
        type Row = (&'static str, [&'static [Method]; 3], bool, &'static [Method], Result<Method, NoMethod>);
        const OURS: &[Method] = &[OAuth, Pki];
        #[rustfmt::skip] // a table stays a table
        let rows: [Row; 24] = [
            // profile, interface, preferred; token only; local order
            ("everything", [ALL, &[], ALL], false, OURS, Ok(OAuth)),
            ("the invoker's order does not count", [ALL, &[], &[Pki, OAuth]], false, OURS, Ok(OAuth)),
            ("the order of the operator counts", [ALL, &[], ALL], false, &[Pki, OAuth], Ok(Pki)),
            ("no token at the API", [&[Psk, Pki], &[], ALL], false, OURS, Ok(Pki)),
            ("no token of the invoker", [ALL, &[], &[Psk, Pki]], false, OURS, Ok(Pki)),
            ("the interface says less", [ALL, &[Pki], ALL], false, OURS, Ok(Pki)),
            ("the interface says other", [&[OAuth], &[Pki], &[OAuth]], false, OURS, Err(NothingCommon)),
            ("only the interface says", [&[], &[OAuth], ALL], false, OURS, Ok(OAuth)),
            ("nothing published", [&[], &[], ALL], false, OURS, Err(NothingPublished)),
            ("nothing preferred", [ALL, &[], &[]], false, OURS, Err(NothingPreferred)),
            ("nothing common", [&[OAuth], &[], &[Pki]], false, OURS, Err(NothingCommon)),
            ("PSK is common", [&[Psk], &[], ALL], false, OURS, Err(PskOnly)),
            ("PSK is common and the operator names it", [&[Psk], &[], ALL], false, &[Psk], Err(PskOnly)),
            ("PSK is first of the operator", [ALL, &[], ALL], false, &[Psk, Pki], Ok(Pki)),
            ("the operator allows none of it", [&[OAuth], &[], ALL], false, &[Pki], Err(Local)),
            ("the operator allows nothing", [ALL, &[], ALL], false, &[], Err(Local)),
            ("token only", [ALL, &[], ALL], true, OURS, Ok(OAuth)),
            ("token only, certificates first", [ALL, &[], ALL], true, &[Pki, OAuth], Ok(OAuth)),
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
        use GrantType::{
            AuthorizationCode as Code, AuthorizationCodeWithPkce as Pkce, ClientCredentials as Client,
        };
        type Row = (
            &'static str,
            [&'static [GrantType]; 2],
            Option<&'static [GrantType]>,
            Result<Vec<GrantType>, NoGrant>,
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
        assert_eq!(Method::read_all(["EAP", "OAUTH", "oauth", "PKI", "PSK", ""]), [OAuth, Pki, Psk]);
        let texts =
            ["DEVICE_CODE", "CLIENT_CREDENTIALS", "client_credentials", "AUTHORIZATION_CODE_WITH_PKCE"];
        assert_eq!(
            GrantType::read_all(texts),
            [GrantType::ClientCredentials, GrantType::AuthorizationCodeWithPkce]
        );
        for grant in GrantType::ALL {
            assert_eq!(GrantType::read(grant.as_str()), Some(grant));
        }
    }

    fn methods() -> impl Strategy<Value = Vec<Method>> {
        proptest::collection::vec(proptest::sample::select(ALL), 0..4)
    }

    proptest! {
        #[test]
        fn what_is_selected_is_on_all_sides(
            profile in methods(), interface in methods(), preferred in methods(), order in methods(), token_only in any::<bool>(),
        ) {
            let local = LocalPolicy { order: order.clone(), ..LocalPolicy::default() };
            let published = Published { profile: &profile, interface: &interface };
            let on_all_sides = |method: &Method| {
                *method != Psk
                    && (!token_only || *method == OAuth)
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
