//! Users, clients and services.

use serde::{Deserialize, Serialize};

use crate::function::Function;
use crate::ids::{
    ClientId, ExternalId, Gpsi, Impu, ServiceId, Supi, UserId, ValServiceId, ValUeId, ValUserId,
};
use crate::problem::InvalidParam;
use crate::secret::Secret;
use crate::validate::{Faults, MAX_URI, Validate, child, item};

/// Most elements of any list of an account. Own value.
pub const MAX_LIST: usize = 256;

/// Longest password, in characters: a longer one only costs work. Own value.
pub const MAX_PASSWORD: usize = 256;

/// Longest CSR, in characters. Own value.
pub const MAX_CSR: usize = 16 * 1024;

/// `/users/{userId}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct User {
    /// Stands in the path; only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_id: Option<UserId>,
    /// Never read back. Absent on a PUT of an existing user: unchanged.
    #[serde(default, skip_serializing)]
    pub password: Option<Secret>,
    /// VAL user.
    pub val_user_id: ValUserId,
    /// VAL UEs bound to the user.
    #[serde(default)]
    pub val_ue_ids: Vec<ValUeId>,
    /// GPSI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpsi: Option<Gpsi>,
    /// External identifier.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    /// IMS public user identity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impu: Option<Impu>,
    /// SUPI.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supi: Option<Supi>,
    /// VAL services that the user may use.
    #[serde(default)]
    pub val_services: Vec<ValServiceId>,
    /// Roles for operators who log in at the console.
    #[serde(default)]
    pub roles: Vec<String>,
}

impl Validate for User {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        if let Some(password) = &self.password {
            let length = password.expose().chars().count();
            faults.require(
                (1..=MAX_PASSWORD).contains(&length),
                at,
                "password",
                "must have 1 to 256 characters",
            );
        }
        faults.require(self.val_ue_ids.len() <= MAX_LIST, at, "valUeIds", "has too many elements");
        faults.require(self.val_services.len() <= MAX_LIST, at, "valServices", "has too many elements");
        faults.require(self.roles.len() <= MAX_LIST, at, "roles", "has too many elements");
        faults.done()
    }
}

closed_enum! {
    /// What a client is.
    ClientKind {
        /// SIM-C in a VAL UE (TS 33.434 5.2).
        SimC = "sim_c",
        /// VAL server.
        ValServer = "val_server",
        /// XR application server.
        XrAs = "xr_as",
    }
}

closed_enum! {
    /// How a client authenticates, by the names of RFC 7591 2 and RFC 8705 2.
    AuthMethod {
        /// Secret in the `Authorization` header.
        ClientSecretBasic = "client_secret_basic",
        /// Secret in the body.
        ClientSecretPost = "client_secret_post",
        /// Signed assertion (RFC 7523).
        PrivateKeyJwt = "private_key_jwt",
        /// Certificate of our root.
        TlsClientAuth = "tls_client_auth",
        /// Certificate whose key stands in `jwks`.
        SelfSignedTlsClientAuth = "self_signed_tls_client_auth",
    }
}

closed_enum! {
    /// Which `sub` a client sees (OpenID Connect Core 8).
    SubjectType {
        /// The same for every client.
        Public = "public",
        /// One per sector.
        Pairwise = "pairwise",
    }
}

/// `/clients/{clientId}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Client {
    /// Stands in the path; only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_id: Option<ClientId>,
    /// What the client is.
    pub kind: ClientKind,
    /// How it authenticates.
    pub auth: AuthMethod,
    /// Registered redirect URIs; a loopback one fits any port (RFC 8252 7.3).
    #[serde(default)]
    pub redirect_uris: Vec<String>,
    /// Hosts that its callbacks may name.
    #[serde(default)]
    pub callback_hosts: Vec<String>,
    /// Scopes that it may ask for.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// VAL services that it serves.
    #[serde(default)]
    pub val_services: Vec<ValServiceId>,
    /// PEM of a certificate signing request; only its key is taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub csr: Option<String>,
    /// Public keys (RFC 7517), for `private_key_jwt` and `self_signed_tls_client_auth`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jwks: Option<serde_json::Value>,
    /// Which `sub` it sees; absent: pairwise for foreign clients as configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject_type: Option<SubjectType>,
    /// Whether it gets unbound tokens (TS 33.434 A.6 literally).
    #[serde(default)]
    pub bearer: bool,
}

impl Validate for Client {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        for (key, list, max) in [
            ("redirectUris", &self.redirect_uris, MAX_URI),
            ("callbackHosts", &self.callback_hosts, 255),
            ("scopes", &self.scopes, 128),
        ] {
            let here = child(at, key);
            faults.require(list.len() <= MAX_LIST, at, key, "has too many elements");
            for (index, text) in list.iter().take(MAX_LIST).enumerate() {
                if text.is_empty()
                    || text.len() > max
                    || text.chars().any(|c| c.is_control() || c.is_whitespace())
                {
                    faults.add(item(&here, index), "is empty, too long or holds white space");
                }
            }
        }
        faults.require(self.val_services.len() <= MAX_LIST, at, "valServices", "has too many elements");
        if let Some(csr) = &self.csr {
            faults.require(csr.len() <= MAX_CSR, at, "csr", "is too long");
        }
        let needs_keys = matches!(self.auth, AuthMethod::PrivateKeyJwt | AuthMethod::SelfSignedTlsClientAuth);
        faults.require(!needs_keys || self.jwks.is_some(), at, "jwks", crate::validate::MISSING);
        faults.require(
            self.kind != ClientKind::SimC || !self.redirect_uris.is_empty(),
            at,
            "redirectUris",
            "needs at least one element",
        );
        faults.done()
    }
}

/// Answer to the PUT of a client. `secret` and `cert` are shown this once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientCreated {
    /// The client.
    pub client_id: ClientId,
    /// Its secret, if it authenticates by one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Secret>,
    /// PEM of its certificate, if it sent a CSR.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert: Option<String>,
    /// PEM of the certificates above it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chain: Option<String>,
}

/// `/services/{serviceId}`: a spatial service, which is data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Service {
    /// Stands in the path; only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_id: Option<ServiceId>,
    /// The function that serves it.
    pub role: Function,
    /// Scopes that open it.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// VAL service that it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_service_id: Option<ValServiceId>,
}

impl Validate for Service {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.require(self.scopes.len() <= MAX_LIST, at, "scopes", "has too many elements");
        let here = child(at, "scopes");
        for (index, scope) in self.scopes.iter().take(MAX_LIST).enumerate() {
            // The class of characters that NRF and CAPIF scopes have, and the dot of ours.
            let good = !scope.is_empty()
                && scope.len() <= 128
                && scope.bytes().all(|b| b.is_ascii_alphanumeric() || b"_:.-".contains(&b));
            if !good {
                faults.add(item(&here, index), "is not a scope");
            }
        }
        faults.done()
    }
}
