//! What the clients were told.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use api_types::Secret;
use sdk::{Credential, DpopSession};

/// What is known of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Known {
    /// It says this.
    Says(String),
    /// It is deleted.
    Gone,
}

/// An object as its owner knows it.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// What was acknowledged last.
    pub(crate) acknowledged: Known,
    /// What was asked for and not answered.
    pub(crate) asked: Option<Known>,
    /// Who owns it.
    pub(crate) owner: &'static str,
    /// Not looked at since it was changed.
    pub(crate) fresh: bool,
}

/// Something that is good once and was used, or that was revoked.
pub(crate) enum Spent {
    /// A code, with what redeems it.
    Code(sdk::Code),
    /// A refresh token whose successor was used, and the last one of its family.
    Replaced { old: Secret, new: Secret },
    /// A proof of possession and the token that it was for.
    Proof { token: String, proof: String },
    /// A revoked access token.
    Revoked(Secret),
    /// A refresh token that is still good.
    Live(Secret),
}

#[derive(Default)]
struct Pages {
    lists: BTreeMap<String, Entry>,
    maps: BTreeMap<u32, Entry>,
    served: Vec<(&'static str, String)>,
    spent: Vec<(&'static str, Spent)>,
    faults: Vec<String>,
    asked: usize,
    checks: BTreeMap<&'static str, usize>,
    credentials: BTreeMap<(String, &'static str), (Credential, i64)>,
}

/// The book that all clients write.
#[derive(Clone)]
pub(crate) struct Book {
    pages: Arc<Mutex<Pages>>,
    /// The key of `ue-1`, the same over all restarts.
    pub(crate) key: DpopSession,
}

impl Book {
    pub(crate) fn new(ambient: sdk::Ambient) -> Self {
        Self { pages: Arc::default(), key: DpopSession::new(ambient).expect("a key") }
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A request was sent.
    pub(crate) fn asks(&self) {
        self.pages().asked += 1;
    }

    /// A request was answered 2xx.
    pub(crate) fn served(&self, function: &'static str, trace: Option<String>) {
        match trace {
            Some(trace) => self.pages().served.push((function, trace)),
            None => self.fault("an answer without a trace".into()),
        }
    }

    pub(crate) fn take_served(&self) -> Vec<(&'static str, String)> {
        std::mem::take(&mut self.pages().served)
    }

    /// Requests since the last time.
    pub(crate) fn take_asked(&self) -> usize {
        std::mem::take(&mut self.pages().asked)
    }

    pub(crate) fn fault(&self, text: String) {
        self.pages().faults.push(text);
    }

    pub(crate) fn faults(&self) -> Vec<String> {
        self.pages().faults.clone()
    }

    /// Something was found to be as it must.
    pub(crate) fn checked(&self, what: &'static str) {
        *self.pages().checks.entry(what).or_default() += 1;
    }

    pub(crate) fn list(&self, id: &str, entry: Entry) {
        self.pages().lists.insert(id.to_owned(), entry);
    }

    pub(crate) fn map(&self, id: u32, entry: Entry) {
        self.pages().maps.insert(id, entry);
    }

    /// Objects to look at: those that changed, and `more` of the others, drawn by `draw`.
    pub(crate) fn lists(&self, more: usize, draw: impl Fn(u64) -> u64) -> Vec<(String, Entry)> {
        chosen(&self.pages().lists, more, draw)
    }

    /// Likewise.
    pub(crate) fn maps(&self, more: usize, draw: impl Fn(u64) -> u64) -> Vec<(u32, Entry)> {
        chosen(&self.pages().maps, more, draw)
    }

    pub(crate) fn spend(&self, client: &'static str, spent: Spent) {
        self.pages().spent.push((client, spent));
    }

    pub(crate) fn take_spent(&self) -> Vec<(&'static str, Spent)> {
        std::mem::take(&mut self.pages().spent)
    }

    /// A credential that was kept over restarts, while it is young.
    pub(crate) fn credential(&self, client: &str, role: &'static str, now_s: i64) -> Option<Credential> {
        let pages = self.pages();
        let (credential, until_s) = pages.credentials.get(&(client.to_owned(), role))?;
        (now_s < *until_s).then(|| credential.clone())
    }

    pub(crate) fn keep(&self, client: &str, role: &'static str, credential: Credential, until_s: i64) {
        self.pages().credentials.insert((client.to_owned(), role), (credential, until_s));
    }

    pub(crate) fn summary(&self, records: &super::Records) -> String {
        let pages = self.pages();
        format!("{} lists, {} maps, {records}, {:?}", pages.lists.len(), pages.maps.len(), pages.checks)
    }

    /// The kills met work.
    pub(crate) fn was_not_idle(&self, rounds: usize) {
        let pages = self.pages();
        for what in ["list", "map", "payload", "code", "refresh", "proof", "live refresh"] {
            let count = pages.checks.get(what).copied().unwrap_or_default();
            assert!(count >= rounds / 10, "{what} was looked at {count} times only in {rounds} rounds");
        }
        let revoked = pages.checks.get("revoked").copied().unwrap_or_default();
        assert!(rounds < super::REVOKE_EACH || revoked > 0, "nothing was revoked");
    }
}

fn chosen<K: Clone + Ord>(
    all: &BTreeMap<K, Entry>,
    more: usize,
    draw: impl Fn(u64) -> u64,
) -> Vec<(K, Entry)> {
    let old = all.values().filter(|entry| !entry.fresh).count() as u64;
    let lucky = |entry: &Entry| entry.fresh || old <= more as u64 || draw(old) < more as u64;
    all.iter().filter(|(_, entry)| lucky(entry)).map(|(key, entry)| (key.clone(), entry.clone())).collect()
}
