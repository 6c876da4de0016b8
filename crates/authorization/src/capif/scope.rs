//! The scope of a CAPIF core function (TS 29.222, `AccessTokenReq` and `AccessTokenClaims`).
//!
//! ```text
//! 3gpp# aefId : apiName {, apiName} {; aefId : apiName {, apiName}}
//! ```
//!
//! No blank stands inside, and no part is empty. An `aefId` may be repeated; its APIs are put together. Further tokens
//! behind a blank are legal and without a meaning in TS 29.222: they are kept, and whoever knows a grammar for them
//! ([`ScopeExtension`]) says so.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use crate::scope::{CAPIF, MAX_SCOPE, MAX_SCOPES};
use crate::{Reason, ScopeSet};

/// Most API exposing functions of one scope. Own value.
pub const MAX_AEFS: usize = 32;
/// Most APIs of one API exposing function. Own value.
pub const MAX_APIS: usize = 64;
/// Longest `aefId` or `apiName`, in bytes. Own value.
pub const MAX_NAME: usize = 128;

/// Why a text is no scope of CAPIF. Says nothing about the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ScopeFault {
    /// Longer than a scope may be.
    #[error("the scope is too long")]
    TooLong,
    /// Not tokens with single blanks between them (RFC 6749 3.3).
    #[error("the scope is no list of tokens with single blanks between them")]
    NotTokens,
    /// No token begins with `3gpp#`.
    #[error("the scope does not begin with 3gpp#")]
    NotCapif,
    /// Two tokens begin with `3gpp#`.
    #[error("3gpp# stands twice in the scope")]
    Twice,
    /// Not `aefId:apiName`.
    #[error("a part of the scope is not aefId:apiName")]
    NotAefAndApis,
    /// An `aefId` or `apiName` that is empty, too long or of other characters than `[A-Za-z0-9._~-]`.
    #[error("an aefId or apiName of the scope is no name")]
    NotName,
    /// Over a bound.
    #[error("the scope names too many functions or APIs")]
    TooMany,
}

impl From<ScopeFault> for Reason {
    fn from(_: ScopeFault) -> Self {
        Self::ScopeUnknown
    }
}

/// A grammar for the tokens behind the one of TS 29.222.
pub trait ScopeExtension {
    /// Whether the token is of this grammar.
    fn reads(&self, token: &str) -> bool;
}

impl<F: Fn(&str) -> bool> ScopeExtension for F {
    fn reads(&self, token: &str) -> bool {
        self(token)
    }
}

/// A scope of CAPIF: at least one API of one API exposing function.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct CapifScope {
    apis: BTreeMap<Box<str>, BTreeSet<Box<str>>>,
    further: BTreeSet<Box<str>>,
}

/// Whether a text can be an `aefId` or `apiName` in a scope.
#[must_use]
pub fn is_name(text: &str) -> bool {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'~' | b'-');
    !text.is_empty() && text.len() <= MAX_NAME && text.bytes().all(good)
}

/// RFC 6749 3.3: printable ASCII without quote and backslash.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\')
}

impl CapifScope {
    /// The scope of some APIs of one API exposing function.
    ///
    /// # Errors
    /// A name that is none, no API, or too many.
    pub fn of_aef<'a>(aef: &str, apis: impl IntoIterator<Item = &'a str>) -> Result<Self, ScopeFault> {
        let mut scope = Self { apis: BTreeMap::new(), further: BTreeSet::new() };
        for api in apis {
            scope.add(aef, api)?;
        }
        if scope.apis.is_empty() { Err(ScopeFault::NotAefAndApis) } else { Ok(scope) }
    }

    /// The scope of a token.
    ///
    /// # Errors
    /// [`ScopeFault::NotCapif`] for a token of the SIM-S, or another fault of the grammar.
    pub fn of(scopes: &ScopeSet) -> Result<Self, ScopeFault> {
        Self::of_tokens(scopes.iter())
    }

    fn of_tokens<'a>(tokens: impl Iterator<Item = &'a str>) -> Result<Self, ScopeFault> {
        let mut found: Option<Self> = None;
        let mut further = BTreeSet::new();
        for (index, token) in tokens.enumerate() {
            if index == MAX_SCOPES {
                return Err(ScopeFault::TooMany);
            }
            if !is_token(token) {
                return Err(ScopeFault::NotTokens);
            }
            match (token.strip_prefix(CAPIF), &found) {
                (Some(parts), None) => found = Some(Self::of_parts(parts)?),
                (Some(_), Some(_)) => return Err(ScopeFault::Twice),
                (None, _) => {
                    further.insert(Box::from(token));
                }
            }
        }
        let scope = found.ok_or(ScopeFault::NotCapif)?;
        Ok(Self { further, ..scope })
    }

    /// `aef:api,api;aef:api`.
    fn of_parts(parts: &str) -> Result<Self, ScopeFault> {
        let mut scope = Self { apis: BTreeMap::new(), further: BTreeSet::new() };
        for part in parts.split(';') {
            let (aef, apis) = part.split_once(':').ok_or(ScopeFault::NotAefAndApis)?;
            for api in apis.split(',') {
                scope.add(aef, api)?;
            }
        }
        Ok(scope)
    }

    fn add(&mut self, aef: &str, api: &str) -> Result<(), ScopeFault> {
        if !is_name(aef) || !is_name(api) {
            return Err(ScopeFault::NotName);
        }
        if !self.apis.contains_key(aef) && self.apis.len() == MAX_AEFS {
            return Err(ScopeFault::TooMany);
        }
        let apis = self.apis.entry(aef.into()).or_default();
        if !apis.contains(api) && apis.len() == MAX_APIS {
            return Err(ScopeFault::TooMany);
        }
        apis.insert(api.into());
        Ok(())
    }

    /// Whether this API of this API exposing function is in the scope.
    #[must_use]
    pub fn covers(&self, aef: &str, api: &str) -> bool {
        self.apis.get(aef).is_some_and(|apis| apis.contains(api))
    }

    /// The API exposing functions, sorted.
    pub fn aefs(&self) -> impl Iterator<Item = &str> {
        self.apis.keys().map(|aef| aef.as_ref())
    }

    /// The APIs of one API exposing function, sorted.
    pub fn apis<'s>(&'s self, aef: &str) -> impl Iterator<Item = &'s str> + use<'s> {
        self.apis.get(aef).into_iter().flatten().map(|api| api.as_ref())
    }

    /// The one API exposing function that a token with this scope is for.
    ///
    /// # Errors
    /// [`Reason::TargetWrong`] when there are several: a token has one audience.
    pub fn single_aef(&self) -> Result<&str, Reason> {
        let mut aefs = self.aefs();
        match (aefs.next(), aefs.next()) {
            (Some(aef), None) => Ok(aef),
            _ => Err(Reason::TargetWrong),
        }
    }

    /// The tokens behind the one of TS 29.222, sorted.
    pub fn further(&self) -> impl Iterator<Item = &str> {
        self.further.iter().map(|token| token.as_ref())
    }

    /// The further tokens that none of these grammars reads.
    pub fn unread<'s>(&'s self, extensions: &'s [&dyn ScopeExtension]) -> impl Iterator<Item = &'s str> {
        self.further().filter(|token| !extensions.iter().any(|extension| extension.reads(token)))
    }

    /// The scope without its further tokens.
    #[must_use]
    pub fn plain(&self) -> Self {
        Self { apis: self.apis.clone(), further: BTreeSet::new() }
    }

    /// Those pairs of `aefId` and `apiName` that hold, with every further token; `None` when no pair holds.
    #[must_use]
    pub fn only(&self, holds: impl Fn(&str, &str) -> bool) -> Option<Self> {
        let kept = self.apis.iter().map(|(aef, apis)| {
            (aef.clone(), apis.iter().filter(|api| holds(aef, api)).cloned().collect::<BTreeSet<_>>())
        });
        let apis: BTreeMap<_, _> = kept.filter(|(_, apis)| !apis.is_empty()).collect();
        (!apis.is_empty()).then(|| Self { apis, further: self.further.clone() })
    }

    /// What of this scope `other` covers as well, further tokens included; `None` when that is no API.
    #[must_use]
    pub fn within(&self, other: &Self) -> Option<Self> {
        let further = self.further.intersection(&other.further).cloned().collect();
        Some(Self { further, ..self.only(|aef, api| other.covers(aef, api))? })
    }

    /// Whether `wider` covers everything of this scope.
    #[must_use]
    pub fn is_subset_of(&self, wider: &Self) -> bool {
        let known = |aef: &str, apis| wider.apis.get(aef).is_some_and(|known| known.is_superset(apis));
        self.apis.iter().all(|(aef, apis)| known(aef, apis)) && self.further.is_subset(&wider.further)
    }

    /// The scope as it stands in a token.
    ///
    /// # Errors
    /// [`Reason::ScopeUnknown`] for further tokens that no token of ours can carry, or a scope that is too long.
    pub fn to_scope_set(&self) -> Result<ScopeSet, Reason> {
        ScopeSet::parse(&self.to_string())
    }
}

impl FromStr for CapifScope {
    type Err = ScopeFault;

    /// Reads a `scope` parameter.
    fn from_str(text: &str) -> Result<Self, ScopeFault> {
        if text.len() > MAX_SCOPE {
            return Err(ScopeFault::TooLong);
        }
        Self::of_tokens(text.split(' '))
    }
}

/// The one spelling of a scope: everything sorted, each `aefId` once.
impl fmt::Display for CapifScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(CAPIF)?;
        for (index, (aef, apis)) in self.apis.iter().enumerate() {
            write!(f, "{}{aef}", if index == 0 { "" } else { ";" })?;
            for (index, api) in apis.iter().enumerate() {
                write!(f, "{}{api}", if index == 0 { ":" } else { "," })?;
            }
        }
        self.further().try_for_each(|token| write!(f, " {token}"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn scope(text: &str) -> CapifScope {
        text.parse().unwrap()
    }

    #[test]
    fn the_grammar_has_one_spelling() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("one", "3gpp#aef1:ssan-sanm", "3gpp#aef1:ssan-sanm"),
            ("two APIs", "3gpp#aef1:ssan-sanm,ssan-disc", "3gpp#aef1:ssan-disc,ssan-sanm"),
            ("two functions", "3gpp#b:x;a:y,z", "3gpp#a:y,z;b:x"),
            ("a function repeated", "3gpp#a:x;a:y;a:x", "3gpp#a:x,y"),
            ("an API repeated", "3gpp#a:x,x", "3gpp#a:x"),
            ("further tokens", "3gpp#a:x zz 3gppres:a y", "3gpp#a:x 3gppres:a y zz"),
            ("further token first", "own 3gpp#a:x", "3gpp#a:x own"),
            ("further token of other characters", "3gpp#a:x 3gppres:a/x/anchor/1:read+update", "3gpp#a:x 3gppres:a/x/anchor/1:read+update"),
            ("tilde", "3gpp#a:x~1", "3gpp#a:x~1"),
            ("names", "3gpp#A.b_c-9:3gpp-monitoring.v1", "3gpp#A.b_c-9:3gpp-monitoring.v1"),
        ];
        for (what, text, canonical) in rows {
            let read = scope(text);
            assert_eq!(read.to_string(), canonical, "{what}");
            assert_eq!(scope(canonical), read, "{what}");
        }
    }

    #[test]
    fn anything_else_is_refused_for_what_it_is() {
        use ScopeFault::{NotAefAndApis, NotCapif, NotName, NotTokens, TooLong, TooMany, Twice};
        let many = |n: usize, text: &dyn Fn(usize) -> String, between: &str| {
            (0..n).map(text).collect::<Vec<_>>().join(between)
        };
        let long = format!("3gpp#a:x {}", "y".repeat(MAX_SCOPE));
        let long_name = format!("3gpp#a:{}", "x".repeat(MAX_NAME + 1));
        let aefs = format!("3gpp#{}", many(MAX_AEFS + 1, &|n| format!("a{n}:x"), ";"));
        let apis = format!("3gpp#a:{}", many(MAX_APIS + 1, &|n| format!("x{n}"), ","));
        let apis_in_parts = format!("3gpp#{}", many(MAX_APIS + 1, &|n| format!("a:x{n}"), ";"));
        let tokens = format!("3gpp#a:x {}", many(MAX_SCOPES, &|n| format!("y{n}"), " "));
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("nothing", "", NotTokens), ("of the SIM-S", "3gpp:seal:san.read", NotCapif), ("other beginning", "3gp#a:x", NotCapif),
            ("capitals", "3GPP#a:x", NotCapif), ("twice", "3gpp#a:x 3gpp#b:x", Twice), ("the same twice", "3gpp#a:x 3gpp#a:x", Twice),
            ("beginning only", "3gpp#", NotAefAndApis), ("no API", "3gpp#a", NotAefAndApis), ("no API behind the colon", "3gpp#a:", NotName),
            ("no function", "3gpp#:x", NotName), ("empty API", "3gpp#a:x,,y", NotName), ("comma last", "3gpp#a:x,", NotName), ("comma first", "3gpp#a:,x", NotName),
            ("empty part", "3gpp#a:x;;b:y", NotAefAndApis), ("semicolon last", "3gpp#a:x;", NotAefAndApis), ("second part without API", "3gpp#a:x;b", NotAefAndApis),
            ("two colons", "3gpp#a:b:x", NotName), ("second hash", "3gpp##a:x", NotName), ("star as API", "3gpp#a:*", NotName), ("star as function", "3gpp#*:x", NotName),
            ("prefix", "3gpp#a:ssan-*", NotName), ("slash", "3gpp#a/b:x", NotName), ("percent", "3gpp#a:%78", NotName), ("not ASCII", "3gpp#a:ä", NotTokens),
            ("two blanks", "3gpp#a:x  y", NotTokens), ("leading blank", " 3gpp#a:x", NotTokens), ("trailing blank", "3gpp#a:x ", NotTokens),
            ("blank in a part", "3gpp#a: x", NotName), ("tab", "3gpp#a:x\ty", NotTokens), ("NUL", "3gpp#a:x\0", NotTokens), ("line break", "3gpp#a:x\n", NotTokens),
            ("quote behind", "3gpp#a:x \"", NotTokens), ("too long", &long, TooLong), ("long name", &long_name, NotName),
            ("too many functions", &aefs, TooMany), ("too many APIs", &apis, TooMany), ("too many APIs in parts", &apis_in_parts, TooMany), ("too many tokens", &tokens, TooMany),
        ];
        for (what, text, fault) in rows {
            assert_eq!(text.parse::<CapifScope>(), Err(fault), "{what}");
            assert_eq!(Reason::from(fault), Reason::ScopeUnknown);
        }
        let most = format!("3gpp#{}", many(MAX_AEFS, &|n| format!("a{n}:x"), ";"));
        assert_eq!(scope(&most).aefs().count(), MAX_AEFS);
        let most = format!("3gpp#a:{}", many(MAX_APIS, &|n| format!("x{n}"), ","));
        assert_eq!(scope(&most).apis("a").count(), MAX_APIS);
    }

    #[test]
    fn it_covers_what_it_names() {
        let asked = scope("3gpp#a:x,y;b:x");
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("named", "a", "x", true), ("second API", "a", "y", true), ("other function", "b", "x", true),
            ("API of another function", "b", "y", false), ("no such function", "c", "x", false), ("beginning of a name", "a", "", false),
            ("capitals", "A", "x", false), ("more of a name", "a", "xy", false),
        ];
        for (what, aef, api, covered) in rows {
            assert_eq!(asked.covers(aef, api), covered, "{what}");
        }
        assert_eq!(asked.aefs().collect::<Vec<_>>(), ["a", "b"]);
        assert_eq!(asked.apis("a").collect::<Vec<_>>(), ["x", "y"]);
        assert_eq!(asked.apis("c").count(), 0);
        assert_eq!(asked.single_aef(), Err(Reason::TargetWrong));
        assert_eq!(scope("3gpp#b:x,y own").single_aef(), Ok("b"));
    }

    #[test]
    fn it_is_narrowed() {
        let asked = scope("3gpp#a:x,y;b:x own other");
        let held = scope("3gpp#a:y,z;c:x own");
        assert_eq!(asked.within(&held), Some(scope("3gpp#a:y own")));
        assert_eq!(asked.within(&scope("3gpp#c:x")), None);
        assert_eq!(asked.only(|aef, _| aef == "b"), Some(scope("3gpp#b:x own other")));
        assert_eq!(asked.only(|_, _| false), None);
        assert_eq!(asked.plain(), scope("3gpp#a:x,y;b:x"));
        assert!(asked.plain().is_subset_of(&asked) && !asked.is_subset_of(&asked.plain()));
        assert!(scope("3gpp#a:y").is_subset_of(&asked) && !scope("3gpp#a:y,z").is_subset_of(&asked));
        let own = |token: &str| token == "own";
        assert_eq!(asked.unread(&[&own]).collect::<Vec<_>>(), ["other"]);
        assert_eq!(asked.unread(&[]).count(), 2);
        assert_eq!(CapifScope::of_aef("a", ["x", "y", "x"]), Ok(scope("3gpp#a:x,y")));
        assert_eq!(CapifScope::of_aef("a", []), Err(ScopeFault::NotAefAndApis));
        assert_eq!(CapifScope::of_aef("a:b", ["x"]), Err(ScopeFault::NotName));
    }

    #[test]
    fn a_token_carries_it() {
        let granted = scope("3gpp#aef1:ssan-disc,ssan-sanm,x~1 own");
        let claim = granted.to_scope_set().unwrap();
        assert_eq!(CapifScope::of(&claim), Ok(granted));
        let sim = ScopeSet::parse("openid 3gpp:seal:san").unwrap();
        assert_eq!(CapifScope::of(&sim), Err(ScopeFault::NotCapif));
        assert_eq!(CapifScope::of(&ScopeSet::default()), Err(ScopeFault::NotCapif));
        assert_eq!(scope("3gpp#a:x b/c").to_scope_set(), Err(Reason::ScopeUnknown));
    }

    fn scopes() -> impl Strategy<Value = CapifScope> {
        let part = ("[a-c]{1,2}", proptest::collection::btree_set("[x-z]{1,2}", 1..4));
        let further = proptest::collection::btree_set("[p-r]{1,2}", 0..3);
        (proptest::collection::vec(part, 1..5), further).prop_map(|(parts, further)| {
            let parts: Vec<String> = parts
                .into_iter()
                .map(|(aef, apis)| format!("{aef}:{}", apis.into_iter().collect::<Vec<_>>().join(",")))
                .collect();
            let tokens: Vec<String> =
                std::iter::once(format!("3gpp#{}", parts.join(";"))).chain(further).collect();
            tokens.join(" ").parse().unwrap()
        })
    }

    proptest! {
        #[test]
        fn what_was_written_is_read_again(scope in scopes()) {
            prop_assert_eq!(CapifScope::of(&scope.to_scope_set().unwrap()), Ok(scope.clone()));
            prop_assert_eq!(scope.to_string().parse(), Ok(scope));
        }

        #[test]
        fn what_both_cover_is_within_both(one in scopes(), other in scopes()) {
            let both = one.within(&other);
            for aef in one.aefs() {
                for api in one.apis(aef) {
                    let kept = both.as_ref().is_some_and(|both| both.covers(aef, api));
                    prop_assert_eq!(kept, other.covers(aef, api));
                }
            }
            if let Some(both) = &both {
                prop_assert!(both.is_subset_of(&one) && both.is_subset_of(&other));
            }
            prop_assert_eq!(one.is_subset_of(&other), both.as_ref() == Some(&one));
        }

        #[test]
        fn arbitrary_text_is_refused_or_has_one_spelling(text in "(3gpp#|[a-b:;, #*]){0,24}") {
            if let Ok(scope) = text.parse::<CapifScope>() {
                prop_assert_eq!(scope.to_string().parse(), Ok(scope));
            }
        }
    }
}
