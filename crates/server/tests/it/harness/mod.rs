//! A `metaseal` of a test's own, as a child process, and clients of it. It is killed when the test ends.

mod browser;
mod clients;
mod passkey;
mod program;
mod raw;
mod tokens;

pub(crate) use browser::Browser;
pub(crate) use clients::{Site, json_of, parsed, val_server_list, val_server_map, with_bearer};
pub(crate) use program::{Launch, Program, port_base, run, run_with};
pub(crate) use raw::{Raw, h2_get, h2_preface, h2_reset, put, to_end};
pub(crate) use tokens::{claims_of, resign, scopes_of, sign_as, text_of, whole_of};

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use service_http::ambient::Ambient;

/// The clock of a test's clients: the machine's, moved along with the test clock of a demo.
#[derive(Clone)]
pub(crate) struct TestTime {
    system: Ambient,
    offset_s: Arc<AtomicI64>,
}

impl TestTime {
    pub(crate) fn new() -> Self {
        Self { system: server::ambient::system(), offset_s: Arc::default() }
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.system.clock.now_s() + self.offset_s.load(Ordering::SeqCst)
    }

    pub(crate) fn monotonic(&self) -> Duration {
        self.system.clock.monotonic()
    }

    pub(crate) fn move_by(&self, offset_s: i64) {
        self.offset_s.store(offset_s, Ordering::SeqCst);
    }

    /// What certificates of the past or the future are made with.
    pub(crate) fn ambient_at(&self, now_s: i64) -> Ambient {
        let (ambient, _) = Ambient::for_test(now_s, 1);
        Ambient { entropy: self.system.entropy.clone(), ..ambient }
    }

    /// Clock and randomness of the clients.
    pub(crate) fn ambient(&self) -> sdk::Ambient {
        let (clock, entropy) = (self.clone(), self.system.entropy.clone());
        sdk::Ambient::new(move || clock.now_s(), move |bytes: &mut [u8]| entropy.fill(bytes))
    }

    /// A number below `end`.
    pub(crate) fn draw(&self, end: u64) -> u64 {
        u64::from_le_bytes(self.system.random_bytes()) % end
    }
}
