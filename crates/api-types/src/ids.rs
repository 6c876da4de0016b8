//! Identifiers as types of their own, so that a VAL user is never taken for a client (TS 23.437 7.2, TS 23.434 7).

use serde::{Deserialize, Serialize};

/// Longest identifier, in characters. Own value.
pub const MAX_ID: usize = 128;

/// Why a text is no identifier. Says nothing about the text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("is not a valid identifier")]
pub struct IdError;

/// Whether a text can be an identifier: 1 to [`MAX_ID`] characters, no control character, white space or slash, and
/// neither `.` nor `..`, so that it can stand in a path.
#[must_use]
pub fn is_id(text: &str) -> bool {
    !text.is_empty()
        && text != "."
        && text != ".."
        && text.chars().count() <= MAX_ID
        && !text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '/' || c == '\\')
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => { id!(by $crate::ids::is_id; $(#[$doc])* $name); };
    (by $check:path; $(#[$doc:meta])* $name:ident) => { id!(@type $check; $(#[$doc])* $name);
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.0)
            }
        }
    };
    (personal $(#[$doc:meta])* $name:ident) => { id!(@type is_id; $(#[$doc])* #[doc = ""] #[doc = "Personal data: `Debug` shows nothing."] $name);
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    };
    (@type $check:path; $(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(try_from = "String", into = "String")]
        #[schema(value_type = String)]
        pub struct $name(String);

        impl $name {
            /// The identifier as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = IdError;

            fn try_from(text: String) -> Result<Self, IdError> {
                if $check(&text) { Ok(Self(text)) } else { Err(IdError) }
            }
        }

        impl TryFrom<&str> for $name {
            type Error = IdError;

            fn try_from(text: &str) -> Result<Self, IdError> {
                Self::try_from(text.to_owned())
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            fn from_str(text: &str) -> Result<Self, IdError> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl std::borrow::Borrow<str> for $name {
            fn borrow(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(/// A client of the SIM-S (RFC 6749 2.2); a VAL server is one too.
    ClientId);
id!(personal /// A user account of the SIM-S.
    UserId);
id!(personal /// A VAL user (TS 23.434 7.2).
    ValUserId);
id!(personal /// A VAL UE (TS 23.434 7.3).
    ValUeId);
id!(/// A VAL service (TS 23.434 7.4).
    ValServiceId);
id!(/// A spatial service as the SIM-S knows it, the unit that policies name.
    ServiceId);
id!(personal /// Generic public subscription identifier (TS 23.003 28.8), `msisdn-…` or `extid-…`.
    Gpsi);
id!(personal /// External identifier (TS 23.003 19.7.2).
    ExternalId);
id!(personal /// IMS public user identity (TS 23.003 13.4), a `sip:` or `tel:` URI.
    Impu);
id!(personal /// Subscription permanent identifier (TS 23.003 2.2A). Never leaves the core.
    Supi);
id!(/// A rule of an operator.
    PolicyId);
id!(/// A spatial anchors list (TS 29.437 `anchorsListId`).
    AnchorsListId);
id!(/// A subscription.
    SubscriptionId);
id!(/// A trace: the `trace-id` of W3C Trace Context 3.2.2.3.
    TraceId);

impl TraceId {
    /// The trace of a record; all zeros where it has none, as a count of refusals.
    #[must_use]
    pub fn or_none(text: Option<String>) -> Self {
        text.and_then(|text| Self::try_from(text).ok()).unwrap_or_else(|| Self("0".repeat(32)))
    }
}

macro_rules! number_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema)]
        #[serde(transparent)]
        #[schema(value_type = u32)]
        pub struct $name(pub u32);

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                write!(f, "{}", self.0)
            }
        }

        impl std::str::FromStr for $name {
            type Err = IdError;

            /// Decimal digits without sign or leading zero, so that one number has one spelling.
            fn from_str(text: &str) -> Result<Self, IdError> {
                let plain = text.bytes().all(|b| b.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
                if !plain {
                    return Err(IdError);
                }
                text.parse().map(Self).map_err(|_| IdError)
            }
        }
    };
}

number_id!(/// A spatial anchor (TS 29.437 `SpatialAnchorId`, unsigned 32 bits).
    SpatialAnchorId);
number_id!(/// A spatial map (TS 29.437 `SpatialMapId`, unsigned 32 bits).
    SpatialMapId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_keep_to_their_alphabet() {
        let longest = "x".repeat(MAX_ID);
        let too_long = "x".repeat(MAX_ID + 1);
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &str, bool); 13] = [
            ("plain", "vs-1", true), ("IMPU", "sip:alice@op-a.example", true), ("longest", &longest, true),
            ("not ASCII", "höhle", true), ("three dots", "...", true),
            ("empty", "", false), ("too long", &too_long, false), ("blank", "a b", false), ("slash", "a/b", false),
            ("backslash", "a\\b", false), ("newline", "a\n", false), ("dot", ".", false), ("dots", "..", false),
        ];
        for (what, text, good) in rows {
            assert_eq!(ClientId::try_from(text).is_ok(), good, "{what}");
            assert_eq!(serde_json::from_value::<ValUserId>(text.into()).is_ok(), good, "{what} as JSON");
        }
    }

    #[test]
    fn personal_identifiers_are_not_shown() {
        let user = ValUserId::try_from("alice").unwrap();
        assert_eq!(format!("{user:?}"), "ValUserId");
    }

    #[test]
    fn a_number_has_one_spelling() {
        for (text, good) in [
            ("0", true),
            ("4294967295", true),
            ("4294967296", false),
            ("01", false),
            ("+1", false),
            ("", false),
        ] {
            assert_eq!(text.parse::<SpatialMapId>().is_ok(), good, "{text}");
        }
    }
}
