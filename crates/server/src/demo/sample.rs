//! What a demo was seeded with: enough for a client of any kind to take part.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use sdk::{
    AdminClient, Ambient, AuthorizationRequest, ClientAuth, Credential, DpopSession, HttpsClient, Identity,
    SimClient, UserSession,
};
use serde_json::{Value, json};

use super::Recording;

/// A redirect address that is registered for every port.
pub(super) const REDIRECT: &str = "http://127.0.0.1:40125/cb";
/// What `ue-1` may ask for.
pub(super) const UE_SCOPES: &str =
    "openid 3gpp:seal:san.read 3gpp:seal:san.discover 3gpp:seal:sm.read 3gpp:seal:sm.localize";

/// A client of the demo.
#[derive(Debug, Clone, Default)]
pub struct DemoClient {
    /// `sim_c`, `val_server` or `xr_as`
    pub kind: &'static str,
    /// Its secret, if it has one.
    pub secret: Option<String>,
    /// Its certificate, if it has one.
    pub identity: Option<Identity>,
    /// Where certificate and key stand.
    pub files: Option<(PathBuf, PathBuf)>,
    /// Whether it gets unbound tokens.
    pub bearer: bool,
}

/// An API invoker of the demo.
#[derive(Debug, Clone)]
pub struct DemoInvoker {
    /// Its name for people.
    pub name: String,
    /// Its identifier at the core function.
    pub id: String,
    /// Its certificate.
    pub identity: Identity,
    /// Where certificate and key stand.
    pub files: (PathBuf, PathBuf),
    /// Its onboarding secret.
    pub secret: String,
}

/// A server that exposes service APIs.
#[derive(Debug, Clone)]
pub struct DemoAef {
    /// Its identifier at the core function.
    pub aef_id: String,
    /// Which one it is.
    pub role: String,
    /// Names of its service APIs.
    pub apis: Vec<String>,
}

/// A demo's data.
#[derive(Clone)]
pub struct Sample {
    /// Origins of the listeners.
    pub urls: BTreeMap<String, String>,
    /// Trust of every client.
    pub ca: String,
    /// The operator's certificate.
    pub operator: Identity,
    /// Users with their password and data.
    pub users: BTreeMap<String, Value>,
    /// Clients by id.
    pub clients: BTreeMap<String, DemoClient>,
    /// API invokers, in the order of VAL server 1, VAL server 2.
    pub invokers: Vec<DemoInvoker>,
    /// Servers that a core function knows.
    pub aefs: Vec<DemoAef>,
    /// Keys of the issuers, for tests that spoil tokens.
    pub keys: Vec<Value>,
    /// Anchors-lists by VAL server.
    pub lists: BTreeMap<String, Vec<String>>,
    /// Anchors of the first list.
    pub anchor_ids: Vec<u32>,
    /// Maps by VAL server.
    pub maps: BTreeMap<String, u32>,
    /// Clock and randomness of the clients.
    pub ambient: Ambient,
    /// Where exchanges are written, if they are.
    pub recording: Option<Arc<Recording>>,
}

impl Sample {
    /// The member `demo` of the ready file.
    #[must_use]
    pub fn ready(&self) -> Value {
        let users: Vec<Value> = self
            .users
            .iter()
            .map(|(name, user)| {
                json!({
                    "user": name, "password": user["password"], "valUserId": user["valUserId"],
                    "valUeId": user["valUeIds"][0], "gpsi": user["gpsi"], "externalId": user["externalId"],
                    "impu": user["impu"], "roles": user["roles"],
                })
            })
            .collect();
        let clients: Vec<Value> = self
            .clients
            .iter()
            .map(|(id, client)| {
                let mut entry = json!({ "clientId": id, "kind": client.kind, "bearer": client.bearer });
                if client.kind == "sim_c" {
                    entry["redirectUri"] = json!("http://127.0.0.1/cb");
                }
                if let Some(secret) = &client.secret {
                    entry["secret"] = json!(secret);
                }
                if let Some((cert, key)) = &client.files {
                    entry["cert"] = json!(cert);
                    entry["key"] = json!(key);
                }
                entry
            })
            .collect();
        let invoker = |invoker: &DemoInvoker| {
            let (cert, key) = &invoker.files;
            json!({
                "apiInvokerId": invoker.id, "name": invoker.name, "cert": cert, "key": key, "secret": invoker.secret,
            })
        };
        let invokers: Vec<Value> = self.invokers.iter().map(invoker).collect();
        let aef = |aef: &DemoAef| json!({ "aefId": aef.aef_id, "role": aef.role, "apis": aef.apis });
        let aefs: Vec<Value> = self.aefs.iter().map(aef).collect();
        json!({
            "users": users, "clients": clients, "invokers": invokers, "aefs": aefs, "keys": self.keys,
            "samples": {
                "anchorsListId": self.lists.get("vs-1").and_then(|lists| lists.first()),
                "anchorIds": self.anchor_ids,
                "mapId": self.maps.get("vs-1"),
            },
        })
    }

    /// The origin of a listener.
    ///
    /// # Errors
    /// When it does not run.
    pub fn url(&self, name: &str) -> Result<&str> {
        self.urls.get(name).map(String::as_str).with_context(|| format!("{name} does not run"))
    }

    /// The operator.
    ///
    /// # Errors
    /// When the certificate cannot be used.
    pub fn admin(&self) -> Result<AdminClient> {
        let https = HttpsClient::new(&self.ca, Some(&self.operator))?;
        Ok(AdminClient::new(https, self.url("admin")?)?)
    }

    /// A connection of a client, with its certificate if it has one.
    ///
    /// # Errors
    /// When there is no such client.
    pub fn https(&self, client: &str, trace: Option<&str>) -> Result<HttpsClient> {
        let client = self.client(client)?;
        let https = HttpsClient::new(&self.ca, client.identity.as_ref())?;
        let https = match trace {
            Some(trace) => https.with_trace(trace),
            None => https,
        };
        Ok(match &self.recording {
            Some(recording) => https.with_recorder(recording.clone()),
            None => https,
        })
    }

    /// A client by its id.
    ///
    /// # Errors
    /// When there is none.
    pub fn client(&self, id: &str) -> Result<&DemoClient> {
        self.clients.get(id).ok_or_else(|| anyhow!("no client {id} in the demo"))
    }

    /// A VAL server's credential for a resource server.
    ///
    /// # Errors
    /// When the SIM-S refuses.
    pub async fn val_server(&self, id: &str, role: &str, scope: &str) -> Result<Credential> {
        let https = self.https(id, None)?;
        let sim =
            SimClient::discover(https, self.url("sim")?, ClientAuth::mutual_tls(id), self.ambient.clone());
        Ok(sim.await?.client_credential(self.url(role)?, scope).await?)
    }

    /// The SIM-C of a VAL UE. `ue-1` has a DPoP key of its own, `ue-bearer` none.
    ///
    /// # Errors
    /// When the SIM-S cannot be found.
    pub async fn sim_c(&self, id: &str, trace: Option<&str>) -> Result<SimClient> {
        let client = self.client(id)?;
        let secret = client.secret.clone().with_context(|| format!("{id} has no secret"))?;
        let https = self.https(id, trace)?;
        let sim = SimClient::discover(
            https,
            self.url("sim")?,
            ClientAuth::secret(id, secret),
            self.ambient.clone(),
        );
        let sim = sim.await?;
        Ok(if client.bearer { sim } else { sim.with_dpop(DpopSession::new(self.ambient.clone())?) })
    }

    /// What the SIM-C of a user asks for at login.
    ///
    /// # Errors
    /// When there is no such user or server.
    pub fn request(&self, user: &str, scope: &str) -> Result<AuthorizationRequest> {
        let ue = self.users.get(user).and_then(|user| user["valUeIds"][0].as_str()).map(str::to_owned);
        let mut resources = Vec::new();
        for (prefix, role) in [("3gpp:seal:san", "san"), ("3gpp:seal:sm", "sm")] {
            if scope.split(' ').any(|word| word.starts_with(prefix)) {
                resources.push(self.url(role)?.to_owned());
            }
        }
        Ok(AuthorizationRequest {
            redirect_uri: REDIRECT.into(),
            scope: scope.into(),
            resources,
            val_ue_id: ue,
            acr_values: String::new(),
            push: true,
        })
    }

    /// The password of a user.
    ///
    /// # Errors
    /// When there is no such user.
    pub fn password(&self, user: &str) -> Result<&str> {
        self.users
            .get(user)
            .and_then(|user| user["password"].as_str())
            .with_context(|| format!("no user {user}"))
    }

    /// A user who has logged in for everything that `client` may ask for.
    ///
    /// # Errors
    /// When the SIM-S refuses.
    pub async fn session(&self, user: &str, client: &str) -> Result<UserSession> {
        let sim = self.sim_c(client, None).await?;
        let request = self.request(user, UE_SCOPES)?;
        let san = self.url("san")?;
        let scope = "3gpp:seal:san.read 3gpp:seal:san.discover";
        Ok(UserSession::login(sim, request, user, self.password(user)?, san, scope).await?)
    }
}
