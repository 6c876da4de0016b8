//! `metaseal rotate`, scheduled and in haste.

use sdk::Request;
use serde_json::Value;
use tempfile::TempDir;

use super::ends;
use crate::harness::{Program, Site, claims_of, text_of, with_bearer};

#[tokio::test(flavor = "multi_thread")]
async fn keys_rotate_with_and_without_haste() {
    let program = Program::demo();
    let site = Site::of(&program);
    let dir = TempDir::new().expect("a temporary directory");
    let ready = program.ready_file().to_string_lossy().into_owned();
    let header = |token: &str| {
        use base64::Engine as _;
        let part = token.split('.').next().expect("a header");
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(part).expect("base64url");
        serde_json::from_slice::<Value>(&bytes).expect("JSON")["kid"].as_str().expect("a kid").to_owned()
    };
    let link = site.link("vs-1");
    let search = || Request::get(site.path("san", "/ssan-disc/v1/spatial-anchors"));
    let status = async |token: &str| {
        let answer = link.send(with_bearer(search(), token)).await.expect("an answer");
        let reason = site.reason(answer.trace()).await;
        (answer.status, reason)
    };
    let old = text_of(&site.server_token("vs-1", "san", "3gpp:seal:san").await);

    let (out, _) = ends(dir.path(), &["rotate", "sim", "--json", "--ready", &ready], 0);
    let rotated: Value = serde_json::from_str(&out).expect("JSON");
    let next = rotated["kid"].as_str().expect("a kid").to_owned();
    assert_ne!(header(&old), next);
    assert_eq!(status(&old).await.0, 200, "a token of the old key holds until its end");
    let keys = site.operator().keys().await.expect("keys");
    assert!(keys.iter().any(|key| key.kid == next) && keys.iter().any(|key| key.kid == header(&old)));
    // The new key signs after the verifiers' cache time.
    let active_s = keys.iter().find(|key| key.kid == next).expect("the key").active_from.unix();
    let wait = (active_s - site.time.now_s()).max(0) + 1;
    site.operator().set_clock(wait).await.expect("the clock moves");
    site.time.move_by(wait);
    let fresh = text_of(&site.server_token("vs-1", "san", "3gpp:seal:san").await);
    assert_eq!(header(&fresh), next, "{keys:?}");
    assert_eq!(status(&fresh).await.0, 200);

    let (out, _) = ends(dir.path(), &["rotate", "sim", "--emergency", "--json", "--ready", &ready], 0);
    let rotated: Value = serde_json::from_str(&out).expect("JSON");
    for token in [&old, &fresh] {
        let (status, reason) = status(token).await;
        assert_eq!(status, 401);
        assert!(["REVOKED_KEY", "KEY_UNKNOWN", "EXPIRED"].contains(&reason.as_str()), "{reason}");
    }
    let newest = text_of(&site.server_token("vs-1", "san", "3gpp:seal:san.discover").await);
    assert_eq!(header(&newest), rotated["kid"].as_str().expect("a kid"), "it signs at once");
    assert_eq!(status(&newest).await.0, 200);
    assert_eq!(claims_of(&newest)["client_id"], "vs-1");
    let (out, _) = ends(dir.path(), &["rotate", "ccf", "--json", "--ready", &ready], 0);
    let rotated: Value = serde_json::from_str(&out).expect("JSON");
    let keys = site.operator().keys().await.expect("keys");
    assert!(keys.iter().any(|key| key.role == "ccf" && rotated["kid"] == key.kid.as_str()), "{keys:?}");
    let (_, told) = ends(dir.path(), &["rotate", "nef", "--ready", &ready], 1);
    assert!(told.contains("ROLE_NOT_HERE"), "{told}");
}
