//! The only way out: every address taken from a message is fetched through here (design, section 2, "Egress").
//!
//! https only, to a host that the client registered; the name is resolved once and the connection goes to that very
//! address; no redirect, no proxy; no private address and none of our own unless configured; five seconds; a size cap.

mod address;
mod fetch;
mod resolver;
mod target;

pub use address::is_public;
pub use fetch::{Answer, Egress, EgressConfig};
pub use target::{Target, fuzz};

/// Why nothing was sent, or no answer was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EgressError {
    /// Not an absolute https url without user information and fragment.
    #[error("not an acceptable url")]
    UrlRefused,
    /// The client has not registered the host.
    #[error("host not registered")]
    HostNotRegistered,
    /// A private, local or own address.
    #[error("address refused")]
    AddressRefused,
    /// The name does not resolve.
    #[error("name not resolved")]
    NotResolved,
    /// No connection, no TLS, or the connection broke.
    #[error("not reachable")]
    Unreachable,
    /// No whole answer within the time.
    #[error("timed out")]
    TimedOut,
    /// The answer points elsewhere.
    #[error("redirect refused")]
    Redirected,
    /// The answer is larger than is read.
    #[error("answer too large")]
    TooLarge,
    /// No client could be made of the configuration.
    #[error("egress is not configured")]
    Configuration,
}

impl EgressError {
    /// Whether trying again cannot help: the target itself is refused.
    pub const fn is_final(self) -> bool {
        matches!(self, Self::UrlRefused | Self::HostNotRegistered)
    }
}
