//! What the core function is configured with.

use std::sync::Arc;

use super::federation::Federation;
use api_types::capif::ApiName;
use api_types::capif::resource_auth::DefaultDecision;
use authorization::capif::negotiation::LocalPolicy;
use service_http::egress::Egress;
use service_http::feed::RevocationLog;
use service_http::oauth::keys::KeyStore;

/// What holds for a single anchor or map that no API exposing function has told of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UnknownResources {
    /// Local policy alone, where the functions served here tell of nothing.
    LocalPolicy,
    /// Nobody gets a token for it (TR 33.721 6.3).
    #[default]
    Deny,
}

/// Settings of the core function. Lifetimes are in seconds.
#[derive(Clone)]
pub struct CcfConfig {
    /// Issuer: the origin of the listener, without a trailing slash.
    pub issuer: String,
    /// What was revoked, and who follows it.
    pub revocations: RevocationLog,
    /// Where keys are kept.
    pub keys: Arc<dyn KeyStore>,
    /// Life of an access token (sheet 2.6).
    pub access_token_s: i64,
    /// How long verifiers keep the key set.
    pub jwks_max_age_s: u32,
    /// Time between scheduled rotations of the signing key.
    pub key_rotation_s: i64,
    /// Security methods and grant types that may be negotiated.
    pub methods: LocalPolicy,
    /// The core functions of other domains that it is interconnected with; `None`: none.
    pub federation: Option<Federation>,
    /// What holds for resources that nobody has told of.
    pub unknown_resources: UnknownResources,
    /// What holds where an owner has no policy that fits, and the resource says nothing either.
    pub default_decision: DefaultDecision,
    /// The way to API exposing functions, with the certificate of the core function; `None`: they are told nothing, and
    /// follow the feed.
    pub aef_egress: Option<Egress>,
    /// Names of the service APIs that anybody may discover, who is not onboarded, until an operator writes a list; none
    /// named: none.
    pub open_apis: Vec<ApiName>,
}

impl CcfConfig {
    /// The defaults, for the issuer of a revocation log and its keys.
    #[must_use]
    pub fn new(revocations: RevocationLog, keys: Arc<dyn KeyStore>) -> Self {
        Self {
            issuer: revocations.issuer().to_owned(),
            revocations,
            keys,
            access_token_s: 300,
            jwks_max_age_s: 60,
            key_rotation_s: 30 * 24 * 3_600,
            methods: LocalPolicy::default(),
            unknown_resources: UnknownResources::default(),
            default_decision: DefaultDecision::Deny,
            federation: None,
            aef_egress: None,
            open_apis: Vec::new(),
        }
    }
}

impl std::fmt::Debug for CcfConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CcfConfig").field("issuer", &self.issuer).finish_non_exhaustive()
    }
}
