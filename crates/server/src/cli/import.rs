//! `metaseal import FILE`: reads lines, sends them in batches, goes on where it stopped.
//!
//! The server says which line comes next, and keeps that in the same transaction as the anchors: however often this
//! command is killed, nothing is kept twice. An import is named by the digest of its file, so that the same command goes
//! on with the same file.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use api_types::bulk::{
    BadLine, ExportHeader, ImportBegin, ImportDefaults, ImportRun, MAX_BATCH_BYTES, MAX_BATCH_LINES, NDJSON,
    OwnerKind, OwnerRef,
};
use aws_lc_rs::digest::{Context as Digest, SHA256};
use bytes::Bytes;
use sdk::{AdminClient, Request, SdkError};
use serde_json::json;
use service_http::ambient::hex;
use spatial_localization::san::bulk::{Line, Lines};
use tokio::task::JoinHandle;

use super::admin_link::AdminLink;
use super::arguments::{Common, Import};
use super::progress::{Progress, rate};

const TEMPLATE: &str = "{bar:30} {bytes}/{total_bytes}  {msg}  {eta}";

/// Requests that are under way: while the lines of one are kept, those of the next are read.
const AT_ONCE: usize = 2;

/// Bad lines that are listed. Own value.
const MOST_TOLD: usize = 100;

pub(super) async fn run(common: Common, command: Import) -> Result<ExitCode> {
    let begin = terms(&command)?;
    if begin.demo {
        let link = AdminLink::open(&common)?;
        if link.ready.get("demo").is_none_or(serde_json::Value::is_null) {
            bail!("{} was made by a demo: its owners and rules are worth nothing", command.file.display());
        }
    }
    let link = AdminLink::open(&common)?;
    let import_id = match &command.name {
        Some(name) => name.clone(),
        None => digest(&command.file)?,
    };
    let url = link.client.url(&["anchors", "imports", &import_id])?;
    let run: ImportRun =
        link.client.send(Request::put(url).json(&begin)).await?.expect(&[200, 201])?.json()?;
    let mut sender = Sender {
        client: link.client,
        import_id,
        skip_bad: command.skip_bad,
        began_at: (run.next_line, run.imported),
        run,
        under_way: VecDeque::new(),
        bad: Vec::new(),
        progress: Progress::new(std::fs::metadata(&command.file)?.len(), TEMPLATE),
    };
    let sent = if sender.run.done { Ok(()) } else { sender.send_all(&command.file).await };
    let seconds = sender.progress.end();
    sender.tell(&common, seconds)?;
    match sent {
        Ok(()) => Ok(ExitCode::SUCCESS),
        Err(error) => {
            eprintln!("metaseal: {error:#}");
            Ok(ExitCode::FAILURE)
        }
    }
}

/// What the operator says about the file, and the file about itself.
fn terms(command: &Import) -> Result<ImportBegin> {
    let file = open(&command.file)?;
    let mut lines = Lines::new(file);
    let demo = match lines.next_line()? {
        Some(Line::Whole(line)) => ExportHeader::read(line).is_some_and(|header| header.demo),
        _ => false,
    };
    let defaults = match (&command.owner, &command.service, &command.endpoint) {
        (Some(owner), Some(service), Some(endpoint)) => Some(ImportDefaults {
            owner: OwnerRef { issuer: None, subject: owner.clone(), kind: OwnerKind::Client },
            service_id: service.parse().map_err(|error| anyhow!("--service {error}"))?,
            end_pt: endpoint.clone(),
        }),
        _ => None,
    };
    let issuers = command.issuer.iter().map(|pair| {
        let (old, new) = pair.split_once('=').ok_or_else(|| anyhow!("--issuer takes OLD=NEW"))?;
        Ok((old.to_owned(), new.to_owned()))
    });
    Ok(ImportBegin { demo, defaults, issuers: issuers.collect::<Result<_>>()? })
}

fn open(path: &Path) -> Result<BufReader<File>> {
    let file = File::open(path).with_context(|| format!("reading {}", path.display()))?;
    Ok(BufReader::with_capacity(1 << 20, file))
}

fn digest(path: &Path) -> Result<String> {
    let mut file = open(path)?;
    let mut digest = Digest::new(&SHA256);
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(digest.finish().as_ref())),
            read => digest.update(&buffer[..read]),
        }
    }
}

/// Lines on their way.
#[derive(Clone)]
struct Parcel {
    first: u64,
    last: bool,
    lines: Bytes,
    /// Where the file is read up to.
    bytes_read: u64,
}

struct Sender {
    client: AdminClient,
    import_id: String,
    skip_bad: bool,
    run: ImportRun,
    began_at: (u64, u64),
    under_way: VecDeque<(Parcel, JoinHandle<Result<ImportRun, SdkError>>)>,
    bad: Vec<BadLine>,
    progress: Progress,
}

impl Sender {
    async fn send_all(&mut self, path: &Path) -> Result<()> {
        let mut lines = Lines::new(open(path)?);
        let (mut number, mut batch) = (1_u64, Batch::from(self.run.next_line));
        loop {
            let before = lines.bytes_read();
            let line = match lines.next_line()? {
                Some(Line::Whole(line)) => line,
                Some(Line::TooLong) => {
                    if number >= self.run.next_line {
                        self.too_long(number)?;
                    }
                    // In its place stands an empty line, so that the others keep their numbers.
                    &[]
                }
                None => break,
            };
            if number >= batch.first {
                if batch.is_full_with(line) {
                    let full = std::mem::replace(&mut batch, Batch::from(number));
                    self.send(full.parcel(false, before)).await?;
                }
                batch.push(line);
            }
            number += 1;
        }
        self.send(batch.parcel(true, lines.bytes_read())).await?;
        while !self.under_way.is_empty() {
            self.settle().await?;
        }
        Ok(())
    }

    fn too_long(&mut self, line: u64) -> Result<()> {
        if !self.skip_bad {
            bail!("line {line} is too long");
        }
        self.bad.push(BadLine { line, param: String::new(), reason: "is too long".to_owned() });
        Ok(())
    }

    async fn send(&mut self, parcel: Parcel) -> Result<()> {
        let request = self.request(&parcel)?;
        let client = self.client.clone();
        let task = tokio::spawn(async move { client.send(request).await?.expect(&[200])?.json() });
        self.under_way.push_back((parcel, task));
        if self.under_way.len() >= AT_ONCE { self.settle().await } else { Ok(()) }
    }

    fn request(&self, parcel: &Parcel) -> Result<Request> {
        let mut url = self.client.url(&["anchors", "imports", &self.import_id, "lines"])?;
        url.query_pairs_mut()
            .append_pair("first", &parcel.first.to_string())
            .append_pair("last", if parcel.last { "true" } else { "false" })
            .append_pair("skip-bad", if self.skip_bad { "true" } else { "false" });
        Ok(Request::post(url).bytes(NDJSON, parcel.lines.clone()))
    }

    /// Waits for the oldest request.
    async fn settle(&mut self) -> Result<()> {
        let Some((parcel, task)) = self.under_way.pop_front() else { return Ok(()) };
        let mut answer = task.await.context("sending lines")?;
        // It overtook the one before, which is kept by now.
        if answer.as_ref().err().and_then(SdkError::status) == Some(412) {
            answer = match self.client.send(self.request(&parcel)?).await?.expect(&[200]) {
                Ok(answer) => answer.json(),
                Err(error) => Err(error),
            };
        }
        match answer {
            Ok(mut run) => {
                self.bad.append(&mut run.bad);
                self.run = run;
                let done = self.run.imported - self.began_at.1;
                let message = format!("{} a second", rate(done, self.progress.seconds()));
                self.progress.at(parcel.bytes_read, message);
                Ok(())
            }
            Err(error) => Err(self.stopped(&error)),
        }
    }

    fn stopped(&self, error: &SdkError) -> anyhow::Error {
        let faults = match error {
            SdkError::Problem { status: 400, invalid, .. } => invalid.as_slice(),
            _ => &[],
        };
        let lines: Vec<String> = faults
            .iter()
            .map(|fault| {
                let (line, member) = fault
                    .param
                    .trim_start_matches('/')
                    .split_once('/')
                    .unwrap_or((fault.param.trim_start_matches('/'), ""));
                let member = if member.is_empty() { String::new() } else { format!(" /{member}") };
                format!("line {line}:{member} {}", fault.reason.as_deref().unwrap_or("is bad"))
            })
            .collect();
        if lines.is_empty() {
            return anyhow!("{error}; the same command goes on from line {}", self.run.next_line);
        }
        anyhow!(
            "{}\nNothing from line {} on was kept. Correct the file and go on with --name {}, or leave bad lines out with \
             --skip-bad",
            lines.join("\n"),
            self.run.next_line,
            self.import_id
        )
    }

    fn tell(&self, common: &Common, seconds: f64) -> Result<()> {
        let run = &self.run;
        let new = run.imported - self.began_at.1;
        let skipped = self.bad.len() as u64;
        let summary = json!({
            "importId": self.import_id, "done": run.done, "nextLine": run.next_line, "resumedAt": self.began_at.0,
            "imported": run.imported, "now": new, "renumbered": run.renumbered, "keepsIds": run.keeps_ids,
            "skipped": skipped, "bad": self.bad, "seconds": seconds, "perSecond": rate(new, seconds),
        });
        if common.json {
            crate::out!("{}", serde_json::to_string_pretty(&summary)?);
            return Ok(());
        }
        for bad in self.bad.iter().take(MOST_TOLD) {
            eprintln!("line {}: {} {}", bad.line, bad.param, bad.reason);
        }
        let more = self.bad.len().saturating_sub(MOST_TOLD);
        if more > 0 {
            eprintln!("and {more} bad lines more; --json lists them all");
        }
        eprintln!(
            "{new} anchors kept in {seconds:.1} s ({} a second), {} of {} under another identifier, {skipped} lines left out",
            rate(new, seconds),
            run.renumbered,
            run.imported,
        );
        Ok(())
    }
}

/// Lines that wait to be sent.
struct Batch {
    first: u64,
    lines: Vec<u8>,
    count: usize,
}

impl Batch {
    fn from(first: u64) -> Self {
        Self { first, lines: Vec::new(), count: 0 }
    }

    fn is_full_with(&self, line: &[u8]) -> bool {
        self.count >= MAX_BATCH_LINES || self.count > 0 && self.lines.len() + line.len() + 1 > MAX_BATCH_BYTES
    }

    fn push(&mut self, line: &[u8]) {
        self.lines.extend_from_slice(line);
        self.lines.push(b'\n');
        self.count += 1;
    }

    fn parcel(self, last: bool, bytes_read: u64) -> Parcel {
        Parcel { first: self.first, last, lines: self.lines.into(), bytes_read }
    }
}
