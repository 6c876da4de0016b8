//! Revocation: what an issuer has withdrawn reaches every verifier before it is acknowledged (design, section 2).
//!
//! The issuer keeps a numbered log ([`RevocationLog`]); a verifier follows it by long polls ([`follow`]). Each answer
//! grants a lease of one second, counted by the verifier from *sending*; `after` of the next poll says what it has
//! applied. The issuer acknowledges when every holder of a lease has confirmed, or its lease must have ended.

mod answer;
mod follow;
mod holders;
mod http;
mod log;

pub use answer::{FeedAnswer, FeedEntry, JWKS_CHANGED, fuzz};
pub use follow::{FeedError, Follow, Follower, RevocationFeed, follow};
pub use http::{HttpFeed, HttpKeys, client, jwks_response, revocations};
pub use log::{NewEntry, RevocationLog};

#[cfg(test)]
mod tests;
