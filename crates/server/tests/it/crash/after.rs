//! What must hold after each restart.

use std::collections::BTreeMap;

use futures::{StreamExt as _, stream};
use sdk::{Request, SdkError};

use super::book::{Book, Entry, Known, Spent};
use super::tokens::{proved, sim_c};
use super::work::{Lists, MAPS, Maps, SEARCH};
use crate::harness::{Site, json_of};

/// Requests at once of whoever looks after a restart.
const READERS: usize = 16;

/// Everything that was acknowledged is there: what changed last, and `more` of the rest.
pub(crate) async fn acknowledged_is_there(site: &Site, book: &Book, more: usize) {
    let draw = |end| site.time.draw(end);
    let (mut lists, mut maps) = (BTreeMap::new(), BTreeMap::new());
    for owner in ["vs-1", "vs-2"] {
        lists.insert(owner, Lists::new(site, book, owner, "", 0).await);
        maps.insert(owner, Maps::new(site, book, owner, "", 0).await);
    }
    stream::iter(book.lists(more, draw))
        .for_each_concurrent(READERS, |(id, entry)| look_at_list(&lists[entry.owner], id, entry))
        .await;
    stream::iter(book.maps(more, draw))
        .for_each_concurrent(READERS, |(id, entry)| look_at_map(&maps[entry.owner], id, entry))
        .await;
}

async fn look_at_list(reader: &Lists, id: String, mut entry: Entry) {
    let mut url = reader.url(&id);
    url.query_pairs_mut().append_pair("supp-feats", "1");
    reader.book.asks();
    let answer = reader.san.send(Request::get(url)).await.expect("an answer");
    let seen = match answer.status {
        200 => {
            reader.book.served("san", answer.trace());
            Known::Says(json_of(&answer)["anchors"]["open"]["name"].as_str().unwrap_or_default().to_owned())
        }
        404 => Known::Gone,
        status => panic!("GET list: {status}"),
    };
    compare(&reader.book, "list", &id, &mut entry, seen);
    reader.book.list(&id, entry);
}

async fn look_at_map(reader: &Maps, id: u32, mut entry: Entry) {
    let url = format!("{}{MAPS}/{id}", reader.base).parse().expect("a url");
    reader.book.asks();
    let answer = reader.sm.send(Request::get(url)).await.expect("an answer");
    let seen = match answer.status {
        200 => {
            reader.book.served("sm", answer.trace());
            reader.book.checked("map");
            Known::Says(payload(reader, id).await)
        }
        404 => Known::Gone,
        status => panic!("GET map: {status}"),
    };
    compare(&reader.book, "payload", &id.to_string(), &mut entry, seen);
    reader.book.map(id, entry);
}

/// The payload of a map; empty where it has none.
async fn payload(reader: &Maps, id: u32) -> String {
    let url = format!("{}{MAPS}/{id}/content", reader.base).parse().expect("a url");
    reader.book.asks();
    let answer = reader.sm.send(Request::get(url)).await.expect("an answer");
    match answer.status {
        200 => {
            reader.book.served("sm", answer.trace());
            String::from_utf8(answer.body.to_vec()).expect("text")
        }
        404 => String::new(),
        status => panic!("GET payload: {status}"),
    }
}

/// What is seen is what was acknowledged, or what was asked for after it.
fn compare(book: &Book, what: &'static str, id: &str, entry: &mut Entry, seen: Known) {
    if seen != entry.acknowledged && entry.asked.as_ref() != Some(&seen) {
        book.fault(format!("{what} {id} is {seen:?}, and was {entry:?}"));
    }
    book.checked(what);
    entry.acknowledged = seen;
    entry.asked = None;
    entry.fresh = false;
}

/// Nothing that was used or revoked before the kill is good after it.
pub(crate) async fn used_stays_used(site: &Site, book: &Book) {
    let san = Some(site.at("san"));
    for (client, item) in book.take_spent() {
        let sim = sim_c(site, book, client).await;
        match item {
            Spent::Proof { token, proof } => {
                refused(site, book, client, (&token, &proof), "proof", "REPLAYED").await;
            }
            Spent::Revoked(token) => {
                let proof =
                    book.key.proof("GET", &site.path("san", SEARCH), Some(token.expose())).expect("a proof");
                refused(site, book, client, (token.expose(), &proof), "revoked", "REVOKED_TOKEN").await;
            }
            Spent::Live(refresh) => match sim.refresh(&refresh, san, None).await {
                Ok(_) => book.checked("live refresh"),
                Err(error) => book.fault(format!("a refresh token that is good: {error}")),
            },
            Spent::Replaced { old, new } => {
                void(book, "refresh", sim.refresh(&old, san, None).await);
                // It was used twice: the whole family ends.
                void(book, "refresh", sim.refresh(&new, san, None).await);
            }
            Spent::Code(code) => void(book, "code", sim.redeem(&code, san, None).await),
        }
    }
}

async fn refused(
    site: &Site,
    book: &Book,
    client: &str,
    (token, proof): (&str, &str),
    what: &'static str,
    wanted: &str,
) {
    let request = proved(&site.path("san", SEARCH), token, proof);
    let answer = site.link(client).send(request).await.expect("an answer");
    let reason = site.reason(answer.trace()).await;
    if (answer.status, reason.as_str()) != (401, wanted) {
        book.fault(format!("{what}: {} {reason}", answer.status));
    }
    book.checked(what);
}

fn void<T>(book: &Book, what: &'static str, answer: Result<T, SdkError>) {
    match answer {
        Err(SdkError::OAuth { error, .. }) if error == "invalid_grant" => book.checked(what),
        Err(error) => book.fault(format!("a used {what}: {error}")),
        Ok(_) => book.fault(format!("a used {what} gave a token")),
    }
}
