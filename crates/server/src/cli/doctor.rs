//! `metaseal doctor`: what is wrong with a data directory and, when it runs, with the program.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;
use serde::Serialize;

use super::admin_link::{AdminLink, data_path};
use super::arguments::Common;
use super::config;

/// One thing that was looked at.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    ok: bool,
    seen: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    remedy: Option<&'static str>,
}

pub(super) async fn run(common: Common) -> Result<ExitCode> {
    let mut findings = vec![configuration(&common)];
    let link = AdminLink::open(&common);
    let data = match &link {
        Ok(link) => link.ready["data"].as_str().map_or_else(|| data_path(&common), Into::into),
        Err(_) => data_path(&common),
    };
    findings.extend(directory(&data));
    match link {
        Ok(link) => findings.extend(program(&link).await),
        Err(error) => findings.push(Finding {
            what: "program",
            ok: true,
            seen: format!("not looked at: {error}"),
            remedy: None,
        }),
    }
    let well = findings.iter().all(|finding| finding.ok);
    if common.json {
        crate::out!("{}", serde_json::to_string_pretty(&findings)?);
    } else {
        for finding in &findings {
            crate::out!("{} {:<18} {}", if finding.ok { "✓" } else { "✗" }, finding.what, finding.seen);
            if let Some(remedy) = finding.remedy {
                crate::out!("  {:<18} → {remedy}", "");
            }
        }
    }
    Ok(if well { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn finding(what: &'static str, seen: impl Into<String>, fault: Option<&'static str>) -> Finding {
    Finding { what, ok: fault.is_none(), seen: seen.into(), remedy: fault }
}

fn configuration(common: &Common) -> Finding {
    match config::load(common) {
        Ok(_) => finding("configuration", "good", None),
        Err(error) => finding(
            "configuration",
            error.to_string(),
            Some("correct it; `metaseal config check` repeats this"),
        ),
    }
}

fn directory(data: &Path) -> Vec<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    if !data.exists() {
        return vec![finding("data", format!("{} does not exist yet", data.display()), None)];
    }
    let mut findings = vec![finding("data", data.display().to_string(), None)];
    let mode = std::fs::metadata(data).map(|m| m.permissions().mode() & 0o777).unwrap_or(0o777);
    let open = (mode & 0o077 != 0).then_some("chmod 700 the data directory: others can read it");
    findings.push(finding("permissions", format!("{mode:03o}"), open));
    for (what, file) in [("key", "kek"), ("roots", "pki/ca.pem")] {
        let there = data.join(file).exists();
        let fault = (!there).then_some("restore it from a backup; nothing starts without it");
        findings.push(finding(
            what,
            if there { file.to_owned() } else { format!("{file} is missing") },
            fault,
        ));
    }
    findings
}

async fn program(link: &AdminLink) -> Vec<Finding> {
    let mut findings = Vec::new();
    match link.client.health().await {
        Ok(health) => {
            let fault = (health.status != "ok").then_some("look at the log of the function that is not ok");
            let states: Vec<String> =
                health.functions.iter().map(|(name, state)| format!("{name} {state}")).collect();
            findings.push(finding("health", states.join(", "), fault));
        }
        Err(error) => {
            let fault = Some("is it running? the ready file may be of a program that has ended");
            findings.push(finding("health", error.to_string(), fault));
            return findings;
        }
    }
    if let Ok(verify) = link.client.verify_audit().await {
        let fault = (!verify.intact).then_some("an audit record was changed: compare with a backup");
        let rows: u64 = verify.functions.values().map(|function| function.rows).sum();
        findings.push(finding("audit chains", format!("{rows} records"), fault));
    }
    if let Ok(verifiers) = link.client.verifiers().await {
        let lapsed = verifiers.iter().filter(|verifier| !verifier.alive).count();
        let fault = (lapsed > 0)
            .then_some("a verifier is gone or cannot reach the issuer; it refuses tokens until it can");
        let seen = format!("{} with a lease, {lapsed} without", verifiers.len() - lapsed);
        findings.push(finding("verifiers", seen, fault));
    }
    findings
}
