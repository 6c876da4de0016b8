//! Encrypted objects.

use std::cell::Cell;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use store::blobs::{BlobDigest, BlobError, BlobRef, Blobs, CHUNK, Kek};
use tempfile::TempDir;

const HEADER: usize = 132;
const SEALED: usize = CHUNK + 16;
const TRAILER: usize = 56;

/// Never the same bytes twice: a counter is random enough for a test.
fn counted(out: &mut [u8]) {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    for part in out.chunks_mut(8) {
        let bytes = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes();
        part.copy_from_slice(&bytes[..part.len()]);
    }
}

fn kek(id: &str, byte: u8) -> Kek {
    Kek::new(id, [byte; 32]).unwrap()
}

fn open() -> (TempDir, Blobs) {
    let dir = tempfile::tempdir().unwrap();
    let blobs = Blobs::open(&dir.path().join("objects"), kek("k1", 1), vec![]).unwrap();
    (dir, blobs)
}

fn store(blobs: &Blobs, bytes: &[u8]) -> BlobRef {
    let mut writer = blobs.writer(u64::MAX, &counted).unwrap();
    for part in bytes.chunks(10_007) {
        writer.write(part).unwrap();
    }
    writer.finish(None).unwrap()
}

fn sample(len: usize) -> Vec<u8> {
    (0..len).map(|i| (i % 251) as u8).collect()
}

fn file(dir: &TempDir, digest: &BlobDigest) -> PathBuf {
    let name = digest.to_string();
    dir.path().join("objects").join(&name[..2]).join(&name)
}

fn whole(blobs: &Blobs, digest: &BlobDigest) -> Result<Vec<u8>, BlobError> {
    let reader = blobs.reader(digest)?;
    let mut bytes = Vec::new();
    loop {
        let part = reader.read_at(bytes.len() as u64)?;
        if part.is_empty() {
            return Ok(bytes);
        }
        bytes.extend(part);
    }
}

fn unfinished(dir: &TempDir) -> usize {
    fs::read_dir(dir.path().join("objects/unfinished")).unwrap().count()
}

#[test]
fn objects_of_every_size_come_back() {
    let (dir, blobs) = open();
    let mut stored = Vec::new();
    for len in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 3 * CHUNK, 3 * CHUNK + 17] {
        let bytes = sample(len);
        let object = store(&blobs, &bytes);
        assert_eq!(object.len, len as u64);
        assert!(whole(&blobs, &object.digest).unwrap() == bytes, "{len}");
        let on_disk = fs::read(file(&dir, &object.digest)).unwrap();
        assert_eq!(on_disk.len(), HEADER + len + len.div_ceil(CHUNK) * 16 + TRAILER);
        if len > 64 {
            assert!(!on_disk.windows(32).any(|window| window == &bytes[..32]), "plain bytes on the disk");
        }
        stored.push(object.digest);
    }
    stored.sort();
    assert_eq!(blobs.all().unwrap(), stored);
    assert_eq!(unfinished(&dir), 0);
    // SHA-256 of nothing, as everybody knows it.
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert!(blobs.contains(&empty.parse().unwrap()));
}

#[test]
fn the_same_bytes_are_one_object() {
    let (dir, blobs) = open();
    let first = store(&blobs, b"twice");
    let before = fs::read(file(&dir, &first.digest)).unwrap();
    assert_eq!(store(&blobs, b"twice"), first);
    assert!(fs::read(file(&dir, &first.digest)).unwrap() == before);
    // A damaged one is replaced.
    fs::write(file(&dir, &first.digest), b"damaged").unwrap();
    assert_eq!(store(&blobs, b"twice"), first);
    assert_eq!(whole(&blobs, &first.digest).unwrap(), b"twice");
    assert!(blobs.delete(&first.digest).unwrap());
    assert!(!blobs.delete(&first.digest).unwrap());
    assert_eq!(whole(&blobs, &first.digest), Err(BlobError::NotFound));
    assert_eq!(unfinished(&dir), 0);
}

#[test]
fn what_is_refused_leaves_nothing() {
    let (dir, blobs) = open();
    let mut writer = blobs.writer(10, &counted).unwrap();
    writer.write(&[0; 10]).unwrap();
    assert_eq!(writer.write(&[0]), Err(BlobError::TooLarge), "one byte over");
    assert_eq!(writer.finish(None), Err(BlobError::TooLarge));
    let mut writer = blobs.writer(10, &counted).unwrap();
    writer.write(&[0; 10]).unwrap();
    assert_eq!(writer.finish(Some(&BlobDigest([0; 32]))), Err(BlobError::DigestWrong));
    let mut writer = blobs.writer(10, &counted).unwrap();
    writer.write(&[0; 10]).unwrap();
    assert_eq!(unfinished(&dir), 1);
    drop(writer);
    assert_eq!(unfinished(&dir), 0);
    assert_eq!(blobs.all().unwrap(), []);
    // The announced digest is the right one.
    let known = store(&blobs, &[0; 10]).digest;
    blobs.delete(&known).unwrap();
    let mut writer = blobs.writer(10, &counted).unwrap();
    writer.write(&[0; 10]).unwrap();
    assert_eq!(writer.finish(Some(&known)).unwrap().digest, known);
    // A crash leaves files that a sweep drops.
    fs::write(dir.path().join("objects/unfinished/00"), b"x").unwrap();
    assert_eq!(blobs.sweep().unwrap(), 1);
    assert_eq!(blobs.all().unwrap(), [known]);
}

#[test]
fn every_tampering_is_noticed() {
    let (dir, blobs) = open();
    let bytes = sample(3 * CHUNK + 100);
    let digest = store(&blobs, &bytes).digest;
    let other = store(&blobs, &sample(3 * CHUNK + 101)).digest;
    let path = file(&dir, &digest);
    let good = fs::read(&path).unwrap();
    let foreign = fs::read(file(&dir, &other)).unwrap();
    let flipped = |at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        bytes
    };
    let chunk = |i: usize| HEADER + i * SEALED..HEADER + (i + 1) * SEALED;
    let exchanged = {
        let mut bytes = good.clone();
        bytes[chunk(0)].copy_from_slice(&good[chunk(1)]);
        bytes[chunk(1)].copy_from_slice(&good[chunk(0)]);
        bytes
    };
    let repeated = {
        let mut bytes = good.clone();
        bytes[chunk(1)].copy_from_slice(&good[chunk(0)]);
        bytes
    };
    let without_a_chunk = [&good[..chunk(1).start], &good[chunk(2).start..]].concat();
    let cut_with_trailer = [&good[..chunk(2).start], &good[good.len() - TRAILER..]].concat();
    let foreign_chunk = [&good[..chunk(1).start], &foreign[chunk(1)], &good[chunk(2).start..]].concat();
    let foreign_header = [&foreign[..HEADER], &good[HEADER..]].concat();
    let foreign_trailer = [&good[..good.len() - TRAILER], &foreign[foreign.len() - TRAILER..]].concat();
    #[rustfmt::skip] // a table stays a table
    let rows = [
        ("magic", flipped(0)), ("version", flipped(7)), ("length of the KEK's id", flipped(8)),
        ("padding of the KEK's id", flipped(40)), ("nonce of the wrap", flipped(72)), ("wrapped key", flipped(84)),
        ("tag of the wrap", flipped(HEADER - 1)), ("first byte of the first chunk", flipped(HEADER)),
        ("tag of the first chunk", flipped(HEADER + SEALED - 1)), ("second chunk", flipped(HEADER + SEALED + 5)),
        ("last chunk", flipped(HEADER + 3 * SEALED + 50)), ("trailer", flipped(good.len() - TRAILER)),
        ("last byte", flipped(good.len() - 1)), ("one byte less", good[..good.len() - 1].to_vec()),
        ("one byte more", [&good[..], &[0]].concat()), ("cut at a chunk", good[..chunk(2).start].to_vec()),
        ("cut at a chunk, trailer kept", cut_with_trailer), ("a chunk taken out", without_a_chunk),
        ("two chunks exchanged", exchanged), ("a chunk repeated", repeated), ("a chunk of another object", foreign_chunk),
        ("header of another object", foreign_header), ("trailer of another object", foreign_trailer),
        ("another object", foreign.clone()), ("empty", vec![]), ("header alone", good[..HEADER].to_vec()),
    ];
    for (what, spoiled) in rows {
        assert!(spoiled != good, "{what}");
        fs::write(&path, spoiled).unwrap();
        let read = whole(&blobs, &digest);
        assert!(matches!(read, Err(BlobError::Damaged | BlobError::KekUnknown)), "{what}");
    }
    fs::write(&path, &good).unwrap();
    assert!(whole(&blobs, &digest).unwrap() == bytes);
}

#[test]
fn an_object_is_read_under_its_own_kek_only() {
    let (dir, blobs) = open();
    let digest = store(&blobs, b"secret").digest;
    let root = dir.path().join("objects");
    let with = |current, older| Blobs::open(&root, current, older).unwrap();
    assert_eq!(whole(&with(kek("k2", 2), vec![]), &digest), Err(BlobError::KekUnknown));
    assert_eq!(whole(&with(kek("k1", 2), vec![]), &digest), Err(BlobError::Damaged));
    let both = with(kek("k2", 2), vec![kek("k1", 1)]);
    assert_eq!(whole(&both, &digest).unwrap(), b"secret");
    // The key moves to the new KEK, the chunks stay.
    let before = fs::read(file(&dir, &digest)).unwrap();
    assert!(both.rewrap(&digest, &counted).unwrap());
    assert!(!both.rewrap(&digest, &counted).unwrap());
    let after = fs::read(file(&dir, &digest)).unwrap();
    assert!(before[HEADER..] == after[HEADER..] && before[..HEADER] != after[..HEADER]);
    assert_eq!(whole(&with(kek("k2", 2), vec![]), &digest).unwrap(), b"secret");
    assert_eq!(whole(&blobs, &digest), Err(BlobError::KekUnknown));
    for id in ["", &"x".repeat(64), "two words", "ä"] {
        assert_eq!(Kek::new(id, [0; 32]).err(), Some(BlobError::KekId), "{id}");
    }
    assert!(Kek::new(&"x".repeat(63), [0; 32]).is_ok());
    assert!(matches!(Blobs::open(&root, kek("k1", 1), vec![kek("k1", 2)]), Err(BlobError::KekId)));
    assert!(!format!("{:?}", kek("k1", 7)).contains('7'));
}

#[test]
fn files_are_for_their_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let (dir, blobs) = open();
    let path = file(&dir, &store(&blobs, b"x").digest);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
}

#[test]
fn names_are_64_lowercase_digits() {
    let good = "0".repeat(63) + "a";
    assert_eq!(good.parse::<BlobDigest>().unwrap().to_string(), good);
    for bad in
        ["", "a", &"A".repeat(64), &"g".repeat(64), &"0".repeat(65), &"ä".repeat(32), "../../etc/passwd"]
    {
        assert!(bad.parse::<BlobDigest>().is_err(), "{bad}");
    }
}

#[test]
fn randomness_is_taken_from_the_argument() {
    let (_dir, blobs) = open();
    thread_local!(static DRAWN: Cell<usize> = const { Cell::new(0) });
    let random = |out: &mut [u8]| {
        DRAWN.set(DRAWN.get() + out.len());
        counted(out);
    };
    drop(blobs.writer(1, &random).unwrap());
    // Key of the object, nonce of its wrap, name of the file.
    assert_eq!(DRAWN.get(), 32 + 12 + 16);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_range_is_that_part_of_the_object(len in 0..3 * CHUNK, from in 0..4 * CHUNK, count in 0..4 * CHUNK) {
        let (_dir, blobs) = open();
        let bytes = sample(len);
        let reader = blobs.reader(&store(&blobs, &bytes).digest).unwrap();
        let expected = bytes.get(from..from + count).map(<[u8]>::to_vec).ok_or(BlobError::OutsideRange);
        prop_assert!(reader.range(from as u64, count as u64) == expected);
        prop_assert!(reader.range(u64::MAX, 2) == Err(BlobError::OutsideRange));
    }

    #[test]
    fn spoiled_files_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..400), at in 0..188_usize) {
        let (dir, blobs) = open();
        let digest = store(&blobs, b"x").digest;
        let path = file(&dir, &digest);
        let mut good = fs::read(&path).unwrap();
        fs::write(&path, &bytes).unwrap();
        prop_assert!(whole(&blobs, &digest).is_err());
        good.truncate(at);
        good.extend(&bytes);
        fs::write(&path, &good).unwrap();
        let _ = whole(&blobs, &digest);
    }
}
