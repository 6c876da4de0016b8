//! What happens on one connection, and whether it may go on.
//!
//! Times are milliseconds since the connection began; the driver passes the present one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::EdgeLimits;

/// Marks a response that waits for us and not for the peer.
const OUR_TURN: u64 = u64::MAX;

/// What is to be done with a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It may go on.
    Keep,
    /// It is asked to end: nothing is in flight.
    Retire,
    /// It is ended: its peer abuses it.
    Abort,
}

/// The record of one connection.
#[derive(Debug, Default)]
pub(super) struct Activity {
    in_flight: AtomicUsize,
    /// When the last request or the last large write ended.
    last_ms: AtomicU64,
    /// Since when a write is blocked, plus one; 0: it is not.
    blocked_ms: AtomicU64,
    answered: AtomicU64,
    cancelled: AtomicU64,
    next: AtomicU64,
    /// Responses under way, each with the time at which it last made progress.
    responses: Mutex<HashMap<u64, Arc<AtomicU64>>>,
}

impl Activity {
    /// A request begins.
    pub(super) fn begin(self: &Arc<Self>) -> InFlight {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
        InFlight { activity: self.clone(), answered: false }
    }

    /// Bytes were taken by the peer.
    pub(super) fn wrote(&self, now_ms: u64, bytes: usize) {
        /// Less than this is protocol chatter (pings) and keeps no connection alive.
        const CHATTER: usize = 1_024;
        self.blocked_ms.store(0, Ordering::Release);
        if bytes >= CHATTER {
            self.last_ms.fetch_max(now_ms, Ordering::AcqRel);
        }
    }

    /// A write found no room.
    pub(super) fn blocked(&self, now_ms: u64) {
        let since = now_ms.saturating_add(1);
        let _ = self.blocked_ms.compare_exchange(0, since, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Whether the connection may go on.
    pub(super) fn judge(&self, now_ms: u64, limits: &EdgeLimits) -> Verdict {
        let cancelled = self.cancelled.load(Ordering::Acquire);
        let answered = self.answered.load(Ordering::Acquire);
        if cancelled > limits.cancelled_requests && cancelled > answered {
            return Verdict::Abort;
        }
        let stall = as_ms(limits.write_stall);
        let blocked = self.blocked_ms.load(Ordering::Acquire);
        if blocked != 0 && now_ms.saturating_sub(blocked - 1) > stall {
            return Verdict::Abort;
        }
        let responses = self.responses.lock().unwrap_or_else(PoisonError::into_inner);
        let stalled = |progress: &Arc<AtomicU64>| {
            let at = progress.load(Ordering::Acquire);
            at != OUR_TURN && now_ms.saturating_sub(at) > stall
        };
        if responses.values().any(stalled) {
            return Verdict::Abort;
        }
        let idle_ms = now_ms.saturating_sub(self.last_ms.load(Ordering::Acquire));
        let busy = self.in_flight.load(Ordering::Acquire) > 0;
        if !busy && idle_ms > as_ms(limits.idle) {
            return Verdict::Retire;
        }
        Verdict::Keep
    }

    /// Whether nothing is in flight.
    pub(super) fn is_quiet(&self) -> bool {
        self.in_flight.load(Ordering::Acquire) == 0
    }

    /// Whether nothing was ever asked for.
    pub(super) fn is_fresh(&self) -> bool {
        self.is_quiet()
            && self.answered.load(Ordering::Acquire) == 0
            && self.cancelled.load(Ordering::Acquire) == 0
    }

    /// Whether requests were called off beyond measure; asked at each one, not only now and then.
    pub(super) fn is_flooded(&self, limits: &EdgeLimits) -> bool {
        let cancelled = self.cancelled.load(Ordering::Acquire);
        cancelled > limits.cancelled_requests && cancelled > self.answered.load(Ordering::Acquire)
    }
}

fn as_ms(duration: std::time::Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A request in flight. Dropped before its answer, it counts as called off.
#[derive(Debug)]
pub(super) struct InFlight {
    activity: Arc<Activity>,
    answered: bool,
}

impl InFlight {
    /// The answer stands; what is left is to send it.
    pub(super) fn answered(mut self, now_ms: u64) -> Sending {
        self.answered = true;
        let activity = self.activity.clone();
        activity.answered.fetch_add(1, Ordering::AcqRel);
        // Still in flight until it is sent: `Sending` takes the count over.
        activity.in_flight.fetch_add(1, Ordering::AcqRel);
        let number = activity.next.fetch_add(1, Ordering::AcqRel);
        let progress = Arc::new(AtomicU64::new(now_ms));
        activity.responses.lock().unwrap_or_else(PoisonError::into_inner).insert(number, progress.clone());
        Sending { activity, number, progress }
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.activity.in_flight.fetch_sub(1, Ordering::AcqRel);
        if !self.answered {
            self.activity.cancelled.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// A response being sent.
#[derive(Debug)]
pub(super) struct Sending {
    activity: Arc<Activity>,
    number: u64,
    progress: Arc<AtomicU64>,
}

impl Sending {
    /// The peer took what there was.
    pub(super) fn moved(&self, now_ms: u64) {
        self.progress.store(now_ms, Ordering::Release);
        self.activity.last_ms.fetch_max(now_ms, Ordering::AcqRel);
    }

    /// The response waits for its producer.
    pub(super) fn our_turn(&self) {
        self.progress.store(OUR_TURN, Ordering::Release);
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        self.activity.in_flight.fetch_sub(1, Ordering::AcqRel);
        self.activity.responses.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn limits() -> EdgeLimits {
        EdgeLimits {
            idle: Duration::from_millis(100),
            write_stall: Duration::from_millis(50),
            cancelled_requests: 2,
            ..EdgeLimits::default()
        }
    }

    #[test]
    fn an_idle_connection_retires_and_a_busy_one_does_not() {
        let activity = Arc::new(Activity::default());
        assert_eq!(activity.judge(100, &limits()), Verdict::Keep);
        assert_eq!(activity.judge(101, &limits()), Verdict::Retire);
        let request = activity.begin();
        assert_eq!(activity.judge(10_000, &limits()), Verdict::Keep, "in flight");
        let sending = request.answered(10_000);
        sending.moved(10_010);
        drop(sending);
        assert_eq!(activity.judge(10_110, &limits()), Verdict::Keep);
        assert_eq!(activity.judge(10_111, &limits()), Verdict::Retire);
        activity.wrote(10_200, 17);
        assert_eq!(activity.judge(10_201, &limits()), Verdict::Retire, "chatter");
        activity.wrote(10_200, 4_096);
        assert_eq!(activity.judge(10_201, &limits()), Verdict::Keep, "a download");
    }

    #[test]
    fn a_peer_that_takes_nothing_is_ended() {
        let activity = Arc::new(Activity::default());
        let sending = activity.begin().answered(0);
        assert_eq!(activity.judge(50, &limits()), Verdict::Keep);
        assert_eq!(activity.judge(51, &limits()), Verdict::Abort);
        sending.our_turn();
        assert_eq!(activity.judge(10_000, &limits()), Verdict::Keep, "we are slow");
        sending.moved(10_000);
        assert_eq!(activity.judge(10_051, &limits()), Verdict::Abort);
        drop(sending);
        activity.wrote(10_051, 4_096);
        activity.blocked(10_060);
        activity.blocked(10_100);
        assert_eq!(activity.judge(10_111, &limits()), Verdict::Abort, "since the first");
        activity.wrote(10_112, 1);
        assert_ne!(activity.judge(10_113, &limits()), Verdict::Abort);
    }

    #[test]
    fn calling_off_more_than_is_answered_ends_the_connection() {
        let activity = Arc::new(Activity::default());
        for _ in 0..2 {
            drop(activity.begin());
        }
        assert_eq!(activity.judge(0, &limits()), Verdict::Keep, "at the limit");
        drop(activity.begin());
        assert_eq!(activity.judge(0, &limits()), Verdict::Abort);
        for _ in 0..3 {
            drop(activity.begin().answered(0));
        }
        assert_eq!(activity.judge(0, &limits()), Verdict::Keep, "an ordinary user");
    }
}
