//! SIM-C: the client side of the identity management server (TS 33.434 Annex A, TS 24.547).

mod authorize;
mod client_auth;
mod html;
mod id_token;
mod login;
mod partner;
mod session;
mod token;

pub use authorize::ACR_PASSWORD;
pub use authorize::{AuthorizationRequest, Code, Pending};
pub use client_auth::ClientAuth;
pub use html::{Form, MAX_PAGE, fuzz_login_form, login_form};
pub use session::UserSession;
pub use token::{ACCESS_TOKEN_TYPE, Exchange};

use std::collections::HashMap;
use std::sync::Arc;

use api_types::oauth::{ProtectedResourceMetadata, ServerMetadata, TokenResponse};
use tokio::sync::Mutex;
use url::Url;

use crate::ambient::Ambient;
use crate::authorized::Credential;
use crate::dpop::DpopSession;
use crate::error::SdkError;
use crate::https::HttpsClient;
use crate::request::{Request, at, https_url};

/// Seconds before its expiry when a kept token is no longer used. Own value.
pub const RENEW_BEFORE_S: i64 = 30;

/// Tokens kept, by (resource, scope).
type Kept = HashMap<(String, String), (TokenResponse, i64)>;

/// A client of one SIM-S. Clones share their tokens.
#[derive(Clone)]
pub struct SimClient {
    https: HttpsClient,
    metadata: Arc<ServerMetadata>,
    auth: ClientAuth,
    dpop: Option<DpopSession>,
    ambient: Ambient,
    kept: Arc<Mutex<Kept>>,
}

impl std::fmt::Debug for SimClient {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SimClient").field("client_id", &self.auth.client_id()).finish_non_exhaustive()
    }
}

/// Reads the metadata of an issuer (RFC 8414 3): its `issuer` must be the one asked for.
///
/// # Errors
/// No answer, or [`SdkError::IssuerWrong`].
pub async fn metadata(https: &HttpsClient, issuer: &str) -> Result<ServerMetadata, SdkError> {
    let url = at(&https_url(issuer)?, &[".well-known", "oauth-authorization-server"])?;
    let metadata: ServerMetadata = https.send(Request::get(url)).await?.expect(&[200])?.json()?;
    if metadata.issuer != issuer {
        return Err(SdkError::IssuerWrong);
    }
    Ok(metadata)
}

/// Reads the metadata of a resource server (RFC 9728 3): its `resource` must be the one asked for.
///
/// # Errors
/// No answer, or metadata of another resource.
pub async fn resource_metadata(
    https: &HttpsClient,
    resource: &str,
) -> Result<ProtectedResourceMetadata, SdkError> {
    let url = at(&https_url(resource)?, &[".well-known", "oauth-protected-resource"])?;
    let metadata: ProtectedResourceMetadata = https.send(Request::get(url)).await?.expect(&[200])?.json()?;
    if metadata.resource != resource {
        return Err(SdkError::Malformed("resource of the metadata"));
    }
    Ok(metadata)
}

impl SimClient {
    /// A client of the SIM-S whose metadata stand under `issuer`.
    ///
    /// # Errors
    /// No answer, or metadata of another issuer.
    pub async fn discover(
        https: HttpsClient,
        issuer: &str,
        auth: ClientAuth,
        ambient: Ambient,
    ) -> Result<Self, SdkError> {
        let metadata = metadata(&https, issuer).await?;
        Ok(Self::with_metadata(https, metadata, auth, ambient))
    }

    /// A client of a SIM-S whose metadata the caller already has.
    #[must_use]
    pub fn with_metadata(
        https: HttpsClient,
        metadata: ServerMetadata,
        auth: ClientAuth,
        ambient: Ambient,
    ) -> Self {
        Self { https, metadata: Arc::new(metadata), auth, dpop: None, ambient, kept: Arc::default() }
    }

    /// The same client with tokens bound to the key of `session` from now on.
    #[must_use]
    pub fn with_dpop(mut self, session: DpopSession) -> Self {
        self.dpop = Some(session);
        self.kept = Arc::default();
        self
    }

    /// The metadata of the SIM-S.
    #[must_use]
    pub fn metadata(&self) -> &ServerMetadata {
        &self.metadata
    }

    /// Identifier of the client.
    #[must_use]
    pub fn client_id(&self) -> &str {
        self.auth.client_id()
    }

    /// The session with the key of bound tokens.
    #[must_use]
    pub fn dpop(&self) -> Option<&DpopSession> {
        self.dpop.as_ref()
    }

    /// A token as a credential: bound to the key where its type says so.
    ///
    /// # Errors
    /// The token is bound to a key that this client does not have.
    pub fn credential(&self, token: &TokenResponse) -> Result<Credential, SdkError> {
        if !token.token_type.eq_ignore_ascii_case("dpop") {
            return Ok(Credential::Bearer(token.access_token.clone()));
        }
        let key = self.dpop.clone().ok_or(SdkError::Malformed("token type"))?;
        Ok(Credential::Dpop { token: token.access_token.clone(), key })
    }

    /// The public keys of the SIM-S.
    ///
    /// # Errors
    /// No answer.
    pub async fn jwks(&self) -> Result<serde_json::Value, SdkError> {
        self.https.send(Request::get(https_url(&self.metadata.jwks_uri)?)).await?.expect(&[200])?.json()
    }

    /// The endpoint to use: that for mutual TLS where the client authenticates by it (RFC 8705 5).
    fn endpoint(&self, plain: Option<&String>, mutual: Option<&String>) -> Result<Url, SdkError> {
        let chosen = if self.auth.is_mutual_tls() { mutual.or(plain) } else { plain };
        https_url(chosen.ok_or(SdkError::Unusable("the server has no such endpoint"))?)
    }
}
