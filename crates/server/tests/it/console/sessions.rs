//! Sessions of operators: each thing that is wrong with a request is refused for itself.

use http::Method;
use sdk::Request;
use serde_json::{Value, json};

use crate::harness::{Browser, Program, Site, json_of};

/// What a request shows of its session.
#[derive(Clone, Copy)]
struct Shown<'a> {
    cookie: Option<&'a str>,
    csrf: Option<&'a str>,
    header: Option<(&'static str, &'a str)>,
}

fn request(site: &Site, method: Method, path: &str, shown: Shown<'_>) -> Request {
    let mut request = Request::new(method, site.path("console", path));
    if let Some(cookie) = shown.cookie {
        request = request.header("cookie", cookie);
    }
    request = request.opt_header("x-csrf-token", shown.csrf);
    match shown.header {
        Some((name, value)) => request.header(name, value),
        None => request,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_spoiled_thing_ends_a_request_for_its_own_reason() {
    let program = Program::demo();
    let site = Site::of(&program);
    let olga = Browser::logged_in(&site, "olga").await;
    let otto = Browser::logged_in(&site, "otto").await;
    let (cookie, csrf) = (format!("__Host-console={}", olga.session()), olga.csrf.as_str());
    let twice = format!("{cookie}; {cookie}");
    let auditor = format!("__Host-console={}", otto.session());
    let foreign = format!("__Host-console={}", site.time.ambient().unguessable());
    let origin = site.at("console").to_owned();
    let good = Shown { cookie: Some(&cookie), csrf: Some(csrf), header: None };
    let (get, put, post) = (Method::GET, Method::PUT, Method::POST);
    const USERS: &str = "/api/admin/users";
    const USER: &str = "/api/admin/users/nobody";
    #[rustfmt::skip] // a table stays a table
    let rows: Vec<(&str, Method, &str, Shown<'_>, u16, &str, &str)> = vec![
        ("no cookie",            get.clone(),  USERS, Shown { cookie: None, ..good },            401, "TOKEN_MISSING", "SESSION_UNKNOWN"),
        ("a foreign cookie",     get.clone(),  USERS, Shown { cookie: Some(&foreign), ..good },  401, "TOKEN_MISSING", "SESSION_UNKNOWN"),
        ("the cookie twice",     get.clone(),  USERS, Shown { cookie: Some(&twice), ..good },    401, "TOKEN_MISSING", "SESSION_UNKNOWN"),
        ("session of nobody",    get.clone(),  "/api/session", Shown { cookie: None, ..good },   401, "TOKEN_MISSING", "SESSION_UNKNOWN"),
        ("documents of nobody",  get.clone(),  "/api/documents/admin", Shown { cookie: None, ..good }, 401, "TOKEN_MISSING", "SESSION_UNKNOWN"),
        ("no CSRF token",        put.clone(),  USER,  Shown { csrf: None, ..good },              403, "UNAUTHORIZED_OPERATION", "CROSS_SITE"),
        ("another's CSRF token", put.clone(),  USER,  Shown { csrf: Some(&otto.csrf), ..good },  403, "UNAUTHORIZED_OPERATION", "CROSS_SITE"),
        ("logout without CSRF",  post.clone(), "/logout", Shown { csrf: None, ..good },          403, "UNAUTHORIZED_OPERATION", "CROSS_SITE"),
        ("another site",         get.clone(),  USERS, Shown { header: Some(("origin", "https://evil.example")), ..good }, 403, "UNAUTHORIZED_OPERATION", "CROSS_SITE"),
        ("another site, hidden", get.clone(),  USERS, Shown { header: Some(("sec-fetch-site", "cross-site")), ..good },   403, "UNAUTHORIZED_OPERATION", "CROSS_SITE"),
        ("another port",         get.clone(),  USERS, Shown { header: Some(("origin", site.at("sim"))), ..good },         403, "UNAUTHORIZED_OPERATION", "CROSS_SITE"),
        ("no such document",     get.clone(),  "/api/documents/x", good,                         404, "RESOURCE_NOT_FOUND", "NOT_FOUND"),
    ];
    let link = site.link_as(None);
    for (what, method, path, shown, status, cause, reason) in rows {
        let answer = link.send(request(&site, method, path, shown)).await.expect("an answer");
        let body = json_of(&answer);
        let got = (answer.status, body["cause"].as_str().unwrap_or_default());
        assert_eq!(got, (status, cause), "{what}");
        assert_eq!(site.reason(answer.trace()).await, reason, "{what}");
    }

    // What the server behind decides comes through as it is: a role that is too narrow.
    let narrow = Shown { cookie: Some(&auditor), csrf: Some(&otto.csrf), header: None };
    let body = json!({ "password": "a password of its own", "valUserId": "nobody@x.example" });
    for (what, asked) in [
        ("an auditor writes", request(&site, put, USER, narrow).json(&body)),
        ("an auditor reads users", request(&site, get.clone(), USERS, narrow)),
        ("an auditor looks at anchors", request(&site, get.clone(), "/api/admin/views/anchors", narrow)),
        ("an auditor rotates", request(&site, post.clone(), "/api/admin/keys/sim/rotate", narrow)),
    ] {
        let answer = link.send(asked).await.expect("an answer");
        assert_eq!(
            (answer.status, json_of(&answer)["cause"].as_str()),
            (403, Some("UNAUTHORIZED_OPERATION")),
            "{what}"
        );
    }
    let audit = link.send(request(&site, get.clone(), "/api/admin/audit", narrow)).await.expect("an answer");
    assert_eq!(audit.status, 200, "an auditor reads the audit");

    // And the whole request is served when nothing is wrong with it.
    let own = Shown { header: Some(("origin", &origin)), ..good };
    let answer = link.send(request(&site, get.clone(), USERS, own)).await.expect("an answer");
    assert_eq!(answer.status, 200);

    // A session that was ended opens nothing.
    let ended = link.send(request(&site, post, "/logout", good)).await.expect("an answer");
    assert_eq!(ended.status, 204);
    let after = link.send(request(&site, get, USERS, good)).await.expect("an answer");
    assert_eq!((after.status, site.reason(after.trace()).await.as_str()), (401, "SESSION_UNKNOWN"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_of_an_operator_in_one_browser_and_no_token_reaches_it() {
    let program = Program::demo();
    let site = Site::of(&program);
    let mut alice = Browser::new(&site);
    assert_eq!(alice.login(&site, "alice").await.status, 403, "no role, no console");

    // The address with the code, opened in another browser, or a second time.
    let mut olga = Browser::new(&site);
    let callback = olga.callback_of(&site, "olga").await;
    let stolen = Browser::new(&site).fetch(Request::get(callback.clone())).await;
    assert_eq!(stolen.status, 400, "another browser");
    let landed = olga.fetch(Request::get(callback.clone())).await;
    assert_eq!(landed.status, 200);
    let page = String::from_utf8_lossy(&landed.body).into_owned();
    assert!(page.contains("url=/#/keys"), "goes on where it began: {page}");
    assert_eq!(olga.fetch(Request::get(callback)).await.status, 400, "a second time");

    let cookie = landed.headers.get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
    let session = cookie.into_iter().find(|value| value.starts_with("__Host-console=")).expect("a cookie");
    for part in ["; Secure", "; HttpOnly", "; SameSite=Strict", "; Path=/"] {
        assert!(session.contains(part), "{session}");
    }
    let policy = olga.get("/").await.header("content-security-policy").expect("a policy").to_owned();
    assert!(policy.contains("default-src 'none'") && policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(!policy.contains("unsafe"), "{policy}");

    let who = json_of(&olga.get("/api/session").await);
    assert_eq!((&who["user"], &who["roles"]), (&json!("olga"), &json!(["admin"])));
    assert_eq!(olga.get("/api/admin/users/alice").await.status, 200);
    assert!(!olga.seen.contains("eyJ"), "a token reached the browser");
    assert_ne!(who["csrf"], Value::Null);
}
