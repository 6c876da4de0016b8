//! The claims of an access token, strictly typed (TS 33.434 A.2.2; RFC 9068, 7800, 8705, 8693, 9396).
//!
//! A claim of another type spoils the token: a float, text, negative or huge date, two audiences that look like one, a
//! confirmation method that is not known. Claims that nobody here reads are passed over (RFC 7519 4).

use api_types::ids::{ClientId, ExternalId, Gpsi, ValServiceId, ValUeId, ValUserId};
use serde::de::{Error as _, Unexpected};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::ScopeSet;

/// Longest `sub`, in bytes (TS 33.434 A.2.1.2).
pub const MAX_SUB: usize = 255;
/// Longest `jti`, in characters. Own value.
pub const MAX_JTI: usize = 128;
/// Most VAL services of a token. Own value.
pub const MAX_VAL_SERVICES: usize = 64;
/// Most roles of an operator. Own value.
pub const MAX_ROLES: usize = 16;
/// Most authorization details of a token. Own value.
pub const MAX_DETAILS: usize = 32;

/// Seconds since 1970-01-01T00:00:00Z as RFC 7519 `NumericDate`, whole and not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct NumericDate(pub i64);

impl<'de> Deserialize<'de> for NumericDate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // `u64` refuses floats, texts and negative numbers; what an `i64` cannot hold is no date.
        let seconds = u64::deserialize(deserializer)?;
        i64::try_from(seconds)
            .map(Self)
            .map_err(|_| D::Error::invalid_value(Unexpected::Unsigned(seconds), &"a date"))
    }
}

/// `aud`: one server (RFC 8707). Several are read, to be refused for what they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Audience {
    /// Exactly one, as text or as an array of one.
    One(String),
    /// None or several.
    NotOne,
}

impl Audience {
    /// The one audience.
    #[must_use]
    pub fn one(&self) -> Option<&str> {
        match self {
            Self::One(audience) => Some(audience),
            Self::NotOne => None,
        }
    }
}

impl From<&str> for Audience {
    fn from(audience: &str) -> Self {
        Self::One(audience.to_owned())
    }
}

impl Serialize for Audience {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(audience) => serializer.serialize_str(audience),
            Self::NotOne => Err(serde::ser::Error::custom("a token has one audience")),
        }
    }
}

impl<'de> Deserialize<'de> for Audience {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Wire {
            One(String),
            Many(Vec<String>),
        }
        Ok(match Wire::deserialize(deserializer)? {
            Wire::One(audience) => Self::One(audience),
            Wire::Many(mut many) => match (many.pop(), many.is_empty()) {
                (Some(audience), true) => Self::One(audience),
                _ => Self::NotOne,
            },
        })
    }
}

/// `cnf`: the key to which the token is bound (RFC 7800). A method that is not known spoils the token, for it could not
/// be checked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cnf {
    /// Thumbprint of the DPoP key (RFC 9449 6.1).
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub jkt: Option<String>,
    /// Digest of the client certificate (RFC 8705 3.1).
    #[serde(
        rename = "x5t#S256",
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub x5t_s256: Option<String>,
}

/// Whether a user or a client stands behind `sub`, so that a client can never pass for a user of the same name
/// (RFC 9700 4.15).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SubType {
    /// A user logged in.
    User,
    /// The client acts for itself.
    Client,
}

/// `act`: who acts for the subject (RFC 8693 4.1). One level is kept; deeper ones are evidence only.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The actor.
    pub sub: String,
    /// Who acted before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub act: Option<Box<Actor>>,
}

/// One element of `authorization_details` (RFC 9396 2): its type, and the rest as it stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Detail {
    /// Type of the detail.
    #[serde(rename = "type")]
    pub kind: String,
    /// Its other members.
    #[serde(flatten)]
    pub members: serde_json::Map<String, Value>,
}

/// The claims of an access token. `Debug` shows no person.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// Issuer.
    pub iss: String,
    /// Subject: user or VAL user id, or its pairwise pseudonym; the client itself for `client_credentials`.
    #[serde(deserialize_with = "subject")]
    pub sub: String,
    /// The one server that it is for.
    pub aud: Audience,
    /// When it ends.
    pub exp: NumericDate,
    /// When it was issued.
    pub iat: NumericDate,
    /// From when on it is good.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub nbf: Option<NumericDate>,
    /// Identifier.
    #[serde(deserialize_with = "token_id")]
    pub jti: String,
    /// The client that it was issued to.
    pub client_id: ClientId,
    /// What it opens.
    pub scope: ScopeSet,
    /// The key that it is bound to.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Cnf>,
    /// What stands behind `sub`.
    pub sub_type: SubType,
    /// VAL user.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub val_user_id: Option<ValUserId>,
    /// VAL UE.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub val_ue_id: Option<ValUeId>,
    /// VAL services.
    #[serde(default, deserialize_with = "services", skip_serializing_if = "Vec::is_empty")]
    pub val_service_id: Vec<ValServiceId>,
    /// The subscriber as which the user logged in.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub gpsi: Option<Gpsi>,
    /// External identifier of the subscriber.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub ext_id: Option<ExternalId>,
    /// What it opens in detail.
    #[serde(default, deserialize_with = "details", skip_serializing_if = "Vec::is_empty")]
    pub authorization_details: Vec<Detail>,
    /// Who acts for the subject.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub act: Option<Actor>,
    /// The client that the first of several exchanged tokens was issued to, where `act` names who holds this one (own
    /// claim): its rights bound what the next is given.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub by_client: Option<ClientId>,
    /// When the user logged in (RFC 9068 2.2.1): what a step-up is decided by (RFC 9470 5).
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<NumericDate>,
    /// How the user logged in (RFC 9068 2.2.1).
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// Roles of an operator (RFC 9068 2.2.3.1). Only the SIM-S asserts them.
    #[serde(default, deserialize_with = "roles", skip_serializing_if = "Vec::is_empty")]
    pub roles: Vec<String>,
    /// The issuer's revocation epoch when it was issued.
    pub rev: u64,
    /// Users of an asset (solution #6). Only the SIM-S asserts it.
    #[serde(
        rename = "Digital_profile",
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub digital_profile: Option<String>,
    /// VAL services whose keys may be provisioned (TS 33.434 A.2.2.3). Only the SIM-S asserts it.
    #[serde(
        rename = "SKeyProv",
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub s_key_prov: Option<String>,
    /// Resource owner (TS 29.222). Only a CAPIF core function asserts it.
    #[serde(
        rename = "resOwnerId",
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub res_owner_id: Option<String>,
}

impl std::fmt::Debug for AccessClaims {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessClaims")
            .field("iss", &self.iss)
            .field("client_id", &self.client_id)
            .field("aud", &self.aud)
            .field("exp", &self.exp)
            .field("rev", &self.rev)
            .finish_non_exhaustive()
    }
}

/// A member that is there has a value: `null` is of another type.
fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

fn bounded<E: serde::de::Error>(text: String, max: usize) -> Result<String, E> {
    let good = !text.is_empty() && text.len() <= max && !text.chars().any(char::is_control);
    if good { Ok(text) } else { Err(E::custom("is empty, too long or holds control characters")) }
}

fn subject<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    bounded(String::deserialize(deserializer)?, MAX_SUB)
}

fn token_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    bounded(String::deserialize(deserializer)?, MAX_JTI)
}

fn services<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ValServiceId>, D::Error> {
    at_most(Vec::deserialize(deserializer)?, MAX_VAL_SERVICES)
}

fn roles<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    at_most(Vec::deserialize(deserializer)?, MAX_ROLES)
}

fn details<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Detail>, D::Error> {
    at_most(Vec::deserialize(deserializer)?, MAX_DETAILS)
}

fn at_most<T, E: serde::de::Error>(list: Vec<T>, max: usize) -> Result<Vec<T>, E> {
    if list.len() <= max { Ok(list) } else { Err(E::custom("has too many elements")) }
}
