//! What runs beside the requests: keys are loaded and rotated, what has expired is forgotten, tokens that rules no longer
//! allow are revoked.

use std::collections::{BTreeSet, HashMap};

use api_types::Function;
use api_types::admin::{AuthMethod, ClientKind, KeyInfo, KeyRotated, SubjectType};
use api_types::ids::ClientId;
use authorization::revocation::Kind;
use service_http::refusal::Refusal;
use store::clients::{ClientRecord, Registration};
use store::grants::{self, tokens};
use store::{Sql, StoreError, clients, meta, services, sessions};

use super::SimServer;
use super::config::SimConfig;
use super::directory::{ADMIN, CONSOLE, OPENID, first_services};
use super::entitlement::{self, Party};
use super::keys::KeyStoreError;
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
        self.signing().maintain(self.config().key_rotation_s).await?;
        let now_s = self.now_s();
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

    /// POST `/keys/sim/rotate`: has taken effect when it is answered.
    ///
    /// # Errors
    /// A key cannot be made or kept.
    pub async fn rotate(&self, emergency: bool) -> Result<KeyRotated, Refusal> {
        self.signing().rotate(emergency).await
    }

    /// GET `/keys`.
    #[must_use]
    pub fn keys(&self) -> Vec<KeyInfo> {
        self.signing().list("sim")
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
