//! Scopes: what a token opens, which server a scope belongs to, and which operations it covers (TS 33.434 A.2.2;
//! the names are own, in the style of TS 33.180).
//!
//! A CAPIF core function names API exposing functions and their APIs in one scope, `3gpp#aef:api,api;aef:api`
//! ([`crate::capif::scope`]); here that is one scope among others, and no server of the SIM-S knows it.
//!
//! `3gpp:seal:san` is the whole row of `3gpp:seal:san.read`, `.write` and `.discover`; `3gpp:val:<valServiceId>` is a VAL
//! server's own service; a spatial service that is added at run time brings its scopes as data.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::Reason;

/// Longest scope parameter or claim, in bytes. Own value.
pub const MAX_SCOPE: usize = 4096;
/// Most scopes in one set. Own value.
pub const MAX_SCOPES: usize = 64;

/// OpenID Connect login.
pub const OPENID: &str = "openid";
/// Prefix of the scope of a VAL server's own service.
pub const VAL: &str = "3gpp:val:";
/// Prefix of the scopes of SEAL services.
pub const SEAL: &str = "3gpp:seal:";

/// Beginning of the scope of a CAPIF core function (TS 29.222).
pub const CAPIF: &str = "3gpp#";

/// A row: bare name, role of the server, scopes. The bare name opens the whole row.
type Row = (&'static str, &'static str, &'static [&'static str]);

const ROWS: [Row; 3] = [
    ("3gpp:seal:san", "san", &["3gpp:seal:san.read", "3gpp:seal:san.write", "3gpp:seal:san.discover"]),
    ("3gpp:seal:sm", "sm", &["3gpp:seal:sm.read", "3gpp:seal:sm.write", "3gpp:seal:sm.localize"]),
    (
        "3gpp:seal:da",
        "da",
        &[
            "3gpp:seal:da.profile.read",
            "3gpp:seal:da.profile.write",
            "3gpp:seal:da.media.read",
            "3gpp:seal:da.media.write",
        ],
    ),
];
/// Scopes that stand for themselves: `skm` does not open `skm.provision`.
const SINGLE: [(&str, &str); 2] = [("3gpp:seal:skm", "skm"), ("3gpp:seal:skm.provision", "skm")];

/// A set of scopes, parsed once at the edge, sorted.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct ScopeSet(Vec<Box<str>>);

impl ScopeSet {
    /// Reads a space-separated list (RFC 6749 3.3): single spaces, each scope of `[A-Za-z0-9_:.-]`; behind `3gpp#` stand
    /// `#`, `,`, `;` and `~` as well.
    ///
    /// # Errors
    /// [`Reason::ScopeUnknown`] for anything that no scope can be, and for too many.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        if text.is_empty() {
            return Ok(Self::default());
        }
        if text.len() > MAX_SCOPE {
            return Err(Reason::ScopeUnknown);
        }
        Self::collect(text.split(' '))
    }

    /// The set of these scopes.
    ///
    /// # Errors
    /// As [`ScopeSet::parse`].
    pub fn collect<'a>(scopes: impl IntoIterator<Item = &'a str>) -> Result<Self, Reason> {
        let mut set: Vec<Box<str>> = Vec::new();
        for scope in scopes {
            let capif = scope.starts_with(CAPIF);
            let good = |b: u8| {
                b.is_ascii_alphanumeric()
                    || matches!(b, b'_' | b':' | b'.' | b'-')
                    || capif && matches!(b, b'#' | b',' | b';' | b'~')
            };
            if scope.is_empty() || !scope.bytes().all(good) || set.len() == MAX_SCOPES {
                return Err(Reason::ScopeUnknown);
            }
            set.push(scope.into());
        }
        set.sort_unstable();
        set.dedup();
        Ok(Self(set))
    }

    /// Whether this very scope is in the set.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.0.binary_search_by(|own| own.as_ref().cmp(scope)).is_ok()
    }

    /// Whether the set opens what the scope opens: by itself or by the bare name of its row.
    #[must_use]
    pub fn covers(&self, scope: &str) -> bool {
        self.contains(scope) || bare_name(scope).is_some_and(|bare| self.contains(bare))
    }

    /// Whether the set opens what any of the scopes opens.
    #[must_use]
    pub fn covers_any(&self, any_of: &[&str]) -> bool {
        any_of.iter().any(|scope| self.covers(scope))
    }

    /// Whether `wider` opens everything that this set opens.
    #[must_use]
    pub fn is_subset_of(&self, wider: &Self) -> bool {
        self.iter().all(|scope| wider.covers(scope))
    }

    /// The scopes of this set that `other` opens as well.
    #[must_use]
    pub fn within(&self, other: &Self) -> Self {
        Self(self.0.iter().filter(|scope| other.covers(scope)).cloned().collect())
    }

    /// The scopes, sorted.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|scope| scope.as_ref())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

impl fmt::Display for ScopeSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.iter().enumerate() {
            write!(f, "{}{scope}", if index == 0 { "" } else { " " })?;
        }
        Ok(())
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::parse(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// The bare name that opens a scope's whole row: `3gpp:seal:da` of `3gpp:seal:da.media.read`.
fn bare_name(scope: &str) -> Option<&str> {
    let dot = SEAL.len() + scope.strip_prefix(SEAL)?.find('.')?;
    let bare = &scope[..dot];
    SINGLE.iter().all(|(single, _)| *single != bare).then_some(bare)
}

/// Decides whether a token opens an operation that needs any of these scopes.
///
/// # Errors
/// [`Reason::ScopeNarrow`].
pub fn check(scopes: &ScopeSet, any_of: &[&str]) -> Result<(), Reason> {
    if scopes.covers_any(any_of) { Ok(()) } else { Err(Reason::ScopeNarrow) }
}

/// Whose scope it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target<'a> {
    /// The login itself: `openid`.
    Identity,
    /// A function, by its role.
    Role(&'a str),
    /// A VAL server's own service.
    ValService(&'a str),
}

/// All scopes that exist: the rows above, and those of services that were added.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Catalogue {
    added: BTreeMap<String, String>,
}

impl Catalogue {
    /// The scopes that are built in.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the scopes of a service that a role serves. Scopes of that role that exist already may be named again.
    ///
    /// # Errors
    /// [`Reason::ScopeUnknown`] for a text that is no scope or one of CAPIF, [`Reason::IdTaken`] for a scope that belongs
    /// to somebody else; then nothing is added.
    pub fn add_service<'a>(
        &mut self,
        role: &str,
        scopes: impl IntoIterator<Item = &'a str>,
    ) -> Result<(), Reason> {
        let scopes = ScopeSet::collect(scopes)?;
        for scope in scopes.iter() {
            match self.target(scope) {
                Ok(Target::Role(own)) if own == role => {}
                Ok(_) => return Err(Reason::IdTaken),
                Err(reason) if scope.starts_with(CAPIF) => return Err(reason),
                Err(_) => {}
            }
        }
        self.added.extend(scopes.iter().map(|scope| (scope.to_owned(), role.to_owned())));
        Ok(())
    }

    /// Whose scope it is.
    ///
    /// # Errors
    /// [`Reason::ScopeUnknown`].
    pub fn target<'s>(&'s self, scope: &'s str) -> Result<Target<'s>, Reason> {
        if scope == OPENID {
            return Ok(Target::Identity);
        }
        if let Some(service) = scope.strip_prefix(VAL) {
            return if api_types::ids::is_id(service) {
                Ok(Target::ValService(service))
            } else {
                Err(Reason::ScopeUnknown)
            };
        }
        let built_in = ROWS
            .iter()
            .find(|(bare, _, scopes)| *bare == scope || scopes.contains(&scope))
            .map(|(_, role, _)| *role)
            .or_else(|| SINGLE.iter().find(|(single, _)| *single == scope).map(|(_, role)| *role));
        built_in
            .or_else(|| self.added.get(scope).map(String::as_str))
            .map(Target::Role)
            .ok_or(Reason::ScopeUnknown)
    }

    /// Whether every scope exists.
    ///
    /// # Errors
    /// [`Reason::ScopeUnknown`].
    pub fn check_known(&self, scopes: &ScopeSet) -> Result<(), Reason> {
        scopes.iter().try_for_each(|scope| self.target(scope).map(drop))
    }

    /// The one server that a token with these scopes is for; `openid` goes with any of them.
    ///
    /// # Errors
    /// [`Reason::ScopeUnknown`], or [`Reason::TargetWrong`] for scopes of two servers and for none at all.
    pub fn single_target<'s>(&'s self, scopes: &'s ScopeSet) -> Result<Target<'s>, Reason> {
        let mut found = None;
        for scope in scopes.iter() {
            found = match (found, self.target(scope)?) {
                (None | Some(Target::Identity), target) => Some(target),
                (found, Target::Identity) => found,
                (Some(one), other) if one == other => Some(one),
                _ => return Err(Reason::TargetWrong),
            };
        }
        found.ok_or(Reason::TargetWrong)
    }

    /// The scopes of the set that are for this target.
    #[must_use]
    pub fn of_target(&self, scopes: &ScopeSet, target: Target<'_>) -> ScopeSet {
        ScopeSet(scopes.0.iter().filter(|scope| self.target(scope) == Ok(target)).cloned().collect())
    }

    /// The set with each bare name replaced by its row.
    #[must_use]
    pub fn expand(&self, scopes: &ScopeSet) -> ScopeSet {
        let mut all: Vec<Box<str>> = Vec::with_capacity(scopes.len());
        for scope in &scopes.0 {
            match ROWS.iter().find(|(bare, _, _)| *bare == scope.as_ref()) {
                Some((_, _, row)) => {
                    all.extend(row.iter().map(|scope| Box::from(*scope)));
                    all.extend(
                        self.added
                            .keys()
                            .filter(|added| bare_name(added) == Some(scope))
                            .map(|a| a.as_str().into()),
                    );
                }
                None => all.push(scope.clone()),
            }
        }
        all.sort_unstable();
        all.dedup();
        ScopeSet(all)
    }

    /// Every scope that has a name of its own, for `scopes_supported`; those of `role` only, if one is given.
    pub fn names<'s>(&'s self, role: Option<&'s str>) -> impl Iterator<Item = &'s str> {
        let rows = ROWS.iter().flat_map(|(bare, role, scopes)| {
            std::iter::once((*bare, *role)).chain(scopes.iter().map(move |scope| (*scope, *role)))
        });
        let added = self.added.iter().map(|(scope, role)| (scope.as_str(), role.as_str()));
        rows.chain(SINGLE)
            .chain(added)
            .filter(move |(_, own)| role.is_none_or(|role| role == *own))
            .map(|(scope, _)| scope)
    }
}

#[cfg(test)]
mod tests;
