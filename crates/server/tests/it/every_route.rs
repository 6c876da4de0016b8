//! Every route of every interface, with every credential that must not open it (N-TOK, N-BIND, N-AUTHZ, N-TLS).
//!
//! The routes are read from the tables that the routers are made of: one without a row here fails the test by its name.

use std::collections::BTreeSet;

use api_types::admin::RevocationRequest;
use http::Method;
use sdk::{HttpsClient, Identity, MapQuery, Request};
use serde_json::{Value, json};
use server::openapi::interfaces;
use service_http::peer::CertRole;
use service_http::routes::{RouteAuth, RouteSpec};

use crate::harness::{
    Program, Site, claims_of, parsed, resign, sign_as, text_of, val_server_list, val_server_map, with_bearer,
};

/// Whom a route of the SIM-S lets in that the gate lets everybody pass.
enum Opens {
    /// Anybody, because.
    Anybody(&'static str),
    /// Authenticated clients: the method is chosen in the request itself (RFC 6749 2.3).
    Clients,
    /// The holder of a token for the SIM-S itself.
    Users,
}

/// Every public route by its name.
#[rustfmt::skip] // a table stays a table
const PUBLIC: [(&str, Opens); 13] = [
    ("OpenIdConfiguration",         Opens::Anybody("a client reads it before it has any credential (OpenID Connect Discovery 4)")),
    ("AuthorizationServerMetadata", Opens::Anybody("likewise (RFC 8414 3)")),
    ("ProtectedResourceMetadata",   Opens::Anybody("a client reads it to learn where to get a token (RFC 9728 3)")),
    ("JsonWebKeySet",               Opens::Anybody("public keys (RFC 7517)")),
    ("Authorize",                   Opens::Anybody("a browser shows the login form; whoever has no password gets no further")),
    ("AuthorizePost",               Opens::Anybody("takes the password itself")),
    ("PushedAuthorizationRequest",  Opens::Clients),
    ("Token",                       Opens::Clients),
    ("Introspect",                  Opens::Clients),
    ("RevokeToken",                 Opens::Clients),
    ("UserInfo",                    Opens::Users),
    ("UserInfoPost",                Opens::Users),
    ("Revocations",                 Opens::Anybody("never: asks for a certificate of a function")),
];

/// What a refusal must look like.
#[derive(Clone, Copy)]
struct Refused {
    status: u16,
    cause: &'static str,
    reason: &'static str,
}

const fn refused(status: u16, cause: &'static str, reason: &'static str) -> Refused {
    Refused { status, cause, reason }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_opens_for_a_wrong_credential() {
    let program = Program::demo();
    let site = Site::of(&program);
    let mut walked = 0;
    let mut failures = Vec::new();
    let before = state(&site).await;
    for interface in interfaces() {
        for spec in interface.routes {
            let route = format!("{} {} {}", interface.name, spec.method, spec.path);
            let faults = match spec.auth {
                RouteAuth::Token => token_route(&site, interface.name, spec).await,
                RouteAuth::Mtls(roles) => mutual_route(&site, interface.name, spec, roles).await,
                RouteAuth::Public => public_route(&site, interface.name, spec).await,
            };
            failures.extend(faults.into_iter().map(|fault| format!("{route}: {fault}")));
            walked += 1;
        }
    }
    let after = state(&site).await;
    for (what, before) in &before {
        let after = after.iter().find(|(name, _)| name == what).map(|(_, value)| value);
        if after != Some(before) {
            failures.push(format!("{what} was changed by requests that were refused"));
        }
    }
    assert!(failures.is_empty(), "{} of {walked} routes:\n{}", failures.len(), failures.join("\n"));

    // Not refused because nothing works: each route opens for whom it is there.
    let mut shut = Vec::new();
    for interface in interfaces() {
        let mut routes: Vec<&RouteSpec> = interface.routes.iter().collect();
        let order = [Method::PATCH, Method::PUT, Method::POST, Method::GET, Method::HEAD, Method::DELETE];
        routes.sort_by_key(|spec| order.iter().position(|method| *method == spec.method));
        for spec in routes {
            let status = rightful(&site, interface.name, spec).await;
            if !status.is_some_and(|status| (200..400).contains(&status) || status == 404 && may_miss(spec)) {
                shut.push(format!("{} {} {}: {status:?}", interface.name, spec.method, spec.path));
            }
        }
    }
    assert!(shut.is_empty(), "closed to its rightful callers:\n{}", shut.join("\n"));
}

/// Routes whose object does not exist, or whose function no process runs yet.
fn may_miss(spec: &RouteSpec) -> bool {
    let not_built =
        ["CreateEnrolment", "PutPurpose", "PutConsent", "PutPrivacy", "PutEntitlement", "ListDisclosures"];
    not_built.contains(&spec.operation) || ["GetTrace", "ExplainTrace"].contains(&spec.operation)
}

/// What refused requests could have changed.
async fn state(site: &Site) -> Vec<(String, Value)> {
    let admin = site.operator();
    let mut state = Vec::new();
    for family in ["users", "clients", "services", "policies", "keys"] {
        let url = admin.url(&[family]).expect("a url");
        let answer = admin.send(Request::get(url)).await.expect("an answer");
        state.push((family.to_owned(), serde_json::from_slice(&answer.body).expect("JSON")));
    }
    let san = site.san("vs-1", "3gpp:seal:san").await;
    for list in &site.lists["vs-1"] {
        let id = list.as_str().try_into().expect("an id");
        let list = san.list(&id, true).await.expect("the owner reads its list");
        state.push((format!("list {id}"), json!([list.etag, list.value])));
    }
    let found = san.discover_all(&sdk::AnchorQuery { limit: Some(1_000), ..Default::default() }).await;
    state.push(("number of anchors".into(), json!(found.expect("found").results.len())));
    let sm = site.sm("vs-1", "3gpp:seal:sm").await;
    let map =
        sm.map(api_types::ids::SpatialMapId(site.maps["vs-1"]), true).await.expect("the owner reads its map");
    state.push(("map".into(), json!([map.etag, map.value])));
    let content = sm.head_content(api_types::ids::SpatialMapId(site.maps["vs-1"])).await.expect("a payload");
    state.push(("payload".into(), json!([content.etag, content.digest])));
    let maps = sm.discover_all(&MapQuery::default()).await.expect("found");
    state.push(("number of maps".into(), json!(maps.maps_disc.map_or(0, |maps| maps.len()))));
    state
}

/// A request that would be served if its credential were good; `victim` is what a DELETE names.
fn request(site: &Site, interface: &str, spec: &RouteSpec, victim: &str) -> Request {
    let list = site.lists["vs-1"][0].as_str();
    let map = site.maps["vs-1"].to_string();
    let path = spec
        .path
        .replace("{anchorsListId}", list)
        .replace("{spatialMapId}", &map)
        .replace("{role}", "sim")
        .replace("{trace}", &"0".repeat(32))
        .replace("{valUeId}", "ue-alice");
    // What is left are identifiers of the admin API.
    let path: Vec<&str> =
        path.split('/').map(|part| if part.starts_with('{') { victim } else { part }).collect();
    let mut url = site.path(interface, &path.join("/"));
    if spec.operation == "GetSpatialMap" {
        url.query_pairs_mut().append_pair("svc-id", "museum-guide").append_pair("map-id", &map);
    }
    let request = Request::new(spec.method.clone(), url);
    match spec.operation {
        "CreateSpatialAnchorsList" | "UpdateIndSpatialAnchorsList" => {
            request.json(&val_server_list("museum-guide", "intruder"))
        }
        "ModifyIndSpatialAnchorsList" => {
            let patch = json!({ "suppFeat": "1", "anchors": { "a000": { "name": "intruder" } } });
            request.json_as("application/merge-patch+json", &patch)
        }
        "CreateSpatialMap" => request.json(&val_server_map("museum-guide", "intruder")),
        "UpdateIndSpatialMap" | "ModifyIndSpatialMap" => {
            request.json_as("application/merge-patch+json", &json!({ "suppFeat": "1" }))
        }
        "PutSpatialMapContent" => request.bytes("model/gltf-binary", bytes_of("intruder")),
        "PutUser" => request.json(
            &json!({ "password": "a password of its own", "valUserId": format!("{victim}@x.example") }),
        ),
        "PutClient" => request.json(&json!({
            "kind": "val_server", "auth": "client_secret_basic", "scopes": ["3gpp:seal:san"],
        })),
        "PutService" => request.json(&json!({ "role": "san", "scopes": ["3gpp:seal:san.read"] })),
        "PutPolicy" => request.json(&json!({ "class": "local", "effect": "PERMIT" })),
        "ExplainPolicies" => request.json(&json!({ "subjects": ["ue-1"] })),
        "Revoke" => request.json(&json!({ "kind": "token", "value": victim })),
        "RotateKey" => request.json(&json!({ "emergency": false })),
        "PutPosition" => request.json(&json!({ "lon": 2.35, "lat": 48.85 })),
        "PutTestClock" => request.json(&json!({ "offsetS": 0 })),
        _ => request,
    }
}

fn bytes_of(text: &str) -> bytes::Bytes {
    bytes::Bytes::copy_from_slice(text.as_bytes())
}

/// Sends and compares; the fault, if there is one.
async fn expect(
    site: &Site,
    what: &str,
    link: &HttpsClient,
    request: Request,
    want: Refused,
) -> Option<String> {
    let head = is_head(&request);
    let answer = match link.send(request).await {
        Ok(answer) => answer,
        Err(error) => return Some(format!("{what}: {error}")),
    };
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let reason = site.reason(answer.trace()).await;
    let cause = body["cause"].as_str().or(body["error"].as_str()).unwrap_or_default();
    // The answer to HEAD has no body (RFC 9110 9.3.2).
    let cause = if head { want.cause } else { cause };
    let challenged = want.status != 401 || answer.header("www-authenticate").is_some();
    let got = (answer.status, cause, reason.as_str());
    if got == (want.status, want.cause, want.reason) && challenged {
        return None;
    }
    Some(format!(
        "{what}: {got:?}, challenge {challenged}; wanted {} {} {}",
        want.status, want.cause, want.reason
    ))
}

fn is_head(request: &Request) -> bool {
    // The request hides its method; its description does not.
    format!("{request:?}").contains("method: HEAD")
}

/// What a resource server must not accept, and what it says.
struct Spoiled {
    what: &'static str,
    /// Headers and link by which it is sent.
    token: Option<String>,
    twice: bool,
    in_query: bool,
    holder: Holder,
    want: Refused,
}

#[derive(Clone, Copy)]
enum Holder {
    Own,
    Other,
    Nobody,
}

async fn token_route(site: &Site, role: &str, spec: &RouteSpec) -> Vec<String> {
    let mut faults = Vec::new();
    let own = site.link("vs-1");
    let other = site.link("vs-2");
    let nobody = site.link_as(None);
    for row in spoiled(site, role, spec).await {
        let link = match row.holder {
            Holder::Own => &own,
            Holder::Other => &other,
            Holder::Nobody => &nobody,
        };
        let mut asked = request(site, role, spec, "victim");
        if row.in_query {
            asked = with_query(site, role, spec, row.token.as_deref().unwrap_or_default());
        } else if let Some(token) = &row.token {
            asked = with_bearer(asked, token);
            if row.twice {
                asked = with_bearer(asked, token);
            }
        }
        faults.extend(expect(site, row.what, link, asked, row.want).await);
    }
    // A certificate of a root that nobody trusts does not get through the handshake.
    let forged = site.link_as(Some(&site.forged_identity("client", "vs-1")));
    let good = text_of(&site.server_token("vs-1", role, &format!("3gpp:seal:{role}")).await);
    let answer = forged.send(with_bearer(request(site, role, spec, "victim"), &good)).await;
    if let Ok(answer) = answer {
        faults.push(format!("a forged certificate: {}", answer.status));
    }
    faults
}

fn with_query(site: &Site, role: &str, spec: &RouteSpec, token: &str) -> Request {
    let path = spec
        .path
        .replace("{anchorsListId}", &site.lists["vs-1"][0])
        .replace("{spatialMapId}", &site.maps["vs-1"].to_string());
    let mut url = site.path(role, &path);
    url.query_pairs_mut().append_pair("access_token", token);
    Request::new(spec.method.clone(), url)
}

async fn spoiled(site: &Site, role: &str, spec: &RouteSpec) -> Vec<Spoiled> {
    const INVALID: &str = "INVALID_TOKEN";
    let whole = format!("3gpp:seal:{role}");
    let good = text_of(&site.server_token("vs-1", role, &whole).await);
    let now = site.time.now_s();
    let key = site.issuer_key();
    let elsewhere = if role == "san" { "sm" } else { "san" };
    let foreign = text_of(&site.server_token("vs-1", elsewhere, &format!("3gpp:seal:{elsewhere}")).await);
    let scopes = ["read", "write", "discover", "localize"].map(|verb| format!("{whole}.{verb}"));
    let known = if role == "san" { &scopes[..3] } else { &[0, 1, 3].map(|i| scopes[i].clone())[..] };
    let narrow = known.iter().find(|scope| !spec.scopes.contains(&scope.as_str())).expect("another scope");
    let narrow = text_of(&site.server_token("vs-1", role, narrow).await);
    let revoked = text_of(&site.server_token("vs-1", role, &format!("{whole}.read {whole}.write")).await);
    let jti = claims_of(&revoked)["jti"].as_str().expect("a jti").to_owned();
    let revocation = RevocationRequest { kind: parsed(json!("token")), value: jti, issuer: None };
    site.operator().revoke(&revocation).await.expect("revoked");

    let kid = key_id(&key);
    let impostor = sign_as(site.stranger_key(), &kid);
    let stranger = site.stranger_key();
    let same = |_: &mut Value| {};
    let row = |what, token: String, reason| Spoiled {
        what,
        token: Some(token),
        twice: false,
        in_query: false,
        holder: Holder::Own,
        want: refused(401, INVALID, reason),
    };
    vec![
        Spoiled {
            token: None,
            want: refused(401, "TOKEN_MISSING", "TOKEN_MISSING"),
            ..row("no token", String::new(), "")
        },
        row("garbage", "a.b.c".into(), "TOKEN_MALFORMED"),
        row("truncated", good[..good.len() - 8].to_owned(), "TOKEN_MALFORMED"),
        row("a stranger's key", resign(&good, &stranger, same), "KEY_UNKNOWN"),
        row("a stranger's key under the issuer's kid", resign(&good, &impostor, same), "SIGNATURE_WRONG"),
        row(
            "another issuer",
            resign(&good, &stranger, |c| c["iss"] = json!("https://sim.other.example")),
            "ISSUER_WRONG",
        ),
        row(
            "expired",
            resign(&good, &key, |c| {
                c["iat"] = json!(now - 331);
                c["exp"] = json!(now - 31);
            }),
            "EXPIRED",
        ),
        row("not yet valid", resign(&good, &key, |c| c["nbf"] = json!(now + 120)), "NOT_YET_VALID"),
        row("for the other server", foreign, "AUDIENCE_WRONG"),
        row("revoked", revoked, "REVOKED_TOKEN"),
        Spoiled { holder: Holder::Other, ..row("stolen by another client", good.clone(), "HOLDER_WRONG") },
        Spoiled { holder: Holder::Nobody, ..row("stolen by nobody", good.clone(), "HOLDER_WRONG") },
        Spoiled { want: refused(403, "INSUFFICIENT_SCOPE", "SCOPE_NARROW"), ..row("too narrow", narrow, "") },
        Spoiled {
            twice: true,
            want: refused(400, "INVALID_MSG_FORMAT", "INPUT_REFUSED"),
            ..row("twice", good.clone(), "")
        },
        Spoiled {
            in_query: true,
            want: refused(400, "INVALID_QUERY_PARAM", "TOKEN_IN_QUERY"),
            ..row("in the query", good, "")
        },
    ]
}

fn key_id(key: &jose::EcKey) -> String {
    use jose::Signer as _;
    key.kid().to_owned()
}

/// The root that certifies callers of a listener, and the roles that it may vouch for.
fn root_of(interface: &str) -> (&'static str, &'static [CertRole]) {
    use CertRole::{Admin, Auditor, Client, Disclosure, Function, Notifier, Operator};
    match interface {
        "admin" => ("admin", &[Admin, Operator, Auditor, Disclosure]),
        _ => ("sbi", &[Function, Client, Notifier]),
    }
}

async fn mutual_route(site: &Site, interface: &str, spec: &RouteSpec, roles: &[CertRole]) -> Vec<String> {
    let mut faults = unidentified(site, interface, spec).await;
    let (root, all) = root_of(interface);
    for role in all.iter().filter(|role| !roles.contains(role)) {
        let link = site.link_as(Some(&site.identity(root, role.as_str(), "someone")));
        let want = refused(403, "UNAUTHORIZED_OPERATION", "PEER_REFUSED");
        faults
            .extend(expect(site, role.as_str(), &link, request(site, interface, spec, "carol"), want).await);
    }
    faults
}

/// Peers that the handshake keeps out of a listener that asks for a certificate.
async fn unidentified(site: &Site, interface: &str, spec: &RouteSpec) -> Vec<String> {
    const YEAR_S: i64 = 366 * 86_400;
    let (root, roles) = root_of(interface);
    let (other, role) = if root == "admin" { ("sbi", "client") } else { ("admin", "operator") };
    let now = site.time.now_s();
    let right = roles[0].as_str();
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Option<Identity>); 5] = [
        ("no certificate",             None),
        ("a root that nobody trusts",  Some(site.forged_identity(right, "someone"))),
        ("another root of ours",       Some(site.identity(other, role, "someone"))),
        ("a role of another root",     Some(site.identity(root, role, "someone"))),
        ("an expired certificate",     Some(site.identity_at(root, right, "someone", now - 2 * YEAR_S))),
    ];
    let mut faults = Vec::new();
    for (what, identity) in rows {
        let answer = site.link_as(identity.as_ref()).send(request(site, interface, spec, "carol")).await;
        if let Ok(answer) = answer {
            faults.push(format!("{what} got an answer: {}", answer.status));
        }
    }
    faults
}

async fn public_route(site: &Site, interface: &str, spec: &RouteSpec) -> Vec<String> {
    let Some((_, opens)) = PUBLIC.iter().find(|(operation, _)| *operation == spec.operation) else {
        return vec![format!("{} is open to everybody, and nothing says why", spec.operation)];
    };
    let mutual = interface == "sim_mtls";
    let mut faults = if mutual { unidentified(site, interface, spec).await } else { Vec::new() };
    let link = if mutual { site.link("vs-2") } else { site.link_as(None) };
    match opens {
        Opens::Anybody(why) => assert!(!why.is_empty()),
        Opens::Clients => faults.extend(client_rows(site, interface, spec, &link).await),
        Opens::Users => faults.extend(user_rows(site, interface, spec, &link).await),
    }
    faults
}

/// Client authentication that is missing or somebody else's.
async fn client_rows(site: &Site, interface: &str, spec: &RouteSpec, link: &HttpsClient) -> Vec<String> {
    let secret = site.clients["ue-1"].secret.clone().expect("a secret");
    let basic = |id: &str, secret: &str| {
        use base64::Engine as _;
        let both = base64::engine::general_purpose::STANDARD.encode(format!("{id}:{secret}"));
        Some(format!("Basic {both}"))
    };
    let body = |extra: &[(&'static str, &str)]| {
        let mut pairs = vec![("grant_type", "client_credentials".to_owned()), ("token", "x".to_owned())];
        pairs.extend(extra.iter().map(|(name, value)| (*name, (*value).to_owned())));
        pairs
    };
    let invalid = refused(401, "invalid_client", "CLIENT_AUTH_WRONG");
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("no client",             None,                        body(&[]),                                           invalid),
        ("a name alone",          None,                        body(&[("client_id", "ue-1")]),                      invalid),
        ("a wrong secret",        basic("ue-1", "x"),          body(&[]),                                           invalid),
        ("another's secret",      basic("ue-bearer", &secret), body(&[]),                                           invalid),
        ("an unknown client",     basic("nobody", &secret),    body(&[]),                                           invalid),
        ("another's certificate", None,                        body(&[("client_id", "vs-1")]),                      invalid),
        ("an unsigned assertion", None,                        body(&[
            ("client_id", "ue-1"), ("client_assertion", "a.b.c"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ]), invalid),
    ];
    let mut faults = Vec::new();
    for (what, authorization, pairs, want) in rows {
        let asked = Request::post(site.path(interface, spec.path))
            .form(pairs.iter().map(|(name, value)| (*name, value.as_str())))
            .opt_header("authorization", authorization.as_deref());
        faults.extend(expect_client(site, what, link, asked, want).await);
    }
    faults
}

/// As [`expect`]; who is unknown and who failed may be told apart in the records, never on the wire.
async fn expect_client(
    site: &Site,
    what: &str,
    link: &HttpsClient,
    asked: Request,
    want: Refused,
) -> Option<String> {
    let answer = match link.send(asked).await {
        Ok(answer) => answer,
        Err(error) => return Some(format!("{what}: {error}")),
    };
    let body: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let reason = site.reason(answer.trace()).await;
    let known = BTreeSet::from([want.reason, "CLIENT_UNKNOWN", "REQUEST_MALFORMED"]);
    let got = (answer.status, body["error"].as_str().unwrap_or_default());
    if got == (want.status, want.cause) && known.contains(reason.as_str()) {
        return None;
    }
    Some(format!("{what}: {got:?} {reason}; wanted {} {} {}", want.status, want.cause, want.reason))
}

/// Tokens that do not open userinfo.
async fn user_rows(site: &Site, interface: &str, spec: &RouteSpec, link: &HttpsClient) -> Vec<String> {
    let good = identity_token(site).await;
    let (now, key, stranger) = (site.time.now_s(), site.issuer_key(), site.stranger_key());
    let kid = key_id(&key);
    let impostor = sign_as(site.stranger_key(), &kid);
    let other = text_of(&site.server_token("vs-2", "san", "3gpp:seal:san").await);
    const INVALID: &str = "INVALID_TOKEN";
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Option<String>, Refused); 7] = [
        ("no token",             None,                                                         refused(401, "TOKEN_MISSING", "TOKEN_MISSING")),
        ("garbage",              Some("a.b.c".into()),                                         refused(401, INVALID, "TOKEN_MALFORMED")),
        ("a stranger's key",     Some(resign(&good, &stranger, |_| {})),                       refused(401, INVALID, "KEY_UNKNOWN")),
        ("an impostor's key",    Some(resign(&good, &impostor, |_| {})),                       refused(401, INVALID, "SIGNATURE_WRONG")),
        ("expired",              Some(resign(&good, &key, |c| { c["iat"] = json!(now - 331); c["exp"] = json!(now - 31); })), refused(401, INVALID, "EXPIRED")),
        ("for another server",   Some(other),                                                  refused(401, INVALID, "AUDIENCE_WRONG")),
        ("without openid",       Some(resign(&good, &key, |c| c["scope"] = json!("3gpp:seal:san.read"))), refused(403, "INSUFFICIENT_SCOPE", "SCOPE_NARROW")),
    ];
    let mut faults = Vec::new();
    for (what, token, want) in rows {
        let mut asked = Request::new(spec.method.clone(), site.path(interface, spec.path));
        if let Some(token) = token {
            asked = with_bearer(asked, &token);
        }
        faults.extend(expect(site, what, link, asked, want).await);
    }
    faults
}

/// A user's unbound token for userinfo.
async fn identity_token(site: &Site) -> String {
    let sim = site.sim_c("ue-bearer").await;
    let pending = sim.begin(site.request("alice", "openid"));
    let code = sim.login(&pending, "alice", site.password("alice")).await.expect("logged in");
    let token = sim.redeem(&code, None, Some("openid")).await.expect("a token");
    token.access_token.expose().to_owned()
}

/// The status that somebody gets who may.
async fn rightful(site: &Site, interface: &str, spec: &RouteSpec) -> Option<u16> {
    // A name of its own in each family: no name is a user's and a client's.
    let family = spec.path.split('/').nth(2).unwrap_or_default();
    let mut asked = request(site, interface, spec, &format!("own-{family}"));
    let link = match spec.auth {
        RouteAuth::Mtls(roles) => {
            let (root, _) = root_of(interface);
            site.link_as(Some(&site.identity(root, roles[0].as_str(), "someone")))
        }
        RouteAuth::Token => {
            let token =
                text_of(&site.server_token("vs-1", interface, &format!("3gpp:seal:{interface}")).await);
            if spec.operation == "UpdateIndSpatialMap" {
                let sm = site.sm("vs-1", "3gpp:seal:sm").await;
                let map = sm.map(api_types::ids::SpatialMapId(site.maps["vs-1"]), true).await.ok()?;
                asked =
                    Request::put(site.path(
                        interface,
                        &spec.path.replace("{spatialMapId}", &site.maps["vs-1"].to_string()),
                    ));
                asked = asked.json(&map.value);
            }
            asked = with_bearer(asked, &token);
            site.link("vs-1")
        }
        // Those are opened by the other tests of the SIM-S; here only what needs nothing.
        RouteAuth::Public => match PUBLIC.iter().find(|(operation, _)| *operation == spec.operation)? {
            (_, Opens::Users) => {
                asked = with_bearer(asked, &identity_token(site).await);
                if interface == "sim_mtls" { site.link("vs-1") } else { site.link_as(None) }
            }
            (_, Opens::Clients) => return Some(200),
            (name, Opens::Anybody(_)) if name.starts_with("Authorize") => return Some(200),
            (_, Opens::Anybody(_)) => {
                if interface == "sim_mtls" {
                    site.link("vs-1")
                } else {
                    site.link_as(None)
                }
            }
        },
    };
    link.send(asked).await.ok().map(|answer| answer.status)
}
