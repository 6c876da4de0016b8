//! Routes that the gate lets everybody pass: why, and what they ask for themselves.

use std::collections::BTreeSet;

use sdk::{HttpsClient, Request};
use serde_json::{Value, json};
use service_http::routes::RouteSpec;

use super::mutual::unidentified;
use super::token::key_id;
use super::{Refused, expect, refused, request};
use crate::harness::{Site, resign, sign_as, text_of, with_bearer};

/// Whom a route of the SIM-S lets in that the gate lets everybody pass.
pub(super) enum Opens {
    /// Anybody, because.
    Anybody(&'static str),
    /// Authenticated clients: the method is chosen in the request itself (RFC 6749 2.3).
    Clients,
    /// The holder of a token for the SIM-S itself.
    Users,
    /// An operator with a session at the console.
    Session,
    /// Whoever shows the secret of an enrolment, once.
    Enrolled,
}

/// Every public route by its name.
#[rustfmt::skip] // a table stays a table
pub(super) const PUBLIC: [(&str, Opens); 34] = [
    ("OpenIdConfiguration",         Opens::Anybody("a client reads it before it has any credential (OpenID Connect Discovery 4)")),
    ("AuthorizationServerMetadata", Opens::Anybody("likewise (RFC 8414 3)")),
    ("ProtectedResourceMetadata",   Opens::Anybody("a client reads it to learn where to get a token (RFC 9728 3)")),
    ("JsonWebKeySet",               Opens::Anybody("public keys (RFC 7517)")),
    ("Authorize",                   Opens::Anybody("a browser shows the login form; whoever has no password gets no further")),
    ("AuthorizePost",               Opens::Anybody("takes the password itself")),
    ("Passkeys",                    Opens::Anybody("a browser shows a form; whoever has no password gets no further")),
    ("PasskeysPost",                Opens::Anybody("takes the password itself")),
    ("PushedAuthorizationRequest",  Opens::Clients),
    ("Token",                       Opens::Clients),
    ("Introspect",                  Opens::Clients),
    ("RevokeToken",                 Opens::Clients),
    ("UserInfo",                    Opens::Users),
    ("UserInfoPost",                Opens::Users),
    ("RegisterProvider",            Opens::Enrolled),
    ("OnboardInvoker",              Opens::Enrolled),
    ("OpenDiscoverServiceApis",     Opens::Anybody("finds what the operator has listed as open, and no more (TS 29.222 8.11)")),
    ("ConsolePage",                 Opens::Anybody("the page that leads to the login; it holds nothing")),
    ("ConsoleAsset",                Opens::Anybody("scripts and styles of the pages; they hold nothing")),
    ("ConsoleLogin",                Opens::Anybody("begins a login; the SIM-S asks for the password")),
    ("ConsoleCallback",             Opens::Anybody("takes a code, and only of a login that this browser began")),
    ("ConsoleLogout",               Opens::Session),
    ("GetConsoleSession",           Opens::Session),
    ("GetConsoleDocument",          Opens::Session),
    ("ConsoleAdminGet",             Opens::Session),
    ("ConsoleAdminPut",             Opens::Session),
    ("ConsoleAdminPost",            Opens::Session),
    ("ConsoleAdminDelete",          Opens::Session),
    ("ConsoleSanGet",               Opens::Session),
    ("ConsoleSanPut",               Opens::Session),
    ("ConsoleSanPost",              Opens::Session),
    ("ConsoleSanPatch",             Opens::Session),
    ("ConsoleSanDelete",            Opens::Session),
    ("ConsoleSmGet",                Opens::Session),
];

pub(super) async fn public_route(site: &Site, interface: &str, spec: &RouteSpec) -> Vec<String> {
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
        Opens::Session => faults.extend(session_rows(site, interface, spec, &link).await),
        Opens::Enrolled => faults.extend(super::capif::enrolled(site, spec, &link).await),
    }
    faults
}

/// Sessions that are none, and requests of other sites.
async fn session_rows(site: &Site, interface: &str, spec: &RouteSpec, link: &HttpsClient) -> Vec<String> {
    let unknown = refused(401, "TOKEN_MISSING", "SESSION_UNKNOWN");
    let elsewhere = refused(403, "UNAUTHORIZED_OPERATION", "CROSS_SITE");
    let foreign = format!("__Host-console={}", site.time.ambient().unguessable());
    let token = text_of(&site.server_token("vs-2", "san", "3gpp:seal:san").await);
    let asked = || request(site, interface, spec, "carol");
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("no session",        asked(),                                                unknown),
        ("a foreign session", asked().header("cookie", &foreign),                     unknown),
        ("a token instead",   with_bearer(asked(), &token),                           unknown),
        ("another site",      asked().header("origin", "https://evil.example"),       elsewhere),
        ("another site, too", asked().header("sec-fetch-site", "cross-site"),         elsewhere),
    ];
    let mut faults = Vec::new();
    for (what, request, want) in rows {
        faults.extend(expect(site, what, link, request, want).await);
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
pub(super) async fn identity_token(site: &Site) -> String {
    let sim = site.sim_c("ue-bearer").await;
    let pending = sim.begin(site.request("alice", "openid"));
    let code = sim.login(&pending, "alice", site.password("alice")).await.expect("logged in");
    let token = sim.redeem(&code, None, Some("openid")).await.expect("a token");
    token.access_token.expose().to_owned()
}
