//! What an authenticator says of itself (WebAuthn 6.1): bytes of a fixed shape.

/// The user was there.
const PRESENT: u8 = 0x01;
/// The device has recognised the user.
const VERIFIED: u8 = 0x04;
/// The credential may be, and is, copied to other devices of the user.
const ELIGIBLE: u8 = 0x08;
const BACKED_UP: u8 = 0x10;
/// A new credential follows.
const ATTESTED: u8 = 0x40;
/// Extensions follow.
const EXTENDED: u8 = 0x80;

/// Longest credential identifier, in octets (WebAuthn 7.1, step 18).
pub const MAX_CREDENTIAL_ID: usize = 1023;

/// An ES256 key in the one form that CTAP2 canonical CBOR has for it (RFC 9053 7.1.1; CTAP2 8): a map of kty EC2, alg
/// ES256, crv P-256, x, y.
const KEY_HEAD: [u8; 10] = [0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20];
const KEY_MIDDLE: [u8; 3] = [0x22, 0x58, 0x20];
const COORDINATE: usize = 32;
const KEY_LENGTH: usize = KEY_HEAD.len() + COORDINATE + KEY_MIDDLE.len() + COORDINATE;

/// Authenticator data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthenticatorData {
    /// SHA-256 of the relying party.
    pub relying_party_hash: [u8; 32],
    /// Whether the user was there and was recognised.
    pub user_verified: bool,
    /// Counts the signatures, or is always 0.
    pub sign_count: u32,
    /// The new credential, in a registration.
    pub credential: Option<NewKey>,
}

/// A new credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewKey {
    /// Identifier.
    pub id: Vec<u8>,
    /// Point of P-256, uncompressed (SEC 1 2.3.3).
    pub public_key: Vec<u8>,
}

/// Why bytes are no authenticator data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DataError {
    /// Another shape.
    Malformed,
    /// A key of another kind than ES256.
    KeyUnsupported,
}

impl AuthenticatorData {
    /// Reads them; extensions, where they are said to follow, are not looked at.
    ///
    /// # Errors
    /// [`DataError`].
    pub fn read(bytes: &[u8]) -> Result<Self, DataError> {
        let (hash, rest) = bytes.split_first_chunk::<32>().ok_or(DataError::Malformed)?;
        let ([flags], rest) = rest.split_first_chunk::<1>().ok_or(DataError::Malformed)?;
        let (count, rest) = rest.split_first_chunk::<4>().ok_or(DataError::Malformed)?;
        let has = |flag: u8| flags & flag != 0;
        // WebAuthn level 3, 6.1.3: what cannot be backed up is not backed up.
        if has(BACKED_UP) && !has(ELIGIBLE) {
            return Err(DataError::Malformed);
        }
        let (credential, rest) = if has(ATTESTED) {
            let (key, rest) = NewKey::read(rest)?;
            (Some(key), rest)
        } else {
            (None, rest)
        };
        if has(EXTENDED) == rest.is_empty() {
            return Err(DataError::Malformed);
        }
        Ok(Self {
            relying_party_hash: *hash,
            user_verified: has(PRESENT) && has(VERIFIED),
            sign_count: u32::from_be_bytes(*count),
            credential,
        })
    }
}

impl NewKey {
    fn read(bytes: &[u8]) -> Result<(Self, &[u8]), DataError> {
        let (_aaguid, rest) = bytes.split_first_chunk::<16>().ok_or(DataError::Malformed)?;
        let (length, rest) = rest.split_first_chunk::<2>().ok_or(DataError::Malformed)?;
        let length = usize::from(u16::from_be_bytes(*length));
        if length == 0 || length > MAX_CREDENTIAL_ID {
            return Err(DataError::Malformed);
        }
        let (id, rest) = rest.split_at_checked(length).ok_or(DataError::Malformed)?;
        let (key, rest) = rest.split_at_checked(KEY_LENGTH).ok_or(DataError::KeyUnsupported)?;
        let (x, y) = coordinates(key).ok_or(DataError::KeyUnsupported)?;
        let public_key = [&[4], x, y].concat();
        Ok((Self { id: id.to_vec(), public_key }, rest))
    }
}

fn coordinates(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let rest = key.strip_prefix(&KEY_HEAD)?;
    let (x, rest) = rest.split_at_checked(COORDINATE)?;
    Some((x, rest.strip_prefix(&KEY_MIDDLE)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn registration(flags: u8, id: &[u8], more: &[u8]) -> Vec<u8> {
        let length = u16::try_from(id.len()).unwrap().to_be_bytes();
        let key = [&KEY_HEAD[..], &[7; 32], &KEY_MIDDLE, &[8; 32]].concat();
        [&[9; 32][..], &[flags], &[0, 0, 1, 2], &[0; 16], &length, id, &key, more].concat()
    }

    #[test]
    fn each_spoiled_part_is_refused() {
        let good = registration(0x45, b"id", b"");
        let read = AuthenticatorData::read(&good).unwrap();
        assert_eq!((read.user_verified, read.sign_count), (true, 258));
        assert_eq!(read.credential.unwrap().public_key.len(), 65);
        let with = |at: usize, byte: u8| {
            let mut bytes = good.clone();
            bytes[at] = byte;
            bytes
        };
        let key_at = good.len() - KEY_LENGTH;
        #[rustfmt::skip] // a table stays a table
        let rows = [
            ("nothing",            Vec::new(),                         Err(DataError::Malformed)),
            ("cut",                good[..good.len() - 1].to_vec(),    Err(DataError::KeyUnsupported)),
            ("more",               [&good[..], b"x"].concat(),         Err(DataError::Malformed)),
            ("extensions",         registration(0xc5, b"id", b"\xa0"), Ok(true)),
            ("no extensions",      registration(0xc5, b"id", b""),     Err(DataError::Malformed)),
            ("backed up",          registration(0x5d, b"id", b""),     Ok(true)),
            ("backed up, cannot",  registration(0x55, b"id", b""),     Err(DataError::Malformed)),
            ("not verified",       registration(0x41, b"id", b""),     Ok(false)),
            ("nobody there",       registration(0x44, b"id", b""),     Ok(false)),
            ("no identifier",      registration(0x45, b"", b""),       Err(DataError::Malformed)),
            ("longest identifier", registration(0x45, &[1; 1023], b""), Ok(true)),
            ("too long",           registration(0x45, &[1; 1024], b""), Err(DataError::Malformed)),
            ("RS256",              with(key_at + 4, 0x25),             Err(DataError::KeyUnsupported)),
            ("another curve",      with(key_at + 6, 0x02),             Err(DataError::KeyUnsupported)),
        ];
        for (what, bytes, expected) in rows {
            assert_eq!(AuthenticatorData::read(&bytes).map(|data| data.user_verified), expected, "{what}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = AuthenticatorData::read(&bytes);
        }
    }
}
