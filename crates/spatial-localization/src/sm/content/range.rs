//! Byte ranges of a map payload (RFC 9110 clauses 13.1.5, 14.1.2, 14.2 and 15.5.17).
//!
//! One range is served. Several ranges, or a unit other than `bytes`, are ignored, as clause 14.2
//! allows: the whole payload is the answer.

/// The part of a payload that an answer carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Selected {
    /// The whole payload: status 200.
    Whole,
    /// From `first` to `last`, both included: status 206.
    Part {
        /// Offset of the first octet.
        first: u64,
        /// Offset of the last octet.
        last: u64,
    },
    /// The range lies outside of the payload: status 416.
    Unsatisfiable,
}

impl Selected {
    /// Offset of the first octet and number of octets, for a payload of `length` octets.
    #[must_use]
    pub(crate) fn span(self, length: u64) -> (u64, u64) {
        match self {
            Self::Whole => (0, length),
            Self::Part { first, last } => (first, last - first + 1),
            Self::Unsatisfiable => (0, 0),
        }
    }
}

/// Selects what `Range: header` asks of a payload of `length` octets.
///
/// A header that is not a valid single byte range selects the whole, because a server may ignore
/// `Range` (clause 14.2).
#[must_use]
pub(crate) fn select(header: &str, length: u64) -> Selected {
    let Some((unit, set)) = header.split_once('=') else { return Selected::Whole };
    if !unit.trim().eq_ignore_ascii_case("bytes") {
        return Selected::Whole;
    }
    let Some((first, last)) = set.trim().split_once('-') else { return Selected::Whole };
    let (first, last) = (first.trim(), last.trim());
    match (number(first), number(last)) {
        // first-last, first-
        (Some(first), end) if end.is_some() || last.is_empty() => {
            let end = end.unwrap_or(u64::MAX);
            if end < first {
                return Selected::Whole; // clause 14.1.1: an invalid int-range
            }
            if first >= length {
                return Selected::Unsatisfiable;
            }
            Selected::Part { first, last: end.min(length - 1) }
        }
        // -suffix
        (None, Some(suffix)) if first.is_empty() => {
            if suffix == 0 || length == 0 {
                return Selected::Unsatisfiable;
            }
            Selected::Part { first: length.saturating_sub(suffix), last: length - 1 }
        }
        _ => Selected::Whole,
    }
}

/// `1*DIGIT` and nothing else: `+1` is a number for `parse`, and none for HTTP. A number beyond
/// 64 bits is beyond every payload.
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_header_selects_what_rfc_9110_says() {
        const N: u64 = 1000;
        let part = |first, last| Selected::Part { first, last };
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("first octet",             "bytes=0-0",       part(0, 0)),
            ("whole, named",            "bytes=0-999",     part(0, 999)),
            ("last octet",              "bytes=999-999",   part(999, 999)),
            ("end is cut",              "bytes=990-5000",  part(990, 999)),
            ("open end",                "bytes=10-",       part(10, 999)),
            ("suffix",                  "bytes=-10",       part(990, 999)),
            ("suffix over length",      "bytes=-5000",     part(0, 999)),
            ("unit in capitals",        "BYTES=1-2",       part(1, 2)),
            ("spaces around",           "bytes= 1 - 2 ",   part(1, 2)),
            ("just behind the end",     "bytes=1000-",     Selected::Unsatisfiable),
            ("behind the end",          "bytes=1000-1001", Selected::Unsatisfiable),
            ("suffix of nothing",       "bytes=-0",        Selected::Unsatisfiable),
            ("number of 30 digits",     "bytes=111111111111111111111111111111-", Selected::Unsatisfiable),
            ("end before start",        "bytes=5-4",       Selected::Whole),
            ("two ranges",              "bytes=0-1,3-4",   Selected::Whole),
            ("another unit",            "pages=0-1",       Selected::Whole),
            ("no unit",                 "0-1",             Selected::Whole),
            ("nothing",                 "bytes=-",         Selected::Whole),
            ("sign",                    "bytes=+1-2",      Selected::Whole),
            ("no number",               "bytes=a-b",       Selected::Whole),
        ];
        for (what, header, expected) in rows {
            assert_eq!(select(header, N), expected, "{what}");
        }
    }

    #[test]
    fn an_empty_payload_has_no_range() {
        for header in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            assert_eq!(select(header, 0), Selected::Unsatisfiable, "{header}");
        }
    }

    proptest! {
        #[test]
        fn a_part_lies_within_the_payload(header in "bytes=[0-9]{0,20}-[0-9]{0,20}|.{0,40}", length in 0u64..5000) {
            if let Selected::Part { first, last } = select(&header, length) {
                prop_assert!(first <= last && last < length);
                let (offset, octets) = Selected::Part { first, last }.span(length);
                prop_assert!(offset + octets <= length && octets > 0);
            }
        }
    }
}
