//! Time and randomness, as the caller gives them.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Fills a slice with unpredictable bytes.
type Fill = dyn Fn(&mut [u8]) + Send + Sync;

/// Where the time and randomness of the clients come from.
#[derive(Clone)]
pub struct Ambient {
    now_s: Arc<dyn Fn() -> i64 + Send + Sync>,
    fill: Arc<Fill>,
}

impl Ambient {
    /// `now_s` gives seconds since 1970-01-01T00:00:00Z; `fill` fills a slice with unpredictable bytes.
    #[must_use]
    pub fn new(
        now_s: impl Fn() -> i64 + Send + Sync + 'static,
        fill: impl Fn(&mut [u8]) + Send + Sync + 'static,
    ) -> Self {
        Self { now_s: Arc::new(now_s), fill: Arc::new(fill) }
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn now_s(&self) -> i64 {
        (self.now_s)()
    }

    /// Fills a slice with unpredictable bytes.
    pub fn fill(&self, bytes: &mut [u8]) {
        (self.fill)(bytes);
    }

    /// 256 unpredictable bits as 43 characters of base64url: a state, nonce, verifier or `jti`.
    #[must_use]
    pub fn unguessable(&self) -> String {
        let mut bytes = [0; 32];
        self.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }
}

impl std::fmt::Debug for Ambient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ambient")
    }
}

#[cfg(test)]
pub(crate) mod testing {
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::Ambient;

    /// A fixed time, and bytes that differ from call to call.
    pub(crate) fn ambient() -> Ambient {
        let count = AtomicU8::new(1);
        Ambient::new(|| 1_800_000_000, move |bytes| bytes.fill(count.fetch_add(1, Ordering::Relaxed)))
    }
}
