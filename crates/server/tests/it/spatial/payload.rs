//! Payloads of maps: large ones in flat memory, parts of them, and nothing left of what was not finished.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use api_types::ids::SpatialMapId;
use bytes::Bytes;
use sdk::{Credential, Request, SmClient};
use serde_json::json;
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use super::{Deployment, POLL, create, until};
use crate::harness::{Program, Raw, Site, put, text_of};

const GLB: &str = "model/gltf-binary";
const MIB: usize = 1024 * 1024;
/// The large payload: 100 MB of contract and design.
const LARGE: usize = 100_000_000;
/// What the program may grow by while it takes or gives it. Own value: buffers of a few connections.
const GROWTH: u64 = 32 * MIB as u64;
/// A payload of more than one chunk that ends within a chunk.
const SMALL: usize = 300_001;
/// Stands again and again in every payload, and must not stand on the disk.
const MARKER: &str = "PLAINTEXT-MARKER-7d1f";

/// Octets in which each position can be told from its neighbours.
fn payload(octets: usize) -> Bytes {
    let mut bytes = Vec::with_capacity(octets + 64);
    let mut number = 0_u64;
    while bytes.len() < octets {
        bytes.extend_from_slice(MARKER.as_bytes());
        bytes.extend_from_slice(format!("{number:011}").as_bytes());
        number += 1;
    }
    bytes.truncate(octets);
    bytes.into()
}

fn path_of(id: SpatialMapId) -> String {
    format!("/ssm-smm/v1/spatial-maps/{id}/content")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payload_is_kept_whole_encrypted_and_in_flat_memory() {
    let mut deployment = Deployment::new(|_| Vec::new()).await;
    let site = &deployment.site;
    let credential = site.server_token("vs-1", "sm", "3gpp:seal:sm").await;
    let sm = SmClient::new(site.link("vs-1"), site.at("sm"), credential.clone()).expect("a client");
    let [large, small, empty] =
        [create(&sm, json!({})).await, create(&sm, json!({})).await, create(&sm, json!({})).await];
    let blobs = deployment.program.data().join("blobs");

    let part = payload(SMALL);
    sm.put_content(small, GLB, part.clone(), None).await.expect("kept");
    ranges(site, &sm, small, &part).await;
    flat_memory(&deployment.program, &sm, large).await;
    encrypted(&deployment.program.data(), deployment.dir.path());

    let before = files(&blobs);
    assert_eq!(before.len(), 2, "{before:?}");
    wrong_digest(site, &sm, [small, empty], &part).await;
    assert_eq!(files(&blobs), before, "what is refused leaves nothing");
    let upload = half_of_an_upload(site, &credential, empty, &blobs, before.len()).await;
    drop(upload);
    until("an upload that broke off leaves nothing", || async { files(&blobs) == before }).await;

    let upload = half_of_an_upload(site, &credential, empty, &blobs, before.len()).await;
    let launch = deployment.launch.clone();
    deployment.restarted(&launch, || assert!(files(&blobs).len() > before.len(), "killed in the middle"));
    drop(upload);
    assert_eq!(files(&blobs), before, "nothing is left of it after a start");
    let site = &deployment.site;
    let sm = SmClient::new(site.link("vs-1"), site.at("sm"), credential).expect("a client");
    assert!(sm.head_content(empty).await.is_err(), "and no map names it");
    let (_, kept) = sm.get_content(small, MIB).await.expect("what was acknowledged");
    assert_eq!(kept, part);
}

/// Writes and reads 100 MB; the program stays as large as it is.
async fn flat_memory(program: &Program, sm: &SmClient, id: SpatialMapId) {
    let octets = payload(LARGE);
    let (first, highest) = watched(program, async {
        let head = sm.put_content(id, GLB, octets.clone(), None).await.expect("kept");
        assert_eq!(head.fits(&octets), Some(true));
    })
    .await;
    assert!(highest < first + GROWTH, "PUT: from {first} to {highest}");
    let (first, highest) = watched(program, async {
        let mut answer = sm.open_content(id, None).await.expect("an answer");
        let mut at = 0;
        while let Some(piece) = answer.chunk().await.expect("a piece") {
            assert!(octets[at..].starts_with(&piece), "at {at}");
            at += piece.len();
        }
        assert_eq!(at, LARGE);
    })
    .await;
    assert!(highest < first + GROWTH, "GET: from {first} to {highest}");
}

/// Resident memory of the program before `work`, and its peak meanwhile.
async fn watched(program: &Program, work: impl Future<Output = ()>) -> (u64, u64) {
    let (first, highest, ended) = (program.resident(), Arc::new(AtomicU64::new(0)), AtomicBool::new(false));
    let watch = async {
        while !ended.load(Ordering::SeqCst) {
            highest.fetch_max(program.resident(), Ordering::SeqCst);
            tokio::time::sleep(POLL).await;
        }
    };
    let work = async {
        work.await;
        ended.store(true, Ordering::SeqCst);
    };
    tokio::join!(watch, work);
    let highest = highest.load(Ordering::SeqCst);
    println!("{} MB: resident from {} to {} KiB", LARGE / 1_000_000, first / 1024, highest / 1024);
    (first, highest)
}

/// `Range` and its conditions (RFC 9110 14.2, 13.1.5).
async fn ranges(site: &Site, sm: &SmClient, id: SpatialMapId, whole: &Bytes) {
    let head = sm.head_content(id).await.expect("a head");
    assert_eq!((head.length, head.fits(whole)), (Some(SMALL as u64), Some(true)));
    let (tag, end) = (head.etag.expect("a tag"), SMALL - 1);
    let chunk = 64 * 1024;
    type Row<'r> = (&'r str, String, Option<&'r str>, u16, Option<(usize, usize)>);
    #[rustfmt::skip] // a table stays a table
    let rows: [Row; 14] = [
        ("first octet",       "bytes=0-0".into(),                  None, 206, Some((0, 0))),
        ("last octet",        format!("bytes={end}-{end}"),        None, 206, Some((end, end))),
        ("all, by name",      format!("bytes=0-{end}"),            None, 206, Some((0, end))),
        ("over a chunk",      format!("bytes={}-{}", chunk - 1, chunk), None, 206, Some((chunk - 1, chunk))),
        ("chunks 2 to 4",     format!("bytes={}-{}", chunk, 4 * chunk + 7), None, 206, Some((chunk, 4 * chunk + 7))),
        ("open end",          "bytes=299999-".into(),              None, 206, Some((299_999, end))),
        ("end is cut",        "bytes=299999-999999".into(),        None, 206, Some((299_999, end))),
        ("suffix",            "bytes=-5".into(),                   None, 206, Some((end - 4, end))),
        ("suffix over all",   "bytes=-999999".into(),              None, 206, Some((0, end))),
        ("behind the end",    format!("bytes={SMALL}-"),           None, 416, None),
        ("empty suffix",      "bytes=-0".into(),                   None, 416, None),
        ("two ranges",        "bytes=0-1,5-6".into(),              None, 200, Some((0, end))),
        ("of this payload",   "bytes=1-2".into(),            Some(&tag), 206, Some((1, 2))),
        ("of another one",    "bytes=1-2".into(),     Some("\"other\""), 200, Some((0, end))),
    ];
    for (what, range, condition, status, span) in rows {
        let request = Request::get(site.path("sm", &path_of(id))).header("range", &range);
        let request = request.opt_header("if-range", condition).accept_up_to(MIB);
        let answer = sm.send(request).await.expect("an answer");
        assert_eq!(answer.status, status, "{what}");
        let content_range = answer.header("content-range").map(str::to_owned);
        match span {
            None => assert_eq!(content_range, Some(format!("bytes */{SMALL}")), "{what}"),
            Some((first, last)) => {
                assert_eq!(answer.body, whole[first..=last], "{what}");
                let named = (status == 206).then(|| format!("bytes {first}-{last}/{SMALL}"));
                assert_eq!(content_range, named, "{what}");
                assert_eq!(answer.header("repr-digest"), head.digest.as_deref(), "{what}: of the whole");
            }
        }
    }
}

/// Octets that are not what was announced are refused, and what was there stays.
async fn wrong_digest(site: &Site, sm: &SmClient, maps: [SpatialMapId; 2], whole: &Bytes) {
    for id in maps {
        let before = sm.head_content(id).await.ok();
        let request = Request::put(site.path("sm", &path_of(id)));
        let request =
            request.header("repr-digest", &sdk::sm::repr_digest(b"other")).bytes(GLB, whole.slice(1..));
        let answer = sm.send(request).await.expect("an answer");
        let told: serde_json::Value = serde_json::from_slice(&answer.body).expect("problem details");
        let fault = &told["invalidParams"][0]["param"];
        assert_eq!((answer.status, fault), (400, &json!("Repr-Digest")));
        let after = sm.head_content(id).await.ok();
        assert_eq!(after.map(|head| head.etag), before.map(|head| head.etag));
    }
}

/// A connection on which half of a payload was sent, and that much is on the disk.
async fn half_of_an_upload(
    site: &Site,
    credential: &Credential,
    id: SpatialMapId,
    blobs: &Path,
    known: usize,
) -> TlsStream<TcpStream> {
    let identity = site.clients["vs-1"].identity.as_ref();
    let raw = Raw::new(&site.ca, site.at("sm"), b"http/1.1", identity);
    let mut stream = raw.connect(IpAddr::V4(Ipv4Addr::LOCALHOST)).await.expect("a connection");
    let head = format!(
        "PUT {} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {}\r\ncontent-type: {GLB}\r\ncontent-length: {}\r\n\r\n",
        path_of(id),
        text_of(credential),
        4 * MIB
    );
    assert!(put(&mut stream, head.as_bytes()).await && put(&mut stream, &payload(2 * MIB)).await, "sent");
    until("octets on the disk", || async { files(blobs).len() > known }).await;
    stream
}

/// No file of the data directory has a word of a payload.
fn encrypted(data: &Path, dir: &Path) {
    let found = |place: &Path| {
        let found = Command::new("grep").args(["-rlaF", MARKER]).arg(place).output().expect("grep");
        String::from_utf8(found.stdout).expect("names")
    };
    assert_eq!(found(data), "");
    let control = dir.join("control");
    fs::write(&control, payload(MIB)).expect("a file");
    assert!(found(&control).contains("control"), "the search finds what is there");
}

/// Every file below a directory.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        match entry.path() {
            path if path.is_dir() => found.extend(files(&path)),
            path => found.push(path),
        }
    }
    found.sort();
    found
}
