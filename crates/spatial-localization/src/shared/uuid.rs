//! UUIDs of ETSI GS ARF 005 for what has a number here (RFC 9562 5.8). Pure.

use aws_lc_rs::digest::{SHA256, digest};

/// The UUID of something: its number, and what nobody guesses, a digest of its kind and of what it has but once.
///
/// Nothing has to be looked up, no UUID comes twice, and whoever tries numbers learns nothing.
pub(crate) fn of(kind: &[u8], number: u32, life: &[u8]) -> String {
    let text = [kind, &number.to_be_bytes(), life].concat();
    let digest = digest(&SHA256, &text);
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest.as_ref()[..16]);
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    bytes[6] = bytes[6] & 0x0f | 0x80;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = service_http::ambient::hex(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

/// The number of what a UUID may be of; whether it is of its present life is for [`of`] to say.
pub(crate) fn number(uuid: &str) -> Option<u32> {
    let bytes = uuid.as_bytes();
    let shape = |(at, byte): (usize, &u8)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_digit() || (b'a'..=b'f').contains(byte),
    };
    let good = bytes.len() == 36 && bytes.iter().enumerate().all(shape);
    u32::from_str_radix(uuid.get(..8)?, 16).ok().filter(|_| good)
}
