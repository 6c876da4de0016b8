//! Octets on their way to the disk, in flat memory.

use authorization::Reason;
use axum::body::Body;
use bytes::Bytes;
use http_body_util::BodyExt as _;
use service_http::ambient::Ambient;
use service_http::body::BodyFault;
use service_http::refusal::Refusal;
use store::blobs::{BlobDigest, BlobError, BlobRef, BlobWriter, Blobs};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use super::headers::fault;

/// Frames between the socket and the disk. Own value: a frame has at most some 16 KiB.
const FRAMES: usize = 8;

/// A whole body that was written and is not yet to be seen. Dropped, nothing is left of it.
pub(super) struct Uploaded {
    keep: oneshot::Sender<()>,
    writer: JoinHandle<Result<BlobRef, BlobError>>,
}

/// Writes a body of at most `most` octets.
///
/// # Errors
/// The body is larger, comes too slowly or breaks off; the disk failed. Nothing is left of it.
pub(super) async fn receive(
    blobs: &Blobs,
    ambient: &Ambient,
    mut body: Body,
    most: u64,
    sha256: Option<[u8; 32]>,
) -> Result<Uploaded, Refusal> {
    let (frames, from_socket) = mpsc::channel(FRAMES);
    let (keep, kept) = oneshot::channel();
    let (blobs, entropy) = (blobs.clone(), ambient.entropy.clone());
    let writer = tokio::task::spawn_blocking(move || {
        let writer = blobs.writer(most, &|out| entropy.fill(out))?;
        write(writer, from_socket, kept, sha256.map(BlobDigest))
    });
    loop {
        match body.frame().await {
            None => return Ok(Uploaded { keep, writer }),
            // Dropping `keep` makes the writer drop its file.
            Some(Err(error)) => return Err(BodyFault::of(&error).into()),
            Some(Ok(frame)) => {
                let Ok(octets) = frame.into_data() else { continue };
                if frames.send(octets).await.is_err() {
                    // The writer has ended early, and says why.
                    return Err(refusal(ended(writer).await));
                }
            }
        }
    }
}

impl Uploaded {
    /// Makes the payload visible under its digest.
    ///
    /// # Errors
    /// The octets have another digest than announced; the disk failed. Nothing is left of them.
    pub(super) async fn keep(self) -> Result<BlobRef, Refusal> {
        // The writer waits for this until it has written everything, or has ended with an error of its own.
        let _ = self.keep.send(());
        match self.writer.await {
            Ok(Ok(stored)) => Ok(stored),
            Ok(Err(error)) => Err(refusal(error)),
            Err(_) => Err(Refusal::open(Reason::StoreFailed)),
        }
    }
}

fn write(
    mut writer: BlobWriter,
    mut octets: mpsc::Receiver<Bytes>,
    kept: oneshot::Receiver<()>,
    announced: Option<BlobDigest>,
) -> Result<BlobRef, BlobError> {
    while let Some(octets) = octets.blocking_recv() {
        writer.write(&octets)?;
    }
    match kept.blocking_recv() {
        Ok(()) => writer.finish(announced.as_ref()),
        Err(_) => Err(BlobError::File("the upload broke off".to_owned())),
    }
}

async fn ended(writer: JoinHandle<Result<BlobRef, BlobError>>) -> BlobError {
    match writer.await {
        Ok(Err(error)) => error,
        _ => BlobError::File("the writer ended early".to_owned()),
    }
}

fn refusal(error: BlobError) -> Refusal {
    match error {
        BlobError::TooLarge => Refusal::open(Reason::TooLarge),
        BlobError::DigestWrong => fault("Repr-Digest", "is not the digest of the payload"),
        BlobError::KekUnknown => Refusal::open(Reason::KeyUnavailable),
        error => {
            tracing::error!(error = %error, "a payload could not be written");
            Refusal::open(Reason::StoreFailed)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store::blobs::Kek;

    const SHA256_OF_ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    fn blobs(dir: &std::path::Path) -> Blobs {
        Blobs::open(dir, Kek::new("k1", [7; 32]).unwrap(), Vec::new()).unwrap()
    }

    fn body(frames: Vec<Result<&'static str, std::io::Error>>) -> Body {
        Body::from_stream(futures::stream::iter(frames))
    }

    fn files(dir: &std::path::Path) -> usize {
        let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
        entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
    }

    type Row = (&'static str, Body, u64, [u8; 32], Result<u64, u16>);

    #[tokio::test]
    async fn a_payload_is_kept_whole_or_not_at_all() {
        let good: BlobDigest = SHA256_OF_ABC.parse().unwrap();
        let (ambient, _) = Ambient::for_test(1_800_000_000, 1);
        let whole = || body(vec![Ok("a"), Ok("bc")]);
        let broken = || body(vec![Ok("abc"), Err(std::io::Error::other("reset"))]);
        #[rustfmt::skip] // a table stays a table
        let rows: [Row; 5] = [
            ("as announced",         whole(),  3, good.0,   Ok(3)),
            ("one octet too many",   whole(),  2, good.0,   Err(413)),
            ("another digest",       whole(),  3, [0; 32],  Err(400)),
            ("broken off",           broken(), 3, good.0,   Err(400)),
            ("nothing, as of abc",   Body::empty(), 3, good.0, Err(400)),
        ];
        for (what, body, most, sha256, expected) in rows {
            let dir = tempfile::tempdir().unwrap();
            let blobs = blobs(dir.path());
            let got = match receive(&blobs, &ambient, body, most, Some(sha256)).await {
                Ok(uploaded) => uploaded.keep().await,
                Err(refusal) => Err(refusal),
            };
            let got = got.map(|stored| stored.len).map_err(|refusal| refusal.on_the_wire().0);
            assert_eq!(got, expected, "{what}");
            for _ in 0..200 {
                if files(dir.path()) == usize::from(expected.is_ok()) {
                    break;
                }
                tokio::time::sleep(std::time::Duration::from_millis(10)).await;
            }
            assert_eq!(files(dir.path()), usize::from(expected.is_ok()), "{what}");
        }
    }
}
