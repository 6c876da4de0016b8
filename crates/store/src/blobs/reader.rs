//! Reading an object, whole or by range.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::seal::{HEADER, ObjectKey, TAG, TRAILER, Trailer, file_len};
use super::{BlobDigest, BlobError, Blobs, CHUNK};

/// An open object. It can be read to its end also after it was deleted.
pub struct BlobReader {
    file: File,
    key: ObjectKey,
    len: u64,
}

impl BlobReader {
    pub(super) fn open(blobs: &Blobs, digest: &BlobDigest) -> Result<Self, BlobError> {
        let file = File::open(blobs.path(digest))?;
        let size = file.metadata()?.len();
        let trailer_at = size.checked_sub(TRAILER as u64).ok_or(BlobError::Damaged)?;
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, 0)?;
        let key = ObjectKey::of_header(&header, |id| blobs.kek(id))?;
        let mut trailer = [0; TRAILER];
        file.read_exact_at(&mut trailer, trailer_at)?;
        let Trailer { len, digest: sealed } = key.open_trailer(trailer)?;
        if sealed != digest.0 || file_len(len) != size {
            return Err(BlobError::Damaged);
        }
        Ok(Self { file, key, len })
    }

    /// Plain bytes of the object.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether the object has no byte.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Plain bytes from `offset` on, at most up to the end of the chunk that it lies in; empty at the end of the object.
    ///
    /// Called again with what was read added to `offset`, it streams the object in flat memory.
    ///
    /// # Errors
    /// [`BlobError::Damaged`]; a file operation.
    pub fn read_at(&self, offset: u64) -> Result<Vec<u8>, BlobError> {
        if offset >= self.len {
            return Ok(Vec::new());
        }
        let number = offset / CHUNK as u64;
        let start = number * CHUNK as u64;
        let plain = usize::try_from((self.len - start).min(CHUNK as u64)).map_err(|_| BlobError::Damaged)?;
        let mut sealed = vec![0; plain + TAG];
        let at = HEADER as u64 + number * (CHUNK + TAG) as u64;
        self.file.read_exact_at(&mut sealed, at)?;
        self.key.open_chunk(number, &mut sealed)?;
        sealed.truncate(plain);
        let skip = usize::try_from(offset - start).map_err(|_| BlobError::Damaged)?;
        sealed.drain(..skip);
        Ok(sealed)
    }

    /// Exactly `len` plain bytes from `offset` on, in memory.
    ///
    /// # Errors
    /// [`BlobError::OutsideRange`]; as [`BlobReader::read_at`].
    pub fn range(&self, offset: u64, len: u64) -> Result<Vec<u8>, BlobError> {
        let end = offset.checked_add(len).filter(|end| *end <= self.len).ok_or(BlobError::OutsideRange)?;
        let mut bytes = Vec::with_capacity(usize::try_from(len).map_err(|_| BlobError::OutsideRange)?);
        let mut at = offset;
        while at < end {
            let mut part = self.read_at(at)?;
            part.truncate(usize::try_from(end - at).unwrap_or(usize::MAX));
            at += part.len() as u64;
            bytes.append(&mut part);
        }
        Ok(bytes)
    }
}
