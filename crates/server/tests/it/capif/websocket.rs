//! Notifications over a WebSocket that an API invoker opens, over real TLS: sent there while it is open and answered, to the
//! destination otherwise; each refusal of the handshake beside a good one.

use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use futures::{SinkExt as _, StreamExt as _};
use sdk::{Identity, Request};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::{Invoker, launch, onboarded};
use crate::harness::{Raw, Site};

const PATIENCE: Duration = Duration::from_secs(20);
const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

type Socket = WebSocketStream<TlsStream<TcpStream>>;

async fn opened(site: &Site, uri: &str, identity: Option<&Identity>) -> Result<Socket, u16> {
    let raw = Raw::new(&site.ca, site.at("ccf"), b"http/1.1", identity);
    let stream = raw.connect(HERE).await.expect("TLS");
    match client_async(uri, stream).await {
        Ok((socket, _)) => Ok(socket),
        Err(Error::Http(answer)) => Err(answer.status().as_u16()),
        Err(error) => panic!("{error}"),
    }
}

/// Subscribes to what happens to the invoker itself.
async fn subscribed(invoker: &Invoker, by_socket: bool) -> Value {
    let body = json!({
        "events": ["API_INVOKER_UPDATED"], "notificationDestination": "https://localhost:9443/cb",
        "supportedFeatures": "f", "websockNotifConfig": { "requestWebsocketUri": by_socket },
    });
    let url = invoker.ccf.url(&["capif-events", "v1", invoker.id.as_str(), "subscriptions"]).expect("a url");
    let answer = invoker.ccf.send(Request::post(url).json(&body)).await.expect("an answer");
    answer.expect(&[201]).expect("subscribed").json().expect("a body")
}

fn uri_of(subscription: &Value) -> String {
    subscription["websockNotifConfig"]["websocketUri"].as_str().expect("an address").to_owned()
}

/// Changes something of the invoker, of which it hears.
async fn change(invoker: &Invoker, text: &str) {
    let url = invoker.ccf.url(&["api-invoker-management", "v1", "onboardedInvokers", invoker.id.as_str()]);
    let patch = json!({ "notificationDestination": format!("https://localhost:9443/{text}") });
    let request = Request::patch(url.expect("a url")).json_as("application/merge-patch+json", &patch);
    let answer = invoker.ccf.send(request).await.expect("an answer");
    answer.expect(&[200]).expect("changed");
}

async fn heard(socket: &mut Socket) -> Value {
    loop {
        let frame = timeout(PATIENCE, socket.next()).await.expect("in time").expect("open").expect("a frame");
        if let Message::Text(text) = frame {
            return serde_json::from_str(&text).expect("JSON");
        }
    }
}

async fn answer(socket: &mut Socket, status: &'static str) {
    socket.send(Message::text(status)).await.expect("sent");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_subscriber_that_nobody_can_call_opens_a_socket() {
    let dir = TempDir::new().expect("a directory");
    let program = launch(&dir, "sim,ccf").start();
    let site = Site::of(&program);
    let (invoker, other) = (onboarded(&site).await, onboarded(&site).await);
    let subscription = subscribed(&invoker, true).await;
    let uri = uri_of(&subscription);
    assert!(uri.starts_with("wss://") && uri.ends_with("/websocket"), "{uri}");

    let mut socket = opened(&site, &uri, Some(&invoker.identity)).await.expect("opened");
    change(&invoker, "one").await;
    let first = heard(&mut socket).await;
    assert_eq!(first["events"], "API_INVOKER_UPDATED", "{first}");
    answer(&mut socket, "204").await;
    // What is not taken comes again; what was taken does not.
    change(&invoker, "two").await;
    let second = heard(&mut socket).await;
    answer(&mut socket, "500").await;
    assert_eq!(heard(&mut socket).await, second, "again");
    answer(&mut socket, "204").await;

    // The last socket gets them, the one before ends.
    let mut next = opened(&site, &uri, Some(&invoker.identity)).await.expect("opened");
    let end = async {
        while let Some(Ok(frame)) = socket.next().await {
            assert!(!frame.is_text(), "{frame}");
        }
    };
    timeout(PATIENCE, end).await.expect("the one before ends");
    change(&invoker, "three").await;
    heard(&mut next).await;
    answer(&mut next, "204").await;

    let plain = subscribed(&invoker, false).await;
    assert_eq!(plain["websockNotifConfig"].get("websocketUri"), None);
    let sub_id = uri.split('/').nth_back(1).expect("a segment");
    let unknown = uri.replace(sub_id, "SUBX");
    let of_plain = {
        let url =
            invoker.ccf.url(&["capif-events", "v1", invoker.id.as_str(), "subscriptions"]).expect("a url");
        let made = invoker
            .ccf
            .send(Request::post(url).json(&json!({ "events": ["API_INVOKER_UPDATED"], "notificationDestination": "https://localhost:9443/cb" })))
            .await
            .expect("an answer");
        let id = made.created_id().expect("an identifier");
        uri.replace(sub_id, &id)
    };
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("nobody",                     uri.clone(), None,                     403),
        ("another invoker",            uri.clone(), Some(&other.identity),    403),
        ("no such subscription",       unknown,     Some(&invoker.identity),  404),
        ("one that asked for none",    of_plain,    Some(&invoker.identity),  400),
    ];
    for (what, uri, by, status) in rows {
        assert_eq!(opened(&site, &uri, by).await.err(), Some(status), "{what}");
    }
    let get = invoker.ccf.send(Request::get(uri.replace("wss://", "https://").parse().expect("a url"))).await;
    assert_eq!(get.expect("an answer").status, 400, "no handshake");

    // A frame that is larger than any status ends the socket.
    next.send(Message::text("2".repeat(1_000))).await.expect("sent");
    let end = async { while let Some(Ok(_)) = next.next().await {} };
    timeout(PATIENCE, end).await.expect("it ends");
    let mut again = opened(&site, &uri, Some(&invoker.identity)).await.expect("opened");
    change(&invoker, "four").await;
    heard(&mut again).await;
    answer(&mut again, "204").await;
}
