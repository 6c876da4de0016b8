//! Nothing from outside makes a parser panic.

use proptest::prelude::*;

use super::bench::{request, square};
use crate::sm::fuzz::{fuzz_content_headers, fuzz_map};

proptest! {
    #[test]
    fn no_octets_panic(octets: Vec<u8>) {
        fuzz_map(&octets);
        fuzz_content_headers(&octets);
    }

    #[test]
    fn no_spoiled_map_panics(at in 0usize..1_000, octet: u8) {
        let map = serde_json::json!({
            "svcId": "s", "smProf": { "mapId": 1, "mapCov": square(0.0, 0.0), "mapLyrList": { "lyrList": [{ "mapLyrId": "a" }] } },
            "augLyrInf": { "augWith": "SPATIAL_ANCHORS", "augLyrDet": ["1"] }
        });
        for body in [map, request(serde_json::json!({ "lyrInf": [{ "mapAsc": "x" }] }))] {
            let mut octets = body.to_string().into_bytes();
            fuzz_map(&octets);
            let at = at % octets.len();
            octets[at] = octet;
            fuzz_map(&octets);
        }
    }
}
