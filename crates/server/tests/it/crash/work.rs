//! The clients: they write down what they ask and what they are told.

use std::collections::BTreeMap;

use api_types::Secret;
use bytes::Bytes;
use futures::{StreamExt as _, stream};
use sdk::{
    Answer, AuthorizationRequest, Credential, HttpsClient, Request, SanClient, SdkError, SimClient, SmClient,
};
use serde_json::json;
use url::Url;

use super::book::{Book, Entry, Known, Spent};
use crate::harness::{Site, json_of, val_server_list, val_server_map};

const LISTS: &str = "/ssan-sanm/v1/anchors-lists";
const MAPS: &str = "/ssm-smm/v1/spatial-maps";
const SEARCH: &str = "/ssan-disc/v1/spatial-anchors";
/// Requests at once of whoever looks after a restart.
const READERS: usize = 16;
const PATCH: &str = "application/merge-patch+json";
const USER_SCOPE: &str = "openid 3gpp:seal:san.read 3gpp:seal:san.discover";
/// How long a token is used that lives 300 s.
const KEEP_S: i64 = 150;

/// The connection is gone: the program was killed.
struct Cut;

/// An answer that was wanted, or the end.
fn wanted(book: &Book, what: &str, answer: Result<Answer, SdkError>, status: u16) -> Result<Answer, Cut> {
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
    san: SanClient,
    base: String,
    book: Book,
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

    fn url(&self, id: &str) -> Url {
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
    sm: SmClient,
    base: String,
    book: Book,
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

/// A user who logs in, refreshes, proves possession and logs out.
pub(crate) struct Tokens {
    client: &'static str,
    sim: SimClient,
    request: AuthorizationRequest,
    password: String,
    san: String,
    search: Url,
    link: HttpsClient,
    book: Book,
    revoke: bool,
}

impl Tokens {
    pub(crate) async fn new(site: &Site, book: &Book, client: &'static str, revoke: bool) -> Self {
        Self {
            client,
            sim: sim_c(site, book, client).await,
            request: site.request("alice", USER_SCOPE),
            password: site.password("alice").to_owned(),
            san: site.at("san").to_owned(),
            search: site.path("san", SEARCH),
            link: site.link(client),
            book: book.clone(),
            revoke,
        }
    }

    pub(crate) async fn work(self) {
        // A refusal here is one of the program: a fault. The end of the connection is the kill.
        let fault = match self.session().await {
            Ok(()) | Err(SdkError::Transport { .. }) => return,
            Err(error) => error,
        };
        self.book.fault(format!("a login went wrong: {fault:?}"));
    }

    async fn session(&self) -> Result<(), SdkError> {
        let pending = self.sim.begin(self.request.clone());
        let code = self.sim.login(&pending, "alice", &self.password).await?;
        let token = self.sim.redeem(&code, Some(&self.san), None).await?;
        let refresh = token.refresh_token.clone().ok_or(SdkError::Malformed("no refresh token"))?;
        let spent = if self.client == "ue-1" {
            if self.revoke {
                self.sim.revoke(&token.access_token).await?;
                self.book.spend(self.client, Spent::Revoked(token.access_token.clone()));
                return Ok(());
            }
            self.prove(token.access_token.expose()).await?;
            // Bound to the key: it stays the same and good.
            Spent::Live(refresh)
        } else {
            let second = self.refresh(&refresh).await?;
            // Its successor is used: from now on the first one is void, also for a client that repeats itself.
            let third = self.refresh(&second).await?;
            Spent::Replaced { old: refresh, new: third }
        };
        self.book.spend(self.client, spent);
        self.book.spend(self.client, Spent::Code(code));
        Ok(())
    }

    async fn refresh(&self, refresh: &Secret) -> Result<Secret, SdkError> {
        let token = self.sim.refresh(refresh, Some(&self.san), None).await?;
        token.refresh_token.ok_or(SdkError::Malformed("no refresh token"))
    }

    async fn prove(&self, token: &str) -> Result<(), SdkError> {
        let proof = self.book.key.proof("GET", &self.search, Some(token))?;
        self.book.asks();
        let answer = self.link.send(proved(&self.search, token, &proof)).await;
        if let Ok(answer) = wanted(&self.book, "discover with a proof", answer, 200) {
            self.book.served("san", answer.trace());
            self.book.spend(self.client, Spent::Proof { token: token.to_owned(), proof });
        }
        Ok(())
    }
}

/// A SIM-C with the key that it had before the restart.
async fn sim_c(site: &Site, book: &Book, client: &str) -> SimClient {
    let sim = site.sim_c(client).await;
    if sim.dpop().is_some() { sim.with_dpop(book.key.clone()) } else { sim }
}

fn proved(url: &Url, token: &str, proof: &str) -> Request {
    Request::get(url.clone()).header("authorization", &format!("DPoP {token}")).header("dpop", proof)
}

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
                let proof = book.key.proof("GET", &site.path("san", SEARCH), Some(token.expose())).expect("a proof");
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
