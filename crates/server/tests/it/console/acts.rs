//! Acts in an operator's name at `admin`: who may present which token, and what is on record.

use jose::EcKey;
use sdk::{HttpsClient, Request};
use serde_json::{Value, json};
use service_http::peer::x5t_s256;
use service_http::tls::certificates_from_pem;

use crate::harness::{Browser, Program, Site, TestTime, json_of, with_bearer};

/// The console's certificate, and a token as the exchange gives it for `olga`.
struct Console {
    link: HttpsClient,
    claims: Value,
    key: EcKey,
}

impl Console {
    fn new(site: &Site) -> Self {
        let identity = site.identity("sbi", "function", "console");
        let der = certificates_from_pem(&identity.cert_pem).expect("a certificate");
        let now = site.time.now_s();
        let claims = json!({
            "iss": site.at("sim"), "sub": "olga", "aud": site.at("admin"), "iat": now, "exp": now + 300,
            "jti": "a-token", "client_id": "console", "scope": "metaseal:admin", "sub_type": "user",
            "val_user_id": "olga@campus.example", "cnf": { "x5t#S256": x5t_s256(&der[0]) },
            "act": { "sub": "console" }, "auth_time": now, "acr": "phr", "roles": ["admin"],
            "rev": 1_000_000,
        });
        Self { link: site.link_as(Some(&identity)), claims, key: site.issuer_key() }
    }

    fn token(&self, spoil: impl FnOnce(&mut Value)) -> String {
        let mut claims = self.claims.clone();
        spoil(&mut claims);
        jose::jwt::sign(&self.key, "at+jwt", &claims).expect("a token")
    }
}

type Spoil = fn(&mut Value);

#[tokio::test(flavor = "multi_thread")]
async fn a_token_speaks_for_an_operator_or_is_refused_for_its_own_reason() {
    let program = Program::demo();
    let site = Site::of(&program);
    let console = Console::new(&site);
    let ask = |token: Option<String>, fresh: bool| {
        let path = if fresh { "/v1/keys/sim/rotate" } else { "/v1/health" };
        let url = site.path("admin", path);
        let request = if fresh { Request::post(url) } else { Request::get(url) };
        let request = match &token {
            Some(token) => with_bearer(request, token),
            None => request,
        };
        console.link.send(request)
    };
    let good = ask(Some(console.token(|_| {})), false).await.expect("an answer");
    assert_eq!(good.status, 200, "the good token: {:?}", site.reason(good.trace()).await);

    #[rustfmt::skip] // a table stays a table
    let rows: [(&str, Option<Spoil>, bool, u16, &str); 16] = [
        ("no token",                     None,                                                    false, 401, "TOKEN_MISSING"),
        ("nobody acts",                  Some(|c| { c.as_object_mut().unwrap().remove("act"); }), false, 401, "HOLDER_WRONG"),
        ("another function acts",        Some(|c| c["act"] = json!({ "sub": "sm" })),             false, 401, "HOLDER_WRONG"),
        ("a client for itself",          Some(|c| { c["sub_type"] = json!("client"); c.as_object_mut().unwrap().remove("val_user_id"); }), false, 401, "HOLDER_WRONG"),
        ("no role",                      Some(|c| { c.as_object_mut().unwrap().remove("roles"); }), false, 403, "ROLE_MISSING"),
        ("a role that is none",          Some(|c| c["roles"] = json!(["root"])),                  false, 403, "ROLE_MISSING"),
        ("a role of other routes",       Some(|c| c["roles"] = json!(["auditor"])),               true,  403, "ROLE_MISSING"),
        ("too many roles",               Some(|c| c["roles"] = json!(vec!["admin"; 17])),         false, 401, "TOKEN_MALFORMED"),
        ("another server",               Some(|c| c["aud"] = json!("https://localhost:1")),       false, 401, "AUDIENCE_WRONG"),
        ("another scope",                Some(|c| c["scope"] = json!("metaseal:console")),        false, 403, "SCOPE_NARROW"),
        ("of another certificate",       Some(|c| c["cnf"] = json!({ "x5t#S256": "AAAA" })),      false, 401, "HOLDER_WRONG"),
        ("an old login",                 Some(|c| c["auth_time"] = json!(c["iat"].as_i64().unwrap() - 301)), true, 401, "LOGIN_STALE"),
        ("a login at no known time",     Some(|c| { c.as_object_mut().unwrap().remove("auth_time"); }), true, 401, "LOGIN_STALE"),
        ("a login by password",      Some(|c| c["acr"] = json!("3gpp:acr:password")),             true,  401, "LOGIN_WEAK"),
        ("a login of no known kind", Some(|c| { c.as_object_mut().unwrap().remove("acr"); }),     true,  401, "LOGIN_WEAK"),
        ("an old one by password",   Some(|c| { c["acr"] = json!("3gpp:acr:password"); c["auth_time"] = json!(0); }), true, 401, "LOGIN_WEAK"),
    ];
    for (what, spoil, fresh, status, reason) in rows {
        let answer = ask(spoil.map(|spoil| console.token(spoil)), fresh).await.expect("an answer");
        assert_eq!((answer.status, site.reason(answer.trace()).await.as_str()), (status, reason), "{what}");
        if reason.starts_with("LOGIN_") {
            let challenge = answer.header("www-authenticate").expect("a challenge");
            assert!(challenge.contains("error=\"insufficient_user_authentication\""), "{challenge}");
            assert!(challenge.contains("acr_values=\"phr\", max_age=\"300\""), "{challenge}");
        }
    }
    let old = ask(Some(console.token(|c| c["auth_time"] = json!(c["iat"].as_i64().unwrap() - 301))), false);
    assert_eq!(old.await.expect("an answer").status, 200, "looking needs no fresh login");
    let weak = ask(Some(console.token(|c| c["acr"] = json!("3gpp:acr:password"))), false);
    assert_eq!(weak.await.expect("an answer").status, 200, "nor a passkey");
    let rotated = ask(Some(console.token(|_| {})), true).await.expect("an answer");
    assert_eq!(rotated.status, 200, "the good token: {:?}", site.reason(rotated.trace()).await);

    // The certificate of the console alone opens nothing, and another function gets through no handshake.
    for name in ["sm", "sim", "someone"] {
        let link = site.link_as(Some(&site.identity("sbi", "function", name)));
        let request = with_bearer(Request::get(site.path("admin", "/v1/health")), &console.token(|_| {}));
        assert!(link.send(request).await.is_err(), "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_act_stands_under_operator_and_console_and_asks_for_a_passkey() {
    let program = Program::demo();
    let time = TestTime::new();
    let site = Site::with_time(&program, time.clone());
    let mut olga = Browser::logged_in(&site, "olga").await;
    let put = |name: &str, csrf: &str| {
        let body = json!({ "password": "a password of its own", "valUserId": format!("{name}@x.example") });
        let url = site.path("console", &format!("/api/admin/users/{name}"));
        Request::put(url).json(&body).header("x-csrf-token", csrf)
    };
    let post =
        |path: &str, csrf: &str| Request::post(site.path("console", path)).header("x-csrf-token", csrf);
    // A password opens the console and does none of these acts.
    let revocation = json!({ "kind": "token", "value": "a-token-of-nobody", "issuer": site.at("sim") });
    let csrf = olga.csrf.clone();
    let passkeys = Request::delete(site.path("console", "/api/admin/users/alice/passkeys"));
    for (what, act) in [
        ("an account", put("walter", &csrf)),
        ("passkeys of an account", passkeys.header("x-csrf-token", &csrf)),
        ("a key", post("/api/admin/keys/sim/rotate", &csrf)),
        ("a revocation", post("/api/admin/revocations", &csrf).json(&revocation)),
    ] {
        let refused = olga.fetch(act).await;
        let got = (refused.status, site.reason(refused.trace()).await);
        assert_eq!((got.0, got.1.as_str()), (401, "LOGIN_WEAK"), "{what}");
        let challenge = refused.header("www-authenticate").expect("a challenge");
        assert!(challenge.contains("acr_values=\"phr\""), "{what}: {challenge}");
    }
    // The first passkey is added by password; the login with it opens a session that may.
    let mut passkey = olga.add_passkey(&site, "olga").await;
    olga.step_up(&site, &mut passkey).await;
    assert_eq!(olga.fetch(put("walter", &olga.csrf.clone())).await.status, 201);
    let revoked = olga.fetch(post("/api/admin/revocations", &olga.csrf.clone()).json(&revocation)).await;
    assert_eq!(revoked.status, 200, "{}", json_of(&revoked));
    let filter = sdk::admin::RecordFilter { actor: Some("olga".into()), ..Default::default() };
    let records = site.operator().audit(&filter).await.expect("records").items;
    let act = records.iter().find(|record| record.action == "admin.user.put").expect("the act on record");
    assert!(act.actor.starts_with("u_") && act.actor.ends_with("/console"), "{}", act.actor);

    // Five minutes later the same act asks for the passkey again, and looking does not.
    site.operator().set_clock(301).await.expect("moved");
    time.move_by(301);
    let late = olga.fetch(put("xaver", &olga.csrf.clone())).await;
    assert_eq!((late.status, site.reason(late.trace()).await.as_str()), (401, "LOGIN_STALE"));
    assert_eq!(olga.get("/api/admin/users").await.status, 200);
    olga.step_up(&site, &mut passkey).await;
    let rotated = olga.fetch(post("/api/admin/keys/sim/rotate", &olga.csrf.clone())).await;
    assert_eq!(rotated.status, 200, "{}", json_of(&rotated));

    // A device that is lost is replaced by way of the certificate, which asks for no login.
    site.operator().remove_passkeys("olga").await.expect("removed");
    assert_eq!(olga.get("/api/admin/users").await.status, 401, "its sessions end with it");
    let mut olga = Browser::logged_in(&site, "olga").await;
    let mut passkey = olga.add_passkey(&site, "olga").await;
    olga.step_up(&site, &mut passkey).await;
    assert_eq!(olga.fetch(put("yvonne", &olga.csrf.clone())).await.status, 201);

    // A role that is taken away is gone at once, in the sessions too.
    let mut otto = Browser::logged_in(&site, "otto").await;
    assert_eq!(otto.get("/api/admin/audit").await.status, 200);
    let admin = site.operator();
    let body = json!({ "valUserId": "otto@campus.example" });
    admin.put_user("otto", &serde_json::from_value(body).expect("a user"), None).await.expect("written");
    let after = otto.get("/api/admin/audit").await;
    assert!(matches!(after.status, 401 | 403), "{}", after.status);
}
