//! The session of a user: one login, a token for each resource server (contract section 4).

use std::sync::Arc;

use api_types::Secret;
use api_types::oauth::TokenResponse;
use tokio::sync::Mutex;

use super::token::usable_until;
use super::{AuthorizationRequest, Kept, SimClient};
use crate::authorized::Credential;
use crate::error::SdkError;

/// The session of a user. Clones are the same session.
#[derive(Clone)]
pub struct UserSession {
    sim: SimClient,
    state: Arc<Mutex<State>>,
}

struct State {
    refresh: Option<Secret>,
    kept: Kept,
}

impl std::fmt::Debug for UserSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserSession")
    }
}

impl UserSession {
    /// Logs a user in, asking for all that the session shall be able to do; redeems the code for `resource` and `scope`.
    ///
    /// # Errors
    /// As [`SimClient::login`] and [`SimClient::redeem`].
    pub async fn login(
        sim: SimClient,
        request: AuthorizationRequest,
        user: &str,
        password: &str,
        resource: &str,
        scope: &str,
    ) -> Result<Self, SdkError> {
        let pending = sim.begin(request);
        let code = sim.login(&pending, user, password).await?;
        let token = sim.redeem(&code, Some(resource), Some(scope)).await?;
        Ok(Self::of(sim, token, resource, scope))
    }

    /// A session that begins with a token which the caller got.
    #[must_use]
    pub fn of(sim: SimClient, token: TokenResponse, resource: &str, scope: &str) -> Self {
        let until_s = usable_until(sim.ambient.now_s(), token.expires_in);
        let refresh = token.refresh_token.clone();
        let kept = Kept::from([((resource.to_owned(), scope.to_owned()), (token, until_s))]);
        Self { sim, state: Arc::new(Mutex::new(State { refresh, kept })) }
    }

    /// The credential for a resource server, kept until shortly before its expiry, else refreshed.
    ///
    /// # Errors
    /// As [`SimClient::refresh`]; [`SdkError::Unusable`] without a refresh token.
    pub async fn credential(&self, resource: &str, scope: &str) -> Result<Credential, SdkError> {
        let token = self.token(resource, scope).await?;
        self.sim.credential(&token)
    }

    /// Likewise, as the answer of the token endpoint.
    ///
    /// # Errors
    /// As [`UserSession::credential`].
    pub async fn token(&self, resource: &str, scope: &str) -> Result<TokenResponse, SdkError> {
        // Held across the request: a refresh token that is used twice ends the session (RFC 9700 4.14.2).
        let mut state = self.state.lock().await;
        let key = (resource.to_owned(), scope.to_owned());
        let now_s = self.sim.ambient.now_s();
        if let Some((token, until_s)) = state.kept.get(&key)
            && now_s < *until_s
        {
            return Ok(token.clone());
        }
        let refresh = state.refresh.clone().ok_or(SdkError::Unusable("the session has no refresh token"))?;
        let token = self.sim.refresh(&refresh, Some(resource), Some(scope)).await?;
        if let Some(next) = &token.refresh_token {
            state.refresh = Some(next.clone());
        }
        state.kept.retain(|_, (_, until_s)| now_s < *until_s);
        state.kept.insert(key, (token.clone(), usable_until(now_s, token.expires_in)));
        Ok(token)
    }

    /// The client of the session.
    #[must_use]
    pub fn sim(&self) -> &SimClient {
        &self.sim
    }
}
