//! The listener for plain OpenCAPIF clients (decision 0085): a face before the same core function, with the same records,
//! certificates and decisions. What differs is what such clients cannot do otherwise: how paths are written, texts that they
//! compare, tokens in RS256 by the key of the TLS certificate, a service where users log in. It adds no right: who came in
//! here opens nothing at the other listener, and nobody from there anything here.

mod answers;
mod basic;
mod register;
mod rewrite;
mod routes;
mod token;

use api_types::secret::Secret;
use authorization::Reason;
use jose::Rs256Key;
use service_http::ambient::Ambient;
use service_http::oauth::keys::KeyStoreError;
use service_http::refusal::Refusal;

use self::register::Accounts;
use super::CcfServer;

pub use routes::OPENCAPIF_ROUTES;

pub(crate) use basic::fuzz as fuzz_basic;
pub(crate) use rewrite::fuzz as fuzz_target;

/// What this listener has for itself.
pub(crate) struct Compat {
    key: Rs256Key,
    accounts: Accounts,
}

impl Compat {
    pub(super) fn new(key: Rs256Key, ambient: &Ambient) -> Self {
        Self { key, accounts: Accounts::new(ambient) }
    }

    /// The key of the TLS certificate, which signs tokens too.
    fn key(&self) -> &Rs256Key {
        &self.key
    }

    fn accounts(&self) -> &Accounts {
        &self.accounts
    }
}

impl CcfServer {
    /// What the listener for OpenCAPIF clients has, where this is it.
    fn compat(&self) -> Result<&Compat, Refusal> {
        self.face().ok_or(Refusal::open(Reason::RoleNotHere))
    }

    /// Gives the administrator of this listener the password that was configured. Without one, one is drawn when there is none
    /// yet: it is answered this once.
    ///
    /// # Errors
    /// The store or the hashing fails; this is not the listener for OpenCAPIF clients.
    pub async fn set_opencapif_admin(
        &self,
        configured: Option<&Secret>,
    ) -> Result<Option<Secret>, KeyStoreError> {
        match self.face() {
            Some(compat) => compat.accounts.set_admin(self, configured).await,
            None => Ok(None),
        }
    }
}
