//! The server: what its endpoints share.

use std::sync::{Arc, OnceLock};

use authorization::Reason;
use authorization::revocation::Kind;
use authorization::token::LEEWAY_S;
use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jose::EcKey;
use service_http::feed::{NewEntry, RevocationLog};
use service_http::kit::FunctionKit;
use service_http::oauth::signing::SigningKeys;
use store::clients::ClientRecord;
use store::grants::tokens;
use store::{Sql, StoreError, revocations};
use zeroize::Zeroizing;

use super::config::{CertificateIssuer, SimConfig};
use super::error::{ErrorCode, OAuthError};
use super::keys::{KeyRing, KeyStoreError, Overlap};
use super::known::Known;
use super::nonce::Nonces;
use super::password::PasswordPool;
use super::throttle::Throttle;

/// The SIM-S. Cheap to clone.
#[derive(Clone)]
pub struct SimServer(Arc<Inner>);

struct Inner {
    kit: FunctionKit,
    config: SimConfig,
    certificates: Arc<dyn CertificateIssuer>,
    signing: SigningKeys,
    passwords: PasswordPool,
    throttle: Throttle,
    known: Known,
    secrets: OnceLock<Secrets>,
    /// Held while an account is read, its password hashed and the account written.
    accounts: tokio::sync::Mutex<()>,
}

/// Secrets that live as long as the deployment.
struct Secrets {
    nonces: Nonces,
    pairwise: hmac::Key,
}

impl SimServer {
    /// A server. It issues nothing before [`SimServer::start`].
    #[must_use]
    pub fn new(kit: FunctionKit, config: SimConfig, certificates: Arc<dyn CertificateIssuer>) -> Self {
        let passwords = PasswordPool::new(config.password_workers, config.password_queue, &kit.ambient);
        let throttle = Throttle::new(config.logins);
        let longest_s = config.id_token_s.max(config.access_token_s);
        let overlap = Overlap { before_s: config.jwks_max_age_s, after_s: longest_s.saturating_mul(2) };
        let (ambient, log) = (kit.ambient.clone(), config.revocations.clone());
        let signing = SigningKeys::new(ambient, config.keys.clone(), log, overlap);
        Self(Arc::new(Inner {
            kit,
            config,
            certificates,
            signing,
            passwords,
            throttle,
            known: Known::default(),
            secrets: OnceLock::new(),
            accounts: tokio::sync::Mutex::new(()),
        }))
    }

    pub(super) fn known(&self) -> &Known {
        &self.0.known
    }

    /// Opens the keys, makes what is missing at the first start, and provisions the first services.
    ///
    /// # Errors
    /// A key cannot be opened or made, or the store fails.
    pub async fn start(&self) -> Result<(), KeyStoreError> {
        let keys = &self.config().keys;
        let fresh = || Zeroizing::new(self.kit().ambient.random_bytes::<32>());
        let nonces = Nonces::new(&*keys.secret("dpop-nonce", fresh()).await?);
        let pairwise = hmac::Key::new(hmac::HMAC_SHA256, keys.secret("pairwise", fresh()).await?.as_slice());
        // A second start keeps what the first has set: both come from the same store.
        let _ = self.0.secrets.set(Secrets { nonces, pairwise });
        self.signing().load().await?;
        self.provision_first_services().await?;
        self.provision_console().await?;
        Ok(())
    }

    /// The surroundings.
    #[must_use]
    pub fn kit(&self) -> &FunctionKit {
        &self.0.kit
    }

    /// The settings.
    #[must_use]
    pub fn config(&self) -> &SimConfig {
        &self.0.config
    }

    /// The log of what was revoked, for the feed and for `/verifiers`.
    #[must_use]
    pub fn revocations(&self) -> &RevocationLog {
        &self.0.config.revocations
    }

    pub(crate) fn certificates(&self) -> &dyn CertificateIssuer {
        &*self.0.certificates
    }

    /// The keys in memory.
    #[must_use]
    pub fn ring(&self) -> &KeyRing {
        self.0.signing.ring()
    }

    /// The signing keys as they live.
    pub(crate) fn signing(&self) -> &SigningKeys {
        &self.0.signing
    }

    pub(crate) fn passwords(&self) -> &PasswordPool {
        &self.0.passwords
    }

    pub(crate) fn throttle(&self) -> &Throttle {
        &self.0.throttle
    }

    pub(crate) fn accounts(&self) -> &tokio::sync::Mutex<()> {
        &self.0.accounts
    }

    pub(crate) fn nonces(&self) -> Option<&Nonces> {
        self.0.secrets.get().map(|secrets| &secrets.nonces)
    }

    pub(crate) fn now_s(&self) -> i64 {
        self.0.kit.ambient.now_s()
    }

    /// Whether something that lived `life_s` until `ends_s` is over: by this clock, or by this clock before it was set
    /// back.
    pub(crate) fn is_over(&self, ends_s: i64, life_s: i64) -> bool {
        self.now_s() >= ends_s || self.kit().ambient.clock.has_lapsed(ends_s.saturating_sub(life_s), ends_s)
    }

    /// The key that signs now.
    pub(crate) fn signer(&self) -> Result<EcKey, OAuthError> {
        let key = self.ring().signer(self.now_s());
        key.ok_or(OAuthError::new(ErrorCode::TemporarilyUnavailable, Reason::KeyUnavailable))
    }

    /// The `sub` that a client sees in ID token and userinfo (OpenID Connect Core 8.1). Two clients with one redirect
    /// host are one sector.
    pub(crate) fn subject_for(&self, client: &ClientRecord, user_id: &str) -> String {
        let (Some(secrets), "pairwise") = (self.0.secrets.get(), client.registration.subject_type.as_str())
        else {
            return user_id.to_owned();
        };
        let mut tag = hmac::Context::with_key(&secrets.pairwise);
        let sector = sector(client);
        tag.update(&u64::try_from(sector.len()).unwrap_or(u64::MAX).to_be_bytes());
        tag.update(sector.as_bytes());
        tag.update(user_id.as_bytes());
        URL_SAFE_NO_PAD.encode(tag.sign().as_ref())
    }

    /// The name of a user at a partner: a pseudonym that no other partner and no client knows.
    pub(crate) fn subject_at(&self, partner: &str, user_id: &str) -> String {
        let Some(secrets) = self.0.secrets.get() else { return user_id.to_owned() };
        let mut tag = hmac::Context::with_key(&secrets.pairwise);
        let sector = format!("partner:{partner}");
        tag.update(&u64::try_from(sector.len()).unwrap_or(u64::MAX).to_be_bytes());
        tag.update(sector.as_bytes());
        tag.update(user_id.as_bytes());
        URL_SAFE_NO_PAD.encode(tag.sign().as_ref())
    }

    /// Revokes tokens by `jti` or keys by `kid` in the transaction of the caller, who acknowledges the epoch after the
    /// commit. One that is revoked already is not noted again: who asks twice makes the log no longer.
    pub(crate) async fn end(
        &self,
        tx: &mut dyn Sql,
        kind: Kind,
        values: Vec<String>,
    ) -> Result<u64, StoreError> {
        let log = self.revocations();
        let mut entries = Vec::with_capacity(values.len());
        for value in values {
            if revocations::newest(tx, kind.as_str(), &value, log.issuer()).await?.is_none() {
                entries.push(NewEntry { kind, value, expires_s: None });
            }
        }
        self.note(tx, entries).await
    }

    /// Appends revocations in the transaction of the caller. Those that end tokens are kept as long as any token that
    /// was issued until now lives, and no longer; certificates and keys are revoked for good.
    pub(crate) async fn note(&self, tx: &mut dyn Sql, mut entries: Vec<NewEntry>) -> Result<u64, StoreError> {
        let last_s = tokens::last_expiry(tx).await?.unwrap_or(0);
        let life_s = self.config().access_token_s.saturating_add(LEEWAY_S);
        let until_s = last_s.max(self.now_s().saturating_add(life_s));
        for entry in &mut entries {
            if matches!(entry.kind, Kind::Token | Kind::Subject | Kind::Client) {
                entry.expires_s = Some(until_s);
            }
        }
        self.revocations().append(tx, &entries).await
    }

    /// As [`SimServer::end`], and answers when no verifier of ours accepts them.
    pub(crate) async fn revoke_all(&self, kind: Kind, values: Vec<String>) -> Result<(), StoreError> {
        if values.is_empty() {
            return Ok(());
        }
        let this = self.clone();
        let epoch: u64 = self
            .kit()
            .store
            .write(move |tx| Box::pin(async move { this.end(tx, kind, values).await }))
            .await?;
        self.revocations().acknowledge(epoch).await?;
        Ok(())
    }
}

/// The host of the redirect URIs, else the client alone.
fn sector(client: &ClientRecord) -> String {
    let hosts = client.registration.redirect_uris.iter().filter_map(|uri| url::Url::parse(uri).ok());
    let mut hosts: Vec<String> = hosts
        .filter(|url| url.scheme() == "https")
        .filter_map(|url| url.host_str().map(str::to_owned))
        .collect();
    hosts.dedup();
    match hosts.as_slice() {
        [host] => format!("host:{host}"),
        _ => format!("client:{}", client.client_id),
    }
}

impl std::fmt::Debug for SimServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimServer").field("issuer", &self.config().issuer).finish_non_exhaustive()
    }
}
