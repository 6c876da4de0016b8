//! A function as an API exposing function of a CAPIF core function: what the guard asks, and tells, of a request that came
//! with one of its tokens (TS 23.222 8.17 to 8.19, 8.24). `capif-aef` is what stands behind it.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use api_types::capif::security::SecurityNotification;
use async_trait::async_trait;
use authorization::capif::access_control::OverLimit;
use authorization::{AccessClaims, Reason};
use http::{Method, Version};

/// What an API exposing function decides and keeps of invocations.
#[async_trait]
pub trait Exposure: Send + Sync + 'static {
    /// Decides by the access control policy of the API invoker whether this invocation of a service API is admitted, and
    /// counts it. `None`: memory does not decide, [`Exposure::admit_asked`] is to be called.
    fn admit(&self, claims: &AccessClaims, api: &str) -> Option<Result<(), OverLimit>>;

    /// As [`Exposure::admit`], asking the core function and the store for what is not known.
    async fn admit_asked(&self, claims: &AccessClaims, api: &str) -> Result<(), OverLimit>;

    /// Keeps an invocation that has ended for the log of the core function.
    fn ended(&self, invocation: Invocation);

    /// An API invoker announces itself: its security context is obtained anew (TS 29.222 `AEF_Security`).
    async fn check_authentication(&self, invoker: &str) -> Result<(), Reason>;

    /// The core function of that name withdraws an authorization (TS 29.222 `AEF_Security`).
    async fn revoked(&self, by: &str, notification: &SecurityNotification) -> Result<(), Reason>;

    /// Writes what is only in memory, before the process ends.
    async fn flush(&self);
}

/// An invocation, by whoever proved to be the API invoker of its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// The core function that is the issuer of its token.
    pub issuer: String,
    /// The API invoker.
    pub invoker: String,
    /// Name of the service API.
    pub api: String,
    /// The resource, as it is published.
    pub resource: String,
    /// The path that was asked for, without its query.
    pub uri: String,
    /// Its method.
    pub method: Method,
    /// The protocol that it came by.
    pub version: Version,
    /// Status of the answer.
    pub status: u16,
    /// When it began, in milliseconds since 1970.
    pub at_ms: i64,
    /// How long it took.
    pub took: Duration,
}

/// What is known of an invocation that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Begun {
    pub(crate) issuer: String,
    pub(crate) invoker: String,
    pub(crate) uri: String,
    pub(crate) method: Method,
    pub(crate) version: Version,
}

/// The exposure of a function, where it has one. It is set once, when the records and the verifier are there.
#[derive(Clone, Default)]
pub struct Exposed(Arc<OnceLock<Arc<dyn Exposure>>>);

impl Exposed {
    /// Sets it; a second call changes nothing.
    pub fn set(&self, exposure: Arc<dyn Exposure>) {
        let _ = self.0.set(exposure);
    }

    /// The exposure.
    pub fn by(&self) -> Option<&dyn Exposure> {
        self.0.get().map(|exposure| &**exposure)
    }
}

impl fmt::Debug for Exposed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Exposed").field(&self.0.get().is_some()).finish()
    }
}
