//! Keys, nonces and layout of an object's file.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, Tag, UnboundKey};
use zeroize::Zeroizing;

use super::{BlobError, CHUNK, Kek, Random};

/// Name of the format and its version.
const MAGIC: &[u8; 8] = b"MSBLOB\0\x01";
/// Bytes of the field that holds length and characters of the KEK's id.
pub(super) const KEK_ID: usize = 64;
/// AES-GCM tag.
pub(super) const TAG: usize = 16;
const KEY: usize = 32;
/// What is bound to the wrapped key as additional data.
const PREFIX: usize = MAGIC.len() + KEK_ID;
/// Bytes before the first chunk.
pub(super) const HEADER: usize = PREFIX + NONCE_LEN + KEY + TAG;
const TRAILER_PLAIN: usize = 8 + 32;
/// Bytes after the last chunk.
pub(super) const TRAILER: usize = TRAILER_PLAIN + TAG;

/// What the trailer seals.
pub(super) struct Trailer {
    pub(super) len: u64,
    pub(super) digest: [u8; 32],
}

/// The key of one object.
pub(super) struct ObjectKey(LessSafeKey);

impl ObjectKey {
    /// A new key, and the header that carries it.
    pub(super) fn generate(kek: &Kek, random: Random<'_>) -> Result<(Self, [u8; HEADER]), BlobError> {
        let mut key = Zeroizing::new([0; KEY]);
        random(key.as_mut_slice());
        Ok((Self(cipher(&key)?), wrap(&key, kek, random)?))
    }

    /// The key that a header carries. `kek` finds the KEK by its id.
    pub(super) fn of_header<'k>(
        header: &[u8; HEADER],
        kek: impl FnOnce(&[u8]) -> Result<&'k Kek, BlobError>,
    ) -> Result<Self, BlobError> {
        let key = unwrap(header, kek(kek_id(header)?)?)?;
        Ok(Self(cipher(&key)?))
    }

    /// Encrypts chunk `number` in place; its tag.
    pub(super) fn seal_chunk(&self, number: u64, chunk: &mut [u8]) -> Result<Tag, BlobError> {
        let sealed = self.0.seal_in_place_separate_tag(nonce(0, number), Aad::empty(), chunk);
        sealed.map_err(|_| BlobError::Damaged)
    }

    /// Decrypts chunk `number`, its tag at the end, in place; the plain bytes.
    pub(super) fn open_chunk<'b>(&self, number: u64, sealed: &'b mut [u8]) -> Result<&'b [u8], BlobError> {
        let opened = self.0.open_in_place(nonce(0, number), Aad::empty(), sealed);
        opened.map(|plain| &*plain).map_err(|_| BlobError::Damaged)
    }

    pub(super) fn seal_trailer(&self, trailer: &Trailer) -> Result<[u8; TRAILER], BlobError> {
        let mut bytes = [0; TRAILER];
        bytes[..8].copy_from_slice(&trailer.len.to_be_bytes());
        bytes[8..TRAILER_PLAIN].copy_from_slice(&trailer.digest);
        let sealed =
            self.0.seal_in_place_separate_tag(nonce(1, 0), Aad::from(MAGIC), &mut bytes[..TRAILER_PLAIN]);
        let tag = sealed.map_err(|_| BlobError::Damaged)?;
        bytes[TRAILER_PLAIN..].copy_from_slice(tag.as_ref());
        Ok(bytes)
    }

    pub(super) fn open_trailer(&self, mut bytes: [u8; TRAILER]) -> Result<Trailer, BlobError> {
        let opened = self.0.open_in_place(nonce(1, 0), Aad::from(MAGIC), &mut bytes);
        let plain = opened.map_err(|_| BlobError::Damaged)?;
        let (len, digest) = plain.split_at(8);
        Ok(Trailer {
            len: u64::from_be_bytes(len.try_into().map_err(|_| BlobError::Damaged)?),
            digest: digest.try_into().map_err(|_| BlobError::Damaged)?,
        })
    }
}

/// The same key under another KEK.
pub(super) fn rewrap(
    header: &[u8; HEADER],
    old: &Kek,
    new: &Kek,
    random: Random<'_>,
) -> Result<[u8; HEADER], BlobError> {
    wrap(&unwrap(header, old)?, new, random)
}

/// The id of the KEK that a header names.
pub(super) fn kek_id(header: &[u8; HEADER]) -> Result<&[u8], BlobError> {
    if header[..MAGIC.len()] != *MAGIC {
        return Err(BlobError::Damaged);
    }
    let field = &header[MAGIC.len()..PREFIX];
    field.get(1..1 + usize::from(field[0])).ok_or(BlobError::Damaged)
}

/// Bytes of a file that holds `len` plain bytes.
pub(super) fn file_len(len: u64) -> u64 {
    let tags = len.div_ceil(CHUNK as u64) * TAG as u64;
    (HEADER as u64).saturating_add(len).saturating_add(tags).saturating_add(TRAILER as u64)
}

fn wrap(key: &Zeroizing<[u8; KEY]>, kek: &Kek, random: Random<'_>) -> Result<[u8; HEADER], BlobError> {
    let mut header = [0; HEADER];
    header[..MAGIC.len()].copy_from_slice(MAGIC);
    let id = kek.id.as_bytes();
    header[MAGIC.len()] = u8::try_from(id.len()).map_err(|_| BlobError::KekId)?;
    header[MAGIC.len() + 1..][..id.len()].copy_from_slice(id);
    let (prefix, rest) = header.split_at_mut(PREFIX);
    let (drawn, wrapped) = rest.split_at_mut(NONCE_LEN);
    random(drawn);
    wrapped[..KEY].copy_from_slice(key.as_slice());
    let nonce = Nonce::try_assume_unique_for_key(drawn).map_err(|_| BlobError::Damaged)?;
    let sealed =
        cipher(&kek.key)?.seal_in_place_separate_tag(nonce, Aad::from(&*prefix), &mut wrapped[..KEY]);
    wrapped[KEY..].copy_from_slice(sealed.map_err(|_| BlobError::Damaged)?.as_ref());
    Ok(header)
}

fn unwrap(header: &[u8; HEADER], kek: &Kek) -> Result<Zeroizing<[u8; KEY]>, BlobError> {
    let (prefix, rest) = header.split_at(PREFIX);
    let (drawn, wrapped) = rest.split_at(NONCE_LEN);
    let nonce = Nonce::try_assume_unique_for_key(drawn).map_err(|_| BlobError::Damaged)?;
    let mut wrapped = Zeroizing::new(wrapped.to_vec());
    let opened = cipher(&kek.key)?.open_in_place(nonce, Aad::from(prefix), &mut wrapped);
    let plain = opened.map_err(|_| BlobError::Damaged)?;
    let mut key = Zeroizing::new([0; KEY]);
    key.copy_from_slice(plain);
    Ok(key)
}

fn cipher(key: &[u8; KEY]) -> Result<LessSafeKey, BlobError> {
    UnboundKey::new(&AES_256_GCM, key).map(LessSafeKey::new).map_err(|_| BlobError::Damaged)
}

/// Unique under one object's key: `field` tells chunks from the trailer.
fn nonce(field: u32, number: u64) -> Nonce {
    let mut bytes = [0; NONCE_LEN];
    bytes[..4].copy_from_slice(&field.to_be_bytes());
    bytes[4..].copy_from_slice(&number.to_be_bytes());
    Nonce::assume_unique_for_key(bytes)
}
