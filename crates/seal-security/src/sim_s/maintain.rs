//! What runs beside the requests: keys are loaded and rotated, what has expired is forgotten, tokens that rules no longer
//! allow are revoked.

use std::collections::{BTreeSet, HashMap};

use api_types::admin::{AuthMethod, ClientKind, KeyInfo, KeyRotated, KeyStatus, SubjectType};
use api_types::ids::ClientId;
use api_types::{DateTime, Function};
use authorization::Reason;
use authorization::revocation::Kind;
use jose::{EcKey, KeyError, Signer};
use service_http::refusal::Refusal;
use store::clients::{ClientRecord, Registration};
use store::grants::{self, tokens};
use store::{Sql, StoreError, clients, meta, services, sessions};

use super::SimServer;
use super::config::SimConfig;
use super::directory::{ADMIN, CONSOLE, OPENID, first_services};
use super::entitlement::{self, Party};
use super::keys::{self, KeyStoreError, Overlap, Rotation, SigningKey};
use super::partner::{self, Partner};
use super::provisioning::membership;
use super::world::World;

/// Key in `meta` that says that the first services were provisioned.
const SERVICES_PROVISIONED: &str = "sim.services_provisioned";

/// Where the console receives the answer to a login, below its origin.
pub const CONSOLE_CALLBACK: &str = "/callback";

/// Tokens that are looked at at once. Own value.
const PAGE: u32 = 1_000;

impl SimServer {
    /// Does what is due. Called by the driver once a second or less often.
    ///
    /// # Errors
    /// A key or the store fails; the next call tries again.
    pub async fn maintain(&self) -> Result<(), KeyStoreError> {
        self.load_keys().await?;
        let now_s = self.now_s();
        let oldest = keys::signer(&self.ring().keys(), now_s).map(|key| key.active_from_s);
        let waiting =
            self.ring().keys().iter().any(|key| key.revoked_s.is_none() && key.active_from_s > now_s);
        if !waiting && oldest.is_some_and(|from| now_s.saturating_sub(from) >= self.config().key_rotation_s) {
            self.rotate_keys(false).await?;
        }
        // What was used up once is forgotten by the housekeeping of the function, whose time steps back for nobody.
        self.kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    sessions::purge(tx, now_s, sessions::MOST_INTERACTIONS).await?;
                    grants::purge(tx, now_s).await?;
                    Ok::<_, StoreError>(())
                })
            })
            .await?;
        Ok(())
    }

    /// Reads the keys; makes one when none can sign.
    pub(super) async fn load_keys(&self) -> Result<(), KeyStoreError> {
        let _turn = self.rotating().lock().await;
        let kept = self.config().keys.load().await?;
        let now_s = self.now_s();
        if keys::signer(&kept, now_s).is_some() {
            let (kept, gone): (Vec<_>, Vec<_>) =
                kept.into_iter().partition(|key| key.revoked_s.is_some() || key.is_published(now_s));
            self.ring().set(kept);
            for key in gone {
                self.config().keys.forget(key.key.kid()).await?;
            }
            return Ok(());
        }
        self.apply(keys::scheduled(&kept, self.fresh_key()?, self.overlap(), now_s)).await
    }

    /// Services that an empty store begins with; once, so that a removed one stays removed.
    pub(super) async fn provision_first_services(&self) -> Result<(), StoreError> {
        let at_ms = self.kit().ambient.now_ms();
        self.kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    if meta::find(tx, SERVICES_PROVISIONED).await?.is_some() {
                        return Ok(());
                    }
                    for mut service in first_services() {
                        let Some(id) = service.service_id.take() else { continue };
                        let body =
                            serde_json::to_string(&service).map_err(|_| StoreError::Damaged("service"))?;
                        services::put(tx, id.as_str(), &body, at_ms).await?;
                    }
                    meta::put(tx, SERVICES_PROVISIONED, "1").await
                })
            })
            .await
    }

    /// The console as the client at which operators log in: its own origin is its one redirect address.
    pub(super) async fn provision_console(&self) -> Result<(), StoreError> {
        let servers = &self.config().servers;
        let Some((role, origin)) = servers.iter().find(|(role, _)| *role == Function::Console) else {
            return Ok(());
        };
        let client_id = ClientId::try_from(role.as_str()).map_err(|_| StoreError::Damaged("console"))?;
        let registration = Registration {
            kind: ClientKind::SimC.as_str().to_owned(),
            auth: AuthMethod::TlsClientAuth.as_str().to_owned(),
            redirect_uris: vec![format!("{origin}{CONSOLE_CALLBACK}")],
            callback_hosts: Vec::new(),
            scopes: [CONSOLE, ADMIN, "3gpp:seal:san", "3gpp:seal:sm"].map(str::to_owned).to_vec(),
            val_services: Vec::new(),
            jwks: None,
            subject_type: SubjectType::Public.as_str().to_owned(),
            bearer: false,
        };
        let now_s = self.now_s();
        self.kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    let known = clients::find(tx, client_id.as_str()).await?;
                    if known.is_some_and(|known| known.registration == registration) {
                        return Ok(());
                    }
                    let client = ClientRecord { client_id, registration, secret_sha256: None, version: 0 };
                    clients::put(tx, &client, now_s).await.map(drop)
                })
            })
            .await
    }

    fn overlap(&self) -> Overlap {
        let config = self.config();
        let longest_s = config.id_token_s.max(config.access_token_s);
        Overlap { before_s: config.jwks_max_age_s, after_s: longest_s.saturating_mul(2) }
    }

    fn fresh_key(&self) -> Result<EcKey, KeyStoreError> {
        let entropy = &self.kit().ambient.entropy;
        EcKey::generate_with(|bytes| {
            entropy.fill(bytes);
            Ok::<_, KeyError>(())
        })
        .map_err(|_| KeyStoreError::Unwritable)
    }

    /// Keeps what has changed, then lets it take effect here.
    async fn apply(&self, rotation: Rotation) -> Result<(), KeyStoreError> {
        let before = self.ring().keys();
        let times = |key: &SigningKey| (key.active_from_s, key.retires_s, key.revoked_s);
        // The new key first: between the two writes there is always one that signs.
        for key in rotation.keys.iter().rev() {
            let known = before.iter().find(|known| known.key.kid() == key.key.kid());
            if known.map(times) != Some(times(key)) {
                self.config().keys.save(key).await?;
            }
        }
        self.ring().set(rotation.keys);
        Ok(())
    }

    async fn rotate_keys(&self, emergency: bool) -> Result<KeyRotated, KeyStoreError> {
        let rotation = {
            let _turn = self.rotating().lock().await;
            let (kept, new, now_s) = (self.ring().keys(), self.fresh_key()?, self.now_s());
            let rotation = if emergency {
                keys::emergency(&kept, new, now_s)
            } else {
                keys::scheduled(&kept, new, self.overlap(), now_s)
            };
            self.apply(rotation.clone()).await?;
            rotation
        };
        self.tell_verifiers(rotation.revoked).await?;
        let new = rotation.keys.last().ok_or(KeyStoreError::Unwritable)?;
        Ok(KeyRotated { kid: new.key.kid().to_owned(), active_from: DateTime::from_unix(new.active_from_s) })
    }

    /// Answers when every verifier has the new key set and accepts the revoked keys no more.
    async fn tell_verifiers(&self, revoked: Vec<String>) -> Result<(), StoreError> {
        self.revocations().keys_changed().await?;
        self.revoke_all(Kind::Key, revoked).await
    }

    /// POST `/keys/sim/rotate`: has taken effect when it is answered.
    ///
    /// # Errors
    /// A key cannot be made or kept.
    pub async fn rotate(&self, emergency: bool) -> Result<KeyRotated, Refusal> {
        self.rotate_keys(emergency).await.map_err(refusal)
    }

    /// Revokes a signing key; the next one signs at once. `false` when it is no key of ours.
    pub(super) async fn revoke_key(&self, kid: &str) -> Result<bool, Refusal> {
        let _turn = self.rotating().lock().await;
        let spare = self.fresh_key().map_err(refusal)?;
        match keys::revoke(&self.ring().keys(), kid, spare, self.now_s()) {
            Some(rotation) => {
                self.apply(rotation).await.map_err(refusal)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// GET `/keys`.
    #[must_use]
    pub fn keys(&self) -> Vec<KeyInfo> {
        let now_s = self.now_s();
        let keys = self.ring().keys();
        let signs = keys::signer(&keys, now_s).map(|key| key.key.kid().to_owned());
        let info = |key: &SigningKey| KeyInfo {
            role: "sim".to_owned(),
            kid: key.key.kid().to_owned(),
            alg: key.key.alg().as_str().to_owned(),
            status: match key {
                key if key.revoked_s.is_some() => KeyStatus::Revoked,
                key if signs.as_deref() == Some(key.key.kid()) => KeyStatus::Active,
                key if key.active_from_s > now_s => KeyStatus::Next,
                _ => KeyStatus::Retiring,
            },
            active_from: DateTime::from_unix(key.active_from_s),
            verify_until: key.retires_s.map(DateTime::from_unix),
        };
        keys.iter().map(info).collect()
    }

    /// Revokes every token that holds a scope to which its subject is no longer entitled: called after services or
    /// policies were changed, so that the change has taken effect when it is answered.
    ///
    /// # Errors
    /// The store fails.
    pub async fn policies_changed(&self) -> Result<(), Refusal> {
        let (config, now_s) = (self.config().clone(), self.now_s());
        let lost = self
            .kit()
            .store
            .read(|tx| Box::pin(async move { no_longer_entitled(tx, &config, now_s).await }))
            .await?;
        self.revoke_all(Kind::Token, lost).await?;
        Ok(())
    }
}

async fn no_longer_entitled(
    tx: &mut dyn Sql,
    config: &SimConfig,
    now_s: i64,
) -> Result<Vec<String>, StoreError> {
    let world = World::read(tx, &config.servers).await?;
    let all = world.directory.scopes();
    let mut rights: HashMap<(String, String), BTreeSet<String>> = HashMap::new();
    let mut lost = Vec::new();
    let mut after = String::new();
    loop {
        let page = tokens::page(tx, &after, now_s, PAGE).await?;
        let Some(last) = page.last() else { return Ok(lost) };
        after.clone_from(&last.jti);
        for token in page {
            let holder = (token.client_id.clone(), token.subject.clone());
            if !rights.contains_key(&holder) {
                let has =
                    rights_of(tx, (&world, &config.partners), &all, &holder.0, &holder.1, now_s).await?;
                rights.insert(holder.clone(), has);
            }
            let has = rights.get(&holder);
            let keeps = |scope: &str| scope == OPENID || has.is_some_and(|has| has.contains(scope));
            if !token.scope.split(' ').all(keeps) {
                lost.push(token.jti);
            }
        }
    }
}

async fn rights_of(
    tx: &mut dyn Sql,
    (world, partners): (&World, &[Partner]),
    all: &BTreeSet<String>,
    client_id: &str,
    subject: &str,
    now_s: i64,
) -> Result<BTreeSet<String>, StoreError> {
    let client = clients::find(tx, client_id).await?;
    let user = membership::find_user_anywhere(tx, subject).await?;
    Ok(match (client, user) {
        (Some(client), Some(user)) => {
            entitlement::of_user(all, &Party::user(&user.profile, &client), world, now_s)
        }
        (Some(client), None) if client_id == subject => {
            entitlement::of_client(all, &Party::client(&client), world, now_s)
        }
        (Some(client), None) => match partner::guest_of(partners, subject) {
            Some(guest) => entitlement::of_user(all, &guest.party(&client), world, now_s),
            None => BTreeSet::new(),
        },
        // A function that exchanged a user's token: the user's rights count.
        (None, Some(user)) => entitlement::of_user(all, &Party::of_user_alone(&user.profile), world, now_s),
        _ => BTreeSet::new(),
    })
}

pub(super) fn refusal(error: KeyStoreError) -> Refusal {
    match error {
        KeyStoreError::Store(error) => error.into(),
        error => {
            tracing::error!(%error, "signing keys");
            Refusal::open(Reason::KeyUnavailable)
        }
    }
}
