//! Attacks A01 to A10 and A16 to A19 on the reader of access tokens: one spoiled thing per row, each refused for its own
//! reason. A13 is a matter of the claims and tested in `authorization`.

use aws_lc_rs::hmac;
use jose::compact::{Member, parse};
use jose::{EcKey, HeaderPolicy, JoseError, Jwks, Signer, pem};
use serde_json::{Value, json};

use crate::support::{NOW, b64, claims, ec_key, ed_key, forge, header};

use JoseError::{AlgRefused, KeyUnknown, Malformed, SignatureWrong, TypRefused};

/// What a server does: the key by `kid` from the issuer's set, then the signature.
fn verify(token: &str, keys: &Jwks) -> Result<Value, JoseError> {
    let parsed = parse(token, &HeaderPolicy::access_token())?;
    let kid = parsed.header.kid.clone().ok_or(KeyUnknown)?;
    let verified = parsed.verify(keys.key(&kid).ok_or(KeyUnknown)?)?;
    verified.claims()
}

fn keys() -> (EcKey, Jwks) {
    let key = ec_key(1);
    let jwks = Jwks::new([key.public_jwk(), ed_key(2).public_jwk()]).unwrap();
    (key, jwks)
}

/// A good token with another header.
fn with_header(spoil: impl FnOnce(&mut Value)) -> String {
    let key = ec_key(1);
    let mut header = header(&key);
    spoil(&mut header);
    forge(&key, header.to_string(), claims().to_string())
}

/// A good token whose header has this text.
fn with_header_text(text: impl AsRef<[u8]>) -> String {
    forge(&ec_key(1), text, claims().to_string())
}

fn with_payload(text: impl AsRef<[u8]>) -> String {
    let key = ec_key(1);
    forge(&key, header(&key).to_string(), text)
}

/// A good token with another signature.
fn with_signature(signature: impl AsRef<[u8]>) -> String {
    let good = with_header(|_| {});
    format!("{}.{}", good.rsplit_once('.').unwrap().0, b64(signature))
}

fn good_signature() -> Vec<u8> {
    let good = with_header(|_| {});
    ec_key(1).sign(good.rsplit_once('.').unwrap().0.as_bytes()).unwrap()
}

/// HS256 over a good header and payload, keyed with something public.
fn hmac_token(secret: &[u8]) -> String {
    let key = ec_key(1);
    let header = json!({ "alg": "HS256", "typ": "at+jwt", "kid": key.kid() });
    let input = format!("{}.{}", b64(header.to_string()), b64(claims().to_string()));
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), input.as_bytes());
    format!("{input}.{}", b64(tag))
}

/// r‖s in DER.
fn der(signature: &[u8]) -> Vec<u8> {
    let integer = |bytes: &[u8]| {
        let mut value = vec![0];
        value.extend_from_slice(bytes);
        let start = value.windows(2).position(|pair| pair[0] != 0 || pair[1] >= 0x80).unwrap();
        [&[2, (value.len() - start) as u8], &value[start..]].concat()
    };
    let body = [integer(&signature[..32]), integer(&signature[32..])].concat();
    [&[0x30, body.len() as u8], body.as_slice()].concat()
}

/// The order of P-256.
const N: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
    0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

#[test]
fn a_good_token_is_good() {
    let (key, jwks) = keys();
    assert_eq!(verify(&with_header(|_| {}), &jwks), Ok(claims()));
    assert_eq!(verify(&jose::jwt::sign(&key, "at+jwt", &claims()).unwrap(), &jwks), Ok(claims()));
    let ed = ed_key(2);
    assert_eq!(verify(&forge(&ed, header(&ed).to_string(), claims().to_string()), &jwks), Ok(claims()));
    // RFC 7515 4.1.9: another spelling of the same media type.
    assert_eq!(verify(&with_header(|h| h["typ"] = "application/AT+JWT".into()), &jwks), Ok(claims()));
    assert_eq!(verify(&with_signature(good_signature()), &jwks), Ok(claims()));
}

#[test]
fn one_spoiled_thing_is_refused_for_its_own_reason() {
    let (key, jwks) = keys();
    let good = with_header(|_| {});
    let [head, payload, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let alg = |name: &'static str| move |h: &mut Value| h["alg"] = name.into();
    let unsigned = |name: &str| {
        let header = json!({ "alg": name, "typ": "at+jwt", "kid": key.kid() }).to_string();
        format!("{}.{payload}.", b64(header))
    };
    let member = |name: &'static str, value: Value| with_header(move |h| h[name] = value);
    let kid = |kid: &str| with_header(|h| h["kid"] = kid.into());
    let half = |r: &[u8], s: &[u8]| with_signature([r, s].concat());
    let sig = good_signature();
    let spki = jose_spki(&key);
    // The attacker's own key in the header, and a right signature by it.
    let own = ec_key(9);
    let embedded = forge(
        &own,
        json!({ "alg": "ES256", "typ": "at+jwt", "kid": key.kid(), "jwk": own.public_jwk() }).to_string(),
        claims().to_string(),
    );
    let last = |replace: fn(char) -> char| {
        let mut text = good.clone();
        let c = text.pop().unwrap();
        text.push(replace(c));
        text
    };
    let deep = |n: usize| format!("{}{}", "{\"a\":".repeat(n), "}".repeat(n)).replace(":}", ":1}");

    #[rustfmt::skip] // a table stays a table
    let rows: Vec<(&str, String, JoseError)> = vec![
        ("A01 none", unsigned("none"), AlgRefused), ("A01 None", unsigned("None"), AlgRefused), ("A01 nOnE", unsigned("nOnE"), AlgRefused),
        ("A01 none with a signature", with_header(alg("none")), AlgRefused), ("A01 no alg", with_header(|h| { h.as_object_mut().unwrap().remove("alg"); }), Malformed),
        ("A01 empty alg", with_header(alg("")), AlgRefused), ("A01 alg is no text", member("alg", json!(["ES256"])), Malformed),
        ("A01 empty signature", format!("{head}.{payload}."), SignatureWrong),
        ("A02 HS256 keyed with the public PEM", hmac_token(pem::encode("PUBLIC KEY", &spki).as_bytes()), AlgRefused),
        ("A02 HS256 keyed with the JWK", hmac_token(key.public_jwk().to_value().to_string().as_bytes()), AlgRefused),
        ("A02 HS384", with_header(alg("HS384")), AlgRefused), ("A02 RS256", with_header(alg("RS256")), AlgRefused),
        ("A02 ES256K", with_header(alg("ES256K")), AlgRefused), ("A02 es256", with_header(alg("es256")), AlgRefused), ("A02 ES512", with_header(alg("ES512")), AlgRefused),
        ("A03 ES256 with kid of an Ed25519 key", kid("ed"), AlgRefused), ("A03 Ed25519 with kid of an EC key", with_header(alg("Ed25519")), AlgRefused),
        ("A03 PS256 with kid of an EC key", with_header(alg("PS256")), AlgRefused), ("A03 EdDSA in an access token", with_header(alg("EdDSA")), AlgRefused),
        ("A04 path", kid("../../etc/passwd"), KeyUnknown), ("A04 SQL", kid("' OR 1=1 --"), KeyUnknown), ("A04 unknown", kid("x"), KeyUnknown),
        ("A04 case", kid(&key.kid().to_uppercase()), KeyUnknown), ("A04 10 KB", kid(&"k".repeat(10_240)), Malformed), ("A04 129 characters", kid(&"k".repeat(129)), Malformed),
        ("A04 128 characters", kid(&"k".repeat(128)), KeyUnknown), ("A04 NUL", kid("\0"), Malformed), ("A04 line break", kid("a\nb"), Malformed), ("A04 not ASCII", kid("ä"), Malformed),
        ("A04 object", member("kid", json!({ "a": 1 })), Malformed), ("A04 empty", kid(""), Malformed), ("A04 null", member("kid", Value::Null), Malformed),
        ("A04 absent", with_header(|h| { h.as_object_mut().unwrap().remove("kid"); }), KeyUnknown),
        ("A05 embedded jwk", embedded, Malformed), ("A05 embedded own jwk", member("jwk", key.public_jwk().to_value()), Malformed),
        ("A05 x5c", member("x5c", json!(["MIIB"])), Malformed), ("A05 x5t#S256", member("x5t#S256", "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU".into()), Malformed),
        ("A06 jku", member("jku", "https://127.0.0.1:1/jwks".into()), Malformed), ("A06 x5u", member("x5u", "https://127.0.0.1:1/x".into()), Malformed),
        ("A07 crit unknown", member("crit", json!(["x"])), Malformed), ("A07 crit b64", with_header(|h| { h["crit"] = json!(["b64"]); h["b64"] = false.into(); }), Malformed),
        ("A07 empty crit", member("crit", json!([])), Malformed), ("A07 b64", member("b64", true.into()), Malformed),
        ("A07 another member", member("cty", "JWT".into()), Malformed), ("A07 private member", member("x", 1.into()), Malformed),
        ("A08 r = s = 0", with_signature([0; 64]), SignatureWrong), ("A08 r = 0", half(&[0; 32], &sig[32..]), SignatureWrong), ("A08 s = 0", half(&sig[..32], &[0; 32]), SignatureWrong),
        ("A08 r = n", half(&N, &sig[32..]), SignatureWrong), ("A08 s = n", half(&sig[..32], &N), SignatureWrong), ("A08 r = s = n", half(&N, &N), SignatureWrong),
        ("A08 all ones", with_signature([0xff; 64]), SignatureWrong), ("A08 DER", with_signature(der(&sig)), SignatureWrong),
        ("A08 63 bytes", with_signature(&sig[..63]), SignatureWrong), ("A08 65 bytes", with_signature([&sig[..], &[0]].concat()), SignatureWrong),
        ("A08 leading zero", with_signature([&[0], &sig[..]].concat()), SignatureWrong), ("A08 halves swapped", half(&sig[32..], &sig[..32]), SignatureWrong),
        ("A09 padding", format!("{good}="), Malformed), ("A09 two paddings", format!("{good}=="), Malformed), ("A09 blank", format!("{head}. {payload}.{signature}"), Malformed),
        ("A09 line break", format!("{good}\n"), Malformed), ("A09 leading blank", format!(" {good}"), Malformed), ("A09 standard alphabet", format!("{head}.{payload}.+/{}", &signature[2..]), Malformed),
        ("A09 trailing bits", last(|c| if c == 'A' { 'B' } else { char::from(c as u8 + 1) }), Malformed), ("A09 padding in the header", format!("{head}=.{payload}.{signature}"), Malformed),
        ("A10 two aud", with_payload(r#"{"aud":"a","aud":"b"}"#), Malformed), ("A10 two scope", with_payload(r#"{"scope":"a","x":1,"scope":"a"}"#), Malformed),
        ("A10 escaped duplicate", with_payload(r#"{"aud":"a","\u0061ud":"b"}"#), Malformed), ("A10 two in a member", with_payload(r#"{"cnf":{"jkt":"a","jkt":"b"}}"#), Malformed),
        ("A10 two alg", with_header_text(r#"{"alg":"none","alg":"ES256","typ":"at+jwt","kid":"k"}"#), Malformed), ("A10 two kid", with_header_text(r#"{"alg":"ES256","typ":"at+jwt","kid":"a","kid":"b"}"#), Malformed),
        ("A16 ID token", with_header(|h| h["typ"] = "JWT".into()), TypRefused), ("A16 no typ", with_header(|h| { h.as_object_mut().unwrap().remove("typ"); }), TypRefused),
        ("A16 typ is no text", member("typ", 1.into()), Malformed), ("A16 empty typ", with_header(|h| h["typ"] = "".into()), TypRefused),
        ("A17 client assertion", with_header(|h| h["typ"] = "client-authentication+jwt".into()), TypRefused), ("A17 proof without its key", with_header(|h| h["typ"] = "dpop+jwt".into()), TypRefused),
        ("A17 manifest", with_header(|h| h["typ"] = "da-manifest+jwt".into()), TypRefused), ("A17 typ inside", with_header(|h| h["typ"] = "xat+jwt".into()), TypRefused),
        ("A17 proof", jose::dpop::sign(&key, &jose::dpop::ProofFor { jti: "j", htm: "GET", htu: "https://san.example/", iat: NOW, access_token: None, nonce: None }).unwrap(), Malformed),
        ("A18 64 KiB header", member("typ", "x".repeat(65_536).into()), Malformed), ("A18 header over 4 KiB", member("typ", "x".repeat(4_096).into()), Malformed),
        ("A18 10^6 deep", with_payload(deep(1_000_000)), Malformed), ("A18 17 deep", with_payload(deep(17)), Malformed), ("A18 17 deep header", with_header_text(deep(17)), Malformed),
        ("A18 1 MB scope", with_payload(json!({ "scope": "a ".repeat(500_000) }).to_string()), Malformed),
        ("A18 10^4 users", with_payload(json!({ "Digital_profile": "user-0000 ".repeat(10_000) }).to_string()), Malformed),
        ("A19 zip", member("zip", "DEF".into()), Malformed), ("A19 JWE", format!("{}.e.i.c.t", b64(r#"{"alg":"dir","enc":"A256GCM","zip":"DEF"}"#)), Malformed),
        ("A19 p2c", with_header_text(r#"{"alg":"PBES2-HS256+A128KW","p2c":2147483648,"p2s":"AAAA"}"#), Malformed),
        ("A19 JWE alg", with_header(alg("PBES2-HS256+A128KW")), AlgRefused), ("A19 JSON serialization", json!({ "payload": payload, "protected": head, "signature": signature }).to_string(), Malformed),
        ("nothing", String::new(), Malformed), ("dots", "..".into(), Malformed), ("one part", head.into(), Malformed), ("two parts", format!("{head}.{payload}"), Malformed), ("four parts", format!("{good}."), Malformed),
        ("header is no object", with_header_text("[]"), Malformed), ("header is no JSON", with_header_text("{"), Malformed), ("bytes behind the header", with_header_text(format!("{}x", header(&key))), Malformed),
        ("payload is no object", with_payload("[]"), Malformed), ("payload is no JSON", with_payload("x"), Malformed), ("NaN", with_payload(r#"{"exp":NaN}"#), Malformed), ("payload is not UTF-8", with_payload([0x7b, 0x22, 0xff, 0x22, 0x7d]), Malformed),
        ("another payload", format!("{head}.{}.{signature}", b64(r#"{"iss":"x"}"#)), SignatureWrong), ("another header", format!("{}.{payload}.{signature}", b64(json!({ "kid": key.kid(), "alg": "ES256", "typ": "application/at+jwt" }).to_string())), SignatureWrong),
        ("another key", forge(&ec_key(7), header(&key).to_string(), claims().to_string()), SignatureWrong),
    ];
    for (what, token, refusal) in rows {
        assert_eq!(verify(&token, &jwks), Err(refusal), "{what}");
    }
}

/// The boundary of A18: the largest token that can be made can be read, and a larger one cannot be made.
#[test]
fn a_token_may_have_sixteen_kibibytes() {
    let (key, jwks) = keys();
    let sized = |n: usize| jose::jwt::sign(&key, "at+jwt", &json!({ "scope": "a".repeat(n) }));
    let largest = (11_000..12_500).rev().find_map(|n| sized(n).ok()).unwrap();
    assert!(largest.len() > jose::MAX_TOKEN - 3 && largest.len() <= jose::MAX_TOKEN);
    assert!(verify(&largest, &jwks).is_ok());
    assert_eq!(sized(12_500), Err(Malformed));
    let deep =
        |n: usize| with_payload(format!("{}{}", "{\"a\":".repeat(n), "}".repeat(n)).replace(":}", ":1}"));
    assert!(verify(&deep(16), &jwks).is_ok());
}

/// Every single bit counts, in header, payload and signature.
#[test]
fn no_flipped_bit_verifies() {
    let (key, jwks) = keys();
    let ed = ed_key(2);
    for good in [with_header(|_| {}), forge(&ed, header(&ed).to_string(), claims().to_string())] {
        assert!(verify(&good, &jwks).is_ok());
        for bit in 0..good.len() * 8 {
            let mut bytes = good.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            // What is no UTF-8 never gets here as a token.
            let Ok(token) = String::from_utf8(bytes) else { continue };
            assert!(verify(&token, &jwks).is_err(), "bit {bit}");
        }
    }
    assert!(!key.kid().is_empty());
}

#[test]
fn each_place_has_its_own_policy() {
    let (key, ed) = (ec_key(1), ed_key(2));
    let assertion = HeaderPolicy::client_assertion();
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Value, HeaderPolicy, Option<JoseError>); 12] = [
        ("assertion", json!({ "alg": "ES256", "typ": "JWT" }), assertion, None),
        ("assertion without typ", json!({ "alg": "PS256", "kid": "k" }), assertion, None),
        ("assertion of its own type", json!({ "alg": "Ed25519", "typ": "client-authentication+jwt" }), assertion, None),
        ("assertion with the old name", json!({ "alg": "EdDSA" }), assertion, None),
        ("assertion with a certificate digest", json!({ "alg": "ES256", "x5t#S256": "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU" }), assertion, None),
        ("digest of another length", json!({ "alg": "ES256", "x5t#S256": "47DE" }), assertion, Some(Malformed)),
        ("access token as assertion", json!({ "alg": "ES256", "typ": "at+jwt" }), assertion, Some(TypRefused)),
        ("assertion with jwk", json!({ "alg": "ES256", "jwk": key.public_jwk() }), assertion, Some(Malformed)),
        ("ID token", json!({ "alg": "ES256", "kid": "k" }), HeaderPolicy::id_token(), None),
        ("ID token without kid", json!({ "alg": "ES256", "typ": "JWT" }), HeaderPolicy::id_token(), Some(KeyUnknown)),
        ("access token as ID token", json!({ "alg": "ES256", "typ": "at+jwt", "kid": "k" }), HeaderPolicy::id_token(), Some(TypRefused)),
        ("ID token with the old name", json!({ "alg": "EdDSA", "kid": "k" }), HeaderPolicy::id_token(), Some(AlgRefused)),
    ];
    for (what, header, policy, refusal) in rows {
        let token = forge(&ed, header.to_string(), claims().to_string());
        assert_eq!(parse(&token, &policy).err(), refusal, "{what}");
    }
}

/// A chain is read where a place asks for one, in its one form, and never believed.
#[test]
fn chains_are_read_where_a_policy_allows_them() {
    let key = ec_key(1);
    let may = HeaderPolicy { x5c: Member::Optional, ..HeaderPolicy::access_token() };
    let must = HeaderPolicy { x5c: Member::Required, ..may };
    let read = |x5c: Option<Value>, policy: &HeaderPolicy| {
        let mut header = header(&key);
        x5c.into_iter().for_each(|x5c| header["x5c"] = x5c);
        let token = forge(&key, header.to_string(), claims().to_string());
        parse(&token, policy).map(|parsed| parsed.header.x5c)
    };
    assert_eq!(read(Some(json!(["AAEC", "Aw=="])), &must), Ok(vec![vec![0, 1, 2], vec![3]]));
    assert_eq!(read(None, &may), Ok(vec![]));
    assert_eq!(read(None, &must), Err(Malformed));
    for (what, x5c) in [
        ("no chain", json!([])),
        ("too long", json!(["AAEC", "AAEC", "AAEC", "AAEC", "AAEC"])),
        ("base64url", json!(["_-8"])),
        ("no text", json!([1])),
        ("no list", json!("AAEC")),
    ] {
        assert_eq!(read(Some(x5c), &may), Err(Malformed), "{what}");
    }
}

fn jose_spki(key: &EcKey) -> Vec<u8> {
    // RFC 5480: the fixed head of a P-256 SubjectPublicKeyInfo, then the point.
    let head = [
        0x30, 0x59, 0x30, 0x13, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d,
        3, 1, 7, 3, 0x42, 0, 4,
    ];
    let jwk = key.public_jwk().to_value();
    let part = |name: &str| {
        base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, jwk[name].as_str().unwrap())
            .unwrap()
    };
    let spki = [&head[..], &part("x"), &part("y")].concat();
    assert_eq!(jose::VerifyingKey::from_spki_der(&spki).unwrap().kid(), key.kid());
    spki
}
