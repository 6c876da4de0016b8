//! The surroundings of one function: records, verifier, way out, limits.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;

use anyhow::{Context, Result};
use api_types::function::Function;
use authorization::IssuerRow;
use aws_lc_rs::hmac;
use rustls::pki_types::CertificateDer;
use service_http::ambient::Ambient;
use service_http::callback_hosts::{HostSource, HttpHosts};
use service_http::egress::{Egress, EgressConfig};
use service_http::feed::{self, Follow, Follower, HttpFeed, HttpKeys};
use service_http::interfaces::Interfaces;
use service_http::kit::FunctionKit;
use service_http::kit::{KitConfig, Settings};
use service_http::limits::{RateLimits, RateSettings};
use service_http::tls::{self, Identity};
use service_http::verifier::{self, IssuerState, Verifier};
use store::{Store, StoreConfig};

use super::aef::{Abroad, Aef};
use super::{CORE_NAME, RECORDS, migrations_of};
use crate::config::{Backend, Config};
use crate::data_dir::DataDir;
use crate::pki::{Pki, Purpose};

/// What every function of the process is made from.
pub(super) struct Common<'a> {
    pub(super) config: &'a Config,
    pub(super) data: &'a DataDir,
    pub(super) pki: &'a Arc<Pki>,
    pub(super) kek: &'a [u8; 32],
    pub(super) ambient: &'a Ambient,
    pub(super) demo: bool,
    /// Addresses of this process's listeners: nothing that leaves goes there.
    pub(super) own: &'a [SocketAddr],
}

/// Tasks that follow what issuers have revoked.
pub(super) struct Following {
    /// Of issuers without which nothing is to begin.
    pub(super) own: Vec<Follower>,
    /// Of core functions of other domains.
    pub(super) abroad: Vec<Follower>,
}

/// The SIM-S, as a resource server needs it.
pub(super) struct SimAt<'a> {
    pub(super) issuer: &'a str,
    pub(super) mtls: &'a str,
}

impl Common<'_> {
    /// Opens the records of a function.
    pub(super) async fn store(&self, function: Function) -> Result<Store> {
        let place = match self.config.storage.backend {
            Backend::Sqlite => StoreConfig::Sqlite { dir: self.data.path().join(RECORDS) },
            Backend::Postgres => StoreConfig::Postgres { url: self.config.storage.url.clone() },
        };
        Store::open(&place, function, migrations_of(function))
            .await
            .with_context(|| format!("opening the records of {}", function.as_str()))
    }

    /// The kit of a function that takes no access tokens, or verifies them itself.
    pub(super) async fn kit(
        &self,
        function: Function,
        origin: &str,
        verifier: Option<Arc<Verifier>>,
        issuers: Vec<String>,
    ) -> Result<FunctionKit> {
        let demo = self.demo;
        Ok(FunctionKit::new(KitConfig {
            function,
            store: self.store(function).await?,
            ambient: self.ambient.clone(),
            origin: origin.to_owned(),
            verifier,
            egress: self.egress()?,
            limits: Arc::new(RateLimits::new(&self.rates(), self.ambient)),
            pseudonym_key: self.derive(&format!("pseudonyms {}", function.as_str())),
            settings: Settings { demo, bearer: true, issuers, interfaces: self.interfaces(), compat: false },
        }))
    }

    /// A verifier of the SIM-S's tokens, and the task that keeps it up to date.
    pub(super) fn verifier(
        &self,
        function: Function,
        audience: &str,
        sim: &SimAt<'_>,
    ) -> Result<(Arc<Verifier>, Follower)> {
        let keys = format!("{}/jwks", sim.mtls);
        let row = match function {
            Function::Admin => IssuerRow::sim_for_operators(sim.issuer, keys),
            _ => IssuerRow::sim(sim.issuer, keys),
        };
        let (issuer, follower) = self.issuer(row, sim.mtls, self.client_tls(function)?)?;
        Ok((Arc::new(Verifier::new(audience, self.ambient.clone(), vec![issuer])), follower))
    }

    /// Likewise, of the tokens of CAPIF core functions too; a task for each issuer that tells what it has revoked. Those of
    /// other domains stand behind the own ones: nobody waits for them.
    pub(super) fn verifier_of_all(
        &self,
        function: Function,
        audience: &str,
        sim: &SimAt<'_>,
        (home, abroad): (Option<&Aef>, &[Abroad]),
    ) -> Result<(Arc<Verifier>, Following)> {
        let row = IssuerRow::sim(sim.issuer, format!("{}/jwks", sim.mtls));
        let (sim, of_sim) = self.issuer(row, sim.mtls, self.client_tls(function)?)?;
        let (mut issuers, mut following) = (vec![sim], Following { own: vec![of_sim], abroad: Vec::new() });
        if let Some(aef) = home {
            let identity = Identity::from_pem(&aef.identity.cert_pem, &aef.identity.key_pem)?;
            let tls = tls::client_config(&self.foreign_roots()?, Some(identity))?;
            let row = IssuerRow::ccf(&aef.issuer, format!("{}/jwks", aef.issuer), &aef.id);
            let (ccf, of_ccf) = self.issuer(row, &aef.issuer, tls)?;
            issuers.push(ccf);
            following.own.push(of_ccf);
        }
        for there in abroad {
            let roots = tls::certificates_from_pem(&there.roots)?;
            let row = IssuerRow::foreign_ccf(&there.issuer, &there.jwks, &there.aef_id, &there.name);
            let row = IssuerRow { leases: there.follows.is_some(), ..row };
            let Some(identity) = &there.follows else {
                let client = feed::client(tls::client_config(&roots, None)?)?;
                let keys = Arc::new(HttpKeys::new(client, row.jwks_uri.clone()));
                issuers.push(IssuerState::new(row, verifier::Following::ExpOnly, Some(keys)));
                continue;
            };
            let identity = Identity::from_pem(&identity.cert_pem, &identity.key_pem)?;
            let tls = tls::client_config(&roots, Some(identity))?;
            let (ccf, of_ccf) = self.issuer(row, &there.issuer, tls)?;
            issuers.push(ccf);
            following.abroad.push(of_ccf);
        }
        Ok((Arc::new(Verifier::new(audience, self.ambient.clone(), issuers)), following))
    }

    /// An issuer whose keys and revocations are followed.
    fn issuer(
        &self,
        row: IssuerRow,
        origin: &str,
        tls: rustls::ClientConfig,
    ) -> Result<(Arc<IssuerState>, Follower)> {
        let client = feed::client(tls)?;
        let keys = Arc::new(HttpKeys::new(client.clone(), row.jwks_uri.clone()));
        let issuer = IssuerState::new(row, verifier::Following::Feed, Some(keys));
        let node = self.ambient.random_id();
        let follower = feed::follow(Follow {
            issuer: issuer.clone(),
            feed: Arc::new(HttpFeed::new(client, format!("{origin}/revocations"), node)),
            ambient: self.ambient.clone(),
        });
        Ok((issuer, follower))
    }

    /// Which issuers open which interface.
    pub(super) fn interfaces(&self) -> Interfaces {
        self.config.capif.modes()
    }

    /// Where clients may be called back, from the SIM-S.
    pub(super) fn hosts(&self, function: Function, sim: &SimAt<'_>) -> Result<Arc<dyn HostSource>> {
        let client = feed::client(self.client_tls(function)?)?;
        Ok(Arc::new(HttpHosts::new(client, sim.mtls, self.ambient.clone())))
    }

    /// TLS of a function towards another one.
    pub(super) fn client_tls(&self, function: Function) -> Result<rustls::ClientConfig> {
        let identity = self.identity("function", function.as_str(), Purpose::Client)?;
        let roots = tls::certificates_from_pem(&self.pki.bundle())?;
        Ok(tls::client_config(&roots, Some(identity))?)
    }

    /// The client of a function towards others, with a certificate of its own; the same for all that it sends.
    pub(super) fn https(&self, function: Function) -> Result<sdk::HttpsClient> {
        let subject = ("function", function.as_str());
        let issued = self.pki.authority("sbi")?.issue(subject, Purpose::Client, &[], self.ambient)?;
        let identity = sdk::Identity { cert_pem: issued.cert_pem, key_pem: issued.key_pem };
        Ok(sdk::HttpsClient::new(&self.pki.bundle(), Some(&identity))?)
    }

    /// Clock and randomness for clients.
    pub(super) fn client_ambient(&self) -> sdk::Ambient {
        let (clock, entropy) = (self.ambient.clock.clone(), self.ambient.entropy.clone());
        sdk::Ambient::new(move || clock.now_s(), move |bytes: &mut [u8]| entropy.fill(bytes))
    }

    /// A fresh certificate of the SBI root.
    fn identity(&self, role: &str, name: &str, purpose: Purpose) -> Result<Identity> {
        let issued = self.pki.authority("sbi")?.issue((role, name), purpose, &[], self.ambient)?;
        Ok(Identity::from_pem(&issued.cert_pem, &issued.key_pem)?)
    }

    /// Our roots, and those that the operator trusts outside.
    fn foreign_roots(&self) -> Result<Vec<CertificateDer<'static>>> {
        Ok(tls::certificates_from_pem(&self.foreign_pem()?)?)
    }

    /// The roots of this deployment, and those that the configuration names for servers outside.
    pub(super) fn foreign_pem(&self) -> Result<String> {
        let mut pem = self.pki.bundle();
        for file in &self.config.egress.trusted_roots {
            let more =
                std::fs::read_to_string(file).with_context(|| format!("egress.trusted_roots: {file}"))?;
            tls::certificates_from_pem(&more).with_context(|| format!("egress.trusted_roots: {file}"))?;
            pem.push('\n');
            pem.push_str(&more);
        }
        Ok(pem)
    }

    /// TLS towards a server outside that is named in the configuration; no certificate is shown.
    pub(super) fn foreign_tls(&self) -> Result<rustls::ClientConfig> {
        Ok(tls::client_config(&self.foreign_roots()?, None)?)
    }

    fn egress(&self) -> Result<Egress> {
        let roots = self.foreign_roots()?;
        let notifier = self.identity("notifier", "metaseal", Purpose::Client)?;
        Ok(Egress::new(EgressConfig {
            tls: tls::client_config(&roots, Some(notifier))?,
            allow_private: self.demo || self.config.egress.allow_private,
            own: self.own.to_vec(),
        }))
    }

    /// The way to API exposing functions, with the certificate by which they know the core function. Those of this process
    /// are reached though they are our own.
    pub(super) fn egress_to_aefs(&self, urls: &BTreeMap<String, String>) -> Result<Egress> {
        let authority = self.pki.authority("capif")?;
        let issued = authority.issue(("ccf", CORE_NAME), Purpose::Client, &[], self.ambient)?;
        let identity = Identity::from_pem(&issued.cert_pem, &issued.key_pem)?;
        let port =
            |name: &str| urls.get(name).and_then(|url| url::Url::parse(url).ok()?.port_or_known_default());
        let ports = [port("san"), port("sm")];
        let meant = self.own.iter().filter(|own| ports.contains(&Some(own.port()))).copied();
        let egress = Egress::new(EgressConfig {
            tls: tls::client_config(&self.foreign_roots()?, Some(identity))?,
            allow_private: self.demo || self.config.egress.allow_private,
            own: self.own.to_vec(),
        });
        Ok(egress.reaching(meant.collect()))
    }

    fn rates(&self) -> RateSettings {
        if self.demo {
            return RateSettings::demo();
        }
        let section = &self.config.limits;
        let units = |number: u32| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        RateSettings {
            source_per_s: units(section.requests_per_source),
            source_burst: units(section.requests_per_source.saturating_mul(4)),
            client_per_s: units(section.requests_per_client),
            client_burst: units(section.requests_per_client.saturating_mul(4)),
            ..RateSettings::default()
        }
    }

    /// A key for one purpose, from the key-encryption key.
    pub(super) fn derive(&self, purpose: &str) -> [u8; 32] {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.kek);
        let tag = hmac::sign(&key, purpose.as_bytes());
        let mut out = [0u8; 32];
        out.copy_from_slice(tag.as_ref());
        out
    }
}
