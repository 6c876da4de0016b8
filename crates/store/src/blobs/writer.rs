//! Writing an object: encrypted as it comes, in flat memory, to be seen only when it is whole and on the disk.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use aws_lc_rs::digest::{Context, SHA256};

use super::seal::{HEADER, ObjectKey, Trailer, kek_id, rewrap as rewrap_header};
use super::{BlobDigest, BlobError, Blobs, CHUNK, Random, private_dir, sync_parent};

/// An object that was stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobRef {
    /// Its name.
    pub digest: BlobDigest,
    /// Its plain bytes.
    pub len: u64,
}

/// An object on its way. Dropped before [`BlobWriter::finish`], nothing is left of it.
pub struct BlobWriter {
    blobs: Blobs,
    file: Unfinished,
    key: ObjectKey,
    hash: Context,
    /// Plain bytes of the chunk that is not full yet.
    chunk: Vec<u8>,
    chunks: u64,
    len: u64,
    most: u64,
}

impl BlobWriter {
    pub(super) fn begin(blobs: Blobs, most: u64, random: Random<'_>) -> Result<Self, BlobError> {
        let (key, header) = ObjectKey::generate(blobs.current_kek()?, random)?;
        let mut file = Unfinished::create(blobs.unfinished(random))?;
        file.file.write_all(&header)?;
        let (hash, chunk) = (Context::new(&SHA256), Vec::with_capacity(CHUNK));
        Ok(Self { blobs, file, key, hash, chunk, chunks: 0, len: 0, most })
    }

    /// Adds plain bytes.
    ///
    /// # Errors
    /// [`BlobError::TooLarge`] as soon as the limit is passed; a file operation.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<(), BlobError> {
        self.len = self.len.saturating_add(bytes.len() as u64);
        if self.len > self.most {
            return Err(BlobError::TooLarge);
        }
        self.hash.update(bytes);
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(CHUNK - self.chunk.len()));
            self.chunk.extend_from_slice(now);
            bytes = later;
            if self.chunk.len() == CHUNK {
                self.seal_chunk()?;
            }
        }
        Ok(())
    }

    /// Plain bytes so far.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether nothing was written yet.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Makes the object visible and durable. With `announced`, only if that is its digest.
    ///
    /// # Errors
    /// [`BlobError::DigestWrong`], [`BlobError::TooLarge`] after a write that was refused; a file operation.
    pub fn finish(mut self, announced: Option<&BlobDigest>) -> Result<BlobRef, BlobError> {
        if self.len > self.most {
            return Err(BlobError::TooLarge);
        }
        if !self.chunk.is_empty() {
            self.seal_chunk()?;
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(self.hash.finish().as_ref());
        let stored = BlobRef { digest: BlobDigest(digest), len: self.len };
        if announced.is_some_and(|announced| *announced != stored.digest) {
            return Err(BlobError::DigestWrong);
        }
        // The same bytes again: what is there stays, unless it is damaged.
        if self.blobs.reader(&stored.digest).is_ok() {
            return Ok(stored);
        }
        let trailer = self.key.seal_trailer(&Trailer { len: self.len, digest })?;
        self.file.file.write_all(&trailer)?;
        self.file.publish(&self.blobs.path(&stored.digest))?;
        Ok(stored)
    }

    fn seal_chunk(&mut self) -> Result<(), BlobError> {
        let tag = self.key.seal_chunk(self.chunks, &mut self.chunk)?;
        self.file.file.write_all(&self.chunk)?;
        self.file.file.write_all(tag.as_ref())?;
        self.chunks += 1;
        self.chunk.clear();
        Ok(())
    }
}

/// A new header over the same chunks, by way of a copy: a crash leaves the old file or the new one.
pub(super) fn rewrap(blobs: &Blobs, digest: &BlobDigest, random: Random<'_>) -> Result<bool, BlobError> {
    // Damage is found before it is copied.
    blobs.reader(digest)?;
    let path = blobs.path(digest);
    let mut old = File::open(&path)?;
    let mut header = [0; HEADER];
    old.read_exact(&mut header)?;
    let new = blobs.current_kek()?;
    let id = kek_id(&header)?;
    if id == new.id.as_bytes() {
        return Ok(false);
    }
    let header = rewrap_header(&header, blobs.kek(id)?, new, random)?;
    let mut copy = Unfinished::create(blobs.unfinished(random))?;
    copy.file.write_all(&header)?;
    old.seek(SeekFrom::Start(HEADER as u64))?;
    std::io::copy(&mut old, &mut copy.file)?;
    copy.publish(&path)?;
    Ok(true)
}

/// A temporary file that goes with its owner.
struct Unfinished {
    path: PathBuf,
    file: File,
    published: bool,
}

impl Unfinished {
    fn create(path: PathBuf) -> Result<Self, BlobError> {
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path)?;
        Ok(Self { path, file, published: false })
    }

    fn publish(&mut self, to: &Path) -> Result<(), BlobError> {
        self.file.sync_all()?;
        private_dir(to.parent().ok_or(BlobError::NotFound)?)?;
        fs::rename(&self.path, to)?;
        self.published = true;
        sync_parent(to)
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if !self.published {
            let _ = fs::remove_file(&self.path);
        }
    }
}
