//! `metaseal export FILE`

use std::fs::{File, OpenOptions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use api_types::bulk::ExportHeader;
use sdk::Request;
use serde_json::json;

use super::admin_link::AdminLink;
use super::arguments::{Common, Export};
use super::progress::{Progress, rate};

const TEMPLATE: &str = "{bar:30} {pos}/{len} anchors  {msg}  {eta}";

pub(super) async fn run(common: Common, command: Export) -> Result<ExitCode> {
    let link = AdminLink::open(&common)?;
    let to_stdout = command.file == Path::new("-");
    let mut out: Box<dyn Write> = if to_stdout {
        Box::new(BufWriter::new(std::io::stdout()))
    } else {
        Box::new(BufWriter::new(create(&command.file)?))
    };
    let written = write(&link, &mut out).await;
    if written.is_err() && !to_stdout {
        // Half an export looks like a whole one.
        let _ = std::fs::remove_file(&command.file);
    }
    let (anchors, seconds) = written?;
    let rate = rate(anchors, seconds);
    let summary = json!({ "anchors": anchors, "seconds": seconds, "perSecond": rate });
    match (common.json, to_stdout) {
        (true, true) => eprintln!("{summary:#}"),
        (true, false) => crate::out!("{summary:#}"),
        (false, _) => eprintln!("{anchors} anchors written in {seconds:.1} s ({rate} a second)"),
    }
    Ok(ExitCode::SUCCESS)
}

/// The file says who owns what: it is its owner's alone.
fn create(path: &Path) -> Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.with_context(|| format!("{} cannot be made, or is there already", path.display()))
}

async fn write(link: &AdminLink, out: &mut dyn Write) -> Result<(u64, f64)> {
    let progress = Progress::new(0, TEMPLATE);
    let mut url = link.client.url(&["anchors", "export"])?;
    url.set_query(Some("limit=1000"));
    let mut anchors = 0;
    loop {
        let request = Request::get(url.clone()).accept_up_to(64 * 1024 * 1024);
        let answer = link.client.send(request).await?.expect(&[200])?;
        out.write_all(&answer.body)?;
        let lines = answer.body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        anchors += lines.filter(|line| ExportHeader::read(line).is_none()).count() as u64;
        if let Some(total) = answer.header("metaseal-total").and_then(|total| total.parse().ok()) {
            progress.of(total);
        }
        progress.at(anchors, format!("{} a second", rate(anchors, progress.seconds())));
        let Some(next) = answer.header("link") else { break };
        match sdk::link::target(next, "next", &url) {
            Some(next) if next != url => url = next,
            _ => bail!("the program names a next page that is none"),
        }
    }
    out.flush()?;
    Ok((anchors, progress.end()))
}
