//! Identifiers of CAPIF (TS 29.222): opaque texts that the CAPIF core function assigns.

use serde::{Deserialize, Serialize};

use crate::ids::IdError;

/// Longest identifier, in characters. Own value.
pub const MAX_ID: usize = 64;

/// Longest name of an API, in characters. Own value.
pub const MAX_API_NAME: usize = 128;

/// Longest identifier of a resource, in characters. Own value.
pub const MAX_RESOURCE_ID: usize = 192;

/// Whether a text can be an identifier: letters and digits only, because clients of others take no more, and because
/// `# : , ;` and the blank divide a scope.
fn is_opaque(text: &str) -> bool {
    (1..=MAX_ID).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
}

/// Whether a byte stands unescaped in a path (RFC 3986 2.3).
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Whether a text can be the name of an API: it is one segment of a path (TS 29.122 5.2.4) and a part of a scope.
fn is_api_name(text: &str) -> bool {
    (1..=MAX_API_NAME).contains(&text.len()) && text.bytes().all(is_unreserved) && text != "." && text != ".."
}

/// Whether a text names a resource: segments of a path, as `<listId>/<anchorId>`. No wildcard can be written so.
fn is_resource(text: &str) -> bool {
    (1..=MAX_RESOURCE_ID).contains(&text.len())
        && text
            .split('/')
            .all(|part| !part.is_empty() && part != "." && part != ".." && part.bytes().all(is_unreserved))
}

id!(by is_opaque; /// An API invoker.
    ApiInvokerId);
id!(by is_opaque; /// An API exposing function.
    AefId);
id!(by is_opaque; /// An API publishing function.
    ApfId);
id!(by is_opaque; /// An API management function.
    AmfId);
id!(by is_opaque; /// A domain of an API provider.
    ApiProvDomId);
id!(by is_opaque; /// A published service API.
    ServiceApiId);
id!(by is_opaque; /// A registration of an API provider domain.
    RegistrationId);
id!(by is_opaque; /// An enrolment (own): what lets somebody onboard or register once.
    EnrolmentId);
id!(by is_opaque; /// A question to a resource owner (own).
    AskId);
id!(by is_api_name; /// The name of a service API, the `<apiName>` of its URI (TS 29.122 5.2.4).
    ApiName);
id!(by is_resource; /// A resource of an API exposing function, within that function (own).
    ResourceId);

/// The resource of an onboarded API invoker: it is the API invoker's identifier.
pub type OnboardingId = ApiInvokerId;

closed_enum! {
    /// What the holder of a certificate of the CAPIF core function is; the third part of the URI in the certificate,
    /// `urn:metaseal:<role>:<id>`.
    CapifRole {
        /// API invoker.
        Invoker = "invoker",
        /// API exposing function.
        Aef = "aef",
        /// API publishing function.
        Apf = "apf",
        /// API management function.
        Amf = "amf",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_keep_to_their_alphabet() {
        let longest = "x".repeat(MAX_ID);
        let too_long = "x".repeat(MAX_ID + 1);
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, bool); 14] = [
            ("INV0a1b", true), ("7", true), (&longest, true),
            ("", false), (&too_long, false), ("a-b", false), ("a b", false), ("a#b", false), ("a:b", false), ("a,b", false),
            ("a;b", false), ("a/b", false), ("é", false), ("a\n", false),
        ];
        for (text, good) in rows {
            assert_eq!(ApiInvokerId::try_from(text).is_ok(), good, "{text}");
            assert_eq!(serde_json::from_value::<AefId>(text.into()).is_ok(), good, "{text} as JSON");
        }
    }

    #[test]
    fn names_and_resources_are_parts_of_a_path() {
        let longest = "x".repeat(MAX_API_NAME);
        let too_long = "x".repeat(MAX_RESOURCE_ID + 1);
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, bool, bool); 15] = [
            ("ssan-sanm", true, true), ("3gpp_x.y~z", true, true), (&longest, true, true), ("list1/42", false, true),
            ("", false, false), (&too_long, false, false), (".", false, false), ("..", false, false), ("a/../b", false, false),
            ("/a", false, false), ("a/", false, false), ("a//b", false, false), ("a*", false, false), ("a b", false, false),
            ("a;b", false, false),
        ];
        for (text, name, resource) in rows {
            assert_eq!(ApiName::try_from(text).is_ok(), name, "{text} as name");
            assert_eq!(ResourceId::try_from(text).is_ok(), resource, "{text} as resource");
        }
    }
}
