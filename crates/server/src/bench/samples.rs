//! Times of single requests, and what they amount to.

use std::time::Duration;

/// What one measurement saw.
#[derive(Debug, Clone, Default)]
pub(super) struct Samples {
    /// Each request, in microseconds.
    micros: Vec<u32>,
    /// From the first to the last.
    pub(super) wall: Duration,
    /// On the processor, of whoever answered.
    pub(super) cpu: Duration,
    /// Turned away with 429 or 503: a machine that is too busy for a lease of a second, for one.
    pub(super) shed: u64,
}

impl Samples {
    pub(super) fn push(&mut self, took: Duration) {
        self.micros.push(u32::try_from(took.as_micros()).unwrap_or(u32::MAX));
    }

    pub(super) fn extend(&mut self, other: Self) {
        self.micros.extend(other.micros);
        self.shed += other.shed;
    }

    /// Requests a second.
    pub(super) fn per_s(&self) -> f64 {
        self.micros.len() as f64 / self.wall.as_secs_f64().max(1e-9)
    }

    /// Requests a second of processor time.
    pub(super) fn per_cpu_s(&self) -> f64 {
        self.micros.len() as f64 / self.cpu.as_secs_f64().max(1e-9)
    }

    /// The time that `share` of the requests did not exceed, in microseconds.
    pub(super) fn percentile(&self, share: f64) -> f64 {
        let mut sorted = self.micros.clone();
        sorted.sort_unstable();
        let last = sorted.len().saturating_sub(1);
        sorted.get((last as f64 * share).round() as usize).copied().map_or(0.0, f64::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_and_rates() {
        let mut samples = Samples { wall: Duration::from_secs(2), ..Samples::default() };
        for micros in 1..=101 {
            samples.push(Duration::from_micros(micros));
        }
        assert_eq!((samples.percentile(0.5), samples.percentile(0.99), samples.per_s()), (51.0, 100.0, 50.5));
        assert_eq!(Samples::default().percentile(0.5), 0.0);
    }
}
