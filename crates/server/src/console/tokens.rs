//! The tokens of an operator: one for the console by login and refresh, and one for each server by exchange (RFC 8693).

use std::collections::BTreeMap;

use api_types::Secret;
use api_types::oauth::TokenResponse;
use authorization::Reason;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sdk::sim::ACCESS_TOKEN_TYPE;
use sdk::{Exchange, SdkError};
use serde::Deserialize;
use service_http::refusal::Refusal;

use super::Console;

/// Seconds before its expiry when a token is no longer used. Own value.
const RENEW_BEFORE_S: i64 = 30;

/// Tokens of one session.
#[derive(Default)]
pub(super) struct Tokens {
    refresh: Option<Secret>,
    own: Option<Kept>,
    servers: BTreeMap<String, Kept>,
}

#[derive(Clone)]
struct Kept {
    token: Secret,
    until_s: i64,
}

/// What the first token says of the operator. It came from the SIM-S over TLS, and decides nothing here.
#[derive(Debug, Deserialize)]
pub(super) struct Claims {
    /// Account.
    pub(super) sub: String,
    /// Roles.
    #[serde(default)]
    pub(super) roles: Vec<String>,
    /// When the password was given.
    #[serde(default)]
    pub(super) auth_time: i64,
}

impl Claims {
    /// Reads the payload of a token.
    pub(super) fn of(token: &TokenResponse) -> Option<Self> {
        let payload = token.access_token.expose().split('.').nth(1)?;
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()
    }
}

impl Tokens {
    /// Those of a login.
    pub(super) fn of(token: &TokenResponse, now_s: i64) -> Self {
        Self {
            refresh: token.refresh_token.clone(),
            own: Some(Kept::of(token, now_s)),
            servers: BTreeMap::new(),
        }
    }

    /// The refresh token, to be revoked at the end.
    pub(super) fn take_refresh(&mut self) -> Option<Secret> {
        self.refresh.take()
    }

    /// Forgets what the servers were sent, as after a refusal.
    pub(super) fn forget(&mut self) {
        self.servers.clear();
        self.own = None;
    }

    /// The token for a server.
    ///
    /// # Errors
    /// The session has ended at the SIM-S, the operator may not use the server, or the SIM-S does not answer.
    pub(super) async fn for_server(
        &mut self,
        console: &Console,
        server: &str,
        scope: &str,
    ) -> Result<Secret, Refusal> {
        let now_s = console.kit().ambient.now_s();
        if let Some(kept) = self.servers.get(server).filter(|kept| kept.is_good(now_s)) {
            return Ok(kept.token.clone());
        }
        let own = self.own(console, now_s).await?;
        let exchange = Exchange {
            subject_token: own,
            subject_token_type: ACCESS_TOKEN_TYPE.to_owned(),
            resource: server.to_owned(),
            scope: scope.to_owned(),
        };
        let sim = console.sim().await.map_err(|error| refused(&error))?;
        let token = sim.exchange(&exchange).await.map_err(|error| refused(&error))?;
        let kept = Kept::of(&token, now_s);
        self.servers.insert(server.to_owned(), kept.clone());
        Ok(kept.token)
    }

    async fn own(&mut self, console: &Console, now_s: i64) -> Result<Secret, Refusal> {
        if let Some(kept) = self.own.as_ref().filter(|kept| kept.is_good(now_s)) {
            return Ok(kept.token.clone());
        }
        let refresh = self.refresh.clone().ok_or_else(|| Refusal::open(Reason::SessionUnknown))?;
        let sim = console.sim().await.map_err(|error| refused(&error))?;
        let token =
            sim.refresh(&refresh, Some(console.origin()), None).await.map_err(|error| refused(&error))?;
        if let Some(next) = &token.refresh_token {
            self.refresh = Some(next.clone());
        }
        let kept = Kept::of(&token, now_s);
        self.own = Some(kept.clone());
        Ok(kept.token)
    }
}

impl Kept {
    fn of(token: &TokenResponse, now_s: i64) -> Self {
        let lasts_s = token.expires_in.saturating_sub(RENEW_BEFORE_S).max(0);
        Self { token: token.access_token.clone(), until_s: now_s.saturating_add(lasts_s) }
    }

    fn is_good(&self, now_s: i64) -> bool {
        now_s < self.until_s
    }
}

/// What a refusal of the SIM-S is to the operator.
fn refused(error: &SdkError) -> Refusal {
    match error {
        SdkError::OAuth { error, .. } => match error.as_str() {
            "invalid_scope" | "invalid_target" | "access_denied" => Refusal::open(Reason::NotEntitled),
            "temporarily_unavailable" | "server_error" => Refusal::open(Reason::DependencyDown),
            // The grant or the account has gone.
            _ => Refusal::open(Reason::SessionUnknown),
        },
        error => {
            tracing::warn!(%error, "the SIM-S cannot be asked");
            Refusal::open(Reason::DependencyDown)
        }
    }
}
