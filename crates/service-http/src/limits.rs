//! How much one source, one client and all of them together may ask for (IMP-20).
//!
//! A limit follows the source address and the client, never a connection, a header or a token, so
//! that none of these gets around it. Keys are kept as keyed hashes in a fixed number of places:
//! memory is bounded whoever asks, and no address is stored.

use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use api_types::ids::ClientId;
use authorization::Reason;
use governor::clock::{Clock as GovernorClock, Reference as _};
use governor::nanos::Nanos;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::ambient::{Ambient, Clock};
use crate::edge::source_of;
use crate::refusal::Refusal;

/// Places of one table. Two of `n` busy keys share one with a probability of `n` in this. Own value.
const PLACES: u64 = 1 << 16;

/// Longest `Retry-After` in seconds. Own value.
const RETRY_AFTER_MAX_S: u32 = 3_600;

/// The rate limits, in units per second; a request costs the units of its route. Own values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateSettings {
    /// Units that a source gains in a second.
    pub source_per_s: NonZeroU32,
    /// Units that a source may spend at once.
    pub source_burst: NonZeroU32,
    /// Units that a client gains in a second.
    pub client_per_s: NonZeroU32,
    /// Units that a client may spend at once.
    pub client_burst: NonZeroU32,
    /// Failed attempts (logins, client authentications) that one name gains in a minute.
    pub attempts_per_minute: NonZeroU32,
    /// Failed attempts of one name at once.
    pub attempts_burst: NonZeroU32,
    /// Requests in work at the same time; one more is shed with 503.
    pub in_flight: u32,
}

const fn units(number: u32) -> NonZeroU32 {
    match NonZeroU32::new(number) {
        Some(units) => units,
        None => NonZeroU32::MIN,
    }
}

impl Default for RateSettings {
    fn default() -> Self {
        Self {
            source_per_s: units(500),
            source_burst: units(2_000),
            client_per_s: units(500),
            client_burst: units(2_000),
            attempts_per_minute: units(10),
            attempts_burst: units(10),
            in_flight: 1_024,
        }
    }
}

impl RateSettings {
    /// What a demonstration admits: 1,000 logins a minute and the load of benchmarks
    /// (contract, section 4).
    pub fn demo() -> Self {
        Self {
            source_per_s: units(1_000_000),
            source_burst: units(1_000_000),
            client_per_s: units(1_000_000),
            client_burst: units(1_000_000),
            attempts_per_minute: units(1_000),
            attempts_burst: units(1_000),
            in_flight: 4_096,
        }
    }
}

/// The monotonic clock of the surroundings, as governor reads it.
#[derive(Clone)]
struct Monotonic(Arc<dyn Clock>);

impl GovernorClock for Monotonic {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        self.0.monotonic().into()
    }
}

type Table = RateLimiter<u32, DashMapStateStore<u32>, Monotonic, governor::middleware::NoOpMiddleware<Nanos>>;

/// The limits of one function.
pub struct RateLimits {
    seed: [u8; 16],
    clock: Monotonic,
    sources: Table,
    clients: Table,
    attempts: Table,
    in_flight: Arc<AtomicU32>,
    in_flight_max: u32,
}

impl RateLimits {
    /// The limits of `settings`.
    pub fn new(settings: &RateSettings, ambient: &Ambient) -> Self {
        let clock = Monotonic(ambient.clock.clone());
        let table = |quota: Quota| RateLimiter::dashmap_with_clock(quota, clock.clone());
        Self {
            seed: ambient.random_bytes(),
            sources: table(Quota::per_second(settings.source_per_s).allow_burst(settings.source_burst)),
            clients: table(Quota::per_second(settings.client_per_s).allow_burst(settings.client_burst)),
            attempts: table(
                Quota::per_minute(settings.attempts_per_minute).allow_burst(settings.attempts_burst),
            ),
            clock,
            in_flight: Arc::default(),
            in_flight_max: settings.in_flight,
        }
    }

    /// Takes `cost` units of a source.
    ///
    /// # Errors
    ///
    /// 429 with `Retry-After`.
    pub fn admit_source(&self, addr: IpAddr, cost: u32) -> Result<(), Refusal> {
        self.take(&self.sources, self.place(&source_of(addr)), cost, Reason::RateLimited)
    }

    /// Takes `cost` units of a client, once it is known who it is.
    ///
    /// # Errors
    ///
    /// 429 with `Retry-After`.
    pub fn admit_client(&self, client: &ClientId, cost: u32) -> Result<(), Refusal> {
        self.take(&self.clients, self.place(client.as_str()), cost, Reason::RateLimited)
    }

    /// Takes one attempt of `name` at what `kind` says (a login, a client authentication), before
    /// it is known whether it succeeds.
    ///
    /// # Errors
    ///
    /// 429 with `Retry-After`.
    pub fn admit_attempt(&self, kind: &'static str, name: &str) -> Result<(), Refusal> {
        let place = self.place(&(kind, name));
        self.take(&self.attempts, place, 1, Reason::LoginThrottled)
    }

    /// A place among the requests in work.
    ///
    /// # Errors
    ///
    /// 503 `OVERLOADED`.
    pub fn begin(&self) -> Result<InFlight, Refusal> {
        let before = self.in_flight.fetch_add(1, Ordering::AcqRel);
        let place = InFlight(self.in_flight.clone());
        if before >= self.in_flight_max {
            return Err(Refusal::open(Reason::Overloaded)); // dropping `place` gives it back
        }
        Ok(place)
    }

    /// Forgets what is as good as new; to be called now and then.
    pub fn purge(&self) {
        for table in [&self.sources, &self.clients, &self.attempts] {
            table.retain_recent();
        }
    }

    fn place(&self, key: &(impl Hash + ?Sized)) -> u32 {
        let mut hasher = DefaultHasher::new();
        // The seed keeps anybody from choosing whom to share a place with.
        self.seed.hash(&mut hasher);
        key.hash(&mut hasher);
        (hasher.finish() % PLACES) as u32
    }

    fn take(&self, table: &Table, place: u32, cost: u32, reason: Reason) -> Result<(), Refusal> {
        let Some(cost) = NonZeroU32::new(cost) else {
            return Ok(());
        };
        let wait = match table.check_key_n(&place, cost) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(not_until)) => {
                let earliest: Nanos = not_until.earliest_possible();
                Duration::from(earliest.duration_since(self.clock.now()))
            }
            // Dearer than the burst: it never fits.
            Err(_) => Duration::from_secs(u64::from(RETRY_AFTER_MAX_S)),
        };
        let seconds = u32::try_from(wait.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
        let seconds = seconds.clamp(1, RETRY_AFTER_MAX_S);
        Err(Refusal::open(reason).retry_after(seconds))
    }
}

impl fmt::Debug for RateLimits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimits").finish_non_exhaustive()
    }
}

/// A request in work; dropping it frees its place.
#[derive(Debug)]
pub struct InFlight(Arc<AtomicU32>);

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ambient::TestClock;

    fn limits() -> (RateLimits, Arc<TestClock>) {
        let (ambient, clock) = Ambient::for_test(1_800_000_000, 3);
        let settings = RateSettings {
            source_per_s: units(1),
            source_burst: units(3),
            client_per_s: units(1),
            client_burst: units(3),
            attempts_per_minute: units(1),
            attempts_burst: units(2),
            in_flight: 2,
        };
        (RateLimits::new(&settings, &ambient), clock)
    }

    fn addr(text: &str) -> IpAddr {
        text.parse().expect("address")
    }

    #[test]
    fn a_source_spends_its_burst_and_gains_it_back() {
        let (limits, clock) = limits();
        let one = addr("192.0.2.1");
        for _ in 0..3 {
            assert!(limits.admit_source(one, 1).is_ok());
        }
        let refusal = limits.admit_source(one, 1).expect_err("spent");
        assert_eq!(refusal.reason, Reason::RateLimited);
        assert_eq!(refusal.retry_after_s, Some(1));
        assert!(limits.admit_source(addr("192.0.2.2"), 1).is_ok(), "others are unaffected");
        clock.set_s(1_900_000_000);
        assert!(limits.admit_source(one, 1).is_err(), "the wall clock buys nothing");
        clock.advance(Duration::from_secs(1));
        assert!(limits.admit_source(one, 1).is_ok());
        assert!(limits.admit_source(one, 1).is_err());
    }

    #[test]
    fn cost_counts_and_what_never_fits_is_refused() {
        let (limits, _) = limits();
        let client = ClientId::try_from("vs-1").expect("id");
        assert!(limits.admit_client(&client, 3).is_ok());
        assert!(limits.admit_client(&client, 1).is_err());
        assert!(limits.admit_client(&client, 0).is_ok(), "free of charge");
        let other = ClientId::try_from("vs-2").expect("id");
        let refusal = limits.admit_client(&other, 4).expect_err("dearer than the burst");
        assert_eq!(refusal.retry_after_s, Some(RETRY_AFTER_MAX_S));
        assert!(limits.admit_client(&other, 3).is_ok(), "the refused one cost nothing");
    }

    #[test]
    fn attempts_are_counted_per_kind_and_name() {
        let (limits, clock) = limits();
        assert!(limits.admit_attempt("login", "alice").is_ok());
        assert!(limits.admit_attempt("login", "alice").is_ok());
        let refusal = limits.admit_attempt("login", "alice").expect_err("spent");
        assert_eq!(refusal.reason, Reason::LoginThrottled);
        assert_eq!(refusal.retry_after_s, Some(60));
        assert!(limits.admit_attempt("login", "bob").is_ok());
        assert!(limits.admit_attempt("client", "alice").is_ok());
        clock.advance(Duration::from_secs(60));
        assert!(limits.admit_attempt("login", "alice").is_ok());
    }

    #[test]
    fn memory_is_bounded_however_many_sources_come() {
        let (limits, _) = limits();
        for n in 0..200_000_u32 {
            let _ = limits.admit_source(IpAddr::V4(n.into()), 1);
        }
        assert!(limits.sources.len() as u64 <= PLACES);
    }

    #[test]
    fn what_is_in_work_is_bounded() {
        let (limits, _) = limits();
        let first = limits.begin().expect("first");
        let _second = limits.begin().expect("second");
        assert_eq!(limits.begin().expect_err("full").reason, Reason::Overloaded);
        drop(first);
        assert!(limits.begin().is_ok());
    }
}
