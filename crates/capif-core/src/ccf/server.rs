//! The server: what its operations share.

use std::sync::{Arc, Weak};

use jose::{EcKey, Rs256Key};
use service_http::feed::RevocationLog;
use service_http::kit::{FunctionKit, Settings};
use service_http::oauth::keys::{KeyStoreError, Overlap};
use service_http::oauth::signing::SigningKeys;

use super::certificates::CertificateIssuer;
use super::compat::Compat;
use super::config::CcfConfig;
use super::discover::Catalogue;
use super::events::Hub;
use super::federation;
use super::identifier::Realm;
use super::security::KeptRules;

/// The CAPIF core function. Cheap to clone.
#[derive(Clone)]
pub struct CcfServer(Arc<Inner>);

struct Inner {
    kit: FunctionKit,
    config: CcfConfig,
    certificates: Arc<dyn CertificateIssuer>,
    signing: Arc<SigningKeys>,
    catalogue: Arc<Catalogue>,
    rules: Arc<KeptRules>,
    events: Arc<Hub>,
    /// What the listener for OpenCAPIF clients has for itself, where this is it.
    face: Option<Compat>,
}

impl CcfServer {
    /// A server. It issues no token before [`CcfServer::start`].
    #[must_use]
    pub fn new(kit: FunctionKit, config: CcfConfig, certificates: Arc<dyn CertificateIssuer>) -> Self {
        let overlap = Overlap {
            before_s: i64::from(config.jwks_max_age_s),
            after_s: config.access_token_s.saturating_mul(2),
        };
        let (ambient, log) = (kit.ambient.clone(), config.revocations.clone());
        let signing = Arc::new(SigningKeys::new(ambient, config.keys.clone(), log, overlap));
        Self(Arc::new(Inner {
            kit,
            config,
            certificates,
            signing,
            catalogue: Arc::default(),
            rules: Arc::default(),
            events: Arc::default(),
            face: None,
        }))
    }

    /// The same core function behind the listener for plain OpenCAPIF clients: records, certificates, tasks and decisions are
    /// shared; `origin` is that of the listener, and `key` that of its TLS certificate.
    #[must_use]
    pub fn for_opencapif(&self, origin: &str, key: Rs256Key) -> Self {
        let settings = Settings { compat: true, ..self.kit().settings.clone() };
        let kit = self.kit().at(origin, settings);
        let face = Some(Compat::new(key, &kit.ambient));
        let config = CcfConfig { issuer: kit.origin.to_string(), federation: None, ..self.config().clone() };
        Self(Arc::new(Inner {
            kit,
            config,
            certificates: self.0.certificates.clone(),
            signing: self.0.signing.clone(),
            catalogue: self.0.catalogue.clone(),
            rules: self.0.rules.clone(),
            events: self.0.events.clone(),
            face,
        }))
    }

    /// Opens the keys, and makes one at the first start; begins to tell subscribers.
    ///
    /// # Errors
    /// A key cannot be opened or made.
    pub async fn start(&self) -> Result<(), KeyStoreError> {
        self.signing().load().await?;
        self.events().start(self);
        federation::start(self).await.map_err(KeyStoreError::from)
    }

    /// Does what is due. Called by the driver once a second or less often.
    ///
    /// # Errors
    /// A key or the store fails; the next call tries again.
    pub async fn maintain(&self) -> Result<(), KeyStoreError> {
        self.signing().maintain(self.config().key_rotation_s).await?;
        self.sweep().await.map_err(KeyStoreError::from)
    }

    /// The surroundings.
    #[must_use]
    pub fn kit(&self) -> &FunctionKit {
        &self.0.kit
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &CcfConfig {
        &self.0.config
    }

    /// The signing keys.
    #[must_use]
    pub fn signing(&self) -> &SigningKeys {
        &self.0.signing
    }

    /// The log of what was revoked, for the feed and for `/verifiers`.
    #[must_use]
    pub fn revocations(&self) -> &RevocationLog {
        &self.0.config.revocations
    }

    /// Who issues certificates.
    #[must_use]
    pub fn certificates(&self) -> &dyn CertificateIssuer {
        &*self.0.certificates
    }

    /// The key that signs now.
    pub(crate) fn signer(&self) -> Option<EcKey> {
        self.signing().signer()
    }

    /// What the listener for OpenCAPIF clients has for itself.
    pub(crate) fn face(&self) -> Option<&Compat> {
        self.0.face.as_ref()
    }

    /// A fresh identifier, which says at which listener it was assigned.
    pub(crate) fn identifier(&self, prefix: &str) -> String {
        let realm = if self.face().is_some() { Realm::OpenCapif } else { Realm::Native };
        realm.fresh(prefix, &self.kit().ambient)
    }

    /// Who tells subscribers of events.
    pub(crate) fn events(&self) -> &Hub {
        &self.0.events
    }

    /// For tasks that end with the server.
    pub(crate) fn downgrade(&self) -> WeakCcf {
        WeakCcf(Arc::downgrade(&self.0))
    }

    /// Everything that is published, in memory.
    pub(crate) fn catalogue(&self) -> &Catalogue {
        &self.0.catalogue
    }

    /// The rules of local policy, in memory.
    pub(in crate::ccf) fn rules(&self) -> &KeptRules {
        &self.0.rules
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.0.kit.ambient.now_s()
    }

    /// An absolute address of this server.
    pub(crate) fn at(&self, path: &str) -> String {
        format!("{}{path}", self.config().issuer)
    }
}

/// The core function, if it is still there.
pub(crate) struct WeakCcf(Weak<Inner>);

impl WeakCcf {
    pub(crate) fn upgrade(&self) -> Option<CcfServer> {
        self.0.upgrade().map(CcfServer)
    }
}

impl std::fmt::Debug for CcfServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CcfServer").field("issuer", &self.config().issuer).finish_non_exhaustive()
    }
}
