//! The program beside its floor, on one engine.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use api_types::function::Function;
use serde_json::{Value, json};
use store::{Limits, Store, StoreConfig};
use tempfile::TempDir;
use url::form_urlencoded;

use super::load::{self, Target, client_tls, request};
use super::process::Process;
use super::program::{CLIENT, Program};
use super::progress::Progress;
use super::report::{Report, Row};
use super::{Options, capif, discovery, fill, peer};
use crate::wiring::{RECORDS, migrations_of};

/// Where lists are made.
pub(super) const LISTS: &str = "/ssan-sanm/v1/anchors-lists";

/// The databases of one engine.
struct Engine {
    name: &'static str,
    server: Option<store::testkit::Postgres>,
}

impl Engine {
    /// An empty database, by its url; `None` on SQLite.
    fn database(&self) -> Option<String> {
        self.server.as_ref().map(store::testkit::Postgres::database)
    }
}

/// # Errors
/// Something to be measured does not work.
pub(super) async fn measure(
    options: &Options,
    report: &mut Report,
    progress: &Progress,
    postgres: bool,
) -> Result<()> {
    let server = postgres.then(store::testkit::Postgres::start);
    let engine = Engine { name: if postgres { "PostgreSQL" } else { "SQLite" }, server };
    if options.wants("discovery") {
        for count in &options.anchors {
            at(options, report, progress, &engine, *count).await?;
        }
    }
    if ["token", "get", "write"].iter().any(|case| options.wants(case)) {
        services(options, report, progress, &engine).await?;
    }
    let dir = scratch()?;
    capif::measure(options, report, progress, (dir.path(), engine.database().as_deref(), engine.name)).await
}

/// Discovery with so many anchors, at the store and over TLS.
async fn at(
    options: &Options,
    report: &mut Report,
    progress: &Progress,
    engine: &Engine,
    count: u32,
) -> Result<()> {
    let what = format!("discovery among {count} anchors, {}", engine.name);
    progress.begin(&what);
    let dir = scratch()?;
    let url = engine.database();
    let place = match &url {
        None => StoreConfig::Sqlite { dir: dir.path().join("data").join(RECORDS) },
        Some(url) => StoreConfig::Postgres { url: url.clone() },
    };
    {
        let limits = Limits::default();
        let store = Store::open_with(&place, Function::San, migrations_of(Function::San), limits).await?;
        fill::anchors(&store, count, CLIENT, progress).await?;
        progress.begin(&what);
        let (bare, answers) = discovery::bare(options, &store, count).await?;
        report.push(
            Row::of("discovery", format!("bare index query, {count} anchors"), &bare)
                .on(engine.name)
                .answers(answers),
        );
        let (found, answers) = discovery::with_permissions(options, &store, count).await?;
        report.push(
            Row::of("discovery", format!("discovery, {count} anchors"), &found)
                .on(engine.name)
                .answers(answers)
                .beside(&bare),
        );
    }
    progress.begin(&format!("{what}, over TLS"));
    let mut program = Program::start(dir.path(), url.as_deref(), &options.ambient).await?;
    report.started(engine.name, count, program.ready_after, program.process.rss_mib());
    program.register().await?;
    let (target, token) = (program.target("san")?, token(&program, "3gpp:seal:san.discover").await?);
    let bearer = format!("Bearer {token}");
    let ask = move |n: usize| {
        let area = discovery::square(count, discovery::ANSWERS / fill::VISIBLE, n);
        let corners = [
            (area.min_lon, area.min_lat),
            (area.max_lon, area.min_lat),
            (area.max_lon, area.max_lat),
            (area.min_lon, area.max_lat),
        ];
        let points: Vec<Value> = corners.iter().map(|(lon, lat)| json!({ "lon": lon, "lat": lat })).collect();
        let shape = json!({ "geoServAr": { "geoArs": [{ "shape": "POLYGON", "pointList": points }] } });
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("area-int", &shape.to_string())
            .append_pair("limit", "1000")
            .finish();
        request("GET", &format!("/ssan-disc/v1/spatial-anchors?{query}"), &[("authorization", &bearer)], "")
    };
    let served = load::run(&target, &program.process, &options.ambient, shape(options), 200, ask).await?;
    report.push(
        Row::of("discovery", format!("GET, {count} anchors, over TLS"), &served)
            .on(engine.name)
            .rss(program.process.rss_mib()),
    );
    Ok(())
}

/// Tokens, reads and writes over TLS.
async fn services(
    options: &Options,
    report: &mut Report,
    progress: &Progress,
    engine: &Engine,
) -> Result<()> {
    let dir = scratch()?;
    let on = engine.name;
    let ambient = &options.ambient;
    progress.begin(&format!("floor, {on}"));
    let (floor, at_floor) = floor(dir.path(), engine.database().as_deref()).await?;
    let empty = request("GET", "/empty", &[], "");
    let empty = load::run(&at_floor, &floor, ambient, shape(options), 200, move |_| empty.clone()).await?;
    report.push(Row::of("floor", "empty handler", &empty).on(on).rss(floor.rss_mib()));
    let commit = request("GET", "/commit", &[], "");
    let commit = load::run(&at_floor, &floor, ambient, shape(options), 200, move |_| commit.clone()).await?;
    report.push(Row::of("floor", "empty handler, one row committed", &commit).on(on).rss(floor.rss_mib()));
    drop(floor);

    let mut program = Program::start(dir.path(), engine.database().as_deref(), ambient).await?;
    tokio::time::sleep(std::time::Duration::from_secs(2)).await;
    report.idle(on, program.process.rss_mib());
    program.register().await?;
    if options.wants("token") {
        tokens(options, report, progress, (&program, on), dir.path()).await?;
    }
    let bearer = format!("Bearer {}", token(&program, "3gpp:seal:san").await?);
    let target = program.target("san")?;
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let list = list();
    let (status, created) = load::once(&target, &request("POST", LISTS, &headers, &list)).await?;
    ensure!(status == 201, "no list was created: {created}");
    if options.wants("get") {
        progress.begin(&format!("reads, {on}"));
        let get = request("GET", &location(&created)?, &headers[..1], "");
        let get = load::run(&target, &program.process, ambient, shape(options), 200, move |_| get.clone());
        let get = get.await?;
        report.push(
            Row::of("get", "anchors list, token remembered", &get)
                .on(on)
                .rss(program.process.rss_mib())
                .beside(&commit)
                .beside(&empty),
        );
    }
    if options.wants("write") {
        progress.begin(&format!("writes, {on}"));
        let post = request("POST", LISTS, &headers, &list);
        let post = load::run(&target, &program.process, ambient, shape(options), 201, move |_| post.clone());
        let post = post.await?;
        report.push(
            Row::of("write", "anchors list created", &post)
                .on(on)
                .rss(program.process.rss_mib())
                .beside(&commit),
        );
    }
    Ok(())
}

/// Tokens for a VAL server, each with its durable record, beside the peer's, which keeps nothing.
async fn tokens(
    options: &Options,
    report: &mut Report,
    progress: &Progress,
    (program, on): (&Program, &'static str),
    dir: &Path,
) -> Result<()> {
    let ambient = &options.ambient;
    let form = |form: &str| {
        request("POST", "/token", &[("content-type", "application/x-www-form-urlencoded")], form)
    };
    let mut theirs = None;
    if let Some((process, target)) = peer::start(&options.peer, dir, ambient)? {
        progress.begin(&format!("tokens of oidc-provider, beside {on}"));
        let ask = form(peer::FORM);
        let run = load::run(&target, &process, ambient, shape(options), 200, move |_| ask.clone());
        let samples = run.await?;
        report.push(
            Row::of("token", "client credentials, oidc-provider", &samples).on(on).rss(process.rss_mib()),
        );
        theirs = Some(samples);
    }
    progress.begin(&format!("tokens, {on}"));
    let target = program.target("sim_mtls")?;
    let ask = form(&token_form(program, "3gpp:seal:san.read")?);
    let run = load::run(&target, &program.process, ambient, shape(options), 200, move |_| ask.clone());
    let samples = run.await?;
    let mut row = Row::of("token", "client credentials", &samples).on(on).rss(program.process.rss_mib());
    if let Some(theirs) = &theirs {
        row = row.beside(theirs);
    }
    report.push(row);
    Ok(())
}

/// The form of a token request of the registered client.
pub(super) fn token_form(program: &Program, scope: &str) -> Result<String> {
    Ok(form_urlencoded::Serializer::new(String::new())
        .append_pair("grant_type", "client_credentials")
        .append_pair("client_id", CLIENT)
        .append_pair("scope", scope)
        .append_pair("resource", program.url("san")?)
        .finish())
}

/// A token of the SIM-S for the SAn server.
///
/// # Errors
/// None is given.
pub(super) async fn token(program: &Program, scope: &str) -> Result<String> {
    let content = [("content-type", "application/x-www-form-urlencoded")];
    let ask = request("POST", "/token", &content, &token_form(program, scope)?);
    let (status, answer) = load::once(&program.target("sim_mtls")?, &ask).await?;
    ensure!(status == 200, "no token: {answer}");
    let body: Value = serde_json::from_str(body(&answer))?;
    Ok(body["access_token"].as_str().context("a token")?.to_owned())
}

/// The path of what an answer says was created.
///
/// # Errors
/// It does not say.
pub(super) fn location(answer: &str) -> Result<String> {
    let location = answer.lines().find_map(|line| line.strip_prefix("location: "));
    Ok(url::Url::parse(location.context("where it is")?.trim())?.path().to_owned())
}

/// The body of an answer.
pub(super) fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").map(|(_, body)| body).unwrap_or_default()
}

/// A list of one anchor.
pub(super) fn list() -> String {
    let mut anchor = fill::document(0, CLIENT);
    if let Some(members) = anchor.as_object_mut() {
        members.remove("anchorId");
    }
    let service = json!({ "serviceId": "guide", "endPt": { "uri": "https://val.example/guide" } });
    json!({ "valServInfo": service, "anchors": { "a": anchor }, "suppFeat": "1" }).to_string()
}

async fn floor(dir: &Path, url: Option<&str>) -> Result<(Process, Target)> {
    let ready = dir.join("floor.json");
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("bench-floor").arg(dir.join("floor")).arg("--told").arg(&ready);
    if let Some(url) = url {
        command.args(["--postgres", url]);
    }
    let mut process = Process::start(command.stdout(Stdio::null()).stderr(Stdio::null()))?;
    let told = process.file(&ready).await?;
    let text = |name: &str| told[name].as_str().unwrap_or_default().to_owned();
    let own = sdk::Identity { cert_pem: text("cert"), key_pem: text("key") };
    let port = told["port"].as_u64().and_then(|port| u16::try_from(port).ok()).context("a port")?;
    Ok((process, Target { port, tls: client_tls(&text("ca"), Some(&own))? }))
}

/// Connections and seconds.
pub(super) fn shape(options: &Options) -> (usize, f64) {
    (options.connections, options.seconds)
}

fn scratch() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("metaseal-bench-").tempdir()?)
}
