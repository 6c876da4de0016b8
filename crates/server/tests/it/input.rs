//! Bad input on every route (N-INP): a clear 4xx with its cause, nothing changed, nothing repeated.

use bytes::Bytes;
use http::Method;
use sdk::{HttpsClient, Request};
use serde_json::{Value, json};
use server::openapi::interfaces;
use service_http::peer::CertRole;
use service_http::routes::{RouteAuth, RouteSpec};

use crate::every_route::capif::World;
use crate::harness::{Program, Site, json_of, text_of, whole_of, with_bearer};

/// What an attacker puts into a body; no answer may repeat it.
const MARK: &str = "MARK7731";

/// Bodies that are no JSON of any route.
fn bodies() -> Vec<(&'static str, &'static str, Bytes)> {
    const JSON: &str = "application/json";
    let depth = 10_000;
    let bomb = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
    let object_bomb = format!("{}1{}", "{\"a\":".repeat(depth), "}".repeat(depth));
    #[rustfmt::skip] // a table stays a table
    let rows = vec![
        ("nothing",             JSON,         Bytes::new()),
        ("no JSON",             JSON,         Bytes::from_static(b"MARK7731 is not JSON")),
        ("cut off",             JSON,         Bytes::from_static(b"{\"MARK7731\": ")),
        ("trailing bytes",      JSON,         Bytes::from_static(b"{} MARK7731")),
        ("two objects",         JSON,         Bytes::from_static(b"{}{}")),
        ("a duplicate member",  JSON,         Bytes::from_static(b"{\"MARK7731\": 1, \"MARK7731\": 2}")),
        ("not a number",        JSON,         Bytes::from_static(b"{\"lon\": NaN, \"lat\": Infinity}")),
        ("a huge number",       JSON,         Bytes::from_static(b"{\"lon\": 1e999999, \"lat\": 1}")),
        ("a depth bomb",        JSON,         Bytes::from(bomb)),
        ("another depth bomb",  JSON,         Bytes::from(object_bomb)),
        ("not UTF-8",           JSON,         Bytes::from_static(b"{\"a\": \"\xff\xfe\"}")),
        ("a lone surrogate",    JSON,         Bytes::from_static(b"{\"a\": \"\\ud800\"}")),
        ("a list",              JSON,         Bytes::from_static(b"[]")),
        ("a text",              JSON,         Bytes::from_static(b"\"MARK7731\"")),
        ("null",                JSON,         Bytes::from_static(b"null")),
        ("a byte order mark",   JSON,         Bytes::from_static(b"\xef\xbb\xbf{}")),
        ("another media type",  "text/plain", Bytes::from_static(b"MARK7731")),
        ("XML",                 "text/xml",   Bytes::from_static(b"<a>MARK7731</a>")),
    ];
    rows
}

/// Identifiers that are none, as they stand in a path.
const IDS: [(&str, &str); 10] = [
    ("parent directory", "%2e%2e"),
    ("encoded slash", "a%2Fb"),
    ("backslash", "a%5Cb"),
    ("NUL", "a%00b"),
    ("line break", "a%0d%0ab"),
    ("blank", "a%20b"),
    ("blank only", "%20"),
    ("not UTF-8", "%ff%fe"),
    ("quote", "a'%20or%20'1'='1"),
    ("a tab and a name", "%09MARK7731"),
];

#[tokio::test(flavor = "multi_thread")]
async fn bad_input_is_refused_on_every_route() {
    let program = Program::demo_with_facade();
    let site = Site::of(&program);
    let world = World::new(&site).await;
    let before = [records(&site).await, world.records(&site).await].concat();
    let mut faults = Vec::new();
    let mut asked = 0_usize;
    // That for OpenCAPIF clients is off; behind it are the readers of the other listener of the core function.
    for interface in interfaces().into_iter().filter(|interface| interface.listener != "ccf_compat") {
        for spec in interface.routes {
            let token = match spec.auth {
                RouteAuth::Token => Some(text_of(
                    &site.server_token("vs-1", interface.listener, &whole_of(interface.listener)).await,
                )),
                _ => None,
            };
            let link = link_to(&site, &world, interface.listener, spec);
            for (what, request) in spoiled(&site, interface.listener, spec) {
                asked += 1;
                let request = match &token {
                    Some(token) => with_bearer(request, token),
                    None => request,
                };
                if let Some(fault) = look(&link, request, &what).await {
                    faults.push(format!("{} {} {}: {fault}", interface.name, spec.method, spec.path));
                }
            }
        }
    }
    let after = [records(&site).await, world.records(&site).await].concat();
    assert!(faults.is_empty(), "{} of {asked}:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(before, after, "refused requests changed something");
    assert_eq!(site.operator().health().await.expect("health").status, "ok");
    assert!(!program.log().contains("panicked"), "{}", program.log());
    println!("{asked} bad requests");
}

/// Somebody who may use the route, so that only the input is wrong.
fn link_to(site: &Site, world: &World, interface: &str, spec: &RouteSpec) -> HttpsClient {
    match (interface, spec.auth) {
        ("ccf", RouteAuth::Mtls(roles)) => world.link(roles),
        ("ccf", _) => site.link_as(None),
        ("admin", _) => site.link_as(Some(&site.identity("admin", "admin", "someone"))),
        ("sim_mtls", RouteAuth::Mtls([CertRole::Client])) => site.link("vs-1"),
        ("sim_mtls", RouteAuth::Mtls(roles)) => {
            site.link_as(Some(&site.identity("sbi", roles[0].as_str(), "someone")))
        }
        ("sim", _) => site.link_as(None),
        _ => site.link("vs-1"),
    }
}

/// Everything that is wrong with a request, one thing at a time.
fn spoiled(site: &Site, interface: &str, spec: &RouteSpec) -> Vec<(String, Request)> {
    let list = site.lists["vs-1"][0].as_str();
    let map = site.maps["vs-1"].to_string();
    // A path whose objects exist, and which nothing below must change.
    let good = |id: Option<&str>| {
        let part = |part: &str| match part {
            part if !part.starts_with('{') => part.to_owned(),
            "{anchorsListId}" => id.unwrap_or(list).to_owned(),
            "{spatialMapId}" => id.unwrap_or(&map).to_owned(),
            "{role}" => id.unwrap_or("sim").to_owned(),
            _ => id.unwrap_or("carol").to_owned(),
        };
        let path: Vec<String> = spec.path.split('/').map(part).collect();
        format!("{}{}", site.at(interface), path.join("/"))
    };
    let url = |id: Option<&str>| -> Option<url::Url> { good(id).parse().ok() };
    let mut requests = Vec::new();
    if spec.path.contains('{') {
        let long = "x".repeat(600);
        let ids = IDS.iter().copied().chain([("overlong", long.as_str())]);
        for (what, id) in ids {
            // Where the client itself takes a path for another one, there is nothing to ask.
            let Some(url) = url(Some(id)).filter(|url| url.as_str().contains(id)) else { continue };
            requests.push((
                format!("an identifier: {what}"),
                sensible(Request::new(spec.method.clone(), url), spec),
            ));
        }
    }
    let here = url(None).expect("a url");
    // The payload of a map may be any bytes; its media type may not.
    let is_payload = spec.operation == "PutSpatialMapContent";
    let takes_nothing = matches!(spec.operation, "RotateKey");
    if [Method::POST, Method::PUT, Method::PATCH].contains(&spec.method) && !is_payload && !takes_nothing {
        for (what, media_type, body) in bodies() {
            let media_type = if spec.method == Method::PATCH && media_type.ends_with("json") {
                "application/merge-patch+json"
            } else {
                media_type
            };
            let request = Request::new(spec.method.clone(), here.clone()).bytes(media_type, body);
            requests.push((format!("a body: {what}"), request));
        }
        let large = Bytes::from(vec![b' '; spec.body_limit.min(8 * 1024 * 1024) + 1]);
        let request = Request::new(spec.method.clone(), here.clone()).bytes("application/json", large);
        requests.push(("a body: too large".to_owned(), request));
    }
    if is_payload {
        for (what, media_type) in
            [("HTML", "text/html"), ("no media type", "x"), ("a form", "application/x-www-form-urlencoded")]
        {
            let request = Request::put(here.clone()).bytes(media_type, Bytes::from_static(b"MARK7731"));
            requests.push((format!("a payload: {what}"), request));
        }
        let request = Request::put(here.clone())
            .bytes("model/gltf-binary", Bytes::from_static(b"MARK7731"))
            .header("repr-digest", "sha-256=:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:");
        requests.push(("a payload: another digest".to_owned(), request));
    }
    if spec.method == Method::GET && spec.path.ends_with("s") && matches!(spec.auth, RouteAuth::Token) {
        for query in [
            "limit=0",
            "limit=1001",
            "limit=MARK7731",
            "limit=1&limit=2",
            "cursor=MARK7731",
            "supp-feats=xyz",
            "area-int=MARK7731",
            "area-int=%7B%22geoServAr%22:NaN%7D",
            "loc-info=MARK7731",
            "anchor-ids=1,x",
            "pose=%7B",
        ] {
            // Each names a parameter of one server; the other does not know it and must say so or not care.
            let known = match query.split('=').next() {
                Some("area-int" | "anchor-ids") => spec.operation == "DiscSpatialAnchorsProfiles",
                Some("loc-info" | "pose") => spec.operation == "DiscSpatialMapsSmas",
                Some("limit" | "cursor") => {
                    ["DiscSpatialAnchorsProfiles", "DiscSpatialMapsSmas"].contains(&spec.operation)
                }
                _ => true,
            };
            if known {
                let mut url = here.clone();
                url.set_query(Some(query));
                requests.push((format!("a query: {query}"), Request::get(url)));
            }
        }
    }
    requests
}

/// A request that would be served but for its identifier.
fn sensible(request: Request, spec: &RouteSpec) -> Request {
    match spec.operation {
        "PutUser" => {
            request.json(&json!({ "password": "a good password", "valUserId": "someone@x.example" }))
        }
        "PutClient" => request.json(
            &json!({ "kind": "val_server", "auth": "client_secret_basic", "scopes": ["3gpp:seal:san"] }),
        ),
        "PutService" => request.json(&json!({ "role": "san", "scopes": ["3gpp:seal:san.read"] })),
        "PutPolicy" => request.json(&json!({ "class": "local", "effect": "PERMIT" })),
        "PutPosition" => request.json(&json!({ "lon": 2.0, "lat": 48.0 })),
        "PutSpatialMapContent" => request.bytes("model/gltf-binary", Bytes::from_static(b"x")),
        "UpdateIndSpatialAnchorsList" => request.json(&crate::harness::val_server_list("museum-guide", "x")),
        "ModifyIndSpatialAnchorsList" | "ModifyIndSpatialMap" => {
            request.json_as("application/merge-patch+json", &json!({ "suppFeat": "1" }))
        }
        "UpdateIndSpatialMap" => request.json(&crate::harness::val_server_map("museum-guide", "x")),
        _ => request,
    }
}

/// 4xx with a cause and without what was sent; the fault, if there is one.
async fn look(link: &HttpsClient, request: Request, what: &str) -> Option<String> {
    let head = format!("{request:?}").contains("method: HEAD");
    let answer = match link.send(request).await {
        Ok(answer) => answer,
        // A body over the limit may be cut off while it is sent.
        Err(_) if what.contains("too large") => return None,
        Err(error) => return Some(format!("{what}: {error}")),
    };
    if !(400..500).contains(&answer.status) {
        return Some(format!("{what}: {}", answer.status));
    }
    let body: Value = json_of(&answer);
    let named = body["cause"].is_string() || body["error"].is_string();
    let page = answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html"));
    if !named && !head && !page {
        return Some(format!(
            "{what}: {} without a cause: {}",
            answer.status,
            String::from_utf8_lossy(&answer.body)
        ));
    }
    if answer.trace().is_none() {
        return Some(format!("{what}: without a trace"));
    }
    let text = String::from_utf8_lossy(&answer.body).into_owned();
    text.contains(MARK).then(|| format!("{what}: repeats what was sent: {text}"))
}

/// What refused requests could have changed.
async fn records(site: &Site) -> Vec<Value> {
    let admin = site.operator();
    let mut state = Vec::new();
    for family in ["users", "clients", "services", "policies", "keys"] {
        let answer = admin.send(Request::get(admin.url(&[family]).expect("a url"))).await.expect("an answer");
        state.push(json_of(&answer));
    }
    let list = site.lists["vs-1"][0].as_str().try_into().expect("an id");
    let san = site.san("vs-1", "3gpp:seal:san").await;
    state.push(json!(san.list(&list, true).await.expect("the list").value));
    let sm = site.sm("vs-1", "3gpp:seal:sm").await;
    let map = api_types::ids::SpatialMapId(site.maps["vs-1"]);
    state.push(json!(sm.map(map, true).await.expect("the map").value));
    state.push(json!(sm.head_content(map).await.expect("a payload").digest));
    state
}
