//! What the CAPIF core function keeps (TS 29.222, TS 33.122; TR 33.721 6.3 for resources and their owners).

/// Declares the words of a column.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name {
            $($(#[$vdoc])* $variant,)+
        }

        impl $name {
            /// The word in the column.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = api_types::validate::UnknownValue;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(api_types::validate::UnknownValue),
                }
            }
        }
    };
}

pub mod access_control;
pub mod asks;
pub mod certificates;
pub mod compat_users;
pub mod contexts;
pub mod enrolments;
pub mod invocations;
pub mod invokers;
pub mod open_apis;
pub mod owner_policies;
pub mod providers;
pub mod resources;
pub mod routing;
pub mod service_apis;
pub mod tokens;

use api_types::validate::UnknownValue;

use crate::{StoreError, json};

/// Reads a closed enumeration of a column.
fn word<T: std::str::FromStr<Err = UnknownValue>>(text: &str, what: &'static str) -> Result<T, StoreError> {
    text.parse().map_err(|_| json::corrupt(what))
}

/// What became of a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// Written.
    Done,
    /// Somebody else changed the record meanwhile, or it is gone.
    Stale,
    /// A name that is unique belongs to another record.
    Taken,
}
