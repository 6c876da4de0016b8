//! How many connections there are, in all and of each source.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, PoisonError};

/// The source that an address counts for: itself, or its /64 of IPv6 (one subscriber has all of
/// that).
pub fn source_of(addr: IpAddr) -> IpAddr {
    match addr.to_canonical() {
        IpAddr::V6(v6) => {
            let prefix = u128::from(v6) & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from(prefix))
        }
        v4 => v4,
    }
}

#[derive(Debug, Default)]
struct Counts {
    all: usize,
    by_source: HashMap<IpAddr, usize>,
}

/// The places for connections.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    counts: Arc<Mutex<Counts>>,
    all: usize,
    per_source: usize,
}

/// A place that is taken; dropping it gives it back.
#[derive(Debug)]
pub(super) struct Slot {
    counts: Arc<Mutex<Counts>>,
    source: IpAddr,
}

impl Slots {
    pub(super) fn new(all: usize, per_source: usize) -> Self {
        Self { counts: Arc::default(), all, per_source }
    }

    /// A place for a connection from `addr`, if there is one.
    pub(super) fn take(&self, addr: IpAddr) -> Option<Slot> {
        let source = source_of(addr);
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let of_source = counts.by_source.get(&source).copied().unwrap_or(0);
        if counts.all >= self.all || of_source >= self.per_source {
            return None;
        }
        counts.all += 1;
        counts.by_source.insert(source, of_source + 1);
        let counts = self.counts.clone();
        Some(Slot { counts, source })
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.all = counts.all.saturating_sub(1);
        if let Some(of_source) = counts.by_source.get_mut(&self.source) {
            *of_source -= 1;
            if *of_source == 0 {
                counts.by_source.remove(&self.source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_and_given_back() {
        let slots = Slots::new(3, 2);
        let one: IpAddr = "192.0.2.1".parse().unwrap();
        let two: IpAddr = "192.0.2.2".parse().unwrap();
        let first = slots.take(one).expect("first");
        let _second = slots.take(one).expect("second");
        assert!(slots.take(one).is_none(), "of one source");
        let _third = slots.take(two).expect("another source");
        assert!(slots.take(two).is_none(), "in all");
        drop(first);
        assert!(slots.take(two).is_some(), "given back");
        let counts = slots.counts.lock().unwrap();
        assert_eq!(counts.by_source.len(), 2, "no empty source is kept");
    }

    #[test]
    fn a_source_of_ipv6_is_its_64() {
        let rows = [
            ("2001:db8::1", "2001:db8::ffff", true),
            ("2001:db8::1", "2001:db8:0:1::1", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false),
        ];
        for (a, b, same) in rows {
            let of = |text: &str| source_of(text.parse().unwrap());
            assert_eq!(of(a) == of(b), same, "{a} {b}");
        }
    }
}
