//! A stream sealed with a key file: AES-256-GCM in chunks, each bound to its place and to whether it is the last.
//!
//! Layout: magic, salt (16 bytes), then chunks of `length (u32, big endian) · ciphertext · tag`. The key is Argon2id of
//! the key file's bytes, so that a passphrase serves as well as a random key. The nonce of a chunk is its number with
//! a mark on the last one: reordering, dropping and truncation are found.

use std::io::{self, Read, Write};

use argon2::Argon2;
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use service_http::ambient::Ambient;
use zeroize::Zeroizing;

const MAGIC: &[u8; 18] = b"metaseal-backup-1\n";
const SALT: usize = 16;
/// Plaintext bytes of a chunk. Own value.
const CHUNK: usize = 64 * 1024;
/// Bytes that GCM adds.
const TAG: usize = 16;
/// Shortest key file, in bytes. Own value: a passphrase of six random words has more.
const KEY_MIN: usize = 16;

/// Why a backup cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum SealError {
    /// The key file is too short to protect anything.
    #[error("the key file has fewer than {KEY_MIN} bytes; put a long passphrase or 32 random bytes into it")]
    WeakKey,
    /// Not a backup.
    #[error("this is not a backup of metaseal")]
    NotABackup,
    /// Wrong key, or the file was changed or cut.
    #[error("the key file is not the one that this backup was written with, or the backup is damaged")]
    Damaged,
    /// The file system.
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// Encrypts what is written to it. Call [`Sealer::finish`] at the end, or the backup does not open.
pub(crate) struct Sealer<W: Write> {
    out: W,
    key: LessSafeKey,
    number: u64,
    pending: Vec<u8>,
}

impl<W: Write> Sealer<W> {
    /// Begins a backup.
    ///
    /// # Errors
    /// A key that is too short, or the writer's errors.
    pub(crate) fn new(mut out: W, key_file: &[u8], ambient: &Ambient) -> Result<Self, SealError> {
        let mut salt = [0u8; SALT];
        ambient.entropy.fill(&mut salt);
        let key = derive(key_file, &salt)?;
        out.write_all(MAGIC)?;
        out.write_all(&salt)?;
        Ok(Self { out, key, number: 0, pending: Vec::with_capacity(CHUNK) })
    }

    /// Writes the last chunk and returns the writer.
    ///
    /// # Errors
    /// The writer's.
    pub(crate) fn finish(mut self) -> Result<W, SealError> {
        self.seal(true)?;
        Ok(self.out)
    }

    fn seal(&mut self, last: bool) -> io::Result<()> {
        let nonce = nonce(self.number, last);
        self.key
            .seal_in_place_append_tag(nonce, Aad::empty(), &mut self.pending)
            .map_err(|_| io::Error::other("encryption failed"))?;
        let length = u32::try_from(self.pending.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&self.pending)?;
        self.pending.clear();
        self.number += 1;
        Ok(())
    }
}

impl<W: Write> Write for Sealer<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A full chunk waits for more, so that the last one can be marked as such.
        if self.pending.len() == CHUNK {
            self.seal(false)?;
        }
        let taken = bytes.len().min(CHUNK - self.pending.len());
        self.pending.extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// Decrypts what is read from it. A fault is an error before any byte of the chunk is given out.
pub(crate) struct Opener<R: Read> {
    from: R,
    key: LessSafeKey,
    number: u64,
    chunk: Vec<u8>,
    given: usize,
    done: bool,
}

impl<R: Read> Opener<R> {
    /// Begins to read a backup.
    ///
    /// # Errors
    /// Not a backup, or a key that is too short.
    pub(crate) fn new(mut from: R, key_file: &[u8]) -> Result<Self, SealError> {
        let mut head = [0u8; MAGIC.len() + SALT];
        from.read_exact(&mut head).map_err(|_| SealError::NotABackup)?;
        let (magic, salt) = head.split_at(MAGIC.len());
        if magic != MAGIC {
            return Err(SealError::NotABackup);
        }
        let key = derive(key_file, salt)?;
        Ok(Self { from, key, number: 0, chunk: Vec::new(), given: 0, done: false })
    }

    fn next_chunk(&mut self) -> io::Result<()> {
        let mut length = [0u8; 4];
        self.from.read_exact(&mut length).map_err(damaged)?;
        let length = u32::from_be_bytes(length) as usize;
        if !(TAG..=CHUNK + TAG).contains(&length) {
            return Err(damaged(()));
        }
        let mut sealed = vec![0u8; length];
        self.from.read_exact(&mut sealed).map_err(damaged)?;
        for last in [false, true] {
            let mut trial = sealed.clone();
            if let Ok(plain) = self.key.open_in_place(nonce(self.number, last), Aad::empty(), &mut trial) {
                self.chunk = plain.to_vec();
                self.given = 0;
                self.done = last;
                self.number += 1;
                return Ok(());
            }
        }
        Err(damaged(()))
    }
}

impl<R: Read> Read for Opener<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        while self.given == self.chunk.len() {
            if self.done {
                return Ok(0);
            }
            self.next_chunk()?;
        }
        let taken = out.len().min(self.chunk.len() - self.given);
        out[..taken].copy_from_slice(&self.chunk[self.given..self.given + taken]);
        self.given += taken;
        Ok(taken)
    }
}

/// Takes any bytes as the chunks of a backup under a known key, so that the reader behind the key is reached too: no
/// bytes panic, and no more come out than went in.
pub fn fuzz_backup(bytes: &[u8]) {
    let Ok(key) = UnboundKey::new(&AES_256_GCM, &[7; 32]) else { return };
    let key = LessSafeKey::new(key);
    let mut opener = Opener { from: bytes, key, number: 0, chunk: Vec::new(), given: 0, done: false };
    let mut plain = Vec::new();
    let read = opener.read_to_end(&mut plain);
    assert!(plain.len() <= bytes.len());
    let Ok(key) = UnboundKey::new(&AES_256_GCM, &[7; 32]) else { return };
    if read.is_ok() {
        // What opens was written by one who has the key: the same bytes come out when it is sealed again.
        let key = LessSafeKey::new(key);
        let mut again = Sealer { out: Vec::new(), key, number: 0, pending: Vec::with_capacity(CHUNK) };
        let sealed = again.write_all(&plain).and_then(|()| again.seal(true)).map(|()| again.out);
        assert!(sealed.is_ok_and(|sealed| bytes.starts_with(&sealed)));
    }
}

fn damaged<E>(_: E) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, SealError::Damaged.to_string())
}

fn nonce(number: u64, last: bool) -> Nonce {
    let mut bytes = [0u8; NONCE_LEN];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes[NONCE_LEN - 1] = u8::from(last);
    Nonce::assume_unique_for_key(bytes)
}

fn derive(key_file: &[u8], salt: &[u8]) -> Result<LessSafeKey, SealError> {
    if key_file.len() < KEY_MIN {
        return Err(SealError::WeakKey);
    }
    let mut key = Zeroizing::new([0u8; 32]);
    Argon2::default().hash_password_into(key_file, salt, key.as_mut()).map_err(|_| SealError::WeakKey)?;
    let key = UnboundKey::new(&AES_256_GCM, key.as_ref()).map_err(|_| SealError::WeakKey)?;
    Ok(LessSafeKey::new(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"correct horse battery staple";

    fn seal(plain: &[u8]) -> Vec<u8> {
        let (ambient, _) = Ambient::for_test(1_800_000_000, 7);
        let mut sealer = Sealer::new(Vec::new(), KEY, &ambient).expect("a good key");
        sealer.write_all(plain).expect("memory");
        sealer.finish().expect("memory")
    }

    fn open(sealed: &[u8], key: &[u8]) -> Option<Vec<u8>> {
        let mut plain = Vec::new();
        Opener::new(sealed, key).ok()?.read_to_end(&mut plain).ok()?;
        Some(plain)
    }

    #[test]
    fn what_went_in_comes_out_at_every_chunk_boundary() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK] {
            let plain: Vec<u8> = (0..length).map(|i| (i % 251) as u8).collect();
            assert_eq!(open(&seal(&plain), KEY), Some(plain), "{length} bytes");
        }
    }

    #[test]
    fn another_key_and_every_change_are_found() {
        let plain = vec![5u8; 2 * CHUNK + 9];
        let sealed = seal(&plain);
        let frame = 4 + CHUNK + TAG;
        let start = MAGIC.len() + SALT;
        let swapped = [
            &sealed[..start],
            &sealed[start + frame..start + 2 * frame],
            &sealed[start..start + frame],
            &sealed[start + 2 * frame..],
        ]
        .concat();
        let mut flipped = sealed.clone();
        flipped[start + 100] ^= 1;
        let rows: [(&str, Vec<u8>, &[u8]); 6] = [
            ("another key", sealed.clone(), b"another key of that length"),
            ("a flipped bit", flipped, KEY),
            ("cut at a chunk", sealed[..start + frame].to_vec(), KEY),
            ("cut within a chunk", sealed[..sealed.len() - 1].to_vec(), KEY),
            ("chunks swapped", swapped, KEY),
            ("another file", b"SQLite format 3\0 and so on, and so on".to_vec(), KEY),
        ];
        for (what, bytes, key) in rows {
            assert_eq!(open(&bytes, key), None, "{what}");
        }
        let (ambient, _) = Ambient::for_test(1_800_000_000, 7);
        assert!(matches!(Sealer::new(Vec::new(), b"short", &ambient), Err(SealError::WeakKey)));
    }
}
