//! Published examples: RFC 7515 A.3, RFC 7638 3.1, RFC 8037 A.3 and A.4, RFC 9449 4.1.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jose::compact::Member;
use jose::dpop::{self, DpopExpected};
use jose::{Alg, HeaderPolicy, JoseError, Jwk, VerifyingKey, compact};
use serde_json::{Value, json};

fn key(jwk: &Value) -> (Jwk, VerifyingKey) {
    let jwk = Jwk::from_value(jwk).unwrap();
    let key = VerifyingKey::from_jwk(&jwk).unwrap();
    (jwk, key)
}

#[test]
fn rfc_7515_a_3_es256() {
    let (_, key) = key(&json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    }));
    let token = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290\
                 Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    let policy = HeaderPolicy { kid: Member::Optional, ..HeaderPolicy::id_token() };
    let verified = compact::parse(token, &policy).unwrap().verify(&key).unwrap();
    assert_eq!(verified.header.alg, Alg::Es256);
    assert_eq!(verified.values()["iss"], "joe");
    assert_eq!(verified.values()["exp"], 1_300_819_380);
}

#[test]
fn rfc_8037_ed25519() {
    let (jwk, key) = key(&json!({
        "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
    }));
    assert_eq!(jwk.thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    // The payload of A.4 is no JSON, so the signature alone is looked at.
    let input = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    let signature = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert_eq!(key.verify(input.as_bytes(), &signature), Ok(()));
    assert_eq!(key.verify(b"x", &signature), Err(JoseError::SignatureWrong));
}

#[test]
fn rfc_7638_3_1_rsa() {
    let (jwk, _) = key(&json!({
        "kty": "RSA", "e": "AQAB", "kid": "2011-04-29",
        "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3\
              oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu\
              6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awa\
              pJzKnqDKgw",
    }));
    assert_eq!(jwk.alg(), Alg::Ps256);
    assert_eq!(jwk.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
}

#[test]
fn rfc_9449_proof_at_the_token_endpoint() {
    let proof = "eyJ0eXAiOiJkcG9wK2p3dCIsImFsZyI6IkVTMjU2IiwiandrIjp7Imt0eSI6IkVDIiwieCI6Imw4dEZyaHgtMzR0VjNoUklDUkRZOXpDa0RscEJo\
                 RjQyVVFVZldWQVdCRnMiLCJ5IjoiOVZFNGpmX09rX282NHpiVFRsY3VOSmFqSG10NnY5VERWclUwQ2R2R1JEQSIsImNydiI6IlAtMjU2In19.ey\
                 JqdGkiOiItQndDM0VTYzZhY2MybFRjIiwiaHRtIjoiUE9TVCIsImh0dSI6Imh0dHBzOi8vc2VydmVyLmV4YW1wbGUuY29tL3Rva2VuIiwiaWF0I\
                 joxNTYyMjYyNjE2fQ.2-GxA6T8lP4vfrg8v-FdWP0A0zdrj8igiMLvqRMUvwnQg4PtFLbdLXiOSsX0x7NVY-FNyJK70nfbV37xRZT3Lg";
    let want = DpopExpected {
        htm: "POST",
        htu: "https://server.example.com/token",
        ath: None,
        nonce: None,
        now_s: 1_562_262_616,
        jkt: Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"),
    };
    let checked = dpop::check(proof, &want).unwrap();
    assert_eq!((checked.jti.as_str(), checked.iat), ("-BwC3ESc6acc2lTc", 1_562_262_616));
}
