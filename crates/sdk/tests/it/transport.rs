//! What a connection accepts and what it refuses.

use sdk::{HttpsClient, Request, SdkError, TransportKind};
use url::Url;

use crate::scripted::{Scripted, answer};

fn get(server: &Scripted) -> Request {
    Request::get(Url::parse(&server.origin).unwrap())
}

#[tokio::test]
async fn only_the_named_root_is_trusted() {
    let server = Scripted::start(vec![answer(200, &[], "ok")]).await;
    let stranger = Scripted::start(vec![]).await;
    let foreign = HttpsClient::new(&stranger.ca_pem, None).unwrap();
    let error = foreign.send(get(&server)).await.unwrap_err();
    assert!(matches!(error, SdkError::Transport { kind: TransportKind::Connect, .. }), "{error:?}");

    let own = HttpsClient::new(&server.ca_pem, None).unwrap();
    assert_eq!(own.send(get(&server)).await.unwrap().body, "ok");
}

#[tokio::test]
async fn plain_http_is_never_spoken() {
    let server = Scripted::start(vec![]).await;
    let client = HttpsClient::new(&server.ca_pem, None).unwrap();
    let plain = Url::parse(&server.origin.replace("https", "http")).unwrap();
    assert!(client.send(Request::get(plain)).await.is_err());
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_redirect_is_an_answer() {
    let server = Scripted::start(vec![answer(307, &[("location", "ORIGIN/elsewhere")], "")]).await;
    let client = HttpsClient::new(&server.ca_pem, None).unwrap();
    assert_eq!(client.send(get(&server)).await.unwrap().status, 307);
    assert_eq!(server.seen().len(), 1);
}

#[tokio::test]
async fn an_answer_is_read_up_to_its_limit() {
    let body = "x".repeat(1000);
    let server = Scripted::start(vec![answer(200, &[], &body), answer(200, &[], &body)]).await;
    let client = HttpsClient::new(&server.ca_pem, None).unwrap();
    assert_eq!(client.send(get(&server).accept_up_to(1000)).await.unwrap().body.len(), 1000);
    assert!(matches!(client.send(get(&server).accept_up_to(999)).await, Err(SdkError::TooLarge)));
}
