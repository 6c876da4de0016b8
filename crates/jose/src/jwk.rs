//! Public JSON Web Keys and sets of them (RFC 7517, 7518 6, 8037 2), and their thumbprints (RFC 7638).

use std::fmt;

use api_types::strict_json;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Map, Value};

use crate::{Alg, KeyError, MAX_DEPTH, MAX_JWKS, MAX_KEYS, MAX_KID, VerifyingKey, base64url, digest};

/// Members that only a private or symmetric key has (RFC 7518 6.2.2, 6.3.2, 6.4, RFC 8037 2).
const PRIVATE_MEMBERS: [&str; 8] = ["d", "p", "q", "dp", "dq", "qi", "oth", "k"];
/// RSA modulus in bytes: 2048 to 8192 bits.
const RSA_BYTES: std::ops::RangeInclusive<usize> = 256..=1024;

/// A public key of one of the supported kinds.
#[derive(Clone, PartialEq, Eq)]
pub struct Jwk {
    /// `kid`, when the key has one.
    pub kid: Option<String>,
    pub(crate) public: Public,
}

#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Public {
    P256 { x: [u8; 32], y: [u8; 32] },
    Ed25519 { x: [u8; 32] },
    Rsa { n: Vec<u8>, e: Vec<u8> },
}

impl Jwk {
    /// The key of an uncompressed P-256 point (SEC 1 2.3.3).
    pub(crate) fn from_p256_point(point: &[u8]) -> Result<Self, KeyError> {
        let [4, coordinates @ ..] = point else { return Err(KeyError::Unsupported) };
        let (x, y) = coordinates.split_at_checked(32).ok_or(KeyError::Malformed)?;
        let x = x.try_into().map_err(|_| KeyError::Malformed)?;
        let y = y.try_into().map_err(|_| KeyError::Malformed)?;
        Ok(Self { kid: None, public: Public::P256 { x, y } })
    }

    /// Reads a key. Members that are not known are passed over; `x5u` and the like are never followed.
    ///
    /// # Errors
    /// Private members, symmetric keys, what is not supported, what is not in its one canonical form.
    pub fn from_value(value: &Value) -> Result<Self, KeyError> {
        let members = value.as_object().ok_or(KeyError::Malformed)?;
        let kty = text(members, "kty")?.ok_or(KeyError::Malformed)?;
        if kty == "oct" {
            return Err(KeyError::Symmetric);
        }
        if PRIVATE_MEMBERS.iter().any(|name| members.contains_key(*name)) {
            return Err(KeyError::PrivateMember);
        }
        let need = |name| text(members, name)?.ok_or(KeyError::Malformed);
        let public = match (kty, text(members, "crv")?) {
            ("EC", Some("P-256")) => Public::P256 { x: exact(need("x")?)?, y: exact(need("y")?)? },
            ("OKP", Some("Ed25519")) => Public::Ed25519 { x: exact(need("x")?)? },
            ("RSA", None) => rsa(need("n")?, need("e")?)?,
            _ => return Err(KeyError::Unsupported),
        };
        let kid = match text(members, "kid")? {
            Some(kid) if is_kid(kid) => Some(kid.to_owned()),
            Some(_) => return Err(KeyError::Malformed),
            None => None,
        };
        let jwk = Self { kid, public };
        match text(members, "alg")? {
            None => {}
            Some("EdDSA") if jwk.alg() == Alg::Ed25519 => {}
            Some(name) if name == jwk.alg().as_str() => {}
            Some(_) => return Err(KeyError::Unsupported),
        }
        if text(members, "use")?.is_some_and(|purpose| purpose != "sig") {
            return Err(KeyError::Unsupported);
        }
        match members.get("key_ops") {
            None => {}
            Some(Value::Array(ops)) if ops.iter().any(|op| op == "verify") => {}
            Some(Value::Array(_)) => return Err(KeyError::Unsupported),
            Some(_) => return Err(KeyError::Malformed),
        }
        Ok(jwk)
    }

    /// The one algorithm of this key.
    #[must_use]
    pub fn alg(&self) -> Alg {
        match self.public {
            Public::P256 { .. } => Alg::Es256,
            Public::Ed25519 { .. } => Alg::Ed25519,
            Public::Rsa { .. } => Alg::Ps256,
        }
    }

    /// SHA-256 thumbprint in base64url (RFC 7638): `jkt`, and the `kid` of our own keys.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        use base64url::encode;
        // RFC 7638 3.2: required members only, in lexicographic order, without white space.
        digest::sha256_b64url(match &self.public {
            Public::P256 { x, y } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y))
            }
            Public::Ed25519 { x } => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, encode(x)),
            Public::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n)),
        })
    }

    /// The same key under this `kid`.
    #[must_use]
    pub fn with_kid(mut self, kid: impl Into<String>) -> Self {
        self.kid = Some(kid.into());
        self
    }

    /// The key as JSON, with `alg` and `use`, without anything private.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut members = self.bare();
        members.insert("alg".into(), self.alg().as_str().into());
        members.insert("use".into(), "sig".into());
        if let Some(kid) = &self.kid {
            members.insert("kid".into(), kid.as_str().into());
        }
        Value::Object(members)
    }

    /// Only the members that make the key: what a DPoP proof carries.
    pub(crate) fn bare(&self) -> Map<String, Value> {
        let members: &[(&str, String)] = &match &self.public {
            Public::P256 { x, y } => vec![
                ("kty", "EC".into()),
                ("crv", "P-256".into()),
                ("x", base64url::encode(x)),
                ("y", base64url::encode(y)),
            ],
            Public::Ed25519 { x } => {
                vec![("kty", "OKP".into()), ("crv", "Ed25519".into()), ("x", base64url::encode(x))]
            }
            Public::Rsa { n, e } => {
                vec![("kty", "RSA".into()), ("n", base64url::encode(n)), ("e", base64url::encode(e))]
            }
        };
        members.iter().map(|(name, value)| ((*name).to_owned(), value.as_str().into())).collect()
    }
}

impl fmt::Debug for Jwk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwk").field("alg", &self.alg()).field("kid", &self.kid).finish_non_exhaustive()
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Jwk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// A key set, with its keys ready to verify.
#[derive(Debug, Clone, Default)]
pub struct Jwks {
    keys: Vec<(Jwk, VerifyingKey)>,
}

impl Jwks {
    /// A set of our own keys.
    ///
    /// # Errors
    /// A key that is no point of its curve, a duplicate `kid`, too many keys.
    pub fn new(keys: impl IntoIterator<Item = Jwk>) -> Result<Self, KeyError> {
        let mut set = Self::default();
        for jwk in keys {
            set.push(jwk)?;
        }
        Ok(set)
    }

    /// Reads the bytes of a key set.
    ///
    /// Keys of a kind, algorithm or use that is not supported are passed over (RFC 7517 5); a private or symmetric
    /// key spoils the whole set, for it tells that its owner lost it.
    ///
    /// # Errors
    /// Not strict JSON, too large, private or symmetric keys, two keys with one `kid`.
    pub fn parse(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() > MAX_JWKS {
            return Err(KeyError::TooLarge);
        }
        Self::from_value(&strict_json::parse(bytes, MAX_DEPTH).map_err(|_| KeyError::Malformed)?)
    }

    /// Reads a key set that is JSON already. See [`Jwks::parse`].
    ///
    /// # Errors
    /// As [`Jwks::parse`].
    pub fn from_value(value: &Value) -> Result<Self, KeyError> {
        let keys = value.get("keys").and_then(Value::as_array).ok_or(KeyError::Malformed)?;
        if keys.len() > MAX_KEYS {
            return Err(KeyError::TooLarge);
        }
        let mut set = Self::default();
        for key in keys {
            match Jwk::from_value(key) {
                Ok(jwk) => set.push(jwk)?,
                Err(KeyError::Unsupported) => {}
                Err(refused) => return Err(refused),
            }
        }
        Ok(set)
    }

    fn push(&mut self, jwk: Jwk) -> Result<(), KeyError> {
        if jwk.kid.as_deref().is_some_and(|kid| self.key(kid).is_some()) {
            return Err(KeyError::DuplicateKid);
        }
        if self.keys.len() == MAX_KEYS {
            return Err(KeyError::TooLarge);
        }
        let key = VerifyingKey::from_jwk(&jwk)?;
        self.keys.push((jwk, key));
        Ok(())
    }

    /// The key with this `kid`.
    #[must_use]
    pub fn key(&self, kid: &str) -> Option<&VerifyingKey> {
        self.keys.iter().find(|(jwk, _)| jwk.kid.as_deref() == Some(kid)).map(|(_, key)| key)
    }

    /// The only key of the set: what a token without `kid` may be verified with.
    #[must_use]
    pub fn only(&self) -> Option<&VerifyingKey> {
        match self.keys.as_slice() {
            [(_, key)] => Some(key),
            _ => None,
        }
    }

    /// The public keys.
    pub fn iter(&self) -> impl Iterator<Item = &Jwk> {
        self.keys.iter().map(|(jwk, _)| jwk)
    }

    /// How many keys.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is no key.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// `{"keys":[…]}`.
    #[must_use]
    pub fn to_value(&self) -> Value {
        serde_json::json!({ "keys": self.iter().map(Jwk::to_value).collect::<Vec<_>>() })
    }
}

impl Serialize for Jwks {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Jwks {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::from_value(&Value::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

/// Whether a text can be a `kid`: 1 to [`MAX_KID`] printable ASCII characters, so that it is safe in a log.
pub(crate) fn is_kid(text: &str) -> bool {
    (1..=MAX_KID).contains(&text.len()) && text.bytes().all(|b| matches!(b, 0x20..=0x7e))
}

fn text<'v>(members: &'v Map<String, Value>, name: &str) -> Result<Option<&'v str>, KeyError> {
    match members.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(KeyError::Malformed),
    }
}

fn exact(text: &str) -> Result<[u8; 32], KeyError> {
    base64url::decode_exact(text).ok_or(KeyError::Malformed)
}

fn rsa(n: &str, e: &str) -> Result<Public, KeyError> {
    let n = base64url::decode(n).ok_or(KeyError::Malformed)?;
    let e = base64url::decode(e).ok_or(KeyError::Malformed)?;
    // RFC 7518 6.3.1: base64urlUInt has no leading zero.
    if n.first().is_none_or(|b| *b == 0) || e.first().is_none_or(|b| *b == 0) {
        return Err(KeyError::Malformed);
    }
    // Odd and at least 65537, at most 32 bits.
    let exponent = if e.len() > 4 { 0 } else { e.iter().fold(0_u32, |sum, b| sum << 8 | u32::from(*b)) };
    if !RSA_BYTES.contains(&n.len()) || n[0] < 0x80 || exponent < 65_537 || exponent % 2 == 0 {
        return Err(KeyError::Unsupported);
    }
    Ok(Public::Rsa { n, e })
}
