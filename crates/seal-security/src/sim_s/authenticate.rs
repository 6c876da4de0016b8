//! The client of a request to a back-channel endpoint, proven.

use api_types::Function;
use api_types::admin::ClientKind;
use authorization::Reason;
use http::HeaderMap;
use service_http::call::{Actor, Ctx};
use service_http::peer::{CertRole, PeerCertificate};
use store::Sql;
use store::clients::{self, ClientRecord};

use super::SimServer;
use super::client_auth::{self, Once, Presented};
use super::error::{ErrorCode, OAuthError};
use super::form::Form;

/// One of the two listeners.
#[derive(Clone, Debug)]
pub struct Front {
    /// The server.
    pub sim: SimServer,
    /// Whether this is the listener with mutual TLS.
    pub mtls: bool,
}

impl Front {
    /// The origin of the listener, for `htu`.
    #[must_use]
    pub fn origin(&self) -> &str {
        let config = self.sim.config();
        match (&config.mtls_origin, self.mtls) {
            (Some(origin), true) => origin,
            _ => &config.issuer,
        }
    }

    /// The certificate of the connection; the public listener asks for none.
    #[must_use]
    pub fn certificate(&self, ctx: &Ctx) -> Option<PeerCertificate> {
        if !self.mtls {
            return None;
        }
        let certificate = ctx.peer()?.certificate.clone()?;
        matches!(certificate.role, CertRole::Client | CertRole::Function).then(|| (*certificate).clone())
    }
}

/// What one request to a back-channel endpoint takes from the client's rate. Own value.
const REQUEST_COST: u32 = 1;

/// Who it is.
#[derive(Clone, Debug)]
enum Identity {
    Client(Box<ClientRecord>),
    /// A function; the console is also a client, at which operators log in.
    Function(String, Option<Box<ClientRecord>>),
}

/// A client that has proven who it is.
#[derive(Clone, Debug)]
pub struct Authenticated {
    identity: Identity,
    /// What is used up with the grant.
    pub once: Option<Once>,
}

impl Authenticated {
    /// The name of the client or function.
    #[must_use]
    pub fn name(&self) -> &str {
        match &self.identity {
            Identity::Client(record) => record.client_id.as_str(),
            Identity::Function(name, _) => name,
        }
    }

    /// The registered client.
    ///
    /// # Errors
    /// `unauthorized_client` for a function that is none.
    pub fn record(&self) -> Result<&ClientRecord, OAuthError> {
        match &self.identity {
            Identity::Client(record) | Identity::Function(_, Some(record)) => Ok(record),
            Identity::Function(_, None) => {
                Err(OAuthError::new(ErrorCode::UnauthorizedClient, Reason::GrantWrong))
            }
        }
    }

    /// The function, if it is one.
    #[must_use]
    pub fn function(&self) -> Option<&str> {
        match &self.identity {
            Identity::Client(_) => None,
            Identity::Function(name, _) => Some(name),
        }
    }

    /// Whether tokens that are bound to nothing are issued to it.
    #[must_use]
    pub fn may_have_bearer(&self) -> bool {
        matches!(&self.identity, Identity::Client(record) if record.registration.bearer)
    }

    /// Decides in the transaction that grants whether the client is still as it was.
    ///
    /// # Errors
    /// `invalid_client` when it was changed or removed meanwhile.
    pub async fn still_stands(&self, sim: &SimServer, tx: &mut dyn Sql) -> Result<(), OAuthError> {
        let (Identity::Client(record) | Identity::Function(_, Some(record))) = &self.identity else {
            return Ok(());
        };
        let now = sim.client_record(tx, record.client_id.as_str()).await?;
        if now.as_ref() == Some(record) { Ok(()) } else { Err(OAuthError::client()) }
    }
}

/// Authenticates the client of a request, and takes what the request costs from its rate.
///
/// # Errors
/// See [`client_auth`]; `temporarily_unavailable` with `Retry-After` for a client that asks too often.
pub async fn authenticate(
    front: &Front,
    ctx: &Ctx,
    headers: &HeaderMap,
    form: &Form,
) -> Result<Authenticated, OAuthError> {
    let certificate = front.certificate(ctx);
    let shown = client_auth::presented(headers, form, certificate.as_ref())?;
    let sim = &front.sim;
    let x5t = certificate.map(|certificate| certificate.x5t_s256);
    let known = match &shown {
        Presented::Function { .. } => None,
        other => sim.known_client(other.client_id(), x5t.as_deref()),
    };
    if known.is_none()
        && let Some(x5t) = x5t
    {
        let server = sim.clone();
        let revoked = sim.kit().store.read(|tx| Box::pin(async move { server.is_revoked(tx, &x5t).await }));
        if revoked.await? {
            return Err(OAuthError::new(ErrorCode::InvalidClient, Reason::RevokedKey));
        }
    }
    if let Presented::Function { name } = &shown {
        ctx.set_actor(Actor::peer(ctx.peer()));
        let client = match name.parse() {
            Ok(Function::Console) => {
                let name = name.clone();
                let read = sim.kit().store.read(|tx| Box::pin(async move { clients::find(tx, &name).await }));
                read.await?.map(Box::new)
            }
            _ => None,
        };
        return Ok(Authenticated { identity: Identity::Function(name.clone(), client), once: None });
    }
    let name = shown.client_id().to_owned();
    let client = match known {
        Some(client) => Some(client),
        None => {
            let server = sim.clone();
            sim.kit().store.read(|tx| Box::pin(async move { server.client_record(tx, &name).await })).await?
        }
    };
    let client = client.ok_or(client_auth::unknown())?;
    let name = client.client_id.as_str();
    let in_a_ue = client.registration.kind == ClientKind::SimC.as_str();
    ctx.set_actor(if in_a_ue { Actor::ue(name) } else { Actor::client(name) });
    let once = client_auth::verify(&shown, &client, &sim.config().issuer, sim.now_s())?;
    ctx.pass("client authentication", client.registration.auth.clone(), "held");
    let limited = sim.kit().limits.admit_client(&client.client_id, REQUEST_COST);
    limited.inspect_err(|_| ctx.fail("rate of the client", "below its limit", "over its limit"))?;
    Ok(Authenticated { identity: Identity::Client(Box::new(client)), once })
}
