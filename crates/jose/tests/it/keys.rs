//! Keys: generation, files, sets.

use jose::verifying_key::jwk_from_spki_der;
use jose::{EcKey, Jwk, Jwks, KeyError, MAX_KEYS, Signer, VerifyingKey};
use serde_json::{Value, json};

use crate::support::{ec_key, ed_key};

#[test]
fn keys_come_from_the_bytes_that_are_passed_in() {
    assert_eq!(ec_key(1).kid(), ec_key(1).kid());
    assert_ne!(ec_key(1).kid(), ec_key(2).kid());
    let mut draws = vec![[3; 32], [0; 32], [0xff; 32]];
    let drawn = EcKey::generate_with(|bytes| {
        bytes.copy_from_slice(&draws.pop().unwrap());
        Ok(())
    });
    assert_eq!(drawn.unwrap().kid(), ec_key(3).kid(), "what is no private key is drawn again");
    for broken in [0x00, 0xff] {
        let stuck = EcKey::generate_with(|bytes| {
            bytes.fill(broken);
            Ok(())
        });
        assert_eq!(stuck.err(), Some(KeyError::Generation));
    }
    assert_eq!(EcKey::generate_with(|_| Err(KeyError::Generation)).err(), Some(KeyError::Generation));
}

#[test]
fn a_key_survives_its_file() {
    let key = ec_key(1);
    let pem = key.to_pem().unwrap();
    assert!(pem.starts_with("-----BEGIN PRIVATE KEY-----\n"));
    let again = EcKey::from_pem(&pem).unwrap();
    assert_eq!(again.kid(), key.kid());
    let signature = again.sign(b"x").unwrap();
    assert_eq!(signature.len(), 64);
    assert_eq!(key.verifying_key().unwrap().verify(b"x", &signature), Ok(()));
    assert_eq!(EcKey::from_pkcs8_der(&key.to_pkcs8_der().unwrap()).unwrap().kid(), key.kid());
    assert_eq!(key.kid(), key.public_jwk().thumbprint());
    for (what, text) in [
        ("nothing", String::new()),
        ("a certificate", pem.replace("PRIVATE KEY", "CERTIFICATE")),
        ("a spoiled head", pem.replacen("-----\nM", "-----\nN", 1)),
        ("cut off", pem.replace("-----END PRIVATE KEY-----", "")),
    ] {
        assert!(EcKey::from_pem(&text).is_err(), "{what}");
    }
}

#[test]
fn nothing_private_is_shown() {
    let key = ec_key(1);
    let shown = format!("{key:?} {:?} {:?}", key.public_jwk(), key.verifying_key().unwrap());
    let pem = key.to_pem().unwrap();
    assert!(pem.lines().all(|line| !shown.contains(line)));
    assert!(key.public_jwk().to_value().get("d").is_none());
}

fn ec() -> Value {
    ec_key(1).public_jwk().to_value()
}

type Spoil = Box<dyn FnOnce(&mut Value)>;

#[test]
fn one_spoiled_member_refuses_a_key() {
    assert_eq!(Jwk::from_value(&ec()).unwrap(), ec_key(1).public_jwk());
    assert_eq!(
        serde_json::from_value::<Jwk>(ed_key(1).public_jwk().to_value()).unwrap(),
        ed_key(1).public_jwk()
    );
    let (short, long) = ("A".repeat(42), "A".repeat(44));
    let set = |name: &'static str, value: Value| move |v: &mut Value| v[name] = value;
    use KeyError::{Malformed, PrivateMember, Symmetric, Unsupported};
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<(&str, Spoil, KeyError)> = vec![
        ("private d", Box::new(set("d", "AA".into())), PrivateMember), ("private k", Box::new(set("k", "AA".into())), PrivateMember),
        ("private prime", Box::new(set("p", "AA".into())), PrivateMember), ("null d", Box::new(set("d", Value::Null)), PrivateMember),
        ("symmetric", Box::new(set("kty", "oct".into())), Symmetric), ("other kty", Box::new(set("kty", "XX".into())), Unsupported),
        ("no kty", Box::new(|v| drop(v.as_object_mut().unwrap().remove("kty"))), Malformed), ("kty is no text", Box::new(set("kty", 1.into())), Malformed),
        ("P-384", Box::new(set("crv", "P-384".into())), Unsupported), ("secp256k1", Box::new(set("crv", "secp256k1".into())), Unsupported),
        ("Ed25519 as EC", Box::new(set("crv", "Ed25519".into())), Unsupported),
        ("no x", Box::new(|v| drop(v.as_object_mut().unwrap().remove("x"))), Malformed), ("short x", Box::new(set("x", short.into())), Malformed), ("long y", Box::new(set("y", long.into())), Malformed),
        ("padded x", Box::new(|v| v["x"] = format!("{}=", v["x"].as_str().unwrap()).into()), Malformed),
        ("alg of another kind", Box::new(set("alg", "Ed25519".into())), Unsupported), ("RS256", Box::new(set("alg", "RS256".into())), Unsupported), ("HS256", Box::new(set("alg", "HS256".into())), Unsupported),
        ("for encryption", Box::new(set("use", "enc".into())), Unsupported), ("key_ops without verify", Box::new(set("key_ops", json!(["sign"]))), Unsupported), ("key_ops is no list", Box::new(set("key_ops", "verify".into())), Malformed),
        ("long kid", Box::new(set("kid", "k".repeat(129).into())), Malformed), ("kid with a line break", Box::new(set("kid", "a\nb".into())), Malformed), ("empty kid", Box::new(set("kid", "".into())), Malformed),
    ];
    for (what, spoil, refusal) in rows {
        let mut jwk = ec();
        spoil(&mut jwk);
        assert_eq!(Jwk::from_value(&jwk).err(), Some(refusal), "{what}");
    }
    assert_eq!(Jwk::from_value(&json!([])).err(), Some(Malformed));
    let mut off_curve = ec();
    off_curve["y"] = off_curve["x"].clone();
    assert_eq!(
        VerifyingKey::from_jwk(&Jwk::from_value(&off_curve).unwrap()).err(),
        Some(Malformed),
        "no point"
    );
}

#[test]
fn rsa_keys_have_bounds() {
    let b64 = |bytes: &[u8]| crate::support::b64(bytes);
    let modulus = |len: usize, first: u8| b64(&[&[first][..], &vec![0x55; len - 1]].concat());
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("2048 bits", modulus(256, 0x80), "AQAB".into(), None), ("8192 bits", modulus(1024, 0xff), "AQAB".into(), None),
        ("2047 bits", modulus(256, 0x7f), "AQAB".into(), Some(KeyError::Unsupported)), ("2040 bits", modulus(255, 0xff), "AQAB".into(), Some(KeyError::Unsupported)),
        ("8200 bits", modulus(1025, 0xff), "AQAB".into(), Some(KeyError::Unsupported)), ("leading zero", modulus(257, 0), "AQAB".into(), Some(KeyError::Malformed)),
        ("exponent 3", modulus(256, 0x80), "Aw".into(), Some(KeyError::Unsupported)), ("exponent 1", modulus(256, 0x80), "AQ".into(), Some(KeyError::Unsupported)),
        ("even exponent", modulus(256, 0x80), b64(&[1, 0, 0]), Some(KeyError::Unsupported)), ("huge exponent", modulus(256, 0x80), b64(&[1; 5]), Some(KeyError::Unsupported)),
        ("no exponent", modulus(256, 0x80), String::new(), Some(KeyError::Malformed)),
    ];
    for (what, n, e, refusal) in rows {
        assert_eq!(Jwk::from_value(&json!({ "kty": "RSA", "n": n, "e": e })).err(), refusal, "{what}");
    }
}

#[test]
fn sets_are_read_strictly() {
    let (one, two) = (ec_key(1).public_jwk(), ec_key(2).public_jwk());
    let set = Jwks::new([one.clone(), two.clone()]).unwrap();
    let bytes = serde_json::to_vec(&set).unwrap();
    assert_eq!(Jwks::parse(&bytes).unwrap().len(), 2);
    assert_eq!(set.key(one.kid.as_deref().unwrap()).unwrap().kid(), one.thumbprint());
    assert!(set.key("x").is_none() && set.only().is_none());
    assert!(Jwks::new([one.clone()]).unwrap().only().is_some());

    let parse = |keys: Value| Jwks::parse(json!({ "keys": keys }).to_string().as_bytes());
    let mut for_encryption = two.to_value();
    for_encryption["use"] = "enc".into();
    let passed_over =
        parse(json!([one, for_encryption, { "kty": "EC", "crv": "P-521" }, { "kty": "AKP" }])).unwrap();
    assert_eq!(passed_over.len(), 1);
    assert!(parse(json!([])).unwrap().is_empty());

    let mut private = two.to_value();
    private["d"] = "AA".into();
    let many: Vec<_> = (0..=MAX_KEYS).map(|n| json!({ "kty": "AKP", "kid": n.to_string() })).collect();
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("private", json!([one, private]), KeyError::PrivateMember), ("symmetric", json!([{ "kty": "oct", "k": "AA" }]), KeyError::Symmetric),
        ("duplicate kid", json!([one, two.clone().with_kid(one.kid.clone().unwrap())]), KeyError::DuplicateKid), ("same twice", json!([one, one]), KeyError::DuplicateKid),
        ("not a list", json!({}), KeyError::Malformed), ("not a key", json!([1]), KeyError::Malformed), ("too many", json!(many), KeyError::TooLarge),
    ];
    for (what, keys, refusal) in rows {
        assert_eq!(parse(keys).err(), Some(refusal), "{what}");
    }
    for (what, text) in [
        ("no keys", "{}"),
        ("list", "[]"),
        ("two lists", r#"{"keys":[],"keys":[]}"#),
        ("bytes behind", r#"{"keys":[]}x"#),
        ("nothing", ""),
    ] {
        assert_eq!(Jwks::parse(text.as_bytes()).err(), Some(KeyError::Malformed), "{what}");
    }
    assert_eq!(Jwks::parse(&vec![b' '; jose::MAX_JWKS + 1]).err(), Some(KeyError::TooLarge));
}

#[test]
fn what_is_no_public_key_in_der_is_refused() {
    for (what, der) in [("nothing", vec![]), ("zeros", vec![0; 91]), ("a sequence", vec![0x30, 0])] {
        assert_eq!(jwk_from_spki_der(&der).err(), Some(KeyError::Malformed), "{what}");
        assert!(VerifyingKey::from_spki_der(&der).is_err(), "{what}");
    }
}
