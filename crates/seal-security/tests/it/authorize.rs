//! The authentication request: what is shown, and to whom a refusal is told.

use http::header::{CONTENT_TYPE, COOKIE, HeaderName};

use crate::harness::{ISSUER, Params, REDIRECT, asks, sim, sim_with};

#[tokio::test]
async fn b14_b15_the_form_is_complete_and_kept_to_itself() {
    let sim = sim().await;
    let page = sim.form(&asks()).await;
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    let policy = page.header("content-security-policy").to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("form-action 'self' http://127.0.0.1:49152"), "{policy}");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert_eq!(page.header("referrer-policy"), "no-referrer");
    assert_eq!(page.header("cache-control"), "no-store");
    assert!(!page.header("traceparent").is_empty());
    assert!(page.header("strict-transport-security").contains("max-age"));
    for part in
        ["lang=\"en\"", "<label for=\"username\"", "<label for=\"password\"", "ue-1", "find spatial anchors"]
    {
        assert!(page.body.contains(part), "{part}");
    }
    assert_eq!(page.body.matches("<form").count(), 1);
    // One script, of the page itself.
    let nonce = page.body.split("<style nonce=\"").nth(1).unwrap().split('"').next().unwrap();
    assert_eq!(page.body.matches("<script").count(), 1);
    assert!(page.body.contains(&format!("<script nonce=\"{nonce}\">")));
    assert!(!page.body.contains("https://"));
}

/// B1, B2, A25: without a registered redirect URI there is no redirect.
#[tokio::test]
async fn b1_b2_a25_nobody_is_sent_to_an_address_that_is_not_registered() {
    let sim = sim().await;
    sim.form(&asks()).await;
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("absent", None), ("other path", Some("http://127.0.0.1:49152/cb/")), ("query", Some("http://127.0.0.1:49152/cb?x=1")),
        ("escape", Some("http://127.0.0.1:49152/%63b")), ("other host", Some("https://evil.example/cb")),
        ("user", Some("http://127.0.0.1@evil.example/cb")), ("backslash", Some("http://127.0.0.1\\@evil.example/cb")),
        ("semicolon", Some("http://127.0.0.1/cb;x")), ("fragment", Some("http://127.0.0.1/cb#x")),
        ("javascript", Some("javascript:alert(1)")), ("by name", Some("http://localhost/cb")), ("IDN", Some("http://127。0.0.1/cb")),
    ];
    for (what, uri) in rows {
        let request = match uri {
            Some(uri) => asks().with("redirect_uri", uri),
            None => asks().without("redirect_uri"),
        };
        let page = sim.get(&format!("/authorize?{}", request.text()), &[]).await;
        assert_eq!((page.status, page.location()), (400, None), "{what}");
        assert!(page.header("content-type").starts_with("text/html"), "{what}");
        assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"), "{what}");
        assert_eq!(sim.last_reason().await, "REDIRECT_WRONG", "{what}");
    }
    for request in [asks().with("client_id", "nobody"), asks().without("client_id")] {
        let page = sim.get(&format!("/authorize?{}", request.text()), &[]).await;
        assert_eq!((page.status, page.location()), (400, None));
        assert_eq!(sim.last_reason().await, "CLIENT_UNKNOWN");
    }
}

/// B3 to B5, B13, A22, A24: refusals of a known client go back with error, state and iss; a request without `state` or PKCE,
/// which keep its answer from being forged, is one of them.
#[tokio::test]
async fn b4_b5_a22_a24_one_spoiled_parameter_is_refused_at_the_client() {
    let sim = sim().await;
    sim.form(&asks()).await;
    type Spoil = fn(Params) -> Params;
    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Spoil, &str, &str); 14] = [
        ("implicit", |p| p.with("response_type", "token"), "unsupported_response_type", "REQUEST_MALFORMED"),
        ("hybrid", |p| p.with("response_type", "code id_token"), "unsupported_response_type", "REQUEST_MALFORMED"),
        ("no state", |p| p.without("state"), "invalid_request", "REQUEST_MALFORMED"),
        ("no acr_values", |p| p.without("acr_values"), "invalid_request", "REQUEST_MALFORMED"),
        ("no challenge", |p| p.without("code_challenge"), "invalid_request", "PKCE_WRONG"),
        ("plain", |p| p.with("code_challenge_method", "plain"), "invalid_request", "PKCE_WRONG"),
        ("no method", |p| p.without("code_challenge_method"), "invalid_request", "PKCE_WRONG"),
        ("no openid", |p| p.with("scope", "3gpp:seal:san.read"), "invalid_scope", "SCOPE_UNKNOWN"),
        ("unknown scope", |p| p.with("scope", "openid 3gpp:seal:xy"), "invalid_scope", "SCOPE_UNKNOWN"),
        ("wildcard scope", |p| p.with("scope", "openid *"), "invalid_scope", "SCOPE_UNKNOWN"),
        ("scope not of this client", |p| p.with("scope", "openid 3gpp:seal:san.write"), "invalid_scope", "SCOPE_UNKNOWN"),
        ("unknown resource", |p| p.with("resource", "https://evil.example"), "invalid_target", "TARGET_WRONG"),
        ("request object", |p| p.with("request", "e30.e30.e30"), "request_not_supported", "REQUEST_MALFORMED"),
        ("silent without login", |p| p.with("prompt", "none"), "login_required", "CREDENTIALS_WRONG"),
    ];
    for (what, spoil, error, reason) in rows {
        let request = spoil(asks());
        let answer = sim.get(&format!("/authorize?{}", request.text()), &[]).await;
        assert_eq!(answer.status, 302, "{what}: {}", answer.body);
        assert!(answer.location().unwrap().starts_with(REDIRECT), "{what}");
        assert_eq!(answer.query("error").as_deref(), Some(error), "{what}");
        assert_eq!(answer.query("iss").as_deref(), Some(ISSUER), "{what}");
        let state = (what != "no state").then_some("state-1");
        assert_eq!(answer.query("state").as_deref(), state, "{what}");
        assert_eq!(answer.query("code"), None, "{what}");
        assert_eq!(sim.last_reason().await, reason, "{what}");
    }
}

#[tokio::test]
async fn a51_a_form_that_two_readers_could_read_differently_is_refused() {
    let sim = sim().await;
    let good = asks().text();
    let get = |query: String| format!("/authorize?{query}");
    for (what, query) in [
        ("repeated", format!("{good}&state=x")),
        ("repeated under an escape", format!("{good}&%73tate=x")),
        ("NUL", good.replace("nonce-1", "a%00b")),
        ("not UTF-8", good.replace("nonce-1", "%ff")),
        ("half an escape", format!("{good}&x=%4")),
    ] {
        let page = sim.get(&get(query), &[]).await;
        assert_eq!((page.status, page.location()), (400, None), "{what}");
        assert!(page.body.contains("invalid_request"), "{what}");
    }
    // OpenID Connect Core 3.1.2.1: the same request in a body.
    assert_eq!(sim.post("/authorize", &[], &asks()).await.status, 200);
    for kind in ["application/json", "text/plain", "multipart/form-data"] {
        let page =
            sim.post_raw("/authorize", &[(CONTENT_TYPE, kind.to_owned())], good.clone().into_bytes()).await;
        assert_eq!((page.status, page.location()), (400, None), "{kind}");
    }
}

#[tokio::test]
async fn a23_b12_every_answer_has_iss_and_no_307() {
    let sim = sim().await;
    let answer = sim.log_in("alice", &asks()).await;
    assert_eq!(answer.status, 302);
    assert_eq!(answer.query("iss").as_deref(), Some(ISSUER));
    assert_eq!(answer.query("state").as_deref(), Some("state-1"));
    assert!(answer.query("code").unwrap().len() >= 43);
    let other = sim_with(|config| config.see_other = true).await;
    assert_eq!(other.log_in("alice", &asks()).await.status, 303);
}

#[tokio::test]
async fn b19_no_other_origin_may_read_the_endpoint() {
    let sim = sim().await;
    let origin = (http::header::ORIGIN, "https://evil.example".to_owned());
    let page = sim.get(&format!("/authorize?{}", asks().text()), std::slice::from_ref(&origin)).await;
    assert_eq!(page.header("access-control-allow-origin"), "");
}

/// A37, B13: the form belongs to the browser that got it; a cookie that we did not give out is not taken over.
#[tokio::test]
async fn a37_login_csrf_and_session_fixation() {
    let sim = sim().await;
    let planted = "__Host-sim-login=planted".to_owned();
    let target = format!("/authorize?{}", asks().text());
    let page = sim.get(&target, &[(COOKIE, planted.clone())]).await;
    let cookie = page.cookie().expect("a cookie of our own");
    assert!(cookie.starts_with("__Host-sim-login=") && cookie != planted);
    let set = page.header("set-cookie");
    for part in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(set.contains(part), "{part}");
    }
    let form = |page: &crate::harness::Answer| {
        Params::of(&[
            ("interaction", &page.interaction()),
            ("username", "alice"),
            ("password", crate::harness::PASSWORD),
        ])
    };
    let site = HeaderName::from_static("sec-fetch-site");
    let origin = http::header::ORIGIN;
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("planted cookie", vec![(COOKIE, planted)]),
        ("other origin", vec![(COOKIE, cookie.clone()), (origin.clone(), "https://evil.example".into())]),
        ("hidden origin", vec![(origin.clone(), "null".into())]),
        ("cross-site", vec![(COOKIE, cookie.clone()), (site.clone(), "cross-site".into())]),
    ];
    for (what, headers) in rows {
        let answer = sim.post("/authorize", &headers, &form(&page)).await;
        assert_eq!((answer.status, answer.location()), (400, None), "{what}");
        assert_eq!(sim.last_reason().await, "CROSS_SITE", "{what}");
    }
    // The browser's own answer, and that of a client without cookies, are taken. The cookie is another one after it.
    let headers = [(COOKIE, cookie.clone()), (origin, ISSUER.into()), (site, "same-origin".into())];
    let answer = sim.post("/authorize", &headers, &form(&page)).await;
    assert_eq!(answer.status, 302, "{}", answer.body);
    assert_ne!(answer.cookie().unwrap(), cookie);
    let page = sim.form(&asks()).await;
    let answer = sim.post("/authorize", &[], &form(&page)).await;
    assert_eq!(answer.status, 302);
    // Each form is answered once.
    assert_eq!(sim.post("/authorize", &[], &form(&page)).await.status, 400);
}

/// Two forms open in one browser, as in two tabs, are both good.
#[tokio::test]
async fn two_tabs_do_not_disturb_each_other() {
    let sim = sim().await;
    let target = format!("/authorize?{}", asks().text());
    let first = sim.get(&target, &[]).await;
    let cookie = first.cookie().unwrap();
    let second = sim.get(&target, &[(COOKIE, cookie.clone())]).await;
    assert_eq!(second.cookie(), None);
    let form = |page: &crate::harness::Answer| {
        Params::of(&[
            ("interaction", &page.interaction()),
            ("username", "alice"),
            ("password", crate::harness::PASSWORD),
        ])
    };
    let answer = sim.post("/authorize", &[(COOKIE, cookie)], &form(&first)).await;
    let after = answer.cookie().unwrap();
    assert_eq!(sim.post("/authorize", &[(COOKIE, after)], &form(&second)).await.status, 302);
}
