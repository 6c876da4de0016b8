//! An API exposing function that is no function of this system: connected to a core function, whose keys and revocations
//! it follows.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use api_types::capif::AefId;
use authorization::IssuerRow;
use sdk::{CapifClient, HttpsClient, HttpsLimits};
use service_http::ambient::Ambient;
use service_http::feed::{self, Follow, HttpFeed, HttpKeys};
use service_http::tls::{self, Identity};
use service_http::verifier::{Following, IssuerState, Verifier};

use crate::aef::{Aef, AefConfig, OverLimitUsage, ServiceApi};
use crate::records::{Records, StoreRecords};

/// Longest wait for the core function while somebody waits for an answer. Own value.
const PATIENCE: Duration = Duration::from_secs(2);

/// Longest wait for keys and revocations at the start. Own value.
const START_WAIT: Duration = Duration::from_secs(10);

/// What a function needs to connect.
pub struct Connect {
    /// Origin of the core function, which is the issuer of its tokens.
    pub core: String,
    /// The roots that the core function's listener is verified by, PEM.
    pub roots_pem: String,
    /// The certificate that the core function has issued to this function, and its key.
    pub identity: sdk::Identity,
    /// Its identifier.
    pub id: AefId,
    /// The service APIs that were published, by name.
    pub apis: BTreeMap<String, ServiceApi>,
    /// A directory of its own, for what has to survive.
    pub dir: PathBuf,
    /// Whether the core function has the feed of revocations of this system. Of one that has none, tokens are good until
    /// they end or the core function calls `revoke-authorization`.
    pub feed: bool,
    /// What happens when a total is used up.
    pub over_limit: OverLimitUsage,
    /// Clock and randomness.
    pub ambient: Ambient,
}

/// Why a function is not connected.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Certificate, key or address cannot be used.
    #[error("certificate, key or address cannot be used: {0}")]
    Unusable(String),
    /// The records cannot be opened.
    #[error(transparent)]
    Store(#[from] store::StoreError),
    /// The core function does not answer.
    #[error("the core function does not answer")]
    NoAnswer,
}

fn unusable(error: impl std::fmt::Display) -> ConnectError {
    ConnectError::Unusable(error.to_string())
}

impl Aef {
    /// Connects; tokens are decided as soon as this returns.
    ///
    /// # Errors
    /// See [`ConnectError`].
    pub async fn connect(connect: Connect) -> Result<Self, ConnectError> {
        let Connect { core, roots_pem, identity, id, apis, dir, feed, over_limit, ambient } = connect;
        let core = core.trim_end_matches('/').to_owned();
        let roots = tls::certificates_from_pem(&roots_pem).map_err(unusable)?;
        let own = Identity::from_pem(&identity.cert_pem, &identity.key_pem).map_err(unusable)?;
        let client = feed::client(tls::client_config(&roots, Some(own)).map_err(unusable)?);
        let client = client.map_err(unusable)?;
        let row = IssuerRow::ccf(&core, format!("{core}/jwks"), id.as_str());
        let keys = Arc::new(HttpKeys::new(client.clone(), row.jwks_uri.clone()));
        let following = if feed { Following::Feed } else { Following::ExpOnly };
        let issuer = IssuerState::new(row, following, Some(keys));
        let follower = match feed {
            true => {
                let feed = HttpFeed::new(client, format!("{core}/revocations"), ambient.random_id());
                let feed = Arc::new(feed);
                let follow = Follow { issuer: issuer.clone(), feed, ambient: ambient.clone() };
                let mut follower = feed::follow(follow);
                let ready = tokio::time::timeout(START_WAIT, follower.ready());
                ready.await.map_err(|_| ConnectError::NoAnswer)?;
                Some(follower)
            }
            false => {
                issuer.refetch(&ambient).await.map_err(|_| ConnectError::NoAnswer)?;
                None
            }
        };
        let limits = HttpsLimits { connect: PATIENCE, read: PATIENCE, total: PATIENCE };
        let https = HttpsClient::with_limits(&roots_pem, Some(&identity), limits).map_err(unusable)?;
        let capif = CapifClient::new(https, &core).map_err(unusable)?;
        let records: Arc<dyn Records> = Arc::new(StoreRecords::open(&dir).await?);
        // Tokens name the function itself as their audience.
        let verifier = Verifier::new(id.as_str(), ambient.clone(), vec![issuer.clone()]);
        let aef = Self::new(AefConfig {
            id,
            apis,
            core: Arc::new(capif),
            core_name: None,
            issuer,
            verifier: Some(Arc::new(verifier)),
            records,
            ambient,
            over_limit,
        })
        .await?;
        *aef.0.follower.lock().unwrap_or_else(std::sync::PoisonError::into_inner) = follower;
        Ok(aef)
    }
}
