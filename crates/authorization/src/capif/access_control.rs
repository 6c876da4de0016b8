//! How often and when an invoker may call an API (TS 29.222 `ApiInvokerPolicy`; TS 23.222 8.24).
//!
//! The API exposing function counts. Two clocks come in: the wall clock for the time ranges, a monotonic one for the
//! rate, so that a step of the wall clock gives no invocation back. What is refused counts as no invocation.

use api_types::capif::access_control::{ApiInvokerPolicy, TimeRangeList};

use crate::Reason;

/// Parts of a second in which the rate is counted. Own value.
const SLOTS: usize = 20;
/// Length of a part, in milliseconds.
const SLOT_MS: u64 = 1_000 / SLOTS as u64;

/// What an invoker may do at an API. An absent bound is none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Invocations at all.
    pub total: Option<u64>,
    /// Invocations within any one second.
    pub per_second: Option<u64>,
    /// When; empty: always.
    pub time_ranges: Vec<TimeRangeList>,
}

impl From<&ApiInvokerPolicy> for Limits {
    fn from(policy: &ApiInvokerPolicy) -> Self {
        Self {
            total: policy.allowed_total_invocations,
            per_second: policy.allowed_invocations_per_second,
            time_ranges: policy.allowed_invocation_time_range_list.clone().unwrap_or_default(),
        }
    }
}

/// The time by both clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Now {
    /// Seconds since 1970.
    pub wall_s: i64,
    /// Milliseconds of a clock that never goes back.
    pub monotonic_ms: u64,
}

/// An invocation that is not admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct OverLimit {
    /// [`Reason::OutsideAllowedTime`], [`Reason::InvocationLimit`] or [`Reason::RateLimited`]; of whoever counts, also why
    /// it could not be decided.
    pub reason: Reason,
    /// Seconds after which it may be tried again; `None` when time alone heals nothing.
    pub retry_after_s: Option<u64>,
}

/// The count of one invoker at one API.
///
/// The rate is counted in parts of a second, over a whole second and the part that has begun: within no second are more
/// invocations admitted than allowed, and at most one part more than a second is waited for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counter {
    total: u64,
    /// Admitted in each part, from the one that has begun backwards, one more than a second has.
    recent: [u64; SLOTS + 1],
    /// Number of the part that has begun.
    slot: u64,
}

impl Counter {
    /// A count that goes on where it was after a restart.
    #[must_use]
    pub fn resumed(total: u64) -> Self {
        Self { total, ..Self::default() }
    }

    /// Goes on from another total, as when invocations are counted elsewhere too. The rate stays what it was.
    pub const fn go_on_from(&mut self, total: u64) {
        self.total = total;
    }

    /// Invocations admitted so far: what has to survive a restart.
    #[must_use]
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Admits and counts an invocation, or refuses and does not count it.
    ///
    /// # Errors
    /// The first bound that is reached: time range, total, rate.
    pub fn admit(&mut self, limits: &Limits, now: Now) -> Result<(), OverLimit> {
        check_time(&limits.time_ranges, now.wall_s)?;
        if limits.total.is_some_and(|most| self.total >= most) {
            return Err(OverLimit { reason: Reason::InvocationLimit, retry_after_s: None });
        }
        self.advance(now.monotonic_ms / SLOT_MS);
        let within = self.recent.iter().fold(0, |sum: u64, count| sum.saturating_add(*count));
        if limits.per_second.is_some_and(|most| within >= most) {
            // A rate of nothing is healed by no waiting.
            let retry_after_s = limits.per_second.filter(|most| *most > 0).map(|_| 1);
            return Err(OverLimit { reason: Reason::RateLimited, retry_after_s });
        }
        self.total = self.total.saturating_add(1);
        self.recent[0] += 1;
        Ok(())
    }

    /// Begins a part. A part of the past is the one that has begun.
    fn advance(&mut self, slot: u64) {
        let passed = slot.saturating_sub(self.slot);
        if passed == 0 {
            return;
        }
        let by = usize::try_from(passed).unwrap_or(usize::MAX).min(SLOTS + 1);
        self.recent.rotate_right(by % (SLOTS + 1));
        self.recent[..by].fill(0);
        self.slot = slot;
    }
}

/// Whether the API may be called now.
///
/// # Errors
/// [`Reason::OutsideAllowedTime`], with the seconds until the next range begins, if one does.
pub fn check_time(ranges: &[TimeRangeList], wall_s: i64) -> Result<(), OverLimit> {
    if ranges.is_empty() || ranges.iter().any(|range| range.holds(wall_s)) {
        return Ok(());
    }
    let begins = |range: &TimeRangeList| {
        let start = range.start_time?.unix();
        let lasts = range.stop_time.is_none_or(|stop| start < stop.unix());
        (start > wall_s && lasts).then_some(start)
    };
    let next = ranges.iter().filter_map(begins).min();
    let retry_after_s = next.map(|start| start.saturating_sub(wall_s).unsigned_abs());
    Err(OverLimit { reason: Reason::OutsideAllowedTime, retry_after_s })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const NOON: i64 = 1_800_014_400; // 2027-01-15T12:00:00Z

    fn limits(policy: serde_json::Value) -> Limits {
        let mut policy = policy;
        policy["apiInvokerId"] = "inv1".into();
        Limits::from(&serde_json::from_value::<ApiInvokerPolicy>(policy).unwrap())
    }

    fn at(monotonic_ms: u64) -> Now {
        Now { wall_s: NOON, monotonic_ms }
    }

    const TOTAL: OverLimit = OverLimit { reason: Reason::InvocationLimit, retry_after_s: None };
    const RATE: OverLimit = OverLimit { reason: Reason::RateLimited, retry_after_s: Some(1) };

    #[test]
    fn a_total_is_used_up() {
        let limits = limits(json!({ "allowedTotalInvocations": 3 }));
        let mut counter = Counter::default();
        for n in 1..=3 {
            assert_eq!(counter.admit(&limits, at(0)), Ok(()));
            assert_eq!(counter.total(), n);
        }
        assert_eq!(counter.admit(&limits, at(u64::MAX)), Err(TOTAL));
        assert_eq!(counter.total(), 3, "what is refused does not count");
        let mut resumed = Counter::resumed(2);
        assert_eq!(resumed.admit(&limits, at(0)), Ok(()));
        assert_eq!(resumed.admit(&limits, at(0)), Err(TOTAL), "a restart gives nothing back");
        assert_eq!(
            resumed.admit(&Limits { total: Some(4), ..limits.clone() }, at(0)),
            Ok(()),
            "the policy is raised"
        );
        assert_eq!(resumed.admit(&limits, at(0)), Err(TOTAL), "and lowered");
        assert_eq!(Counter::resumed(u64::MAX).admit(&Limits::default(), at(0)), Ok(()));
        assert_eq!(Counter::default().admit(&Limits { total: Some(0), ..limits }, at(0)), Err(TOTAL));
    }

    #[test]
    fn a_rate_holds_within_any_second() {
        let limits = limits(json!({ "allowedInvocationsPerSecond": 2 }));
        #[rustfmt::skip] // a table stays a table
        let rows: [(&str, &[u64], &[bool]); 8] = [
            ("at once", &[0, 0, 0], &[true, true, false]),
            ("within a second", &[0, 500, 999], &[true, true, false]),
            ("around the turn of a second", &[900, 990, 1_000, 1_010], &[true, true, false, false]),
            ("a second later", &[0, 0, 1_049, 1_050, 1_050, 1_050], &[true, true, false, true, true, false]),
            ("one by one", &[0, 600, 1_200, 1_800, 2_400], &[true, true, true, true, true]),
            ("after a long time", &[0, 0, 1_000_000_000, 1_000_000_000, 1_000_000_000], &[true, true, true, true, false]),
            ("the clock of another machine", &[5_000, 5_000, 0, 4_000], &[true, true, false, false]),
            ("the end of time", &[u64::MAX - 1, u64::MAX, u64::MAX, 0], &[true, true, false, false]),
        ];
        for (what, times, expected) in rows {
            let mut counter = Counter::default();
            let seen: Vec<bool> = times.iter().map(|&ms| counter.admit(&limits, at(ms)).is_ok()).collect();
            assert_eq!(seen, expected, "{what}");
        }
        let mut counter = Counter::default();
        let nothing = Limits { per_second: Some(0), ..Limits::default() };
        assert_eq!(counter.admit(&nothing, at(0)), Err(OverLimit { retry_after_s: None, ..RATE }));
        assert_eq!(counter.admit(&limits, at(0)), Ok(()));
        assert_eq!(counter.admit(&limits, at(0)), Ok(()));
        assert_eq!(counter.admit(&limits, at(0)), Err(RATE));
        assert_eq!(counter.total(), 2);
    }

    #[test]
    fn calls_are_made_in_their_time() {
        let range = |start: &str, stop: &str| json!({ "startTime": format!("2027-01-15T{start}Z"), "stopTime": format!("2027-01-15T{stop}Z") });
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("no range", json!([]), Ok(())),
            ("inside", json!([range("11:00:00", "13:00:00")]), Ok(())),
            ("begins now", json!([range("12:00:00", "13:00:00")]), Ok(())),
            ("ends now", json!([range("11:00:00", "12:00:00")]), Err(None)),
            ("begins in a second", json!([range("12:00:01", "13:00:00")]), Err(Some(1))),
            ("the nearest of two", json!([range("15:00:00", "16:00:00"), range("13:00:00", "14:00:00")]), Err(Some(3_600))),
            ("one of two", json!([range("09:00:00", "10:00:00"), range("11:00:00", "12:00:01")]), Ok(())),
            ("open end", json!([{ "startTime": "2027-01-15T12:00:00Z" }]), Ok(())),
            ("open end, later", json!([{ "startTime": "2027-01-15T12:00:05Z" }]), Err(Some(5))),
            ("open beginning", json!([{ "stopTime": "2027-01-15T12:00:01Z" }]), Ok(())),
            ("open beginning, over", json!([{ "stopTime": "2027-01-15T12:00:00Z" }]), Err(None)),
            ("open on both sides", json!([{}]), Ok(())),
            ("ends before it begins", json!([range("13:00:00", "12:30:00")]), Err(None)),
        ];
        for (what, ranges, expected) in rows {
            let limits =
                limits(json!({ "allowedInvocationTimeRangeList": ranges, "allowedTotalInvocations": 1 }));
            let mut counter = Counter::default();
            let expected = expected
                .map_err(|retry_after_s| OverLimit { reason: Reason::OutsideAllowedTime, retry_after_s });
            assert_eq!(counter.admit(&limits, at(0)), expected, "{what}");
            assert_eq!(counter.total(), u64::from(expected.is_ok()), "{what}");
        }
    }

    #[test]
    fn the_first_bound_is_told() {
        let mut limits = limits(json!({
            "allowedTotalInvocations": 0, "allowedInvocationsPerSecond": 0,
            "allowedInvocationTimeRangeList": [{ "stopTime": "2027-01-15T12:00:00Z" }],
        }));
        let mut counter = Counter::default();
        let mut reason = |limits: &Limits| counter.admit(limits, at(0)).map_err(|over| over.reason);
        assert_eq!(reason(&limits), Err(Reason::OutsideAllowedTime));
        limits.time_ranges.clear();
        assert_eq!(reason(&limits), Err(Reason::InvocationLimit));
        limits.total = None;
        assert_eq!(reason(&limits), Err(Reason::RateLimited));
        limits.per_second = None;
        assert_eq!(reason(&limits), Ok(()), "no bound is none");
        assert_eq!(Limits::default(), limits);
    }

    proptest! {
        /// Never more than allowed within any second; never refused when fewer were admitted in the last 1,050 ms.
        #[test]
        fn the_rate_is_neither_exceeded_nor_withheld(
            steps in proptest::collection::vec(0..400_u64, 1..80), most in 1..6_u64,
        ) {
            let limits = Limits { per_second: Some(most), ..Limits::default() };
            let (mut counter, mut admitted, mut ms) = (Counter::default(), Vec::<u64>::new(), 0);
            for step in steps {
                ms += step;
                let since = |window: u64| admitted.iter().filter(|&&at| at + window > ms).count() as u64;
                match counter.admit(&limits, at(ms)) {
                    Ok(()) => prop_assert!(since(1_000) < most),
                    Err(_) => prop_assert!(since(1_000 + SLOT_MS) >= most),
                }
                if counter.total() > admitted.len() as u64 {
                    admitted.push(ms);
                }
            }
        }
    }
}
