//! Login to token to use, with the answers of a script.

use api_types::oauth::ServerMetadata;
use sdk::{
    Ambient, AnchorQuery, AuthorizationRequest, ClientAuth, Credential, DpopSession, HttpsClient, SanClient,
    SdkError, SimClient,
};

use crate::scripted::{Scripted, answer};

fn ambient() -> Ambient {
    let count = std::sync::atomic::AtomicU8::new(1);
    Ambient::new(
        || 1_800_000_000,
        move |bytes| bytes.fill(count.fetch_add(1, std::sync::atomic::Ordering::Relaxed)),
    )
}

fn metadata(origin: &str) -> ServerMetadata {
    ServerMetadata {
        issuer: origin.to_owned(),
        authorization_endpoint: format!("{origin}/authorize"),
        token_endpoint: format!("{origin}/token"),
        pushed_authorization_request_endpoint: Some(format!("{origin}/par")),
        authorization_response_iss_parameter_supported: true,
        ..ServerMetadata::default()
    }
}

const TOKEN: &str = r#"{"access_token":"AT","token_type":"DPoP","expires_in":300,"refresh_token":"RT"}"#;
const JSON: (&str, &str) = ("content-type", "application/json");

fn client(server: &Scripted) -> SimClient {
    let https = HttpsClient::new(&server.ca_pem, None).unwrap();
    let auth = ClientAuth::secret("ue-1", "s");
    SimClient::with_metadata(https, metadata(&server.origin), auth, ambient())
}

fn request() -> AuthorizationRequest {
    AuthorizationRequest {
        redirect_uri: "http://127.0.0.1:4711/cb".into(),
        scope: "3gpp:seal:san.discover".into(),
        push: true,
        ..AuthorizationRequest::default()
    }
}

#[tokio::test]
async fn the_form_is_sent_back_with_its_inputs_and_cookies() {
    let page = "<form method=post action=/auth/login><input type=hidden name=ticket value='a&amp;b'>\
                <input name=username><input type=password name=password></form>";
    let server = Scripted::start(vec![
        answer(201, &[JSON], r#"{"request_uri":"urn:ietf:params:oauth:request_uri:1","expires_in":90}"#),
        answer(303, &[("location", "/auth/login?t=1"), ("set-cookie", "__Host-s=1; Secure")], ""),
        answer(200, &[("content-type", "text/html")], page),
        answer(401, &[("content-type", "text/html")], page),
    ])
    .await;
    let sim = client(&server).with_dpop(DpopSession::new(ambient()).unwrap());
    let refused = sim.login(&sim.begin(request()), "alice", "wrong").await.unwrap_err();
    assert!(matches!(refused, SdkError::LoginRefused { status: 401, .. }), "{refused:?}");
    let seen = server.seen();
    assert!(seen[0].header("dpop").is_some() && seen[0].header("authorization").is_some());
    assert_eq!(seen[0].form("code_challenge_method").as_deref(), Some("S256"));
    assert!(seen[1].head.contains("request_uri=urn") && !seen[1].head.contains("code_challenge"));
    assert_eq!(seen[2].header("cookie"), Some("__Host-s=1"));
    assert_eq!(seen[3].form("ticket").as_deref(), Some("a&b"));
    assert_eq!(seen[3].form("password").as_deref(), Some("wrong"));
}

#[tokio::test]
async fn the_password_goes_nowhere_else() {
    let page = "<form method=post action=https://evil.example/><input type=password name=password></form>";
    let pushed = r#"{"request_uri":"urn:1","expires_in":90}"#;
    let server = Scripted::start(vec![answer(201, &[JSON], pushed), answer(200, &[], page)]).await;
    let sim = client(&server);
    let error = sim.login(&sim.begin(request()), "alice", "p").await.unwrap_err();
    assert!(matches!(error, SdkError::Malformed("form")), "{error:?}");
}

#[tokio::test]
async fn another_state_is_not_redeemed() {
    let location = "http://127.0.0.1:4711/cb?code=c&state=other&iss=ORIGIN";
    let pushed = r#"{"request_uri":"urn:1","expires_in":90}"#;
    let server =
        Scripted::start(vec![answer(201, &[JSON], pushed), answer(302, &[("location", location)], "")]).await;
    let sim = client(&server);
    assert!(matches!(sim.login(&sim.begin(request()), "alice", "p").await, Err(SdkError::StateWrong)));
}

#[tokio::test]
async fn a_nonce_is_taken_up_once() {
    let ask = answer(400, &[JSON, ("dpop-nonce", "n1")], r#"{"error":"use_dpop_nonce"}"#);
    let server = Scripted::start(vec![ask.clone(), answer(200, &[JSON], TOKEN), ask.clone()]).await;
    let sim = client(&server).with_dpop(DpopSession::new(ambient()).unwrap());
    let token = sim.client_credentials("https://localhost:1", "s").await.unwrap();
    assert_eq!(token.access_token.expose(), "AT");
    // The same nonce asked for again leads nowhere, and not to a loop.
    let error = sim.client_credentials("https://localhost:1", "s").await.unwrap_err();
    assert!(matches!(error, SdkError::OAuth { ref error, .. } if error == "use_dpop_nonce"), "{error:?}");
    assert_eq!(server.seen().len(), 3);
}

#[tokio::test]
async fn an_unbound_token_is_not_taken_for_a_bound_one() {
    let bearer = TOKEN.replace("DPoP", "Bearer");
    let server = Scripted::start(vec![answer(200, &[JSON], &bearer), answer(200, &[JSON], TOKEN)]).await;
    let bound = client(&server).with_dpop(DpopSession::new(ambient()).unwrap());
    assert!(matches!(
        bound.client_credentials("https://localhost:1", "s").await,
        Err(SdkError::Malformed(_))
    ));
    let plain = client(&server);
    assert!(matches!(
        plain.client_credentials("https://localhost:1", "s").await,
        Err(SdkError::Malformed(_))
    ));
}

#[tokio::test]
async fn a_kept_token_is_asked_for_once() {
    let server = Scripted::start(vec![answer(200, &[JSON], &TOKEN.replace("DPoP", "bearer")); 2]).await;
    let sim = client(&server);
    for (scope, asked) in [("a", 1), ("a", 1), ("b", 2)] {
        sim.client_credential("https://localhost:1", scope).await.unwrap();
        assert_eq!(server.seen().len(), asked, "{scope}");
    }
}

#[tokio::test]
async fn metadata_of_another_issuer_are_refused() {
    let foreign = serde_json::to_string(&metadata("https://evil.example")).unwrap();
    let server = Scripted::start(vec![answer(200, &[JSON], &foreign)]).await;
    let https = HttpsClient::new(&server.ca_pem, None).unwrap();
    let found = SimClient::discover(https, &server.origin, ClientAuth::secret("ue-1", "s"), ambient()).await;
    assert!(matches!(found, Err(SdkError::IssuerWrong)));
}

#[tokio::test]
async fn pages_are_read_to_the_end_and_refusals_keep_their_cause() {
    let next = ("link", "</ssan-disc/v1/spatial-anchors?cursor=2>; rel=\"next\"");
    let anchor = r#"{"results":[{"anchInfo":{"anchorId":1,"posInfo":{"spaMapPos":{"spaMapId":"1"}}},
        "valSvcInf":{"serviceId":"s","endPt":{"uri":"https://v.example"}}}]}"#;
    let problem = r#"{"title":"x","status":403,"detail":"x","cause":"INSUFFICIENT_SCOPE"}"#;
    let trace = ("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let server = Scripted::start(vec![
        answer(200, &[JSON, next], anchor),
        answer(200, &[JSON], anchor),
        answer(403, &[("content-type", "application/problem+json"), trace], problem),
    ])
    .await;
    let https = HttpsClient::new(&server.ca_pem, None).unwrap();
    let key = DpopSession::new(ambient()).unwrap();
    let san = SanClient::new(https, &server.origin, Credential::dpop("AT", key)).unwrap();
    let query = AnchorQuery { ue_id: Some("msisdn-491700000000".into()), ..AnchorQuery::default() };
    assert_eq!(san.discover_all(&query).await.unwrap().results.len(), 2);
    let seen = server.seen();
    assert!(seen[1].head.starts_with("GET /ssan-disc/v1/spatial-anchors?cursor=2 "));
    for request in &seen {
        assert_eq!(request.header("authorization"), Some("DPoP AT"));
        assert!(request.header("dpop").is_some() && request.header("ue-id").is_some());
    }
    let error = san.discover(&query).await.unwrap_err();
    assert_eq!(error.cause(), Some(api_types::Cause::InsufficientScope));
    assert_eq!(error.trace(), Some("0af7651916cd43dd8448eb211c80319c"));
}
