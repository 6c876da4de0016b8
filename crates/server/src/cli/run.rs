//! `metaseal serve`, `metaseal demo`

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use service_http::ambient::{Ambient, OffsetClock, SteadyClock};
use service_http::{logging, metrics};

use super::arguments::{Common, Demo, Serve};
use super::config;
use crate::ambient;
use crate::config::{CompatClients, Config};
use crate::data_dir::DataDir;
use crate::demo;
use crate::pki::ROOTS;
use crate::ready::{READY_NAME, Ready};
use crate::wiring::{Assembly, Running, start};

pub(super) async fn serve(common: Common, serve: Serve) -> Result<ExitCode> {
    let mut config = config::load(&common)?;
    if !serve.roles.is_empty() {
        config.server.roles = serve.roles;
        config.validate()?;
    }
    if serve.compat.is_some() {
        config.compat.clients = Some(CompatClients::Opencapif);
    }
    let data = common.data.clone().unwrap_or_else(|| Path::new("metaseal-data").to_path_buf());
    let running = begin(config, DataDir::open(&data, false)?, false).await?;
    publish(&running, None, common.ready.as_deref())?;
    for (name, url) in &running.urls {
        eprintln!("{name:<10} {url}");
    }
    if let Some(password) = &running.opencapif_admin {
        eprintln!("\nAdministrator of ccf_compat, shown this once: admin, password {}", password.expose());
    }
    until_asked_to_stop().await?;
    running.stop().await;
    Ok(ExitCode::SUCCESS)
}

pub(super) async fn demo(common: Common, options: Demo) -> Result<ExitCode> {
    let mut config = config::load(&common)?;
    // A demo is for this machine alone, whatever the configuration says.
    config.server.bind = "127.0.0.1".into();
    config.server.host = "localhost".into();
    // Owners are asked, so that it can be seen how.
    config.capif.ask_owners = true;
    if common.port_base.is_none() && options.once {
        config.server.port_base = 0;
    }
    let temporary = tempfile::Builder::new().prefix("metaseal-demo-").tempdir()?;
    let path = common.data.clone().unwrap_or_else(|| temporary.path().to_path_buf());
    let table = demo::Table::new(common.json);
    table.note("Starting the functions, with a throw-away data directory");
    let running = begin(config, DataDir::open(&path, true)?, true).await?;
    let stop = until_asked_to_stop();
    tokio::pin!(stop);
    let code = tokio::select! {
        code = play(&common, &options, &running, table) => code?,
        stopped = &mut stop => {
            stopped?;
            ExitCode::SUCCESS
        }
    };
    if !options.once {
        stop.await?;
    }
    running.stop().await;
    Ok(code)
}

async fn play(common: &Common, options: &Demo, running: &Running, table: demo::Table) -> Result<ExitCode> {
    let recording = options.record.as_deref().map(demo::Recording::create).transpose()?;
    let sample = demo::seed(running, recording, table).await?;
    publish(running, Some(sample.ready()), common.ready.as_deref())?;
    let report = demo::play(running, &sample, &options.only, table).await?;
    if let Some(dir) = &options.svg {
        demo::write_pictures(&report, dir)?;
    }
    if common.json {
        crate::out!("{}", serde_json::to_string_pretty(&report)?);
    }
    table.sum(&report);
    if !options.once {
        let ready = common.ready.clone().unwrap_or_else(|| running.data.join(READY_NAME));
        table.note(&format!(
            "\nStill running; stop with Ctrl-C. Urls, users and certificates: {}",
            ready.display()
        ));
        for (name, url) in &running.urls {
            table.note(&format!("  {name:<9} {url}"));
        }
        if let (Some(url), Ok(password)) = (running.urls.get("console"), sample.password("olga")) {
            table.note(&format!("\nConsole: {url} (log in as olga, password {password})"));
        }
    }
    // A run that leaves everything out has nothing to prove.
    let fine = report.passed() || !options.only.is_empty() && report.nothing_played();
    Ok(if fine { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn begin(config: Config, data: DataDir, demo: bool) -> Result<Running> {
    // A second program in one process (a test) keeps the first one's log and metrics.
    let _ = logging::install(&config.log.level);
    let _ = metrics::install();
    let clock = Arc::new(OffsetClock::over(Arc::new(SteadyClock::over(ambient::system_clock()))));
    let ambient = Ambient::new(clock.clone(), ambient::system_entropy());
    start(Assembly { config, data, clock, ambient, demo }).await
}

/// Writes the ready file where it was asked for, and its copy into the data directory.
fn publish(running: &Running, demo: Option<serde_json::Value>, path: Option<&Path>) -> Result<()> {
    let roots: BTreeMap<_, _> =
        ROOTS.iter().map(|name| ((*name).to_owned(), running.pki.root_path(name))).collect();
    let ready = Ready {
        version: env!("CARGO_PKG_VERSION"),
        pid: std::process::id(),
        data: running.data.clone(),
        ca: running.pki.bundle_path(),
        roots,
        urls: running.urls.clone(),
        admin: running.operator.clone(),
        demo,
    };
    ready.write(&running.data.join(READY_NAME))?;
    if let Some(path) = path {
        ready.write(path).with_context(|| format!("writing the ready file {}", path.display()))?;
    }
    Ok(())
}

async fn until_asked_to_stop() -> Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
