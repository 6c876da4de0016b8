//! An event to a thousand subscribers: from the request that makes it happen to each notification.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, ensure};
use axum::Router;
use axum::extract::State;
use http::StatusCode;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair, KeyUsagePurpose};
use serde_json::json;
use service_http::ambient::Ambient;
use service_http::edge::{self, EdgeHandle, EdgeLimits, ShutdownSwitch};
use service_http::tls::{self, Identity};
use tokio::net::TcpListener;

use super::super::load::{self, request};
use super::super::report::{Report, Row};
use super::super::samples::Samples;
use super::Site;
use super::party::{Invoker, Publisher};
use crate::pki::write_private;

/// Subscribers.
const SUBSCRIBERS: usize = 1_000;
/// Subscriptions of one party, which may have no more.
const OF_ONE: usize = 100;
/// Longest wait for the notifications of one event. Own value.
const WAIT: Duration = Duration::from_secs(60);

/// A root and a certificate of `localhost` for the receiver.
pub(super) struct Certificate {
    root_pem: String,
    identity: sdk::Identity,
}

impl Certificate {
    pub(super) fn new() -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut root = CertificateParams::default();
        root.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        root.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let root_pem = root.self_signed(&key)?.pem();
        let issuer = Issuer::new(root, key);
        let key = KeyPair::generate()?;
        let cert_pem = CertificateParams::new(["localhost".to_owned()])?.signed_by(&key, &issuer)?.pem();
        Ok(Self { root_pem, identity: sdk::Identity { cert_pem, key_pem: key.serialize_pem() } })
    }

    /// The root as a file.
    pub(super) fn root_in(&self, dir: &Path) -> Result<PathBuf> {
        let path = dir.join("bench-receiver.pem");
        write_private(&path, self.root_pem.as_bytes())?;
        Ok(path)
    }
}

/// When notifications came.
#[derive(Clone)]
struct Arrivals {
    ambient: Ambient,
    at: Arc<Mutex<Vec<Duration>>>,
}

impl Arrivals {
    fn note(&self) {
        self.at.lock().unwrap_or_else(PoisonError::into_inner).push(self.ambient.monotonic());
    }

    fn count(&self) -> usize {
        self.at.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn take(&self) -> Vec<Duration> {
        std::mem::take(&mut *self.at.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

async fn receive(certificate: &Certificate, arrivals: Arrivals) -> Result<(u16, ShutdownSwitch, EdgeHandle)> {
    let own = &certificate.identity;
    let config = tls::server_config(Identity::from_pem(&own.cert_pem, &own.key_pem)?, None, false)?;
    let took = |State(arrivals): State<Arrivals>| async move {
        arrivals.note();
        StatusCode::NO_CONTENT
    };
    let app = Router::new().fallback(took).with_state(arrivals);
    let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
    let (switch, shutdown) = edge::shutdown();
    let handle = edge::serve(listener, config, app, EdgeLimits::default(), shutdown)?;
    Ok((handle.addr.port(), switch, handle))
}

/// # Errors
/// A notification does not come.
pub(super) async fn measure(site: &Site<'_>, report: &mut Report, certificate: Certificate) -> Result<()> {
    site.progress.begin(&format!("an event to {SUBSCRIBERS} subscribers, {}", site.on));
    let ambient = &site.options.ambient;
    let arrivals = Arrivals { ambient: ambient.clone(), at: Arc::default() };
    let (port, switch, handle) = receive(&certificate, arrivals.clone()).await?;
    for _ in 0..SUBSCRIBERS / OF_ONE {
        let invoker = Invoker::onboard(&site.program).await?;
        let path = format!("/capif-events/v1/{}/subscriptions", invoker.id);
        let subscribe = move |n: usize| {
            let body = json!({
                "events": ["SERVICE_API_AVAILABLE"],
                "notificationDestination": format!("https://localhost:{port}/{n}"),
            });
            request("POST", &path, &[("content-type", "application/json")], &body.to_string())
        };
        load::each(&invoker.target(&site.program, "ccf")?, 4, 201, OF_ONE, subscribe).await?;
    }
    let publisher = Publisher::register(&site.program).await?;
    let mut samples = Samples::default();
    let (cpu, mut wall) = (site.program.process.cpu(), Duration::ZERO);
    let events = (site.options.seconds * 2.0).ceil() as usize;
    for event in 0..events {
        arrivals.take();
        let begun = ambient.monotonic();
        let post = publisher.publication(&format!("event-{event}"));
        let (status, answer) = load::once(&publisher.target(&site.program)?, &post).await?;
        ensure!(status == 201, "nothing was published: {answer}");
        while arrivals.count() < SUBSCRIBERS {
            let came = arrivals.count();
            ensure!(ambient.monotonic() < begun + WAIT, "{came} of {SUBSCRIBERS} notifications came");
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let mut last = begun;
        for at in arrivals.take() {
            samples.push(at.saturating_sub(begun));
            last = last.max(at);
        }
        wall += last.saturating_sub(begun);
    }
    samples.cpu = site.program.process.cpu().saturating_sub(cpu);
    samples.wall = wall;
    let what = format!("notification of an event to {SUBSCRIBERS} subscribers");
    report.push(Row::of("events", what, &samples).on(site.on).rss(site.program.process.rss_mib()));
    switch.throw();
    drop(handle);
    Ok(())
}
