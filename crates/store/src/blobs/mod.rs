//! Payloads too large for a row: files named by the SHA-256 of their plain bytes, encrypted at rest (design section 4).
//!
//! ```text
//! header    magic and version 8 | id of the KEK 64 | nonce 12 | key of this object, wrapped under the KEK 48
//! chunks    each 64 KiB of plain bytes (the last may be shorter) + tag 16; the nonce is the chunk's number
//! trailer   length 8 + SHA-256 32, sealed + tag 16
//! ```
//!
//! AES-256-GCM with a key per object, so that the numbers of chunks never repeat under one key. A chunk that was changed,
//! moved or cut off is noticed: its number is its nonce, and the sealed trailer fixes length and name.
//!
//! Everything here blocks; call it in `spawn_blocking`. Two records may name one object: who deletes counts them first.

mod reader;
mod seal;
mod writer;

use std::fmt;
use std::fs::{self, DirBuilder, File};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Arc;

use zeroize::Zeroizing;

pub use reader::BlobReader;
pub use writer::{BlobRef, BlobWriter};

use crate::StoreError;
use crate::migrations::hex;

/// Plain bytes of a chunk: what a reader holds in memory. Own value.
pub const CHUNK: usize = 64 * 1024;

/// Draws random bytes; keys, nonces and names of temporary files come from it.
pub type Random<'r> = &'r (dyn Fn(&mut [u8]) + Send + Sync);

/// Why a payload was not stored or not read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlobError {
    /// There is no such object.
    #[error("no such object")]
    NotFound,
    /// More bytes than the caller allows; nothing was kept.
    #[error("the object is larger than allowed")]
    TooLarge,
    /// The bytes have another SHA-256 than announced; nothing was kept.
    #[error("the digest is not that of the bytes")]
    DigestWrong,
    /// The range does not lie within the object.
    #[error("the range is outside the object")]
    OutsideRange,
    /// The file was changed, cut or moved, or belongs to another KEK of the same id.
    #[error("the object is damaged")]
    Damaged,
    /// The object is wrapped under a KEK that was not given.
    #[error("the key encryption key of the object is not at hand")]
    KekUnknown,
    /// The id of a KEK is empty, too long or not printable ASCII; or two have one id.
    #[error("the id of a key encryption key is malformed")]
    KekId,
    /// A file operation failed.
    #[error("file: {0}")]
    File(String),
}

impl From<std::io::Error> for BlobError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound,
            std::io::ErrorKind::UnexpectedEof => Self::Damaged,
            kind => Self::File(kind.to_string()),
        }
    }
}

impl From<BlobError> for StoreError {
    fn from(error: BlobError) -> Self {
        match error {
            BlobError::Damaged => Self::Damaged("an encrypted object"),
            other => Self::File(other.to_string()),
        }
    }
}

/// The name of an object: SHA-256 of its plain bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct BlobDigest(pub [u8; 32]);

impl fmt::Display for BlobDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl FromStr for BlobDigest {
    type Err = BlobError;

    /// 64 lowercase hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, BlobError> {
        let digit = |c: u8| match c {
            b'0'..=b'9' => Ok(c - b'0'),
            b'a'..=b'f' => Ok(c - b'a' + 10),
            _ => Err(BlobError::NotFound),
        };
        let mut digest = [0; 32];
        if text.len() != 64 {
            return Err(BlobError::NotFound);
        }
        for (byte, pair) in digest.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
            *byte = digit(pair[0])? << 4 | digit(pair[1])?;
        }
        Ok(Self(digest))
    }
}

/// A key encryption key and its id.
pub struct Kek {
    id: String,
    key: Zeroizing<[u8; 32]>,
}

impl Kek {
    /// `id` is written into each object: 1 to 63 printable ASCII characters.
    ///
    /// # Errors
    /// [`BlobError::KekId`].
    pub fn new(id: &str, key: [u8; 32]) -> Result<Self, BlobError> {
        let key = Zeroizing::new(key);
        if id.is_empty() || id.len() > seal::KEK_ID - 1 || !id.bytes().all(|c| c.is_ascii_graphic()) {
            return Err(BlobError::KekId);
        }
        Ok(Self { id: id.to_owned(), key })
    }
}

impl fmt::Debug for Kek {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kek").field("id", &self.id).finish_non_exhaustive()
    }
}

/// The objects of one function.
#[derive(Clone)]
pub struct Blobs {
    shared: Arc<Shared>,
}

struct Shared {
    dir: PathBuf,
    /// The first one wraps new objects.
    keks: Vec<Kek>,
}

impl Blobs {
    /// Opens or makes the directory. New objects are wrapped under `current`; `older` ones can still be read.
    ///
    /// # Errors
    /// The directory cannot be made; two KEKs have one id.
    pub fn open(dir: &Path, current: Kek, older: Vec<Kek>) -> Result<Self, BlobError> {
        let mut keks = vec![current];
        for kek in older {
            if keks.iter().any(|known| known.id == kek.id) {
                return Err(BlobError::KekId);
            }
            keks.push(kek);
        }
        private_dir(&dir.join("unfinished"))?;
        Ok(Self { shared: Arc::new(Shared { dir: dir.to_owned(), keks }) })
    }

    /// Begins an object of at most `most` bytes. Nothing is to be seen of it before [`BlobWriter::finish`].
    ///
    /// # Errors
    /// A file operation.
    pub fn writer(&self, most: u64, random: Random<'_>) -> Result<BlobWriter, BlobError> {
        BlobWriter::begin(self.clone(), most, random)
    }

    /// Opens an object; its header, trailer and length are checked here, each chunk when it is read.
    ///
    /// # Errors
    /// No such object; damaged; its KEK is not at hand.
    pub fn reader(&self, digest: &BlobDigest) -> Result<BlobReader, BlobError> {
        BlobReader::open(self, digest)
    }

    /// Whether there is such an object, sound or not.
    pub fn contains(&self, digest: &BlobDigest) -> bool {
        self.path(digest).is_file()
    }

    /// Deletes an object; who is reading it reads on. `false`: there is none.
    ///
    /// # Errors
    /// A file operation.
    pub fn delete(&self, digest: &BlobDigest) -> Result<bool, BlobError> {
        let path = self.path(digest);
        match fs::remove_file(&path) {
            Ok(()) => sync_parent(&path).map(|()| true),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    /// Every object, so that those that no record names can be deleted.
    ///
    /// # Errors
    /// A file operation.
    pub fn all(&self) -> Result<Vec<BlobDigest>, BlobError> {
        let mut found = Vec::new();
        for dir in fs::read_dir(&self.shared.dir)? {
            let dir = dir?;
            if !dir.file_type()?.is_dir() {
                continue;
            }
            for file in fs::read_dir(dir.path())? {
                if let Some(digest) = file?.file_name().to_str().and_then(|name| name.parse().ok()) {
                    found.push(digest);
                }
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Drops what a crash left unfinished; how many files. Only while no writer of this directory runs.
    ///
    /// # Errors
    /// A file operation.
    pub fn sweep(&self) -> Result<usize, BlobError> {
        let mut swept = 0;
        for file in fs::read_dir(self.shared.dir.join("unfinished"))? {
            fs::remove_file(file?.path())?;
            swept += 1;
        }
        Ok(swept)
    }

    /// Wraps the key of an object under the current KEK; its bytes stay as they are. `false`: it is already.
    ///
    /// # Errors
    /// As [`Blobs::reader`], and a file operation.
    pub fn rewrap(&self, digest: &BlobDigest, random: Random<'_>) -> Result<bool, BlobError> {
        writer::rewrap(self, digest, random)
    }

    fn path(&self, digest: &BlobDigest) -> PathBuf {
        let name = digest.to_string();
        self.shared.dir.join(&name[..2]).join(&name)
    }

    fn unfinished(&self, random: Random<'_>) -> PathBuf {
        let mut name = [0; 16];
        random(&mut name);
        self.shared.dir.join("unfinished").join(hex(&name))
    }

    fn current_kek(&self) -> Result<&Kek, BlobError> {
        self.shared.keks.first().ok_or(BlobError::KekUnknown)
    }

    fn kek(&self, id: &[u8]) -> Result<&Kek, BlobError> {
        self.shared.keks.iter().find(|kek| kek.id.as_bytes() == id).ok_or(BlobError::KekUnknown)
    }
}

impl fmt::Debug for Blobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Blobs").field("dir", &self.shared.dir).finish_non_exhaustive()
    }
}

/// A directory that only its owner enters, and its parents.
fn private_dir(dir: &Path) -> Result<(), BlobError> {
    if !dir.is_dir() {
        DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
        sync_parent(dir)?;
    }
    Ok(())
}

/// Names in a directory are kept by a crash only when the directory was synced.
fn sync_parent(path: &Path) -> Result<(), BlobError> {
    let parent = path.parent().ok_or(BlobError::NotFound)?;
    File::open(parent)?.sync_all()?;
    Ok(())
}
