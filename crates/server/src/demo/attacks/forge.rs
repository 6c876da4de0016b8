//! Tokens with one thing spoiled, signed with the issuer's own key where that is not what is spoiled.

use anyhow::{Context, Result, anyhow};
use authorization::Reason;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
use jose::{EcKey, HeaderPolicy, Signer as _, compact};
use serde_json::{Map, Value, json};

use crate::demo::Sample;

type Members = Map<String, Value>;

/// Forges from one good token.
pub(super) struct Forge {
    key: EcKey,
    claims: Members,
    sample: Sample,
}

/// A forged token, and the reason that belongs to it.
pub(super) type Forged = (&'static str, String, Reason);

impl Forge {
    /// From a token that the SIM-S issued.
    pub(super) fn new(sample: &Sample, genuine: &str) -> Result<Self> {
        let parsed = compact::parse(genuine, &HeaderPolicy::access_token())?;
        let kid = parsed.header.kid.as_deref().unwrap_or_default();
        let entry = sample.keys.iter().find(|key| key["kid"] == *kid).context("no key of the issuer")?;
        let pem = std::fs::read_to_string(entry["key"].as_str().context("no key file")?)?;
        let key = EcKey::from_pem(&pem).map_err(|_| anyhow!("the issuer's key cannot be read"))?;
        Ok(Self { key, claims: parsed.unverified_claims().clone(), sample: sample.clone() })
    }

    fn header(&self) -> Members {
        let header = json!({ "alg": "ES256", "typ": "at+jwt", "kid": self.key.kid() });
        header.as_object().cloned().unwrap_or_default()
    }

    /// Fresh claims: no two tokens share a `jti`.
    fn fresh(&self) -> Members {
        let mut claims = self.claims.clone();
        claims.insert("jti".into(), self.sample.ambient.unguessable().into());
        claims
    }

    fn sign(&self, header: &[u8], claims: &[u8]) -> Result<String> {
        let input = format!("{}.{}", B64.encode(header), B64.encode(claims));
        let signature = self.key.sign(input.as_bytes())?;
        Ok(format!("{input}.{}", B64.encode(signature)))
    }

    fn signed(&self, header: &Members, claims: &Members) -> Result<String> {
        self.sign(&serde_json::to_vec(header)?, &serde_json::to_vec(claims)?)
    }

    /// A token with one claim spoiled.
    pub(super) fn claims(&self, spoil: impl FnOnce(&mut Members)) -> Result<String> {
        let mut claims = self.fresh();
        spoil(&mut claims);
        self.signed(&self.header(), &claims)
    }

    /// A token with one header member spoiled.
    fn with(&self, name: &str, value: impl Into<Value>) -> Result<String> {
        let mut header = self.header();
        header.insert(name.into(), value.into());
        self.signed(&header, &self.fresh())
    }

    /// A good token whose signature is replaced.
    fn resigned(&self, change: impl FnOnce(&[u8]) -> Vec<u8>) -> Result<String> {
        let token = self.claims(|_| {})?;
        let (input, signature) = token.rsplit_once('.').context("no signature")?;
        Ok(format!("{input}.{}", B64.encode(change(&B64.decode(signature)?))))
    }

    /// Form, algorithm, key and signature (A01 to A10, A19).
    pub(super) fn envelopes(&self, listener: &str) -> Result<Vec<Forged>> {
        use Reason::{AlgRefused, KeyUnknown, SignatureWrong, TokenMalformed, TypRefused};
        let good = self.claims(|_| {})?;
        let (input, signature) = good.rsplit_once('.').context("no signature")?;
        let public = self.key.public_jwk().to_value();
        #[rustfmt::skip] // a table stays a table
        let rows = vec![
            ("garbage", "garbage".to_owned(), TokenMalformed),
            ("truncated", good[..good.len() / 2].to_owned(), TokenMalformed),
            ("signature-truncated", self.resigned(|bytes| bytes[..32].to_vec())?, SignatureWrong),
            ("no-signature-part", input.to_owned(), TokenMalformed),
            ("signature-bit", self.resigned(flipped)?, SignatureWrong),
            ("payload-bit", self.payload_bit(&good)?, SignatureWrong),
            ("signature-empty", format!("{input}."), SignatureWrong),
            ("signature-zero", self.resigned(|_| vec![0; 64])?, SignatureWrong),
            ("signature-der", self.resigned(der)?, SignatureWrong),
            ("signature-63", self.resigned(|bytes| bytes[..63].to_vec())?, SignatureWrong),
            ("signature-65", self.resigned(|bytes| [bytes, &[0]].concat())?, SignatureWrong),
            ("signature-other-key", self.other_key()?, SignatureWrong),
            ("base64-padding", format!("{good}=="), TokenMalformed),
            ("base64-trailing-bits", format!("{input}.{}", trailing(signature)), TokenMalformed),
            ("alg-none", self.unsigned("none")?, AlgRefused),
            ("alg-None", self.unsigned("None")?, AlgRefused),
            ("alg-nOnE", self.unsigned("nOnE")?, AlgRefused),
            ("alg-hs256-public-key", self.hmac(&serde_json::to_vec(&public)?)?, AlgRefused),
            ("alg-rs256", self.with("alg", "RS256")?, AlgRefused),
            ("alg-of-another-key", self.with("alg", "Ed25519")?, AlgRefused),
            ("typ-jwt", self.with("typ", "JWT")?, TypRefused),
            ("kid-unknown", self.with("kid", "no-such-key")?, KeyUnknown),
            ("kid-path", self.with("kid", "../../../../etc/passwd")?, KeyUnknown),
            ("kid-sql", self.with("kid", "x'OR'1'='1")?, KeyUnknown),
            ("kid-nul", self.with("kid", "a\0b")?, TokenMalformed),
            ("kid-10k", self.with("kid", "k".repeat(10_000))?, TokenMalformed),
            ("kid-object", self.with("kid", json!({ "a": 1 }))?, TokenMalformed),
            ("header-jwk", self.with("jwk", public)?, TokenMalformed),
            ("header-jku", self.with("jku", format!("https://{listener}/jwks"))?, TokenMalformed),
            ("header-x5u", self.with("x5u", format!("https://{listener}/cert"))?, TokenMalformed),
            ("header-crit", self.with("crit", json!(["x"]))?, TokenMalformed),
            ("header-b64", self.with("b64", false)?, TokenMalformed),
            ("header-zip", self.with("zip", "DEF")?, TokenMalformed),
        ];
        Ok(rows)
    }

    /// Claims (A10 to A15). `other` is the audience of another server, `foreign` a claim that the issuer may not make.
    pub(super) fn statements(&self, other: &str, foreign: (&'static str, Value)) -> Result<Vec<Forged>> {
        use Reason::{AudienceWrong, ClaimNotItsIssuers, Expired, IssuerWrong, NotYetValid, TokenMalformed};
        let now = self.sample.ambient.now_s();
        let own = self.claims.get("aud").cloned().unwrap_or_default();
        let set = |name: &'static str, value: Value| {
            self.claims(move |claims| drop(claims.insert(name.into(), value)))
        };
        let without = |name: &'static str| self.claims(move |claims| drop(claims.remove(name)));
        #[rustfmt::skip] // a table stays a table
        let rows = vec![
            ("expired", self.claims(|claims| { claims.insert("exp".into(), json!(now - 31)); claims.insert("iat".into(), json!(now - 300)); })?, Expired),
            ("nbf-in-future", set("nbf", json!(now + 45))?, NotYetValid),
            ("iat-in-future", set("iat", json!(now + 75))?, NotYetValid),
            ("iss-other", set("iss", json!("https://sim.other.example"))?, IssuerWrong),
            ("aud-other", set("aud", json!(other))?, AudienceWrong),
            ("aud-two", set("aud", json!([own, other]))?, AudienceWrong),
            ("no-iss", without("iss")?, IssuerWrong),
            ("no-sub", without("sub")?, TokenMalformed),
            ("no-aud", without("aud")?, TokenMalformed),
            ("no-exp", without("exp")?, TokenMalformed),
            ("no-iat", without("iat")?, TokenMalformed),
            ("no-jti", without("jti")?, TokenMalformed),
            ("no-client_id", without("client_id")?, TokenMalformed),
            ("no-scope", without("scope")?, TokenMalformed),
            ("exp-float", set("exp", json!(now as f64 + 60.5))?, TokenMalformed),
            ("exp-text", set("exp", json!((now + 60).to_string()))?, TokenMalformed),
            ("exp-negative", set("exp", json!(-1))?, TokenMalformed),
            ("exp-2-63", set("exp", json!(1_u64 << 63))?, TokenMalformed),
            ("duplicate-aud", self.twice("aud", &own)?, TokenMalformed),
            ("duplicate-scope", self.twice("scope", &json!("3gpp:seal:san.write"))?, TokenMalformed),
            ("claim-of-another-issuer", set(foreign.0, foreign.1)?, ClaimNotItsIssuers),
        ];
        Ok(rows)
    }

    fn payload_bit(&self, good: &str) -> Result<String> {
        let parts: Vec<&str> = good.split('.').collect();
        let [header, payload, signature] = parts[..] else { return Err(anyhow!("not three parts")) };
        let mut payload = B64.decode(payload)?;
        // A bit inside of the jti, so that the payload stays JSON.
        let mark = b"\"jti\":\"";
        let place = payload.windows(mark.len()).position(|window| window == mark).context("no jti")?;
        payload[place + mark.len()] ^= 1;
        Ok(format!("{header}.{}.{signature}", B64.encode(payload)))
    }

    fn twice(&self, name: &str, first: &Value) -> Result<String> {
        let claims = serde_json::to_string(&self.fresh())?;
        let text = format!("{{\"{name}\":{first},{}", &claims[1..]);
        self.sign(&serde_json::to_vec(&self.header())?, text.as_bytes())
    }

    fn unsigned(&self, alg: &str) -> Result<String> {
        let mut header = self.header();
        header.insert("alg".into(), alg.into());
        let (header, claims) = (serde_json::to_vec(&header)?, serde_json::to_vec(&self.fresh())?);
        Ok(format!("{}.{}.", B64.encode(header), B64.encode(claims)))
    }

    fn hmac(&self, key: &[u8]) -> Result<String> {
        let mut header = self.header();
        header.insert("alg".into(), "HS256".into());
        let (header, claims) = (serde_json::to_vec(&header)?, serde_json::to_vec(&self.fresh())?);
        let input = format!("{}.{}", B64.encode(header), B64.encode(claims));
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), input.as_bytes());
        Ok(format!("{input}.{}", B64.encode(tag.as_ref())))
    }

    /// Signed by a stranger who names the issuer's key.
    fn other_key(&self) -> Result<String> {
        let ambient = &self.sample.ambient;
        let stranger = EcKey::generate_with(|bytes| {
            ambient.fill(bytes);
            Ok(())
        })?;
        let (header, claims) = (Value::Object(self.header()), self.fresh());
        Ok(jose::jwt::sign_with_header(&stranger, &header, &claims)?)
    }
}

fn flipped(signature: &[u8]) -> Vec<u8> {
    let mut bytes = signature.to_vec();
    if let Some(first) = bytes.first_mut() {
        *first ^= 1;
    }
    bytes
}

/// The last character stands for the same bytes with other bits behind them.
fn trailing(signature: &str) -> String {
    let mut text = signature.to_owned();
    let last = text.pop().unwrap_or('A');
    text.push(char::from(last as u8 + 1));
    text
}

/// The signature as ASN.1 would have it.
fn der(signature: &[u8]) -> Vec<u8> {
    let integer = |half: &[u8]| {
        let mut bytes = vec![2, u8::try_from(half.len() + 1).unwrap_or(33), 0];
        bytes.extend_from_slice(half);
        bytes
    };
    let (r, s) = signature.split_at(signature.len() / 2);
    let inner = [integer(r), integer(s)].concat();
    [vec![0x30, u8::try_from(inner.len()).unwrap_or(70)], inner].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spoiled_signature_is_another_text_for_what_it_should_be() {
        let signature = [7; 64];
        let text = B64.encode(signature);
        assert!(trailing(&text) != text && B64.decode(trailing(&text)).is_err());
        assert_eq!((flipped(&signature)[0], flipped(&signature).len()), (6, 64));
        let der = der(&signature);
        assert_eq!((der[0], usize::from(der[1]), der[2], der[3]), (0x30, der.len() - 2, 2, 33));
    }
}
