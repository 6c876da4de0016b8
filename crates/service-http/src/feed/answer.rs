//! The body of GET `/revocations`.

use authorization::revocation::{Entry, Kind};
use serde::{Deserialize, Serialize};

/// `kind` of an entry that says: fetch the key set again before you confirm.
pub const JWKS_CHANGED: &str = "jwks";

/// What happened after an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FeedAnswer {
    /// Epoch of the last entry here, or the present one when there is none.
    pub epoch: u64,
    /// The present epoch. A lease is granted only with an answer that reaches it.
    pub head: u64,
    /// In order, without a gap beyond the floor.
    pub entries: Vec<FeedEntry>,
    /// Epoch of the last change of the key set.
    pub jwks_version: u64,
    /// Up to this epoch, entries that no token is left for are gone.
    #[serde(default)]
    pub floor: u64,
}

/// One entry of the log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeedEntry {
    /// Its epoch.
    pub epoch: u64,
    /// `token`, `subject`, `client`, `certificate`, `key` …, or [`JWKS_CHANGED`].
    pub kind: String,
    /// `jti`, `sub`, `client_id`, `x5t#S256`, `kid` ….
    pub value: String,
    /// Whose tokens are meant.
    pub issuer: String,
    /// From when on, in seconds since 1970, it spoils nothing any more; absent: it is for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_s: Option<i64>,
}

impl FeedEntry {
    /// The entry as a verifier applies it; `None` for what is no revocation, or of a kind that is not known yet.
    pub(super) fn revocation(self) -> Option<Entry> {
        let kind: Kind = self.kind.parse().ok()?;
        Some(Entry {
            kind,
            value: self.value,
            epoch: self.epoch,
            issuer: self.issuer,
            expires_s: self.expires_s,
        })
    }
}

impl std::fmt::Debug for FeedEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FeedEntry")
            .field("epoch", &self.epoch)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

/// Entry points of the fuzz targets.
pub mod fuzz {
    /// Takes any bytes as the answer of a feed; never panics.
    pub fn fuzz_feed_answer(bytes: &[u8]) {
        let read: Result<super::FeedAnswer, _> =
            api_types::strict_json::from_slice(bytes, super::super::http::DEPTH);
        if let Ok(answer) = read {
            for entry in answer.entries {
                let _ = entry.revocation();
            }
        }
    }

    /// Takes any bytes as the query of a poll; never panics.
    pub fn fuzz_feed_query(bytes: &[u8]) {
        super::super::http::read_any_query(&String::from_utf8_lossy(bytes));
    }
}
