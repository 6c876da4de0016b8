//! Of which UEs a subscriber is told who wants a sample (TS 29.571 `SamplingRatio`, TS 23.502 4.15.1). Pure.
//!
//! The draw is a digest of subscription and UE: the same UE is in or out for as long as the subscription lives, whichever
//! node draws, and two subscriptions draw apart. Within a partition it is drawn anew, so that the ratio holds in each.

use aws_lc_rs::digest::{SHA256, digest};
use h3o::{LatLng, Resolution};

/// Areas of a partition by place: some 36 square kilometres, about a tracking area of a town. Own value.
const AREA: Resolution = Resolution::Six;

/// A sample of UEs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// In per cent, below 100.
    pub ratio: u8,
    /// Whether each area is sampled for itself.
    pub by_area: bool,
}

impl Sample {
    /// Whether the subscriber is told of a UE; `place` is longitude and latitude where it was seen, if it was.
    #[must_use]
    pub fn holds(&self, sub_id: &str, ue: &str, place: Option<(f64, f64)>) -> bool {
        let area = place.filter(|_| self.by_area).and_then(|(lon, lat)| LatLng::new(lat, lon).ok());
        let area = area.map_or(0, |place| u64::from(place.to_cell(AREA)));
        let mut text = area.to_be_bytes().to_vec();
        // Each part has its length, so that no two draws are of one text.
        for part in [sub_id, ue] {
            text.extend((part.len() as u64).to_be_bytes());
            text.extend(part.as_bytes());
        }
        let digest = digest(&SHA256, &text);
        let drawn = digest.as_ref().first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
        // The bias of the remainder is below 2^-57.
        drawn % 100 < u64::from(self.ratio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARIS: Option<(f64, f64)> = Some((2.35, 48.85));
    const LYON: Option<(f64, f64)> = Some((4.83, 45.76));

    fn drawn(sample: Sample, sub_id: &str, place: Option<(f64, f64)>) -> Vec<bool> {
        (0..2_000).map(|n| sample.holds(sub_id, &format!("ue-{n}"), place)).collect()
    }

    #[test]
    fn a_sample_is_of_its_ratio_and_stays() {
        for ratio in [1_u8, 10, 50, 99] {
            let sample = Sample { ratio, by_area: false };
            let one = drawn(sample, "s-1", PARIS);
            let share = one.iter().filter(|told| **told).count() * 100 / one.len();
            assert!(share.abs_diff(usize::from(ratio)) <= 4, "{ratio}: {share}");
            assert_eq!(one, drawn(sample, "s-1", LYON), "a place that parts nothing moves nothing");
            assert_eq!(one, drawn(sample, "s-1", None));
            assert_ne!(one, drawn(sample, "s-2", PARIS), "another subscription draws for itself");
        }
    }

    #[test]
    fn each_area_is_sampled_for_itself() {
        let sample = Sample { ratio: 50, by_area: true };
        let (paris, lyon, nowhere) =
            (drawn(sample, "s", PARIS), drawn(sample, "s", LYON), drawn(sample, "s", None));
        assert_eq!(paris, drawn(sample, "s", Some((2.3501, 48.8501))), "the same area");
        assert!(paris != lyon && paris != nowhere);
        for one in [paris, lyon, nowhere] {
            let share = one.iter().filter(|told| **told).count() * 100 / one.len();
            assert!((46..=54).contains(&share), "{share}");
        }
        assert_eq!(drawn(sample, "s", Some((f64::NAN, 0.0))), drawn(sample, "s", None));
    }

    #[test]
    fn names_do_not_run_together() {
        let sample = Sample { ratio: 50, by_area: false };
        let same = (0..200).filter(|n| {
            sample.holds("s", &format!("1{n}"), None) == sample.holds("s1", &n.to_string(), None)
        });
        assert!(same.count() < 200);
    }
}
