//! Notifications over a WebSocket that the subscriber opens itself, for one that nobody can call (TS 29.222 7.6, which is
//! TS 29.122 5.2.5.4). How a notification is put into frames stands in this module alone: a text frame is one notification as
//! JSON, and the subscriber answers each with a text frame that holds the status of HTTP, `204`.
//!
//! Without an open socket, or without an answer, a notification goes to the `notificationDestination`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use api_types::capif::events::{EventSubscription, NOTIFICATION_WEBSOCKET};
use api_types::problem::{Cause, InvalidParam};
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{Path, State};
use axum::response::Response;
use service_http::call::Ctx;
use service_http::refusal::Refusal;
use store::subscriptions::SubscriptionRow;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, interval, timeout, timeout_at};

use super::state::opened;
use super::subscription::{self, has};
use crate::ccf::CcfServer;

/// How long the answer to a notification may take. Own value.
const ANSWER: Duration = Duration::from_secs(5);
/// Time between two pings, by which a path that is dead is found. Own value.
const PING: Duration = Duration::from_secs(20);
/// How long a socket stays: its certificate is verified anew with the next one. Own value.
const LIFE: Duration = Duration::from_secs(3_600);
/// Largest frame of a subscriber, in bytes: a status. Own value.
const FRAME: usize = 64;
/// Notifications that wait for one socket. Own value.
const WAITING: usize = 16;

/// A notification on its way.
struct Letter {
    body: String,
    /// Whether it was answered.
    arrived: oneshot::Sender<bool>,
}

/// The sockets that are open on this node: one for each subscription, the last one opened.
#[derive(Default)]
pub(crate) struct Sockets(Mutex<HashMap<String, mpsc::Sender<Letter>>>);

impl Sockets {
    /// Sends over the socket of a subscription; whether it was answered.
    pub(crate) async fn deliver(&self, sub_id: &str, body: &str) -> bool {
        let Some(socket) = self.held(|all| all.get(sub_id).cloned()) else { return false };
        let (arrived, answer) = oneshot::channel();
        let letter = Letter { body: body.to_owned(), arrived };
        socket.try_send(letter).is_ok() && answer.await.unwrap_or(false)
    }

    fn open(&self, sub_id: &str) -> mpsc::Receiver<Letter> {
        let (sender, letters) = mpsc::channel(WAITING);
        // The one before ends: its channel has no sender any more.
        self.held(|all| all.insert(sub_id.to_owned(), sender));
        letters
    }

    /// Forgets sockets that have ended.
    fn sweep(&self) {
        self.held(|all| all.retain(|_, socket| !socket.is_closed()));
    }

    fn held<T>(&self, job: impl FnOnce(&mut HashMap<String, mpsc::Sender<Letter>>) -> T) -> T {
        job(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Writes the address of the socket into a subscription that asks for one.
pub(crate) fn address(ccf: &CcfServer, body: &mut EventSubscription, subscriber: &str, sub_id: &str) {
    let asked = has(body, NOTIFICATION_WEBSOCKET) && ccf.face().is_none();
    let Some(config) = &mut body.websock_notif_config else { return };
    if asked && config.request_websocket_uri == Some(true) {
        let at = ccf.at(&format!("{}/{subscriber}/subscriptions/{sub_id}/websocket", super::PATH));
        config.websocket_uri = Some(at.replacen("https://", "wss://", 1));
    }
}

/// `GET /capif-events/v1/{subscriberId}/subscriptions/{subscriptionId}/websocket` (RFC 6455)
pub(crate) async fn connect(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path((subscriber, sub_id)): Path<(String, String)>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Refusal> {
    let (server, asking) = (ccf.clone(), ctx.clone());
    let row: SubscriptionRow = ccf
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let party = subscription::subscriber(tx, &asking, &subscriber).await?;
                let row = subscription::held(tx, &server, &asking, &party, &sub_id).await?;
                subscription::record(tx, &asking, &row, "ccf.events.connect", 101).await?;
                Ok::<_, Refusal>(row)
            })
        })
        .await?;
    let refused = |param: &'static str, why: &'static str| {
        Refusal::input(Cause::InvalidMsgFormat, vec![InvalidParam::new(param, why)])
    };
    if opened(&row)?.0.websock_notif_config.and_then(|config| config.websocket_uri).is_none() {
        return Err(refused("/websockNotifConfig", "no WebSocket was agreed on for this subscription"));
    }
    let upgrade = upgrade
        .map_err(|_| refused("upgrade", "is no WebSocket handshake over HTTP/1.1 (RFC 6455 4.2.1)"))?;
    let sockets = Arc::clone(ccf.events().sockets());
    sockets.sweep();
    let letters = sockets.open(&row.sub_id);
    Ok(upgrade.max_message_size(FRAME).max_frame_size(FRAME).on_upgrade(|socket| serve(socket, letters)))
}

/// Takes letters to the subscriber until one side ends it.
async fn serve(mut socket: WebSocket, mut letters: mpsc::Receiver<Letter>) {
    let ends = Instant::now() + LIFE;
    let mut ping = interval(PING);
    while Instant::now() < ends {
        tokio::select! {
            letter = letters.recv() => {
                let Some(letter) = letter else { break };
                let arrived = exchange(&mut socket, letter.body).await;
                let failed = arrived.is_none();
                // Whoever waited may be gone.
                let _ = letter.arrived.send(arrived.unwrap_or(false));
                if failed {
                    break;
                }
            }
            _ = ping.tick() => {
                if socket.send(Message::Ping(Default::default())).await.is_err() {
                    break;
                }
            }
            heard = socket.recv() => match heard {
                // An answer that comes too late answers nothing.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Text(_))) => {}
                _ => break,
            },
        }
    }
    let _ = timeout(ANSWER, socket.send(Message::Close(None))).await;
}

/// Sends one notification and waits for its answer; `None`: the socket is of no use any more.
async fn exchange(socket: &mut WebSocket, body: String) -> Option<bool> {
    let until = Instant::now() + ANSWER;
    timeout_at(until, socket.send(Message::Text(body.into()))).await.ok()?.ok()?;
    loop {
        match timeout_at(until, socket.recv()).await.ok()?? {
            Ok(Message::Text(status)) => return Some(is_success(&status)),
            Ok(Message::Ping(_) | Message::Pong(_)) => {}
            _ => return None,
        }
    }
}

fn is_success(status: &str) -> bool {
    status.len() == 3 && status.starts_with('2') && status.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_of_success_is_three_digits() {
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("204", true), ("200", true), ("299", true), ("404", false), ("500", false), ("20", false), ("2040", false),
            ("2x4", false), ("", false), ("{}", false), ("2²", false),
        ];
        for (status, success) in rows {
            assert_eq!(is_success(status), success, "{status}");
        }
    }

    #[tokio::test]
    async fn the_last_socket_of_a_subscription_gets_the_letters() {
        let sockets = Sockets::default();
        assert!(!sockets.deliver("SUB1", "{}").await, "none is open");
        let mut first = sockets.open("SUB1");
        let mut second = sockets.open("SUB1");
        assert!(first.recv().await.is_none(), "the one before ends");
        let answered = async {
            let letter = second.recv().await.expect("a letter");
            assert_eq!(letter.body, "{}");
            letter.arrived.send(true).expect("somebody waits");
        };
        let (arrived, ()) = tokio::join!(sockets.deliver("SUB1", "{}"), answered);
        assert!(arrived);
        drop(second);
        assert!(!sockets.deliver("SUB1", "{}").await, "it has ended");
        sockets.sweep();
        assert!(sockets.held(|all| all.is_empty()));
    }
}
