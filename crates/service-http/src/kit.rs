//! What every function is built from.

use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use api_types::function::Function;
use store::Store;

use crate::ambient::Ambient;
use crate::audit_sink::AuditSink;
use crate::egress::Egress;
use crate::exposure::Exposed;
use crate::housekeeping;
use crate::interfaces::Interfaces;
use crate::limits::RateLimits;
use crate::pseudonym::Pseudonyms;
use crate::trace::TraceSink;
use crate::verifier::Verifier;

/// What the deployment says about a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Throw-away data and the test clock of the admin API.
    pub demo: bool,
    /// Whether tokens without `cnf` are taken at all (TS 33.434 A.6); a route may still refuse them.
    pub bearer: bool,
    /// Issuers of the tokens that are taken, as `authorization_servers` of RFC 9728.
    pub issuers: Vec<String>,
    /// Which of them open which interface.
    pub interfaces: Interfaces,
    /// Whether the listener is the one for plain clients of OpenCAPIF.
    pub compat: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            demo: false,
            bearer: true,
            issuers: Vec::new(),
            interfaces: Interfaces::default(),
            compat: false,
        }
    }
}

/// What [`FunctionKit::new`] is given.
pub struct KitConfig {
    /// The function.
    pub function: Function,
    /// Its records.
    pub store: Store,
    /// Clock and randomness.
    pub ambient: Ambient,
    /// Its configured url without a trailing slash: `aud`, `htu` and links are built from it, never from `Host`.
    pub origin: String,
    /// The verifier of access tokens, where it takes any.
    pub verifier: Option<Arc<Verifier>>,
    /// The way out.
    pub egress: Egress,
    /// Admission limits.
    pub limits: Arc<RateLimits>,
    /// Key of the pseudonyms in audit and charging; kept with the function's other keys.
    pub pseudonym_key: [u8; 32],
    /// The deployment.
    pub settings: Settings,
}

/// The surroundings of a function. Cheap to clone.
#[derive(Clone)]
pub struct FunctionKit(Arc<Parts>);

/// The members of a [`FunctionKit`].
pub struct Parts {
    /// The function.
    pub function: Function,
    /// Its records.
    pub store: Store,
    /// Clock and randomness.
    pub ambient: Ambient,
    /// Its configured url without a trailing slash.
    pub origin: Arc<str>,
    /// Url of its protected resource metadata (RFC 9728 3).
    pub resource_metadata: Arc<str>,
    /// The verifier of access tokens, where it takes any.
    pub verifier: Option<Arc<Verifier>>,
    /// Where procedure steps and decisions go.
    pub traces: TraceSink,
    /// Where refusals go.
    pub audit: AuditSink,
    /// The way out.
    pub egress: Egress,
    /// Admission limits.
    pub limits: Arc<RateLimits>,
    /// Keyed pseudonyms.
    pub pseudonyms: Pseudonyms,
    /// What it is to a CAPIF core function, once that is known.
    pub exposed: Exposed,
    /// The deployment.
    pub settings: Settings,
}

impl FunctionKit {
    /// Starts the sinks; needs a runtime.
    pub fn new(config: KitConfig) -> Self {
        let origin: Arc<str> = config.origin.trim_end_matches('/').into();
        let resource_metadata = format!("{origin}{}", crate::resource_metadata::PATH).into();
        let traces = TraceSink::start(config.function, config.store.clone());
        let audit = AuditSink::start(config.store.clone());
        let parts = Arc::new(Parts {
            function: config.function,
            store: config.store,
            ambient: config.ambient,
            origin,
            resource_metadata,
            verifier: config.verifier,
            traces,
            audit,
            egress: config.egress,
            limits: config.limits,
            pseudonyms: Pseudonyms::new(&config.pseudonym_key),
            exposed: Exposed::default(),
            settings: config.settings,
        });
        tokio::spawn(housekeeping::run(Arc::downgrade(&parts)));
        Self(parts)
    }

    /// The same function at another listener: one set of records, sinks, limits and keys, another origin and settings.
    #[must_use]
    pub fn at(&self, origin: &str, settings: Settings) -> Self {
        let origin: Arc<str> = origin.trim_end_matches('/').into();
        let resource_metadata = format!("{origin}{}", crate::resource_metadata::PATH).into();
        Self(Arc::new(Parts {
            function: self.function,
            store: self.store.clone(),
            ambient: self.ambient.clone(),
            origin,
            resource_metadata,
            verifier: self.verifier.clone(),
            traces: self.traces.clone(),
            audit: self.audit.clone(),
            egress: self.egress.clone(),
            limits: self.limits.clone(),
            pseudonyms: self.pseudonyms.clone(),
            exposed: self.exposed.clone(),
            settings,
        }))
    }

    /// The pseudonym of a user in this function's audit and charging records.
    pub fn pseudonym(&self, user: &str) -> String {
        self.pseudonyms.user(user)
    }

    /// Writes what the sinks still hold. Refusals and steps of requests answered before are then in the store.
    pub async fn flush(&self) {
        self.audit.flush().await;
        self.traces.flush().await;
        if let Some(exposure) = self.exposed.by() {
            exposure.flush().await;
        }
    }
}

impl Deref for FunctionKit {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl fmt::Debug for FunctionKit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FunctionKit")
            .field("function", &self.function)
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}
