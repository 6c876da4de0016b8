//! Cross-check with `jsonwebtoken`, both directions.

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use jose::compact::parse;
use jose::{HeaderPolicy, Jwks, Signer, VerifyingKey, jwt, pem};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use serde_json::Value;

use crate::support::{claims, ec_key, ed_key};

fn theirs(alg: Algorithm) -> Validation {
    let mut validation = Validation::new(alg);
    validation.validate_exp = false;
    validation.set_audience(&["https://san.example"]);
    validation
}

fn header(alg: Algorithm, kid: &str) -> Header {
    Header { typ: Some("at+jwt".into()), kid: Some(kid.into()), ..Header::new(alg) }
}

#[test]
fn they_read_what_we_write() {
    let key = ec_key(3);
    let token = jwt::sign(&key, "at+jwt", &claims()).unwrap();
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(key.public_jwk().to_value()).unwrap();
    let read =
        decode::<Value>(&token, &DecodingKey::from_jwk(&jwk).unwrap(), &theirs(Algorithm::ES256)).unwrap();
    assert_eq!(read.claims, claims());
    assert_eq!(read.header.typ.as_deref(), Some("at+jwt"));
    assert_eq!(read.header.kid.as_deref(), Some(key.kid()));
    assert_eq!(jwk.thumbprint(jsonwebtoken::jwk::ThumbprintHash::SHA256).unwrap(), key.kid());
}

#[test]
fn we_read_what_they_write() {
    let key = ec_key(3);
    let jwks = Jwks::new([key.public_jwk(), ed_key(4).public_jwk()]).unwrap();
    let pem = key.to_pem().unwrap();
    let es256 = encode(
        &header(Algorithm::ES256, key.kid()),
        &claims(),
        &EncodingKey::from_ec_pem(pem.as_bytes()).unwrap(),
    );
    // RFC 8410: a PKCS #8 Ed25519 key is a fixed head and the seed.
    let seed =
        [&[0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20][..], &[4; 32]].concat();
    let eddsa = encode(&header(Algorithm::EdDSA, "ed"), &claims(), &EncodingKey::from_ed_der(&seed));
    // It says `EdDSA`, which only client assertions may.
    let policies = [
        (es256.unwrap(), HeaderPolicy::access_token()),
        (eddsa.unwrap(), HeaderPolicy { typ: &["at+jwt"], ..HeaderPolicy::client_assertion() }),
    ];
    for (token, policy) in policies {
        let parsed = parse(&token, &policy).unwrap();
        let kid = parsed.header.kid.clone().unwrap();
        assert_eq!(parsed.verify(jwks.key(&kid).unwrap()).unwrap().claims(), Ok(claims()));
    }
}

#[test]
fn we_verify_their_ps256() {
    let pair = KeyPair::generate(KeySize::Rsa2048).unwrap();
    let pem = pem::encode("PRIVATE KEY", pair.as_der().unwrap().as_ref());
    let spki = aws_lc_rs::signature::KeyPair::public_key(&pair).as_der().unwrap();
    let key = VerifyingKey::from_spki_der(spki.as_ref()).unwrap();
    let token = |alg| {
        encode(&header(alg, key.kid()), &claims(), &EncodingKey::from_rsa_pem(pem.as_bytes()).unwrap())
            .unwrap()
    };
    let good = token(Algorithm::PS256);
    let verified = parse(&good, &HeaderPolicy::access_token()).unwrap().verify(&key).unwrap();
    assert_eq!(verified.claims(), Ok(claims()));
    let other = parse(&good, &HeaderPolicy::access_token()).unwrap();
    assert_eq!(other.verify(&ec_key(1).verifying_key().unwrap()).err(), Some(jose::JoseError::AlgRefused));
    let rs256 = parse(&token(Algorithm::RS256), &HeaderPolicy::access_token()).err();
    assert_eq!(rs256, Some(jose::JoseError::AlgRefused));
}
