//! The clients: they write down what they ask and what they are told.

use bytes::Bytes;
use sdk::{Answer, Credential, Request, SanClient, SdkError, SmClient};
use serde_json::json;
use url::Url;

use super::book::{Book, Entry, Known};
use crate::harness::{Site, val_server_list, val_server_map};

const LISTS: &str = "/ssan-sanm/v1/anchors-lists";
pub(super) const MAPS: &str = "/ssm-smm/v1/spatial-maps";
pub(super) const SEARCH: &str = "/ssan-disc/v1/spatial-anchors";
const PATCH: &str = "application/merge-patch+json";
/// How long a token is used that lives 300 s.
const KEEP_S: i64 = 150;

/// The connection is gone: the program was killed.
pub(super) struct Cut;

/// An answer that was wanted, or the end.
pub(super) fn wanted(
    book: &Book,
    what: &str,
    answer: Result<Answer, SdkError>,
    status: u16,
) -> Result<Answer, Cut> {
    match answer {
        Ok(answer) if answer.status == status => Ok(answer),
        Ok(answer) => {
            book.fault(format!("{what}: {} {}", answer.status, String::from_utf8_lossy(&answer.body)));
            Err(Cut)
        }
        Err(_) => Err(Cut),
    }
}

/// A VAL server's credential, kept over restarts.
async fn credential(site: &Site, book: &Book, client: &str, role: &'static str) -> Credential {
    let now_s = site.time.now_s();
    if let Some(known) = book.credential(client, role, now_s) {
        return known;
    }
    let credential = site.server_token(client, role, &format!("3gpp:seal:{role}")).await;
    book.keep(client, role, credential.clone(), now_s + KEEP_S);
    credential
}

/// A VAL server at work on lists.
pub(crate) struct Lists {
    pub(super) san: SanClient,
    base: String,
    pub(super) book: Book,
    owner: &'static str,
    service: &'static str,
    round: usize,
}

impl Lists {
    pub(crate) async fn new(
        site: &Site,
        book: &Book,
        owner: &'static str,
        service: &'static str,
        round: usize,
    ) -> Self {
        let credential = credential(site, book, owner, "san").await;
        let san = SanClient::new(site.link(owner), site.at("san"), credential).expect("a client");
        Self { san, base: site.at("san").into(), book: book.clone(), owner, service, round }
    }

    async fn ask(&self, what: &str, request: Request, status: u16) -> Result<Answer, Cut> {
        self.book.asks();
        let answer = wanted(&self.book, what, self.san.send(request).await, status)?;
        self.book.served("san", answer.trace());
        Ok(answer)
    }

    pub(super) fn url(&self, id: &str) -> Url {
        format!("{}{LISTS}/{id}", self.base).parse().expect("a url")
    }

    pub(crate) async fn work(self) {
        let mut number = 0;
        while self.one_list(number).await.is_ok() {
            number += 1;
        }
    }

    async fn one_list(&self, number: usize) -> Result<(), Cut> {
        let name = |stage: &str| format!("{}-{}-{number}-{stage}", self.owner, self.round);
        let body = val_server_list(self.service, &name("a"));
        let url = format!("{}{LISTS}", self.base).parse().expect("a url");
        let created = self.ask("POST list", Request::post(url).json(&body), 201).await?;
        let id = created.created_id().expect("an id");
        let mut entry =
            Entry { acknowledged: Known::Says(name("a")), asked: None, owner: self.owner, fresh: true };
        self.book.list(&id, entry.clone());

        entry.asked = Some(Known::Says(name("b")));
        self.book.list(&id, entry.clone());
        let patch = json!({ "suppFeat": "1", "anchors": { "open": { "name": name("b") } } });
        self.ask("PATCH list", Request::patch(self.url(&id)).json_as(PATCH, &patch), 200).await?;
        entry.acknowledged = Known::Says(name("b"));
        entry.asked = None;
        self.book.list(&id, entry.clone());

        if number % 3 == 2 {
            entry.asked = Some(Known::Gone);
            self.book.list(&id, entry.clone());
            self.ask("DELETE list", Request::delete(self.url(&id)), 204).await?;
            entry.acknowledged = Known::Gone;
            entry.asked = None;
            self.book.list(&id, entry);
        }
        Ok(())
    }
}

/// Searches while others write.
pub(crate) async fn reads(reader: Lists) {
    loop {
        let mut url: Url = format!("{}{SEARCH}", reader.base).parse().expect("a url");
        url.query_pairs_mut().append_pair("limit", "5");
        if reader.ask("discover", Request::get(url), 200).await.is_err() {
            return;
        }
    }
}

/// A VAL server at work on maps and their payloads.
pub(crate) struct Maps {
    pub(super) sm: SmClient,
    pub(super) base: String,
    pub(super) book: Book,
    owner: &'static str,
    service: &'static str,
    round: usize,
}

impl Maps {
    pub(crate) async fn new(
        site: &Site,
        book: &Book,
        owner: &'static str,
        service: &'static str,
        round: usize,
    ) -> Self {
        let credential = credential(site, book, owner, "sm").await;
        let sm = SmClient::new(site.link(owner), site.at("sm"), credential).expect("a client");
        Self { sm, base: site.at("sm").into(), book: book.clone(), owner, service, round }
    }

    async fn ask(&self, what: &str, request: Request, status: u16) -> Result<Answer, Cut> {
        self.book.asks();
        let answer = wanted(&self.book, what, self.sm.send(request).await, status)?;
        self.book.served("sm", answer.trace());
        Ok(answer)
    }

    pub(crate) async fn work(self) {
        let mut number = 0;
        while self.one_map(number).await.is_ok() {
            number += 1;
        }
    }

    async fn one_map(&self, number: usize) -> Result<(), Cut> {
        let text = format!("{}-{}-{number}", self.owner, self.round);
        let body = val_server_map(self.service, &text);
        let url = format!("{}{MAPS}", self.base).parse().expect("a url");
        let created = self.ask("POST map", Request::post(url).json(&body), 201).await?;
        let id: u32 = created.created_id().expect("an id").parse().expect("a number");
        let payload = format!("payload of {text} ").repeat(200);
        let mut entry = Entry {
            acknowledged: Known::Says(String::new()),
            asked: Some(Known::Says(payload.clone())),
            owner: self.owner,
            fresh: true,
        };
        self.book.map(id, entry.clone());
        let content: Url = format!("{}{MAPS}/{id}/content", self.base).parse().expect("a url");
        let put = Request::put(content).bytes("model/gltf-binary", Bytes::from(payload.clone()));
        self.ask("PUT payload", put, 201).await?;
        entry.acknowledged = Known::Says(payload);
        entry.asked = None;
        self.book.map(id, entry.clone());
        if number % 3 == 2 {
            entry.asked = Some(Known::Gone);
            self.book.map(id, entry.clone());
            let url = format!("{}{MAPS}/{id}", self.base).parse().expect("a url");
            self.ask("DELETE map", Request::delete(url), 204).await?;
            entry.acknowledged = Known::Gone;
            entry.asked = None;
            self.book.map(id, entry);
        }
        Ok(())
    }
}
