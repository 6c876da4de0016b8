//! Access control in memory: the policy of each API invoker at each service API, and what it has used up of it.
//!
//! Invocations below a total are reserved in the store by the block and made from memory; those that no total bounds are
//! counted there a little later. Rates are of this process.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use authorization::Reason;
use authorization::capif::access_control::{Counter, Limits, Now, OverLimit};
use store::aef::Block;

use crate::records::Loose;

/// Parts that are locked apart. Own value.
const SHARDS: usize = 16;

/// What nobody has used for so long is forgotten. Own value.
const IDLE: Duration = Duration::from_secs(600);

/// What memory says of an invocation.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// It is decided, and counted if it was admitted.
    Decided(Result<(), OverLimit>),
    /// The policy is not known, or not any more.
    NoPolicy,
    /// Nothing is reserved: so many are to be counted, and more be reserved below the limit.
    NoBlock {
        /// Made and not counted.
        more: i64,
        /// The total.
        limit: u64,
    },
}

/// How the policy is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Copy {
    /// The epoch since which the core function says it is as it is.
    pub(crate) epoch: u64,
    /// Until when it is relied on.
    pub(crate) until: Duration,
}

#[derive(Debug)]
struct Entry {
    limits: Limits,
    copy: Copy,
    counter: Counter,
    /// Up to here invocations are reserved.
    reserved: u64,
    /// Nothing was left when it was last asked for.
    used_up: bool,
    /// Made and not counted; fewer than none: reserved and not made.
    loose: i64,
    /// Whether the core function was told that the total is used up.
    told: bool,
    used: Duration,
}

impl Entry {
    /// Whatever is reserved is given back.
    fn dissolve(&mut self) {
        let left = self.reserved.saturating_sub(self.counter.total());
        self.loose = self.loose.saturating_sub(i64::try_from(left).unwrap_or(i64::MAX));
        self.reserved = self.counter.total();
        self.used_up = false;
    }

    fn admit(&mut self, now: Now) -> Said {
        let Some(limit) = self.limits.total else {
            let admitted = self.counter.admit(&self.limits, now);
            self.loose = self.loose.saturating_add(i64::from(admitted.is_ok()));
            return Said::Decided(admitted);
        };
        let in_block = self.loose == 0 && self.counter.total() < self.reserved.min(limit);
        if in_block || self.used_up && self.loose == 0 {
            return Said::Decided(self.counter.admit(&self.limits, now));
        }
        Said::NoBlock { more: std::mem::take(&mut self.loose), limit }
    }
}

type Shard = HashMap<String, HashMap<String, Entry>>;

/// See the module.
#[derive(Default)]
pub(crate) struct Control {
    shards: [Mutex<Shard>; SHARDS],
    turns: [tokio::sync::Mutex<()>; SHARDS],
    hasher: RandomState,
}

impl Control {
    fn place(&self, invoker: &str) -> usize {
        usize::try_from(self.hasher.hash_one(invoker) % SHARDS as u64).unwrap_or_default()
    }

    fn shard(&self, invoker: &str) -> MutexGuard<'_, Shard> {
        self.shards[self.place(invoker)].lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One at a time asks for what memory does not know.
    pub(crate) async fn turn(&self, invoker: &str) -> tokio::sync::MutexGuard<'_, ()> {
        self.turns[self.place(invoker)].lock().await
    }

    /// Decides and counts from memory, by a policy that stands since `epoch`.
    pub(crate) fn admit(&self, (invoker, api): (&str, &str), epoch: u64, wall_s: i64, now: Duration) -> Said {
        let mut shard = self.shard(invoker);
        let Some(entry) = shard.get_mut(invoker).and_then(|apis| apis.get_mut(api)) else {
            return Said::NoPolicy;
        };
        if entry.copy.epoch != epoch || now >= entry.copy.until {
            return Said::NoPolicy;
        }
        entry.used = now;
        let monotonic_ms = u64::try_from(now.as_millis()).unwrap_or(u64::MAX);
        entry.admit(Now { wall_s, monotonic_ms })
    }

    /// The policy is such. What was used up of another one stays used up; `made` is what the store counts where nothing is
    /// known here.
    pub(crate) fn learn(&self, (invoker, api): (&str, &str), limits: Limits, copy: Copy, made: u64) {
        let mut shard = self.shard(invoker);
        let apis = shard.entry(invoker.to_owned()).or_default();
        let Some(entry) = apis.get_mut(api) else {
            let counter = Counter::resumed(made);
            let (reserved, used) = (made, copy.until);
            let entry =
                Entry { limits, copy, counter, reserved, used_up: false, loose: 0, told: false, used };
            apis.insert(api.to_owned(), entry);
            return;
        };
        if entry.limits.total != limits.total {
            entry.dissolve();
            entry.told = false;
        }
        // Another node may have given back.
        entry.used_up = false;
        (entry.limits, entry.copy) = (limits, copy);
    }

    /// Whether anything is known of an API invoker at a service API.
    pub(crate) fn knows(&self, (invoker, api): (&str, &str)) -> bool {
        self.shard(invoker).get(invoker).is_some_and(|apis| apis.contains_key(api))
    }

    /// A block was reserved; what was asked to be counted is.
    pub(crate) fn reserved(&self, (invoker, api): (&str, &str), block: Block) {
        if let Some(entry) = self.shard(invoker).get_mut(invoker).and_then(|apis| apis.get_mut(api)) {
            entry.counter.go_on_from(block.from);
            entry.reserved = block.from.saturating_add(block.count);
            entry.used_up = block.count == 0;
        }
    }

    /// What could not be counted is to be counted later.
    pub(crate) fn put_back(&self, loose: Vec<Loose>) {
        for (invoker, api, more) in loose {
            if let Some(entry) = self.shard(&invoker).get_mut(&invoker).and_then(|apis| apis.get_mut(&api)) {
                entry.loose = entry.loose.saturating_add(more);
            }
        }
    }

    /// Forgets the policies of an API invoker, so that they are asked for anew; counts stay.
    pub(crate) fn distrust(&self, invoker: &str) {
        for entry in self.shard(invoker).get_mut(invoker).into_iter().flat_map(HashMap::values_mut) {
            entry.copy.until = Duration::ZERO;
        }
    }

    /// Whether the core function is to be told now that the total of an API invoker is used up: once for each policy.
    pub(crate) fn tell(&self, (invoker, api): (&str, &str), over: &OverLimit) -> bool {
        let mut shard = self.shard(invoker);
        let entry = shard.get_mut(invoker).and_then(|apis| apis.get_mut(api));
        over.reason == Reason::InvocationLimit
            && entry.is_some_and(|entry| !std::mem::replace(&mut entry.told, true))
    }

    /// Takes what is to be counted. `all`: what is reserved too, because the process ends. What was not used for long goes.
    pub(crate) fn take_loose(&self, all: bool, now: Duration) -> Vec<Loose> {
        let mut taken = Vec::new();
        for shard in &self.shards {
            let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
            for (invoker, apis) in shard.iter_mut() {
                apis.retain(|api, entry| {
                    let idle = now.saturating_sub(entry.used) > IDLE;
                    if all || idle {
                        entry.dissolve();
                    }
                    if entry.loose != 0 {
                        taken.push((invoker.clone(), api.clone(), std::mem::take(&mut entry.loose)));
                    }
                    !idle
                });
            }
            shard.retain(|_, apis| !apis.is_empty());
        }
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: (&str, &str) = ("INV1", "things");
    const COPY: Copy = Copy { epoch: 3, until: Duration::from_secs(60) };
    const S: fn(u64) -> Duration = Duration::from_secs;

    fn total(limit: u64) -> Limits {
        Limits { total: Some(limit), ..Limits::default() }
    }

    fn ask(control: &Control) -> Said {
        control.admit(AT, 3, 1_800_000_000, S(1))
    }

    const OVER: Said = Said::Decided(Err(OverLimit { reason: Reason::InvocationLimit, retry_after_s: None }));
    const OK: Said = Said::Decided(Ok(()));

    #[test]
    fn a_total_is_made_from_what_was_reserved() {
        let control = Control::default();
        assert_eq!(ask(&control), Said::NoPolicy);
        control.learn(AT, total(5), COPY, 2);
        assert_eq!(ask(&control), Said::NoBlock { more: 0, limit: 5 });
        control.reserved(AT, Block { from: 2, count: 2 });
        assert_eq!([ask(&control), ask(&control)], [OK, OK]);
        assert_eq!(ask(&control), Said::NoBlock { more: 0, limit: 5 });
        // Another node has taken one meanwhile.
        control.reserved(AT, Block { from: 5, count: 0 });
        assert_eq!([ask(&control), ask(&control)], [OVER, OVER]);
        assert!(control.tell(AT, &OverLimit { reason: Reason::InvocationLimit, retry_after_s: None }));
        assert!(
            !control.tell(AT, &OverLimit { reason: Reason::InvocationLimit, retry_after_s: None }),
            "once"
        );
        assert!(!control.tell(AT, &OverLimit { reason: Reason::RateLimited, retry_after_s: None }));
        assert_eq!(control.take_loose(true, S(2)), []);
    }

    #[test]
    fn what_is_not_bounded_is_counted_later() {
        let control = Control::default();
        control.learn(AT, Limits::default(), COPY, 0);
        assert_eq!([ask(&control), ask(&control)], [OK, OK]);
        let loose = control.take_loose(false, S(1));
        assert_eq!(loose, [("INV1".to_owned(), "things".to_owned(), 2)]);
        control.put_back(loose);
        // Bounded from now on: what was made before counts.
        control.learn(AT, total(3), COPY, 0);
        assert_eq!(ask(&control), Said::NoBlock { more: 2, limit: 3 });
        control.reserved(AT, Block { from: 2, count: 1 });
        assert_eq!(ask(&control), OK);
    }

    #[test]
    fn what_was_reserved_and_not_made_is_given_back() {
        let control = Control::default();
        control.learn(AT, total(100), COPY, 0);
        assert_eq!(ask(&control), Said::NoBlock { more: 0, limit: 100 });
        control.reserved(AT, Block { from: 0, count: 6 });
        assert_eq!(ask(&control), OK);
        assert_eq!(control.take_loose(false, S(2)), [], "it is in use");
        assert_eq!(control.take_loose(true, S(2)), [("INV1".to_owned(), "things".to_owned(), -5)]);
        // Another policy, and nothing is lost either.
        control.reserved(AT, Block { from: 1, count: 6 });
        control.learn(AT, Limits::default(), COPY, 0);
        assert_eq!(control.take_loose(false, S(2))[0].2, -6);
        assert_eq!(control.take_loose(false, S(2_000)), [], "and nothing is left of what is idle");
        assert_eq!(ask(&control), Said::NoPolicy);
    }

    #[test]
    fn a_policy_is_relied_on_as_long_as_it_stands() {
        let control = Control::default();
        control.learn(AT, Limits::default(), COPY, 0);
        let at = |epoch, now| control.admit(AT, epoch, 0, now);
        assert_eq!(at(3, S(59)), OK);
        assert_eq!(at(3, S(60)), Said::NoPolicy, "its time is over");
        assert_eq!(at(4, S(1)), Said::NoPolicy, "the core function says that it is another");
        control.distrust("INV1");
        assert_eq!(at(3, S(1)), Said::NoPolicy);
        assert!(control.knows(AT) && !control.knows(("INV1", "others")));
    }
}
