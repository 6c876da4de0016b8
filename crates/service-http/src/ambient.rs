//! Time, randomness and fresh identifiers, as arguments.
//!
//! Nothing below `server` reads a clock or draws a random number by itself: it takes an
//! [`Ambient`]. Wall-clock time judges what the world agrees on (`exp`, `iat`, periods);
//! [`Clock::monotonic`] judges what only this process knows (leases, timeouts), so that a step
//! of the wall clock moves neither.

use std::fmt;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Where the time comes from.
pub trait Clock: Send + Sync + 'static {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    fn now_ms(&self) -> i64;

    /// Time since an arbitrary fixed moment; never runs backward and is moved by no offset.
    fn monotonic(&self) -> Duration;

    /// Seconds since 1970-01-01T00:00:00Z (RFC 7519 `NumericDate`).
    fn now_s(&self) -> i64 {
        self.now_ms().div_euclid(1_000)
    }

    /// Whether something issued at `issued_s` was already past `expires_s` by this clock before
    /// the clock was set back. What has lapsed once stays lapsed (design, section 2).
    fn has_lapsed(&self, issued_s: i64, expires_s: i64) -> bool {
        let _ = (issued_s, expires_s);
        false
    }
}

/// Where randomness comes from.
pub trait Entropy: Send + Sync + 'static {
    /// Fills all of `out` with unpredictable bytes.
    fn fill(&self, out: &mut [u8]);
}

/// The surroundings that a function is given: a clock and a source of randomness.
#[derive(Clone)]
pub struct Ambient {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// The source of randomness.
    pub entropy: Arc<dyn Entropy>,
}

impl Ambient {
    /// Surroundings made of `clock` and `entropy`.
    pub fn new(clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Self {
        Self { clock, entropy }
    }

    /// A fixed clock and a repeatable source, for tests only.
    pub fn for_test(now_s: i64, seed: u64) -> (Self, Arc<TestClock>) {
        let clock = Arc::new(TestClock::at(now_s));
        (Self::new(clock.clone(), Arc::new(TestEntropy::seeded(seed))), clock)
    }

    /// Seconds since 1970-01-01T00:00:00Z.
    pub fn now_s(&self) -> i64 {
        self.clock.now_s()
    }

    /// Milliseconds since 1970-01-01T00:00:00Z.
    pub fn now_ms(&self) -> i64 {
        self.clock.now_ms()
    }

    /// Monotonic time of this process.
    pub fn monotonic(&self) -> Duration {
        self.clock.monotonic()
    }

    /// `N` random bytes.
    pub fn random_bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.entropy.fill(&mut bytes);
        bytes
    }

    /// An identifier of 128 random bits in base64url: 22 characters.
    pub fn random_id(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.random_bytes::<16>())
    }

    /// An identifier of a record that is written with many others: 48 bits of time, then 80 random bits, in base64url.
    /// Neighbours in time are neighbours in an index, whose pages are then written once for many.
    pub fn record_id(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.timed())
    }

    /// A secret of 256 random bits in base64url: 43 characters (codes, refresh tokens).
    pub fn random_secret(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.random_bytes::<32>())
    }

    /// A random number from 1 to 2^31 - 1: the form of anchor and map identifiers (design, 3).
    pub fn random_u31(&self) -> u32 {
        loop {
            let number = u32::from_be_bytes(self.random_bytes()) >> 1;
            if number != 0 {
                return number;
            }
        }
    }

    /// A trace id of W3C Trace Context: 32 lower-case hex digits, not all zero, those of the last ten bytes random. It
    /// begins with the time, as [`Ambient::record_id`] and for the same reason.
    pub fn trace_id(&self) -> String {
        loop {
            let bytes = self.timed();
            if bytes.iter().any(|byte| *byte != 0) {
                return hex(&bytes);
            }
        }
    }

    /// Milliseconds since 1970 in six bytes, and ten random ones.
    fn timed(&self) -> [u8; 16] {
        let mut bytes = self.random_bytes::<16>();
        let [_, _, time @ ..] = u64::try_from(self.now_ms()).unwrap_or(0).to_be_bytes();
        bytes[..6].copy_from_slice(&time);
        bytes
    }

    /// A parent (span) id of W3C Trace Context: 16 lower-case hex digits, not all zero.
    pub fn span_id(&self) -> String {
        self.nonzero_hex::<8>()
    }

    fn nonzero_hex<const N: usize>(&self) -> String {
        loop {
            let bytes = self.random_bytes::<N>();
            if bytes.iter().any(|byte| *byte != 0) {
                return hex(&bytes);
            }
        }
    }
}

impl fmt::Debug for Ambient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ambient").finish_non_exhaustive()
    }
}

/// Lower-case hex digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// How many backward steps of the clock are remembered; older ones are merged. Own value.
const STEPS_KEPT: usize = 64;

/// One backward step: the clock had told `from_s` and then went on from `to_s`.
#[derive(Clone, Copy)]
struct StepBack {
    from_s: i64,
    to_s: i64,
}

/// A clock that is moved by an offset: the test clock of the admin API (contract, section 5).
///
/// Only wall-clock time moves. A step back revives nothing: see [`Clock::has_lapsed`].
pub struct OffsetClock {
    inner: Arc<dyn Clock>,
    offset_s: AtomicI64,
    /// After a step back the clock goes on at the next whole second: what was issued before the step, in whole
    /// seconds, is then told from what is issued after it.
    rounded_up_ms: AtomicI64,
    steps: Mutex<Vec<StepBack>>,
}

impl OffsetClock {
    /// Moves `inner`, by nothing to begin with.
    pub fn over(inner: Arc<dyn Clock>) -> Self {
        Self {
            inner,
            offset_s: AtomicI64::new(0),
            rounded_up_ms: AtomicI64::new(0),
            steps: Mutex::new(Vec::new()),
        }
    }

    /// The offset in force, in seconds.
    pub fn offset_s(&self) -> i64 {
        self.offset_s.load(Ordering::Acquire)
    }

    /// Replaces the offset; not added to the one before.
    pub fn set_offset_s(&self, offset_s: i64) {
        let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        let (from_s, base_ms) = (self.now_s(), self.inner.now_ms());
        let before = self.offset_s.swap(offset_s, Ordering::AcqRel);
        if offset_s < before {
            // Never a second that was told under this offset before: two steps back may come within one.
            let told_ms = base_ms.saturating_add(self.rounded_up_ms.load(Ordering::Acquire));
            let next_s =
                told_ms.div_euclid(1_000) + i64::from(told_ms.rem_euclid(1_000) != 0 || !steps.is_empty());
            self.rounded_up_ms.store(next_s.saturating_mul(1_000).saturating_sub(base_ms), Ordering::Release);
            let step = StepBack { from_s, to_s: next_s.saturating_add(offset_s) };
            if steps.len() == STEPS_KEPT {
                // The merged step is wider than both: it may end more, and revives nothing.
                let oldest = steps.remove(0);
                let next = &mut steps[0];
                next.from_s = next.from_s.max(oldest.from_s);
                next.to_s = next.to_s.max(oldest.to_s);
            }
            steps.push(step);
        }
    }
}

impl Clock for OffsetClock {
    fn now_ms(&self) -> i64 {
        let offset_ms = self.offset_s().saturating_mul(1_000);
        let up_ms = self.rounded_up_ms.load(Ordering::Acquire);
        self.inner.now_ms().saturating_add(offset_ms).saturating_add(up_ms)
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }

    fn has_lapsed(&self, issued_s: i64, expires_s: i64) -> bool {
        let steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
        // What was issued after the step counts by the clock as it then was, and is not meant.
        steps.iter().any(|step| issued_s < step.to_s && expires_s <= step.from_s)
            || self.inner.has_lapsed(issued_s, expires_s)
    }
}

/// Wall-clock time that never runs backward, made of a clock that may.
///
/// The first reading is the anchor and monotonic time carries it on; a forward step of the inner
/// clock (NTP) is followed, a backward step is not.
pub struct SteadyClock {
    inner: Arc<dyn Clock>,
    anchor: Mutex<(i64, Duration)>,
}

impl SteadyClock {
    /// Steadies `inner`.
    pub fn over(inner: Arc<dyn Clock>) -> Self {
        let anchor = Mutex::new((inner.now_ms(), inner.monotonic()));
        Self { inner, anchor }
    }
}

impl Clock for SteadyClock {
    fn now_ms(&self) -> i64 {
        let mut anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        let monotonic = self.inner.monotonic();
        let gone = monotonic.saturating_sub(anchor.1).as_millis();
        let carried = anchor.0.saturating_add(i64::try_from(gone).unwrap_or(i64::MAX));
        let told = self.inner.now_ms();
        if told > carried {
            *anchor = (told, monotonic);
            return told;
        }
        carried
    }

    fn monotonic(&self) -> Duration {
        self.inner.monotonic()
    }
}

/// A clock that a test moves by hand.
pub struct TestClock {
    wall_ms: AtomicI64,
    monotonic_ms: AtomicU64,
}

impl TestClock {
    /// A clock that stands at `now_s`.
    pub fn at(now_s: i64) -> Self {
        Self { wall_ms: AtomicI64::new(now_s.saturating_mul(1_000)), monotonic_ms: AtomicU64::new(1_000_000) }
    }

    /// Lets time pass: both clocks move.
    pub fn advance(&self, by: Duration) {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.monotonic_ms.fetch_add(ms, Ordering::AcqRel);
        self.wall_ms.fetch_add(i64::try_from(ms).unwrap_or(i64::MAX), Ordering::AcqRel);
    }

    /// Sets the wall clock alone, forward or back.
    pub fn set_s(&self, now_s: i64) {
        self.wall_ms.store(now_s.saturating_mul(1_000), Ordering::Release);
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        self.wall_ms.load(Ordering::Acquire)
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.monotonic_ms.load(Ordering::Acquire))
    }
}

/// A repeatable stream of bytes (SplitMix64), for tests only: anybody can predict it.
pub struct TestEntropy {
    state: AtomicU64,
}

impl TestEntropy {
    /// The stream of `seed`.
    pub fn seeded(seed: u64) -> Self {
        Self { state: AtomicU64::new(seed) }
    }
}

impl Entropy for TestEntropy {
    fn fill(&self, out: &mut [u8]) {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        for chunk in out.chunks_mut(8) {
            let mut word = self.state.fetch_add(STEP, Ordering::AcqRel).wrapping_add(STEP);
            word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            word ^= word >> 31;
            chunk.copy_from_slice(&word.to_be_bytes()[..chunk.len()]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_800_000_000;

    #[test]
    fn identifiers_have_their_form() {
        let (ambient, _) = Ambient::for_test(NOW, 7);
        assert_eq!(ambient.random_id().len(), 22);
        assert_eq!(ambient.random_secret().len(), 43);
        assert_ne!(ambient.random_id(), ambient.random_id());
        assert_eq!(ambient.trace_id().len(), 32);
        assert_eq!(ambient.span_id().len(), 16);
        for _ in 0..1_000 {
            let number = ambient.random_u31();
            assert!((1..=0x7fff_ffff).contains(&number));
        }
    }

    #[test]
    fn the_offset_moves_the_wall_clock_alone() {
        let clock = Arc::new(TestClock::at(NOW));
        let moved = OffsetClock::over(clock.clone());
        let monotonic = moved.monotonic();
        moved.set_offset_s(3_600);
        assert_eq!(moved.now_s(), NOW + 3_600);
        moved.set_offset_s(60);
        assert_eq!(moved.now_s(), NOW + 60, "replaced, not added");
        assert_eq!(moved.monotonic(), monotonic);
        clock.advance(Duration::from_secs(5));
        assert_eq!(moved.now_s(), NOW + 65);
        moved.set_offset_s(i64::MAX);
        assert!(moved.now_s() > NOW, "no overflow");
    }

    #[test]
    fn what_lapsed_before_a_step_back_stays_lapsed() {
        let clock = Arc::new(TestClock::at(NOW));
        let moved = OffsetClock::over(clock.clone());
        moved.set_offset_s(400);
        assert!(!moved.has_lapsed(NOW - 10, NOW + 300), "no step back yet");
        moved.set_offset_s(0);
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("issued before, lapsed in the excursion", NOW - 10, NOW + 300, true),
            ("lapsed in its last second",              NOW - 10, NOW + 400, true),
            ("outlived the excursion",                 NOW - 10, NOW + 401, false),
            ("issued after the step",                  NOW,      NOW + 300, false),
        ];
        for (what, issued, expires, lapsed) in rows {
            assert_eq!(moved.has_lapsed(issued, expires), lapsed, "{what}");
        }
    }

    #[test]
    fn two_steps_back_within_a_second_are_told_apart() {
        let clock = Arc::new(TestClock::at(NOW));
        clock.advance(Duration::from_millis(300));
        let moved = OffsetClock::over(clock.clone());
        for _ in 0..3 {
            moved.set_offset_s(400);
            moved.set_offset_s(0);
            clock.advance(Duration::from_millis(100));
            let issued = moved.now_s();
            assert!(!moved.has_lapsed(issued, issued + 300), "issued after the step");
            moved.set_offset_s(86_400);
            moved.set_offset_s(0);
            assert!(moved.has_lapsed(issued, issued + 300), "lapsed in the second excursion");
        }
    }

    #[test]
    fn many_steps_back_are_remembered_in_bounded_space() {
        let moved = OffsetClock::over(Arc::new(TestClock::at(NOW)));
        for _ in 0..1_000 {
            moved.set_offset_s(400);
            moved.set_offset_s(0);
        }
        assert!(moved.has_lapsed(NOW - 10, NOW + 300));
        assert!(moved.steps.lock().unwrap().len() <= STEPS_KEPT);
    }

    #[test]
    fn a_steady_clock_follows_forward_steps_only() {
        let clock = Arc::new(TestClock::at(NOW));
        let steady = SteadyClock::over(clock.clone());
        clock.set_s(NOW + 100);
        assert_eq!(steady.now_s(), NOW + 100);
        clock.set_s(NOW - 5_000);
        assert_eq!(steady.now_s(), NOW + 100, "a step back is not followed");
        clock.advance(Duration::from_secs(7));
        assert_eq!(steady.now_s(), NOW + 107, "and time goes on");
    }
}
