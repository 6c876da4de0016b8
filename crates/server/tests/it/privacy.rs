//! Secrets and personal data, planted through the APIs and looked for wherever they must not be (N-PRIV, IMP-41).

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use api_types::admin::{Client, User};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use sdk::{AnchorQuery, Request, SanClient};
use serde_json::json;
use tempfile::TempDir;

use crate::harness::{Launch, Program, Site, claims_of, json_of, parsed, text_of, val_server_list};

const SUPI: &str = "imsi-001017734598210";
const GPSI: &str = "msisdn-882109977553311";
const OTHER_GPSI: &str = "msisdn-882104466228800";
const EXTERNAL: &str = "extid-zenobia-7731@op-a.example";
const IMPU: &str = "sip:zenobia-7731@op-a.example";
const VAL_USER: &str = "zenobia-7731@campus.example";
const LON: f64 = 13.377_704_931;
const LAT: f64 = 52.516_275_847;
/// What a careless caller puts where it does not belong.
const STRAY: &str = "stray-secret-of-a-careless-caller-5f81c2";

/// Where something may stand in clear.
#[derive(Clone, Copy, PartialEq, Eq)]
enum May {
    /// Nowhere at all.
    Nowhere,
    /// In the records of the SIM-S, whose account it belongs to.
    InTheAccount,
    /// In the records of a function: a place is stored where it is asked for.
    InRecords,
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_planted_is_not_found() {
    let dir = TempDir::new().expect("a temporary directory");
    let program = Launch::new(dir.path(), "serve", &["serve", "--port-base", "0", "--data", "data"])
        .env("METASEAL_LOG_LEVEL", "trace")
        .start();
    let mut site = Site::of(&program);
    site.register().await;
    let mut planted: Vec<(&str, String, May)> = Vec::new();
    let mut bodies: Vec<String> = Vec::new();

    // Accounts.
    let password = site.time.ambient().unguessable();
    let body = json!({
        "valUserId": VAL_USER, "valUeIds": ["ue-zenobia-7731"], "gpsi": GPSI, "externalId": EXTERNAL, "impu": IMPU, "supi": SUPI,
        "valServices": ["museum-guide"], "roles": [],
    });
    site.operator().put_user("zenobia", &parsed::<User>(body), Some(&password)).await.expect("registered");
    let mut user = json!({ "password": password, "valUeId": "ue-zenobia-7731", "gpsi": GPSI });
    user["valUserId"] = json!(VAL_USER);
    site.users.insert("zenobia".into(), user);
    planted.push(("a password", password.clone(), May::Nowhere));
    for (what, text) in [
        ("a SUPI", SUPI),
        ("a GPSI", GPSI),
        ("an External ID", EXTERNAL),
        ("an IMPU", IMPU),
        ("a VAL user", VAL_USER),
    ] {
        planted.push((what, text.to_owned(), May::InTheAccount));
    }
    for id in ["ue-1", "ue-bearer"] {
        planted.push(("a client secret", site.clients[id].secret.clone().expect("a secret"), May::Nowhere));
    }
    let position = json!({ "lon": LON, "lat": LAT });
    site.operator().put_position("ue-zenobia-7731", &parsed(position)).await.expect("a position");
    planted.push(("a longitude", LON.to_string(), May::InRecords));
    planted.push(("a latitude", LAT.to_string(), May::InRecords));

    // A login that fails, one that succeeds, and what comes of it.
    let sim = site.sim_c("ue-1").await;
    let scope = "openid 3gpp:seal:san.read 3gpp:seal:san.discover";
    let pending = sim.begin(site.request("zenobia", scope));
    assert!(sim.login(&pending, "zenobia", STRAY).await.is_err());
    let pending = sim.begin(site.request("zenobia", scope));
    assert!(sim.login(&pending, &password, STRAY).await.is_err(), "the password typed as a name");
    let pending = sim.begin(site.request("zenobia", scope));
    let code = sim.login(&pending, "zenobia", &password).await.expect("logged in");
    let token = sim.redeem(&code, Some(site.at("san")), None).await.expect("a token");
    planted.push(("a code", code.expose().to_owned(), May::Nowhere));
    let access = token.access_token.expose().to_owned();
    let refresh = token.refresh_token.clone().expect("a refresh token").expose().to_owned();
    planted.push(("an access token", signature(&access), May::Nowhere));
    planted.push((
        "an ID token",
        signature(token.id_token.as_ref().expect("an ID token").expose()),
        May::Nowhere,
    ));
    planted.push(("a refresh token", refresh.clone(), May::Nowhere));
    let url = site.path("san", "/ssan-disc/v1/spatial-anchors");
    let proof = sim.dpop().expect("a key").proof("GET", &url, Some(&access)).expect("a proof");
    planted.push(("a proof", signature(&proof), May::Nowhere));
    let link = site.link_as(None);
    let request = || {
        Request::get(url.clone()).header("authorization", &format!("DPoP {access}")).header("dpop", &proof)
    };
    assert_eq!(link.send(request()).await.expect("an answer").status, 200);
    for refused in [
        request(),
        request().header("ue-id", OTHER_GPSI),
        Request::get(url.clone()).header("authorization", &format!("Bearer {access}")),
        Request::get(format!("{url}?access_token={access}").parse().expect("a url")),
        Request::get(format!("{url}?svc-id={STRAY}&limit={STRAY}").parse().expect("a url")),
        Request::get(site.path("san", &format!("/ssan-sanm/v1/anchors-lists/{STRAY}/{STRAY}"))),
        Request::get(url.clone()).header("authorization", &format!("Basic {}", STANDARD.encode(STRAY))),
    ] {
        let answer = link.send(refused).await.expect("an answer");
        assert!(answer.status >= 400, "{}", answer.status);
        bodies.push(String::from_utf8_lossy(&answer.body).into_owned());
    }
    planted.push(("another's GPSI", OTHER_GPSI.to_owned(), May::Nowhere));
    planted.push(("a stray secret", STRAY.to_owned(), May::Nowhere));

    // Machines, and bodies that hold what they should not.
    let credential = site.server_token("vs-1", "san", "3gpp:seal:san").await;
    planted.push(("a machine's token", signature(&text_of(&credential)), May::Nowhere));
    let san = SanClient::new(site.link("vs-1"), site.at("san"), credential).expect("a client");
    san.create_list(&parsed(val_server_list("museum-guide", "kept"))).await.expect("created");
    let lists = site.path("san", "/ssan-sanm/v1/anchors-lists");
    let mut wrong = val_server_list("museum-guide", "kept");
    wrong["anchors"]["open"]["visibility"] = json!(STRAY);
    wrong["anchors"][STRAY] = json!({ "posInfo": STRAY });
    for request in [
        Request::post(lists.clone()).json(&wrong),
        Request::post(lists.clone())
            .bytes("application/json", format!("{{\"a\": \"{STRAY}\", \"a\": {STRAY}").into()),
        Request::post(lists.clone()).bytes("text/plain", STRAY.into()),
    ] {
        let answer = san.send(request).await.expect("an answer");
        assert!((400..500).contains(&answer.status), "{}", answer.status);
        bodies.push(String::from_utf8_lossy(&answer.body).into_owned());
    }
    for form in [
        vec![("grant_type", "authorization_code"), ("code", STRAY), ("redirect_uri", STRAY)],
        vec![("grant_type", STRAY)],
        vec![("grant_type", "refresh_token"), ("refresh_token", STRAY), ("refresh_token", STRAY)],
    ] {
        let basic =
            STANDARD.encode(format!("ue-1:{}", site.clients["ue-1"].secret.clone().expect("a secret")));
        let request = Request::post(site.path("sim", "/token"))
            .form(form)
            .header("authorization", &format!("Basic {basic}"));
        let answer = link.send(request).await.expect("an answer");
        assert!((400..500).contains(&answer.status), "{}", answer.status);
        bodies.push(String::from_utf8_lossy(&answer.body).into_owned());
    }
    let user_url = site.operator().url(&["users", "zenobia"]).expect("a url");
    let refused = Request::put(user_url).json(&json!({ "password": STRAY, "valUserId": 5, "supi": STRAY }));
    bodies.push(
        String::from_utf8_lossy(&site.operator().send(refused).await.expect("an answer").body).into_owned(),
    );
    let client = json!({ "kind": "val_server", "auth": "private_key_jwt", "jwks": { "keys": [{ "kty": "oct", "k": STRAY }] } });
    assert!(site.operator().put_client("bad", &parsed::<Client>(client)).await.is_err());

    let seen = everything(&program, &site, &bodies).await;
    let mut found = Vec::new();
    for (what, text, may) in &planted {
        for form in forms(text) {
            for (place, bytes) in &seen {
                let allowed = match may {
                    May::Nowhere => false,
                    May::InTheAccount => place.starts_with("file sim.sqlite"),
                    May::InRecords => place.starts_with("file "),
                };
                if !allowed && holds(bytes, form.as_bytes()) {
                    found.push(format!("{what} stands in {place}: {}", around(bytes, form.as_bytes())));
                }
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    // The search finds what is there: a list's name in its records, the client's name in the audit.
    assert!(
        seen.iter()
            .any(|(place, bytes)| place.starts_with("file san.sqlite") && holds(bytes, b"museum-guide"))
    );
    assert!(seen.iter().any(|(place, bytes)| place == "audit" && holds(bytes, b"vs-1")));
    assert!(
        seen.iter().any(|(place, bytes)| place == "log" && bytes.len() > 1_000),
        "a log at trace says something"
    );
    assert!(claims_of(&access)["gpsi"] == GPSI, "the token has what is looked for");
}

/// A part of a token that stands nowhere else.
fn signature(token: &str) -> String {
    token.rsplit('.').next().expect("a signature").to_owned()
}

/// A text as it is, and as base64 and percent encoding write it.
fn forms(text: &str) -> Vec<String> {
    let percent: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    let mut forms =
        vec![text.to_owned(), STANDARD_NO_PAD.encode(text), URL_SAFE_NO_PAD.encode(text), percent];
    // The last characters of base64 depend on what follows.
    for form in &mut forms[1..3] {
        form.truncate(form.len().saturating_sub(2));
    }
    forms.sort();
    forms.dedup();
    forms
}

fn holds(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

fn around(bytes: &[u8], text: &[u8]) -> String {
    let at = bytes.windows(text.len()).position(|window| window == text).unwrap_or_default();
    let part = &bytes[at.saturating_sub(160)..(at + text.len() + 40).min(bytes.len())];
    String::from_utf8_lossy(part).replace(char::is_control, "·")
}

/// Everything that the program says and keeps, but for the API that reads an account.
async fn everything(program: &Program, site: &Site, bodies: &[String]) -> BTreeMap<String, Vec<u8>> {
    let admin = site.operator();
    let mut seen = BTreeMap::new();
    for (name, path) in [
        ("audit", &["audit"][..]),
        ("charging", &["charging"]),
        ("traces", &["traces"]),
        ("metrics", &["metrics"]),
        ("config", &["config"]),
        ("clients", &["clients"]),
        ("policies", &["policies"]),
        ("verifiers", &["verifiers"]),
        ("keys", &["keys"]),
        ("health", &["health"]),
    ] {
        let mut url = admin.url(path).expect("a url");
        if ["audit", "charging", "traces"].contains(&name) {
            url.query_pairs_mut().append_pair("limit", "1000");
        }
        let answer = admin.send(Request::get(url)).await.expect("an answer");
        assert_eq!(answer.status, 200, "{name}");
        seen.insert(name.to_owned(), answer.body.to_vec());
        if name == "traces" {
            for summary in json_of(&answer)["items"].as_array().expect("items") {
                let trace = summary["trace"].as_str().expect("a trace").to_owned();
                for below in [&["traces", &trace][..], &["traces", &trace, "why"]] {
                    let answer =
                        admin.send(Request::get(admin.url(below).expect("a url"))).await.expect("an answer");
                    seen.insert(below.join("/"), answer.body.to_vec());
                }
            }
        }
    }
    seen.insert("bodies of refusals".into(), bodies.join("\n").into_bytes());
    let _ = site.san("vs-1", "3gpp:seal:san").await.discover(&AnchorQuery::default()).await;
    // After everything else, so that what the reading itself leaves is looked at too.
    files(&program.data().join("records"), &mut seen);
    files(&program.data().join("blobs"), &mut seen);
    seen.insert("log".into(), program.log().into_bytes());
    seen
}

fn files(dir: &Path, seen: &mut BTreeMap<String, Vec<u8>>) {
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            files(&entry.path(), seen);
        } else {
            let name = entry.file_name().to_string_lossy().into_owned();
            seen.insert(format!("file {name}"), fs::read(entry.path()).expect("a file"));
        }
    }
}
