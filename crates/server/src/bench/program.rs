//! The program under measurement, and the client that it knows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};
use api_types::admin::{Client, Policy};
use rcgen::{CertificateParams, KeyPair};
use sdk::{AdminClient, HttpsClient, Identity};
use serde_json::json;
use service_http::ambient::Ambient;
use url::Url;

use super::load::{Target, client_tls};
use super::process::Process;
use crate::pki::write_private;

/// The client that asks.
pub(super) const CLIENT: &str = "vs-1";

/// A running program.
pub(super) struct Program {
    pub(super) process: Process,
    pub(super) urls: BTreeMap<String, String>,
    /// From the start of the process until every listener accepted.
    pub(super) ready_after: Duration,
    ca: String,
    operator: Identity,
    client: Option<Identity>,
}

impl Program {
    /// Starts `metaseal serve` on a data directory, with limits that let the load through.
    ///
    /// # Errors
    /// It does not start.
    pub(super) async fn start(dir: &Path, postgres: Option<&str>, ambient: &Ambient) -> Result<Self> {
        Self::configured(dir, postgres, "", ambient).await
    }

    /// Likewise, with more of a configuration.
    ///
    /// # Errors
    /// It does not start.
    pub(super) async fn configured(
        dir: &Path,
        postgres: Option<&str>,
        more: &str,
        ambient: &Ambient,
    ) -> Result<Self> {
        let storage = postgres
            .map_or(String::new(), |url| format!("[storage]\nbackend = \"postgres\"\nurl = \"{url}\"\n"));
        let limits = "[limits]\nrequests_per_source = 1000000\nrequests_per_client = 1000000\n";
        let (config, ready) = (dir.join("bench.toml"), dir.join("bench-ready.json"));
        write_private(&config, format!("{storage}{limits}{more}").as_bytes())?;
        let _ = std::fs::remove_file(&ready);
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["serve", "--port-base", "0"]);
        for (name, path) in [("--data", dir.join("data")), ("--config", config), ("--ready", ready.clone())] {
            command.arg(name).arg(path);
        }
        let begun = ambient.monotonic();
        let mut process = Process::start(command.stdout(Stdio::null()).stderr(Stdio::null()))?;
        let told = process.file(&ready).await?;
        let ready_after = ambient.monotonic().saturating_sub(begun);
        let read = |at: &serde_json::Value| -> Result<String> {
            let path: PathBuf = at.as_str().context("a path in the ready file")?.into();
            Ok(std::fs::read_to_string(path)?)
        };
        Ok(Self {
            process,
            urls: serde_json::from_value(told["urls"].clone())?,
            ready_after,
            ca: read(&told["ca"])?,
            operator: Identity {
                cert_pem: read(&told["admin"]["cert"])?,
                key_pem: read(&told["admin"]["key"])?,
            },
            client: None,
        })
    }

    /// Registers [`CLIENT`], a VAL server with a certificate, and lets everybody use the services.
    ///
    /// # Errors
    /// The administration refuses.
    pub(super) async fn register(&mut self) -> Result<()> {
        let admin = self.admin()?;
        let permit = json!({ "class": "local", "effect": "PERMIT" });
        admin.put_policy("bench-everybody", &serde_json::from_value::<Policy>(permit)?).await?;
        let key = KeyPair::generate()?;
        let client = json!({
            "kind": "val_server", "auth": "tls_client_auth", "valServices": ["guide"],
            "scopes": ["3gpp:seal:san", "3gpp:seal:sm"],
            "csr": CertificateParams::new(Vec::<String>::new())?.serialize_request(&key)?.pem()?,
        });
        let created = admin.put_client(CLIENT, &serde_json::from_value::<Client>(client)?).await?;
        let cert_pem = created.cert.context("the client got no certificate")?;
        self.client = Some(Identity { cert_pem, key_pem: key.serialize_pem() });
        Ok(())
    }

    /// The origin of a listener.
    pub(super) fn url(&self, name: &str) -> Result<&str> {
        self.urls.get(name).map(String::as_str).with_context(|| format!("{name} does not run"))
    }

    /// The operator.
    ///
    /// # Errors
    /// No administration runs.
    pub(super) fn admin(&self) -> Result<AdminClient> {
        Ok(AdminClient::new(self.https(Some(&self.operator))?, self.url("admin")?)?)
    }

    /// A client with a certificate, or with none.
    ///
    /// # Errors
    /// The certificate cannot be used.
    pub(super) fn https(&self, identity: Option<&Identity>) -> Result<HttpsClient> {
        Ok(HttpsClient::new(&self.ca, identity)?)
    }

    /// A listener, as the registered client.
    ///
    /// # Errors
    /// No such listener.
    pub(super) fn target(&self, name: &str) -> Result<Target> {
        self.target_as(name, self.client.as_ref())
    }

    /// A listener, with a certificate or with none.
    ///
    /// # Errors
    /// No such listener.
    pub(super) fn target_as(&self, name: &str, identity: Option<&Identity>) -> Result<Target> {
        let port = Url::parse(self.url(name)?)?.port().context("a port")?;
        Ok(Target { port, tls: client_tls(&self.ca, identity)? })
    }
}
