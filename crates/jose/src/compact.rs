//! The one reader of compact JSON Web Signatures (RFC 7515 3.1, 7.1; RFC 8725).
//!
//! Reading and verifying are two steps, because the key is found by `kid` and issuer in between. What stands in a
//! [`Parsed`] is unverified and may only be used to refuse.

use api_types::strict_json;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use crate::jwk::is_kid;
use crate::{Alg, JoseError, Jwk, MAX_DEPTH, MAX_HEADER, MAX_TOKEN, VerifyingKey, base64url};

/// Most certificates of an `x5c`. Own value.
const MAX_X5C: usize = 4;

/// How a place treats an optional header member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Member {
    /// Its presence spoils the token.
    Refused,
    /// It may be there.
    Optional,
    /// It has to be there.
    Required,
}

/// What a place accepts in a header. Anything else, above all `crit`, `b64`, `jku`, `x5u` and, but for proofs, `jwk`,
/// makes the token malformed unread.
#[derive(Debug, Clone, Copy)]
pub struct HeaderPolicy {
    /// Accepted values of `typ`, without `application/`.
    pub typ: &'static [&'static str],
    /// Whether `typ` may be absent.
    pub typ_optional: bool,
    /// Accepted algorithms.
    pub algs: &'static [Alg],
    /// Whether the deprecated name `EdDSA` stands for [`Alg::Ed25519`].
    pub eddsa: bool,
    /// `kid`.
    pub kid: Member,
    /// `jwk`.
    pub jwk: Member,
    /// `x5c`.
    pub x5c: Member,
    /// `x5t#S256`.
    pub x5t_s256: Member,
}

impl HeaderPolicy {
    const BASE: Self = Self {
        typ: &[],
        typ_optional: false,
        algs: Alg::ALL,
        eddsa: false,
        kid: Member::Required,
        jwk: Member::Refused,
        x5c: Member::Refused,
        x5t_s256: Member::Refused,
    };

    /// Access tokens: `at+jwt` (RFC 9068 2.1) with `kid`.
    #[must_use]
    pub const fn access_token() -> Self {
        Self { typ: &["at+jwt"], ..Self::BASE }
    }

    /// DPoP proofs: `dpop+jwt` with `jwk` (RFC 9449 4.2).
    #[must_use]
    pub const fn dpop_proof() -> Self {
        Self { typ: &["dpop+jwt"], kid: Member::Optional, jwk: Member::Required, ..Self::BASE }
    }

    /// Client assertions (RFC 7523 2.2): `typ` is usually `JWT` or absent, and clients still say `EdDSA`.
    #[must_use]
    pub const fn client_assertion() -> Self {
        Self {
            typ: &["JWT", "client-authentication+jwt"],
            typ_optional: true,
            eddsa: true,
            kid: Member::Optional,
            x5t_s256: Member::Optional,
            ..Self::BASE
        }
    }

    /// ID tokens (OpenID Connect Core 2).
    #[must_use]
    pub const fn id_token() -> Self {
        Self { typ: &["JWT"], typ_optional: true, ..Self::BASE }
    }
}

/// The header of a token, read by a [`HeaderPolicy`].
#[derive(Debug, Clone)]
pub struct Header {
    /// `alg`.
    pub alg: Alg,
    /// `typ`.
    pub typ: Option<String>,
    /// `kid`: printable, bounded, and nothing but a name to look up.
    pub kid: Option<String>,
    /// `jwk`, public for sure.
    pub jwk: Option<Jwk>,
    /// `x5c`, each certificate in DER, unverified.
    pub x5c: Vec<Vec<u8>>,
    /// `x5t#S256`.
    pub x5t_s256: Option<String>,
}

/// A token in its parts, not verified.
#[derive(Debug)]
pub struct Parsed<'t> {
    /// The header.
    pub header: Header,
    signing_input: &'t str,
    claims: Map<String, Value>,
    signature: Vec<u8>,
}

/// A token whose signature is right.
#[derive(Debug, Clone)]
pub struct Verified {
    /// The header.
    pub header: Header,
    claims: Map<String, Value>,
}

/// Takes a token apart. Cheapest checks first; nothing is decoded of what is too large.
///
/// # Errors
/// [`JoseError::Malformed`], then [`JoseError::AlgRefused`], [`JoseError::TypRefused`], and [`JoseError::KeyUnknown`]
/// when a `kid` is needed and absent.
pub fn parse<'t>(token: &'t str, policy: &HeaderPolicy) -> Result<Parsed<'t>, JoseError> {
    if token.len() > MAX_TOKEN {
        return Err(JoseError::Malformed);
    }
    let (head, rest) = token.split_once('.').ok_or(JoseError::Malformed)?;
    let (payload, signature) = rest.split_once('.').ok_or(JoseError::Malformed)?;
    if head.len() > MAX_HEADER || signature.contains('.') {
        return Err(JoseError::Malformed);
    }
    let header = Header::read(object(head)?, policy)?;
    let claims = object(payload)?;
    let signature = base64url::decode(signature).ok_or(JoseError::Malformed)?;
    let signing_input = &token[..head.len() + 1 + payload.len()];
    Ok(Parsed { header, signing_input, claims, signature })
}

fn object(part: &str) -> Result<Map<String, Value>, JoseError> {
    let bytes = base64url::decode(part).ok_or(JoseError::Malformed)?;
    match strict_json::parse(&bytes, MAX_DEPTH) {
        Ok(Value::Object(members)) => Ok(members),
        _ => Err(JoseError::Malformed),
    }
}

impl Header {
    fn read(members: Map<String, Value>, policy: &HeaderPolicy) -> Result<Self, JoseError> {
        let (mut alg, mut typ, mut kid, mut jwk, mut x5c, mut x5t_s256) = Default::default();
        for (name, value) in members {
            match (name.as_str(), value) {
                ("alg", Value::String(name)) => alg = Some(name),
                ("typ", Value::String(name)) => typ = Some(name),
                ("kid", Value::String(name)) if policy.kid != Member::Refused && is_kid(&name) => {
                    kid = Some(name)
                }
                ("jwk", value @ Value::Object(_)) if policy.jwk != Member::Refused => {
                    jwk = Some(Jwk::from_value(&value).map_err(|_| JoseError::Malformed)?);
                }
                ("x5c", Value::Array(chain)) if policy.x5c != Member::Refused => {
                    x5c = Some(certificates(&chain)?)
                }
                ("x5t#S256", Value::String(digest)) if policy.x5t_s256 != Member::Refused => {
                    base64url::decode_exact::<32>(&digest).ok_or(JoseError::Malformed)?;
                    x5t_s256 = Some(digest);
                }
                _ => return Err(JoseError::Malformed),
            }
        }
        let alg: String = alg.ok_or(JoseError::Malformed)?;
        let alg = match alg.as_str() {
            "EdDSA" if policy.eddsa => Some(Alg::Ed25519),
            name => Alg::from_name(name),
        };
        let alg = alg.filter(|alg| policy.algs.contains(alg)).ok_or(JoseError::AlgRefused)?;
        if !policy.accepts_typ(typ.as_deref()) {
            return Err(JoseError::TypRefused);
        }
        let lacks = |member, present: bool| member == Member::Required && !present;
        if lacks(policy.jwk, jwk.is_some())
            || lacks(policy.x5c, x5c.is_some())
            || lacks(policy.x5t_s256, x5t_s256.is_some())
        {
            return Err(JoseError::Malformed);
        }
        if lacks(policy.kid, kid.is_some()) {
            return Err(JoseError::KeyUnknown);
        }
        Ok(Self { alg, typ, kid, jwk, x5c: x5c.unwrap_or_default(), x5t_s256 })
    }
}

impl HeaderPolicy {
    /// RFC 7515 4.1.9: `typ` is a media type, with or without `application/`, in any case of letters.
    fn accepts_typ(&self, typ: Option<&str>) -> bool {
        let Some(typ) = typ else { return self.typ_optional };
        let bare = match typ.split_at_checked(12) {
            Some((prefix, rest)) if prefix.eq_ignore_ascii_case("application/") => rest,
            _ => typ,
        };
        self.typ.iter().any(|accepted| bare.eq_ignore_ascii_case(accepted))
    }
}

fn certificates(chain: &[Value]) -> Result<Vec<Vec<u8>>, JoseError> {
    if chain.is_empty() || chain.len() > MAX_X5C {
        return Err(JoseError::Malformed);
    }
    // RFC 7515 4.1.6: standard base64 here, not base64url.
    let der = |value: &Value| value.as_str().and_then(|text| STANDARD.decode(text).ok());
    chain.iter().map(der).collect::<Option<_>>().ok_or(JoseError::Malformed)
}

impl Parsed<'_> {
    /// The claims as they stand. Nothing may be granted by them.
    #[must_use]
    pub fn unverified_claims(&self) -> &Map<String, Value> {
        &self.claims
    }

    /// `iss` as it stands, to find the row of the issuer table.
    #[must_use]
    pub fn unverified_issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Value::as_str)
    }

    /// Verifies the signature.
    ///
    /// # Errors
    /// [`JoseError::AlgRefused`] when the header names another algorithm than the key's, else
    /// [`JoseError::SignatureWrong`].
    pub fn verify(self, key: &VerifyingKey) -> Result<Verified, JoseError> {
        if self.header.alg != key.alg() {
            return Err(JoseError::AlgRefused);
        }
        key.verify(self.signing_input.as_bytes(), &self.signature)?;
        Ok(Verified { header: self.header, claims: self.claims })
    }
}

impl Verified {
    /// The claims, strictly typed.
    ///
    /// # Errors
    /// [`JoseError::Malformed`] when a claim is absent or of another type.
    pub fn claims<T: DeserializeOwned>(&self) -> Result<T, JoseError> {
        T::deserialize(&self.claims).map_err(|_| JoseError::Malformed)
    }

    /// The claims as JSON.
    #[must_use]
    pub fn values(&self) -> &Map<String, Value> {
        &self.claims
    }
}
