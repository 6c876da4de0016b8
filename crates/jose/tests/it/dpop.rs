//! Attack A30: every way in which a proof can be wrong, each refused for its own reason. Replay is for the store.

use std::sync::LazyLock;

use jose::dpop::{self, DpopChecked, DpopError, DpopExpected, ProofFor};
use jose::{EcKey, Signer, sha256_b64url};
use serde_json::{Value, json};

use crate::support::{NOW, b64, ec_key, ed_key, forge};

type Spoil = fn(&mut Value, &mut Value);

const TOKEN: &str = "token-1";
const HTU: &str = "https://san.example/ssan-disc/v1/spatial-anchors";

fn key() -> EcKey {
    ec_key(5)
}

fn header() -> Value {
    let jwk = key().public_jwk().to_value();
    json!({ "alg": "ES256", "typ": "dpop+jwt", "jwk": { "kty": "EC", "crv": "P-256", "x": jwk["x"], "y": jwk["y"] } })
}

fn claims() -> Value {
    json!({ "jti": "j-1", "htm": "GET", "htu": HTU, "iat": NOW, "ath": sha256_b64url(TOKEN), "nonce": "n-1" })
}

fn proof(spoil: impl FnOnce(&mut Value, &mut Value)) -> String {
    let (mut header, mut claims) = (header(), claims());
    spoil(&mut header, &mut claims);
    forge(&key(), header.to_string(), claims.to_string())
}

static ATH: LazyLock<String> = LazyLock::new(|| sha256_b64url(TOKEN));
static JKT: LazyLock<String> = LazyLock::new(|| key().public_jwk().thumbprint());

fn check<'a>(proof: &str, spoil: impl FnOnce(&mut DpopExpected<'a>)) -> Result<DpopChecked, DpopError> {
    let mut want = DpopExpected {
        htm: "GET",
        htu: HTU,
        ath: Some(&ATH),
        nonce: Some("n-1"),
        now_s: NOW,
        jkt: Some(&JKT),
    };
    spoil(&mut want);
    dpop::check(proof, &want)
}

#[test]
fn good_proofs_are_good() {
    let jkt = key().public_jwk().thumbprint();
    let good = DpopChecked { jkt, jti: "j-1".into(), iat: NOW };
    assert_eq!(good.forget_at_s(), NOW + 61);
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil); 13] = [
        ("as it is", |_, _| {}), ("query", |_, c| c["htu"] = format!("{HTU}?svc-id=x").into()), ("fragment", |_, c| c["htu"] = format!("{HTU}#x").into()),
        ("default port and case", |_, c| c["htu"] = "HTTPS://San.Example:443/ssan-disc/v1/spatial-anchors".into()),
        ("kid beside the key", |h, _| h["kid"] = "x".into()), ("another claim", |_, c| c["x"] = 1.into()), ("key with alg", |h, _| h["jwk"]["alg"] = "ES256".into()),
        ("typ as a media type", |h, _| h["typ"] = "application/dpop+jwt".into()), ("shortest jti", |_, c| c["jti"] = "j".into()), ("longest jti", |_, c| c["jti"] = "j".repeat(128).into()),
        ("oldest", |_, c| c["iat"] = (NOW - 60).into()), ("most ahead", |_, c| c["iat"] = (NOW + 5).into()), ("jti of other characters", |_, c| c["jti"] = "ä b".into()),
    ];
    for (what, spoil) in rows {
        assert!(check(&proof(spoil), |_| {}).is_ok(), "{what}");
    }
    assert_eq!(check(&proof(|_, _| {}), |_| {}), Ok(good));
    // At the token endpoint there is neither token nor bound key, and no nonce was asked for.
    let bare = proof(|_, c| *c = json!({ "jti": "j-1", "htm": "GET", "htu": HTU, "iat": NOW }));
    assert!(check(&bare, |w| (w.ath, w.nonce, w.jkt) = (None, None, None)).is_ok());
    assert!(check(&proof(|_, _| {}), |w| (w.ath, w.nonce, w.jkt) = (None, None, None)).is_ok());
}

#[test]
fn what_a_client_makes_is_accepted() {
    let wanted = ProofFor {
        jti: "j",
        htm: "GET",
        htu: "https://san.example/x?q=1#f",
        iat: NOW,
        access_token: Some(TOKEN),
        nonce: Some("n-1"),
    };
    for signer in [&key() as &dyn Signer, &ed_key(6)] {
        let jkt = signer.public_jwk().thumbprint();
        let made = dpop::sign(signer, &wanted).unwrap();
        let checked = check(&made, |w| (w.htu, w.jkt) = ("https://san.example/x", Some(jkt.as_str())));
        assert_eq!(checked.unwrap().jkt, jkt);
    }
}

#[test]
fn one_spoiled_thing_is_refused_for_its_own_reason() {
    use DpopError::{
        Ahead, AlgRefused, JtiRefused, KeyWrong, Malformed, MethodWrong, NonceMissing, NonceWrong,
        SignatureWrong, Stale, TargetWrong, TokenWrong, TypRefused,
    };
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil, DpopError); 52] = [
        ("another method", |_, c| c["htm"] = "POST".into(), MethodWrong), ("method in lower case", |_, c| c["htm"] = "get".into(), MethodWrong), ("empty method", |_, c| c["htm"] = "".into(), MethodWrong),
        ("no method", |_, c| drop(c.as_object_mut().unwrap().remove("htm")), Malformed), ("method is no text", |_, c| c["htm"] = 1.into(), Malformed),
        ("another path", |_, c| c["htu"] = "https://san.example/ssan-disc/v1/spatial-anchors/".into(), TargetWrong), ("another host", |_, c| c["htu"] = "https://sm.example/ssan-disc/v1/spatial-anchors".into(), TargetWrong),
        ("another scheme", |_, c| c["htu"] = "http://san.example/ssan-disc/v1/spatial-anchors".into(), TargetWrong), ("another port", |_, c| c["htu"] = "https://san.example:8446/ssan-disc/v1/spatial-anchors".into(), TargetWrong),
        ("path in upper case", |_, c| c["htu"] = "https://san.example/SSAN-DISC/v1/spatial-anchors".into(), TargetWrong), ("path only", |_, c| c["htu"] = "/ssan-disc/v1/spatial-anchors".into(), TargetWrong),
        ("user information", |_, c| c["htu"] = "https://san.example@evil.example/ssan-disc/v1/spatial-anchors".into(), TargetWrong), ("empty target", |_, c| c["htu"] = "".into(), TargetWrong),
        ("no target", |_, c| drop(c.as_object_mut().unwrap().remove("htu")), Malformed),
        ("of another token", |_, c| c["ath"] = sha256_b64url("token-2").into(), TokenWrong), ("the token itself", |_, c| c["ath"] = TOKEN.into(), TokenWrong), ("no ath", |_, c| drop(c.as_object_mut().unwrap().remove("ath")), TokenWrong),
        ("ath is no text", |_, c| c["ath"] = 1.into(), Malformed), ("padded ath", |_, c| c["ath"] = format!("{}=", sha256_b64url(TOKEN)).into(), TokenWrong),
        ("61 s old", |_, c| c["iat"] = (NOW - 61).into(), Stale), ("a day old", |_, c| c["iat"] = (NOW - 86_400).into(), Stale), ("from 1970", |_, c| c["iat"] = 0.into(), Stale), ("negative", |_, c| c["iat"] = (-1).into(), Stale),
        ("6 s ahead", |_, c| c["iat"] = (NOW + 6).into(), Ahead), ("far ahead", |_, c| c["iat"] = i64::MAX.into(), Ahead),
        ("float", |_, c| c["iat"] = json!(NOW as f64 + 0.5), Malformed), ("text", |_, c| c["iat"] = NOW.to_string().into(), Malformed), ("2^63", |_, c| c["iat"] = (1_u64 << 63).into(), Malformed), ("no iat", |_, c| drop(c.as_object_mut().unwrap().remove("iat")), Malformed),
        ("no nonce", |_, c| drop(c.as_object_mut().unwrap().remove("nonce")), NonceMissing), ("old nonce", |_, c| c["nonce"] = "n-0".into(), NonceWrong), ("empty nonce", |_, c| c["nonce"] = "".into(), NonceWrong),
        ("no jti", |_, c| drop(c.as_object_mut().unwrap().remove("jti")), JtiRefused), ("empty jti", |_, c| c["jti"] = "".into(), JtiRefused), ("129 characters of jti", |_, c| c["jti"] = "j".repeat(129).into(), JtiRefused), ("jti with a line break", |_, c| c["jti"] = "a\nb".into(), JtiRefused), ("jti is no text", |_, c| c["jti"] = 1.into(), Malformed),
        ("private key", |h, _| h["jwk"]["d"] = "AAAA".into(), Malformed), ("symmetric key", |h, _| h["jwk"] = json!({ "kty": "oct", "k": "AAAA" }), Malformed), ("no key", |h, _| drop(h.as_object_mut().unwrap().remove("jwk")), Malformed), ("key is no object", |h, _| h["jwk"] = "x".into(), Malformed),
        ("key off its curve", |h, _| h["jwk"]["y"] = h["jwk"]["x"].clone(), Malformed), ("another key than the signer's", |h, _| h["jwk"] = ec_key(6).public_jwk().to_value(), SignatureWrong),
        ("HS256", |h, _| h["alg"] = "HS256".into(), AlgRefused), ("none", |h, _| h["alg"] = "none".into(), AlgRefused), ("EdDSA", |h, _| h["alg"] = "EdDSA".into(), AlgRefused), ("Ed25519 with an EC key", |h, _| h["alg"] = "Ed25519".into(), AlgRefused),
        ("access token", |h, _| h["typ"] = "at+jwt".into(), TypRefused), ("JWT", |h, _| h["typ"] = "JWT".into(), TypRefused), ("no typ", |h, _| drop(h.as_object_mut().unwrap().remove("typ")), TypRefused),
        ("jku", |h, _| h["jku"] = "https://127.0.0.1:1/".into(), Malformed), ("crit", |h, _| h["crit"] = json!(["x"]), Malformed),
    ];
    for (what, spoil, refusal) in rows {
        assert_eq!(check(&proof(spoil), |_| {}), Err(refusal), "{what}");
        assert_eq!(refusal.wants_nonce(), matches!(refusal, NonceMissing | NonceWrong), "{what}");
    }
    // A right proof with another key than the bound one.
    let other = forge(
        &ec_key(6),
        {
            let mut header = header();
            header["jwk"] = ec_key(6).public_jwk().to_value();
            header.to_string()
        },
        claims().to_string(),
    );
    assert_eq!(check(&other, |_| {}), Err(KeyWrong));
    assert!(check(&other, |w| w.jkt = None).is_ok());
    // HS256 keyed with what everybody knows.
    let input = format!(
        "{}.{}",
        b64(json!({ "alg": "HS256", "typ": "dpop+jwt", "jwk": { "kty": "oct", "k": "AAAA" } }).to_string()),
        b64(claims().to_string())
    );
    let tag = aws_lc_rs::hmac::sign(
        &aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &[0; 3]),
        input.as_bytes(),
    );
    assert!(check(&format!("{input}.{}", b64(tag)), |_| {}).is_err());
    let good = proof(|_, _| {});
    for (what, text) in
        [("nothing", ""), ("two proofs", &*format!("{good}, {good}")), ("blank behind", &*format!("{good} "))]
    {
        assert_eq!(check(text, |_| {}), Err(Malformed), "{what}");
    }
}
