//! The listener for plain OpenCAPIF clients (decision 0085): what it asks for, how it says no, and that it stays apart from the
//! other one.

use api_types::secret::Secret;
use authorization::Reason;
use axum::body::Body;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use capif_core::ccf::{OPENCAPIF_ROUTES, ROUTES};
use http::header::{AUTHORIZATION, CONTENT_TYPE};
use http::{Method, Request};
use serde_json::{Value, json};
use service_http::peer::CertRole;
use service_http::routes::{RouteAuth, RouteSpec};

use crate::harness::{
    Answer, Ccf, Holder, OPENCAPIF, Provider, ccf, ccf_with, csr, json_request, text, with_bearer,
};

const PASSWORD: &str = "a password of the operator";

/// A core function, and the same behind the other listener.
async fn both() -> (Ccf, Ccf) {
    let ccf = ccf().await;
    let compat = ccf.opencapif().await;
    let configured = Secret::new(PASSWORD);
    assert!(compat.server.set_opencapif_admin(Some(&configured)).await.unwrap().is_none());
    (ccf, compat)
}

fn basic(method: Method, target: &str, name: &str, password: &str) -> Request<Body> {
    let value = format!("Basic {}", STANDARD.encode(format!("{name}:{password}")));
    Request::builder().method(method).uri(target).header(AUTHORIZATION, value).body(Body::empty()).unwrap()
}

fn description(name: &str, aefs: &[&str]) -> Value {
    let profile = |aef: &&str| {
        json!({ "aefId": aef, "versions": [{ "apiVersion": "v1" }], "securityMethods": ["OAUTH"],
            "interfaceDescriptions": [{ "fqdn": "aef.example", "port": 8443 }] })
    };
    json!({ "apiName": name, "aefProfiles": aefs.iter().map(profile).collect::<Vec<_>>() })
}

async fn publish(ccf: &Ccf, by: &Provider, name: &str) -> String {
    let aefs: Vec<&str> = by.aefs.iter().map(|aef| aef.id.as_str()).collect();
    let target = format!("/published-apis/v1/{}/service-apis", by.apf.id);
    text(&ccf.post(&target, Some(&by.apf), &description(name, &aefs)).await.expect(201)["apiId"])
}

async fn negotiate(ccf: &Ccf, invoker: &Holder, aefs: &[&str]) -> Answer {
    let info: Vec<_> =
        aefs.iter().map(|aef| json!({ "aefId": aef, "prefSecurityMethods": ["OAUTH"] })).collect();
    let body = json!({ "securityInfo": info, "notificationDestination": "https://invoker.example/n" });
    ccf.put(&format!("/capif-security/v1/trustedInvokers/{}", invoker.id), Some(invoker), &body).await
}

async fn token(ccf: &Ccf, at: &str, by: Option<&Holder>, form: &[(&str, &str)]) -> Answer {
    let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
    let target = format!("/capif-security/v1/securities/{at}/token");
    let request = Request::builder().method(Method::POST).uri(target);
    let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(Body::from(body));
    ccf.send(request.unwrap(), by).await
}

/// A request for a route, with nothing in it that exists.
fn bare(spec: &RouteSpec) -> Request<Body> {
    let segments = spec.path.split('/').map(|segment| if segment.starts_with('{') { "x" } else { segment });
    let target = segments.collect::<Vec<_>>().join("/");
    let content = match spec.method {
        Method::PATCH => "application/merge-patch+json",
        _ => "application/json",
    };
    let request = Request::builder().method(spec.method.clone()).uri(target).header(CONTENT_TYPE, content);
    request.body(Body::from("{}")).unwrap()
}

/// Somebody of each role.
async fn parties(ccf: &Ccf) -> Vec<(CertRole, Holder)> {
    let provider = ccf.provider(1, &[]).await;
    let invoker = ccf.invoker(&[]).await;
    let aef = provider.aefs[0].clone();
    vec![
        (CertRole::Invoker, invoker),
        (CertRole::Aef, aef),
        (CertRole::Apf, provider.apf),
        (CertRole::Amf, provider.amf),
    ]
}

#[tokio::test]
async fn no_route_opens_for_a_certificate_of_another_role_or_of_the_other_listener() {
    let (native, compat) = both().await;
    let (of_native, of_compat) = (parties(&native).await, parties(&compat).await);
    let (mut walked, mut opened) = (0, Vec::new());
    for (routes, here, own, others) in
        [(OPENCAPIF_ROUTES, &compat, &of_compat, &of_native), (ROUTES, &native, &of_native, &of_compat)]
    {
        for spec in routes {
            let RouteAuth::Mtls(roles) = spec.auth else { continue };
            let wrong = own.iter().filter(|(role, _)| !roles.contains(role)).map(|(_, holder)| Some(holder));
            let foreign =
                others.iter().filter(|(role, _)| roles.contains(role)).map(|(_, holder)| Some(holder));
            for by in wrong.chain(foreign).chain([None]) {
                let answer = here.send(bare(spec), by).await;
                walked += 1;
                // A body is read before the record of a certificate: what is wrong with it is told first.
                let refused = matches!(answer.status, 400 | 401 | 403 | 404 | 415);
                let reason = here.last_reason().await;
                let known = [
                    "PEER_REFUSED",
                    "CLIENT_AUTH_WRONG",
                    "MEMBER_MISSING",
                    "INPUT_REFUSED",
                    "QUERY_WRONG",
                    "BODY_MALFORMED",
                    "REQUEST_MALFORMED",
                    "MEDIA_TYPE_WRONG",
                    "NOT_FOUND",
                ];
                if !refused || !known.contains(&reason.as_str()) {
                    opened.push(format!("{} {}: {} {reason}", spec.method, spec.path, answer.status));
                }
            }
        }
    }
    assert!(opened.is_empty(), "of {walked}:\n{}", opened.join("\n"));
    // The control: each is somebody where it came in.
    for (here, parties) in [(&native, &of_native), (&compat, &of_compat)] {
        let (invoker, apf) = (&parties[0].1, &parties[2].1);
        let target = format!("/service-apis/v1/allServiceAPIs?api-invoker-id={}", invoker.id);
        assert_ne!(here.get(&target, Some(invoker)).await.status, 401);
        here.get(&format!("/published-apis/v1/{}/service-apis", apf.id), Some(apf)).await.expect(200);
    }
}

#[tokio::test]
async fn a_good_request_with_a_certificate_of_the_other_listener_is_nobodys() {
    let (native, compat) = both().await;
    for (here, there) in [(&native, &compat), (&compat, &native)] {
        let (invoker, provider) = (there.invoker(&[]).await, there.provider(1, &[]).await);
        let discover = format!("/service-apis/v1/allServiceAPIs?api-invoker-id={}", invoker.id);
        here.get(&discover, Some(&invoker)).await;
        assert_eq!(here.last_reason().await, "PEER_REFUSED");
        let published = format!("/published-apis/v1/{}/service-apis", provider.apf.id);
        here.get(&published, Some(&provider.apf)).await;
        assert_eq!(here.last_reason().await, "PEER_REFUSED");
        let body = description("building-x", &[&provider.aefs[0].id]);
        here.post(&published, Some(&provider.apf), &body).await;
        assert_eq!(here.last_reason().await, "PEER_REFUSED");
        assert_ne!(negotiate(here, &invoker, &[&provider.aefs[0].id]).await.status, 201);
        let registration = format!("/api-provider-management/v1/registrations/{}", provider.registration);
        here.delete(&registration, Some(&provider.amf)).await;
        assert_eq!(here.last_reason().await, "PEER_REFUSED");
        there.delete(&registration, Some(&provider.amf)).await.expect(204);
    }
}

#[tokio::test]
async fn enrolments_open_their_own_listener_alone() {
    let (native, compat) = both().await;
    let rows = [
        (&native, "opencapif", 401),
        (&compat, "api_invoker", 401),
        (&compat, "api_provider", 401),
        (&compat, "opencapif", 201),
    ];
    for (ccf, kind, status) in rows {
        let secret = native.enrol(kind, &[]).await;
        let body = json!({ "onboardingInformation": { "apiInvokerPublicKey": csr() },
            "notificationDestination": "https://invoker.example/n" });
        let request = || json_request(Method::POST, "/api-invoker-management/v1/onboardedInvokers", &body);
        let answer = ccf.send(with_bearer(request(), &secret), None).await;
        assert_eq!(answer.status, status, "{kind}: {}", answer.body);
        if status == 201 {
            let onboarded = answer.json();
            assert!(onboarded["onboardingInformation"].get("onboardingSecret").is_none());
            let again = ccf.send(with_bearer(request(), &secret), None).await;
            assert_eq!(again.status, 401, "once");
        } else {
            assert_eq!(ccf.last_reason().await, "CREDENTIALS_WRONG");
        }
    }
}

#[tokio::test]
async fn what_is_published_at_one_listener_is_not_found_at_the_other() {
    let native = ccf_with(|config| config.open_apis = vec!["building-a".try_into().unwrap()]).await;
    let compat = native.opencapif().await;
    let (here, there) = (native.provider(1, &[]).await, compat.provider(1, &[]).await);
    publish(&native, &here, "ssan-sanm").await;
    publish(&compat, &there, "building-a").await;
    for (ccf, own, other) in [(&native, "ssan-sanm", "building-a"), (&compat, "building-a", "ssan-sanm")] {
        let list =
            json!({ "apiList": { "serviceAPIDescriptions": [{ "apiName": own }, { "apiName": other }] } });
        let invoker = ccf.invoker(&[]).await;
        let target = format!("/service-apis/v1/allServiceAPIs?api-invoker-id={}", invoker.id);
        let found = ccf.get(&target, Some(&invoker)).await.expect(200);
        let names: Vec<_> = found["serviceAPIDescriptions"].as_array().unwrap().iter().collect();
        assert_eq!((names.len(), &names[0]["apiName"]), (1, &json!(own)));
        let asking = ccf.invoker_with(&[], list).await;
        let target = format!("/api-invoker-management/v1/onboardedInvokers/{}", asking.id);
        let patched =
            ccf.patch(&target, Some(&asking), &json!({ "apiInvokerInformation": "x" })).await.expect(200);
        assert!(!patched["apiList"].to_string().contains(other), "{patched}");
        let (aefs, status) = ([here.aefs[0].id.as_str(), there.aefs[0].id.as_str()], 201);
        let negotiated = negotiate(ccf, &invoker, &aefs).await.expect(status);
        let selected: Vec<_> = negotiated["securityInfo"]
            .as_array()
            .unwrap()
            .iter()
            .map(|info| info.get("selSecurityMethod").is_some())
            .collect();
        assert_eq!(selected, [own == "ssan-sanm", own == "building-a"]);
    }
    let open = native.get("/open-api-disc/v1/service-apis", None).await.expect(200);
    assert_eq!(
        open["discApis"],
        json!([]),
        "an open name is open at the listener of the core function alone"
    );
}

#[tokio::test]
async fn a_token_is_rs256_without_audience_for_functions_of_this_listener() {
    let (native, compat) = both().await;
    let (provider, other) = (compat.provider(2, &[]).await, native.provider(1, &[]).await);
    let api = publish(&compat, &provider, "building-a").await;
    publish(&native, &other, "building-a").await;
    let (invoker, second) = (compat.invoker(&[]).await, compat.invoker(&[]).await);
    let aefs: Vec<&str> = provider.aefs.iter().map(|aef| aef.id.as_str()).collect();
    negotiate(&compat, &invoker, &aefs).await.expect(201);
    let scope = format!("3gpp#{}:building-a;{}:building-a;{}:building-a", aefs[0], aefs[1], aefs[0]);
    let good = [
        ("grant_type", "client_credentials"),
        ("client_id", invoker.id.as_str()),
        ("client_secret", "string"),
        ("scope", &scope),
    ];
    let answer = token(&compat, &invoker.id, Some(&invoker), &good).await;
    let token_text = text(&answer.expect(200)["access_token"]);
    let part = |index: usize| -> Value {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token_text.split('.').nth(index).unwrap()).unwrap())
            .unwrap()
    };
    assert_eq!((&part(0)["alg"], &part(0)["typ"]), (&json!("RS256"), &json!("JWT")));
    let claims = part(1);
    assert_eq!((&claims["iss"], &claims["sub"]), (&json!(OPENCAPIF), &json!(invoker.id)));
    assert!(claims.get("aud").is_none(), "their verifiers refuse a token with an audience");
    assert_eq!(claims["cnf"], json!({ "x5t#S256": invoker.certificate.x5t_s256 }));
    // One spoilt thing a row.
    let foreign = format!("3gpp#{}:building-a", other.aefs[0].id);
    let mixed = format!("{scope};{}:building-a", other.aefs[0].id);
    let unknown = format!("3gpp#{}:building-b", aefs[0]);
    // What is spoilt, securityId, certificate, place in the form and its value; error, reason and status.
    type Row<'a> = (&'a str, &'a str, &'a Holder, usize, &'a str, &'a str, Reason, u16);
    #[rustfmt::skip] // a table stays a table
    let rows: [Row<'_>; 10] = [
        ("another client_id",          &invoker.id, &invoker, 1, &second.id,      "invalid_client",         Reason::ClientAuthWrong,     400),
        ("another securityId",         &second.id,  &invoker, 1, &invoker.id,     "invalid_client",         Reason::ClientAuthWrong,     400),
        ("all another's",              &second.id,  &invoker, 1, &second.id,      "invalid_client",         Reason::ClientAuthWrong,     400),
        ("another certificate",        &invoker.id, &second,  1, &invoker.id,     "invalid_client",         Reason::ClientAuthWrong,     400),
        ("an AEF's certificate",       &invoker.id, &provider.aefs[0], 1, &invoker.id, "unauthorized_client", Reason::PeerRefused,       401),
        ("an AEF of the other listener", &invoker.id, &invoker, 3, &foreign,      "invalid_scope",          Reason::TargetWrong,         400),
        ("one of both",                &invoker.id, &invoker, 3, &mixed,          "invalid_scope",          Reason::TargetWrong,         400),
        ("another API",                &invoker.id, &invoker, 3, &unknown,        "invalid_scope",          Reason::MethodNotNegotiated, 400),
        ("another grammar",            &invoker.id, &invoker, 3, "openid",        "invalid_scope",          Reason::ScopeUnknown,        400),
        ("another grant",              &invoker.id, &invoker, 0, "authorization_code", "unsupported_grant_type", Reason::GrantWrong,     400),
    ];
    for (what, at, by, place, value, error, reason, status) in rows {
        let mut form = good;
        form[place].1 = value;
        let answer = token(&compat, at, Some(by), &form).await;
        assert_eq!(
            (answer.status, answer.json()["error"].as_str()),
            (status, Some(error)),
            "{what}: {}",
            answer.body
        );
        assert_eq!(compat.last_reason().await, reason.as_str(), "{what}");
    }
    let with_details = [good[0], good[1], good[3], ("authorization_details", "[]")];
    let answer = token(&compat, &invoker.id, Some(&invoker), &with_details).await;
    assert_eq!(answer.json()["error"], "invalid_authorization_details");
    // What is withdrawn at the second function ends the token too.
    let apis = format!("/published-apis/v1/{}/service-apis/{api}", provider.apf.id);
    compat.delete(&apis, Some(&provider.apf)).await.expect(204);
    let jti = text(&claims["jti"]);
    let gone = compat.write(move |tx| Box::pin(async move { store::revocations::after(tx, 0, 1_000).await }));
    assert!(gone.await.iter().any(|row| row.revocation.value == jti));
    let answer = token(&compat, &invoker.id, Some(&invoker), &good).await;
    assert_eq!(answer.json()["error"], "invalid_scope");
}

#[tokio::test]
async fn paths_and_booleans_are_read_as_they_are_sent() {
    let (_, compat) = both().await;
    let provider = compat.provider(1, &[]).await;
    publish(&compat, &provider, "building-a").await;
    let invoker = compat.invoker(&[]).await;
    let aef = &provider.aefs[0];
    let body = json!({ "securityInfo": [{ "aefId": aef.id, "prefSecurityMethods": ["OAUTH"] }],
        "notificationDestination": "https://invoker.example/n", "requestTestNotification": true,
        "websockNotifConfig": { "websocketUri": "websocketUri", "requestWebsocketUri": true } });
    let update = format!("//capif-security/v1/trustedInvokers/{}/update", invoker.id);
    let answer = compat.post(&update, Some(&invoker), &body).await;
    assert_eq!((answer.status, answer.cause().as_str()), (404, "API Invoker has no security context"));
    negotiate(&compat, &invoker, &[&aef.id]).await.expect(201);
    compat.post(&update, Some(&invoker), &body).await.expect(200);
    let context = format!(
        "//capif-security/v1/trustedInvokers/{}?authenticationInfo=True&authorizationInfo=True",
        invoker.id
    );
    let seen = compat.get(&context, Some(aef)).await.expect(200);
    assert!(text(&seen["securityInfo"][0]["authenticationInfo"]).starts_with("-----BEGIN CERTIFICATE"));
    let discover = format!("/service-apis/v1/allServiceAPIs?api-invoker-id={}", invoker.id);
    compat.get(&discover, Some(&invoker)).await.expect(200);
    let none = compat.get(&format!("{discover}&api-name=none&supported-features=f"), Some(&invoker)).await;
    assert_eq!((none.status, none.cause().as_str()), (404, "No API Published accomplish filter conditions"));
    assert!(none.body.contains(&invoker.id));
}

#[tokio::test]
async fn users_are_made_by_the_administrator_and_enrol_by_their_password() {
    let (_, compat) = both().await;
    let login = |password: &str| basic(Method::POST, "/login", "admin", password);
    for (what, request) in [
        ("another password", login("password123")),
        ("another name", basic(Method::POST, "/login", "root", PASSWORD)),
        ("the key of its record", basic(Method::POST, "/login", ":admin", PASSWORD)),
        ("the administrator as a user", basic(Method::GET, "/getauth", "admin", PASSWORD)),
        ("the record as a user", basic(Method::GET, "/getauth", ":admin", PASSWORD)),
        ("an unknown user", basic(Method::GET, "/getauth", "alice", "correct horse")),
    ] {
        assert_eq!(compat.send(request, None).await.status, 401, "{what}");
        assert_eq!(compat.last_reason().await, "CREDENTIALS_WRONG", "{what}");
    }
    let session = text(&compat.send(login(PASSWORD), None).await.expect(200)["access_token"]);
    let create = |body: &Value| json_request(Method::POST, "/createUser", body);
    let user = json!({ "username": "alice", "password": "correct horse", "country": "ES" });
    for (what, request, reason) in [
        ("nobody", create(&user), "TOKEN_MISSING"),
        ("another token", with_bearer(create(&user), "x"), "SESSION_UNKNOWN"),
        ("a password", basic(Method::GET, "/getUsers", "admin", PASSWORD), "TOKEN_MISSING"),
    ] {
        assert_eq!(compat.send(request, None).await.status, 401, "{what}");
        assert_eq!(compat.last_reason().await, reason, "{what}");
    }
    for (member, value) in
        [("username", ":admin"), ("username", ""), ("username", "a b"), ("password", "short")]
    {
        let mut spoilt = user.clone();
        spoilt[member] = value.into();
        assert_eq!(
            compat.send(with_bearer(create(&spoilt), &session), None).await.status,
            400,
            "{member} {value}"
        );
    }
    let made = compat.send(with_bearer(create(&user), &session), None).await.expect(201);
    assert_eq!(compat.send(with_bearer(create(&user), &session), None).await.status, 409);
    let getauth = || basic(Method::GET, "/getauth", "alice", "correct horse");
    let given = compat.send(getauth(), None).await.expect(200);
    assert!(text(&given["ca_root"]).starts_with("-----BEGIN CERTIFICATE"));
    let list = Request::builder().method(Method::GET).uri("/getUsers").body(Body::empty()).unwrap();
    let users = compat.send(with_bearer(list, &session), None).await.expect(200);
    assert_eq!(users["users"].as_array().unwrap().len(), 1);
    assert!(!users.to_string().contains("argon2"));
    let target = format!("/deleteUser/{}", text(&made["uuid"]));
    let delete = || Request::builder().method(Method::DELETE).uri(&target).body(Body::empty()).unwrap();
    assert_eq!(compat.send(delete(), None).await.status, 401);
    compat.send(with_bearer(delete(), &session), None).await.expect(204);
    assert_eq!(compat.send(getauth(), None).await.status, 401);
    let body = json!({ "onboardingInformation": { "apiInvokerPublicKey": csr() },
        "notificationDestination": "https://invoker.example/n" });
    let request = json_request(Method::POST, "/api-invoker-management/v1/onboardedInvokers", &body);
    let answer = compat.send(with_bearer(request, &text(&given["access_token"])), None).await;
    assert_eq!(answer.status, 401, "what was given to him is withdrawn with him");
    compat.clock.set_s(crate::harness::NOW + 600);
    let list = Request::builder().method(Method::GET).uri("/getUsers").body(Body::empty()).unwrap();
    assert_eq!(compat.send(with_bearer(list, &session), None).await.status, 401, "ten minutes");
}

#[tokio::test]
async fn an_administrator_has_the_configured_password_or_one_that_was_drawn_once() {
    let native = ccf().await;
    let compat = native.opencapif().await;
    let drawn = compat.server.set_opencapif_admin(None).await.unwrap().expect("one is drawn");
    assert!(compat.server.set_opencapif_admin(None).await.unwrap().is_none(), "once");
    let login = |password: &str| basic(Method::POST, "/login", "admin", password);
    compat.send(login(drawn.expose()), None).await.expect(200);
    let configured = Secret::new(PASSWORD);
    compat.server.set_opencapif_admin(Some(&configured)).await.unwrap();
    compat.send(login(PASSWORD), None).await.expect(200);
    assert_eq!(compat.send(login(drawn.expose()), None).await.status, 401);
    assert!(native.server.set_opencapif_admin(Some(&configured)).await.unwrap().is_none());
    assert!(native.server.opencapif_router().is_ok(), "and without a face nothing is served");
}
