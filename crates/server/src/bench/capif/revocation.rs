//! How soon a revoked token is refused at every server that verifies it, and how soon the operator hears so.
//!
//! A token is read with at both spatial servers all the time; the first refusal counts. After the answer of the revocation
//! nothing may be granted: that would be a failure, and no figure.

use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use api_types::admin::{RevocationKind, RevocationRequest};
use jose::{HeaderPolicy, compact};
use service_http::ambient::Ambient;

use super::super::load::{Connection, Target, request};
use super::super::report::{Bar, Report, Row};
use super::super::samples::Samples;
use super::Site;
use super::party::Invoker;

/// Revocations in a second of measurement. Own value.
const EACH_SECOND: f64 = 20.0;
/// Longest look for a refusal. Own value.
const LOOK: Duration = Duration::from_secs(5);

/// # Errors
/// A token is granted after its revocation was answered, or never refused.
pub(super) async fn measure(site: &Site<'_>, report: &mut Report) -> Result<()> {
    site.progress.begin(&format!("revocations, {}", site.on));
    let (invoker, admin) = (Invoker::onboard(&site.program).await?, site.program.admin()?);
    let ambient = &site.options.ambient;
    let servers = [
        (invoker.target(&site.program, "san")?, "/ssan-disc/v1/spatial-anchors?limit=1", "san", "ssan-disc"),
        (invoker.target(&site.program, "sm")?, "/ssm-disc/v1/spatial-maps?limit=1", "sm", "ssm-disc"),
    ];
    let (mut refused, mut answered) = (Samples::default(), Samples::default());
    let (cpu, wall) = (site.program.process.cpu(), ambient.monotonic());
    let count = (site.options.seconds * EACH_SECOND).ceil() as usize;
    for turn in 0..count {
        let (target, path, role, api) = &servers[turn % servers.len()];
        let aef = if *role == "san" { &invoker.san } else { &invoker.sm };
        let token = invoker.token(&format!("3gpp#{aef}:{api}"), None).await?;
        let value = jti(&token)?;
        let issuer = Some(site.program.url("ccf")?.to_owned());
        let request = RevocationRequest { kind: RevocationKind::Token, value, issuer };
        let look = Look::begin(target, path, &token).await?;
        let begun = ambient.monotonic();
        let seen = tokio::spawn(look.until_refused(ambient.clone()));
        admin.revoke(&request).await?;
        let told = ambient.monotonic();
        let at = seen.await??;
        ensure!(at.last_granted <= told, "a token was good after its revocation was answered");
        refused.push(at.refused.saturating_sub(begun));
        answered.push(told.saturating_sub(begun));
    }
    for samples in [&mut refused, &mut answered] {
        samples.cpu = site.program.process.cpu().saturating_sub(cpu);
        samples.wall = ambient.monotonic().saturating_sub(wall);
    }
    for (samples, what) in [(&refused, "revoked token refused"), (&answered, "revocation answered")] {
        let bar = |share: f64, bar: f64, of: &str| Bar {
            what: format!("{what}, {of}, {}", site.on),
            is: samples.percentile(share) / 1_000.0,
            bar,
            most: true,
            unit: "ms",
        };
        report.bars.push(bar(0.99, 50.0, "99 of 100"));
        report.bars.push(bar(1.0, 1_100.0, "the last"));
        report.push(Row::of("revocation", what, samples).on(site.on));
    }
    Ok(())
}

fn jti(token: &str) -> Result<String> {
    let parsed = compact::parse(token, &HeaderPolicy::access_token()).map_err(|_| anyhow!("no token"))?;
    Ok(parsed.unverified_claims()["jti"].as_str().context("a jti")?.to_owned())
}

/// A token at work.
struct Look {
    connection: Connection,
    request: Vec<u8>,
}

/// When it was good last, counted from the beginning of the request, and when it was refused first.
struct Seen {
    last_granted: Duration,
    refused: Duration,
}

impl Look {
    async fn begin(target: &Target, path: &str, token: &str) -> Result<Self> {
        let mut connection = Connection::open(target).await?;
        let request = request("GET", path, &[("authorization", &format!("Bearer {token}"))], "");
        let status = connection.exchange(&request).await?;
        ensure!(status == 200, "status {status}: {}", connection.text());
        Ok(Self { connection, request })
    }

    async fn until_refused(mut self, ambient: Ambient) -> Result<Seen> {
        let until = ambient.monotonic() + LOOK;
        let mut last_granted = Duration::ZERO;
        loop {
            let sent = ambient.monotonic();
            let status = self.connection.exchange(&self.request).await?;
            match status {
                200 => last_granted = sent,
                401 => return Ok(Seen { last_granted, refused: ambient.monotonic() }),
                // Too busy for a lease of a second: refused as well, but not for this reason.
                _ => {}
            }
            ensure!(ambient.monotonic() < until, "a revoked token is not refused: status {status}");
        }
    }
}
