//! What every function's HTTP front shares: the accept loop, the peer, admission, the verifier,
//! the revocation feed, traces, and the one bridge from a reason to what the wire may say.
//!
//! No route of any one function lives here.

pub mod ambient;
pub mod audit_sink;
pub mod body;
pub mod call;
pub mod callback_hosts;
pub mod cookies;
pub mod edge;
pub mod egress;
pub mod exposure;
pub mod feed;
pub mod guard;
mod housekeeping;
pub mod interfaces;
pub mod json_body;
pub mod kit;
pub mod ledger;
pub mod limits;
pub mod logging;
pub mod metrics;
pub mod oauth;
pub mod outbox_driver;
pub mod password;
pub mod peer;
pub mod problem;
pub mod pseudonym;
pub mod record;
pub mod refusal;
pub mod resource_metadata;
pub mod response;
pub mod routes;
#[doc(hidden)]
pub mod testkit;
pub mod throttle;
pub mod tls;
pub mod trace;
pub mod verifier;
pub mod wire;
