//! Brakes on guessing passwords (RFC 9700, identity sheet A36): by account and source, and by source.
//!
//! Other sources of the same account and other accounts of the same source are not held up by the first brake; the
//! second is wide. An account that does not exist is braked alike.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// Most buckets that are remembered. Own value.
const MAX_BUCKETS: usize = 100_000;

/// Refills evenly within one minute.
const MINUTE: Duration = Duration::from_secs(60);

/// How many logins are let through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoginLimits {
    /// Wrong passwords of one account from one source, per minute.
    pub failed_per_minute: u32,
    /// Logins from one source, per minute.
    pub per_minute: u32,
}

/// A bucket that runs empty with use and full with time.
struct Bucket {
    level: f64,
    at: Duration,
}

struct Buckets<K> {
    size: f64,
    known: HashMap<K, Bucket>,
}

impl<K: Eq + Hash> Buckets<K> {
    fn new(size: u32) -> Self {
        Self { size: f64::from(size.max(1)), known: HashMap::new() }
    }

    fn level(&self, key: &K, now: Duration) -> f64 {
        let Some(bucket) = self.known.get(key) else { return self.size };
        let refill = now.saturating_sub(bucket.at).as_secs_f64() * self.size / MINUTE.as_secs_f64();
        (bucket.level + refill).min(self.size)
    }

    /// Seconds until there is something to take, when there is nothing.
    fn wait_s(&self, key: &K, now: Duration) -> Option<u32> {
        let missing = 1.0 - self.level(key, now);
        // A billionth is what the arithmetic may be off; nobody is sent away for it.
        let wait_s = missing * MINUTE.as_secs_f64() / self.size - 1e-9;
        (wait_s > 0.0).then(|| wait_s.ceil() as u32)
    }

    fn take(&mut self, key: K, now: Duration) {
        let level = (self.level(&key, now) - 1.0).max(0.0);
        if self.known.len() >= MAX_BUCKETS && !self.known.contains_key(&key) {
            let (size, refill) = (self.size, self.size / MINUTE.as_secs_f64());
            self.known.retain(|_, b| b.level + now.saturating_sub(b.at).as_secs_f64() * refill < size);
            if self.known.len() >= MAX_BUCKETS {
                return;
            }
        }
        self.known.insert(key, Bucket { level, at: now });
    }

    fn give_back(&mut self, key: K, now: Duration) {
        if self.known.contains_key(&key) {
            let level = (self.level(&key, now) + 1.0).min(self.size);
            self.known.insert(key, Bucket { level, at: now });
        }
    }
}

/// The brakes.
pub struct Throttle {
    failed: Mutex<Buckets<(String, IpAddr)>>,
    logins: Mutex<Buckets<IpAddr>>,
}

impl Throttle {
    /// Brakes of that strength.
    #[must_use]
    pub fn new(limits: LoginLimits) -> Self {
        Self {
            failed: Mutex::new(Buckets::new(limits.failed_per_minute)),
            logins: Mutex::new(Buckets::new(limits.per_minute)),
        }
    }

    /// Admits a login at monotonic time `now`.
    ///
    /// # Errors
    /// The seconds to wait.
    pub fn admit(&self, account: &str, source: IpAddr, now: Duration) -> Result<(), u32> {
        let mut logins = self.logins.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wait_s) = logins.wait_s(&source, now) {
            return Err(wait_s);
        }
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(wait_s) = failed.wait_s(&(account.to_owned(), source), now) {
            return Err(wait_s);
        }
        logins.take(source, now);
        Ok(())
    }

    /// Counts a password that is about to be checked as a wrong one, so that many at once get no further than one after
    /// the other.
    ///
    /// # Errors
    /// The seconds to wait.
    pub fn attempt(&self, account: &str, source: IpAddr, now: Duration) -> Result<(), u32> {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (account.to_owned(), source);
        match failed.wait_s(&key, now) {
            Some(wait_s) => Err(wait_s),
            None => {
                failed.take(key, now);
                Ok(())
            }
        }
    }

    /// The password of an attempt was right, or could not be checked.
    pub fn forgive(&self, account: &str, source: IpAddr, now: Duration) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        failed.give_back((account.to_owned(), source), now);
    }
}

impl std::fmt::Debug for Throttle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Throttle").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv4Addr;

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
    const THERE: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1));
    const START: Duration = Duration::from_secs(1000);

    #[test]
    fn guessing_is_braked_for_that_account_and_source_only() {
        let throttle = Throttle::new(LoginLimits { failed_per_minute: 3, per_minute: 100 });
        for _ in 0..3 {
            assert_eq!(throttle.admit("alice", HERE, START), Ok(()));
            assert_eq!(throttle.attempt("alice", HERE, START), Ok(()));
        }
        assert_eq!(throttle.attempt("alice", HERE, START), Err(20), "one that was admitted with the others");
        assert_eq!(throttle.admit("alice", HERE, START), Err(20));
        assert_eq!(throttle.admit("alice", THERE, START), Ok(()));
        assert_eq!(throttle.admit("bob", HERE, START), Ok(()));
        assert_eq!(throttle.admit("alice", HERE, START + Duration::from_secs(19)), Err(1));
        assert_eq!(throttle.admit("alice", HERE, START + Duration::from_secs(20)), Ok(()));
    }

    #[test]
    fn a_right_password_costs_nothing() {
        let throttle = Throttle::new(LoginLimits { failed_per_minute: 2, per_minute: 100 });
        for _ in 0..10 {
            assert_eq!(throttle.attempt("alice", HERE, START), Ok(()));
            throttle.forgive("alice", HERE, START);
        }
        throttle.forgive("alice", HERE, START);
        throttle.forgive("alice", HERE, START);
        for _ in 0..2 {
            assert_eq!(throttle.attempt("alice", HERE, START), Ok(()));
        }
        assert_eq!(throttle.attempt("alice", HERE, START), Err(30), "nor does it buy anything");
    }

    #[test]
    fn a_source_is_braked_as_a_whole() {
        let throttle = Throttle::new(LoginLimits { failed_per_minute: 3, per_minute: 2 });
        assert_eq!(throttle.admit("a", HERE, START), Ok(()));
        assert_eq!(throttle.admit("b", HERE, START), Ok(()));
        assert_eq!(throttle.admit("c", HERE, START), Err(30));
        assert_eq!(throttle.admit("c", THERE, START), Ok(()));
        assert_eq!(throttle.admit("c", HERE, START + Duration::from_secs(30)), Ok(()));
    }
}
