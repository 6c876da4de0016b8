//! Tokens of the servers behind the facade, in the caller's name (RFC 8693; design section 5, SY-*).

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use authorization::Reason;
use sdk::sim::ACCESS_TOKEN_TYPE;
use sdk::{Ambient, Authorized, ClientAuth, Credential, Exchange, HttpsClient, SdkError, SimClient};
use service_http::call::Call;
use service_http::refusal::Refusal;
use tokio::sync::OnceCell;

/// Tokens that are kept. Own value.
const MOST: usize = 10_000;

/// Seconds before its end when a kept token is no longer used. Own value.
const RENEW_BEFORE_S: i64 = 10;

/// What is kept: by the token in hand and the server, the token of that server and when it ends.
type Kept = HashMap<(String, String), (Credential, i64)>;

/// The SIM-S, asked with the certificate of the facade.
pub struct Tokens {
    https: HttpsClient,
    issuer: String,
    client_id: String,
    ambient: Ambient,
    sim: OnceCell<SimClient>,
    kept: Mutex<Kept>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}

impl Tokens {
    /// `https` has the certificate of the facade, by which it authenticates as `client_id` and to which the tokens are
    /// bound.
    #[must_use]
    pub fn new(
        https: HttpsClient,
        issuer: impl Into<String>,
        client_id: impl Into<String>,
        ambient: Ambient,
    ) -> Self {
        Self {
            https,
            issuer: issuer.into(),
            client_id: client_id.into(),
            ambient,
            sim: OnceCell::new(),
            kept: Mutex::default(),
        }
    }

    /// A connection to the server at `origin` with a token in the caller's name: the scopes of the token in hand that the
    /// server knows, and no other.
    ///
    /// # Errors
    /// The SIM-S refuses, or cannot be asked.
    pub(super) async fn for_server(
        &self,
        call: &Call,
        origin: &str,
        scopes: &[&str],
        now_s: i64,
    ) -> Result<Authorized, Refusal> {
        // One `jti` is one token of one issuer, and the guard has just seen that it is not revoked.
        let key =
            (format!("{} {}", call.caller.issuer, call.caller.jti), format!("{origin} {}", scopes.join(" ")));
        if let Some(credential) = self.find(&key, now_s) {
            return Ok(Authorized::new(self.https.clone(), credential));
        }
        let exchange = Exchange {
            subject_token: call.presented().clone(),
            subject_token_type: ACCESS_TOKEN_TYPE.to_owned(),
            resource: origin.to_owned(),
            scope: scopes.join(" "),
        };
        let asked = async {
            let sim = self.sim().await?;
            let token = sim.exchange(&exchange).await?;
            Ok::<_, SdkError>((sim.credential(&token)?, token.expires_in))
        };
        let (credential, life_s) = asked.await.map_err(|error| self.refused(call, &error))?;
        call.ctx.pass("token exchange", "the SIM-S gives a token of the server behind", "given");
        self.keep(key, credential.clone(), now_s, life_s);
        Ok(Authorized::new(self.https.clone(), credential))
    }

    fn refused(&self, call: &Call, error: &SdkError) -> Refusal {
        call.ctx.fail("token exchange", "the SIM-S gives a token of the server behind", error.to_string());
        let no = ["access_denied", "invalid_grant", "invalid_request", "invalid_scope", "invalid_target"];
        match error {
            // The SIM-S answered, and the answer is no for this caller.
            SdkError::OAuth { error, .. } if no.contains(&error.as_str()) => {
                Refusal::open(Reason::ScopeNarrow)
            }
            _ => Refusal::open(Reason::IssuerUnreachable),
        }
    }

    async fn sim(&self) -> Result<&SimClient, SdkError> {
        let auth = ClientAuth::mutual_tls(self.client_id.as_str());
        self.sim
            .get_or_try_init(|| {
                SimClient::discover(self.https.clone(), &self.issuer, auth, self.ambient.clone())
            })
            .await
    }

    fn find(&self, key: &(String, String), now_s: i64) -> Option<Credential> {
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(key).filter(|(_, ends_s)| now_s < *ends_s).map(|(credential, _)| credential.clone())
    }

    fn keep(&self, key: (String, String), credential: Credential, now_s: i64, life_s: i64) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() >= MOST {
            kept.retain(|_, (_, ends_s)| now_s < *ends_s);
        }
        if kept.len() < MOST {
            kept.insert(key, (credential, now_s.saturating_add(life_s).saturating_sub(RENEW_BEFORE_S)));
        }
    }
}
