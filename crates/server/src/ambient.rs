//! The clock and the randomness of the real world.
//!
//! The only place of the project that reads either (`clippy.toml` bans it elsewhere): everything below
//! takes an [`Ambient`], so that a test owns the time.

#![allow(clippy::disallowed_methods)]

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use rustix::time::{ClockId, clock_gettime};
use service_http::ambient::{Ambient, Clock, Entropy};

/// The clock that goes on while the machine sleeps.
#[cfg(target_os = "linux")]
const WAKING_AND_ASLEEP: ClockId = ClockId::Boottime;
/// Elsewhere the monotonic clock does, or nothing does.
#[cfg(not(target_os = "linux"))]
const WAKING_AND_ASLEEP: ClockId = ClockId::Monotonic;

/// The clock of the machine.
#[derive(Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now_ms(&self) -> i64 {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
    }

    /// Time that also passes while the machine is suspended: a lease does not outlive a sleep.
    fn monotonic(&self) -> Duration {
        Duration::try_from(clock_gettime(WAKING_AND_ASLEEP)).unwrap_or_default()
    }
}

/// The random generator of `aws-lc`.
#[derive(Debug)]
pub struct SystemEntropy {
    source: SystemRandom,
}

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        // aws-lc aborts rather than hand out weak bytes; its wrapper cannot fail on supported systems.
        assert!(self.source.fill(bytes).is_ok(), "the system has no randomness");
    }
}

/// The real clock.
#[must_use]
pub fn system_clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock)
}

/// The real random source.
#[must_use]
pub fn system_entropy() -> Arc<dyn Entropy> {
    Arc::new(SystemEntropy { source: SystemRandom::new() })
}

/// Clock and randomness of the machine.
#[must_use]
pub fn system() -> Ambient {
    Ambient { clock: system_clock(), entropy: system_entropy() }
}

/// The generator that key generation in `jose` asks for.
#[must_use]
pub fn key_entropy() -> SystemRandom {
    SystemRandom::new()
}
