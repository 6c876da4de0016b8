//! Clients of the functions: SIM-C, SAn-C, SM-C and VAL servers (TS 23.434, TS 23.437), API invokers and API providers
//! (TS 29.222), and of the administration.
//!
//! Every connection is TLS against the one root that the caller names; there is no switch that turns the check off.
//! Time and randomness come from the caller ([`Ambient`]). A refusal reaches the application with its cause and the trace
//! by which the operator finds the decision ([`SdkError`]).

pub mod admin;
pub mod ambient;
pub mod authorized;
pub mod capif;
pub mod dpop;
pub mod error;
pub mod exchange;
pub mod https;
pub mod link;
pub mod lm;
pub mod request;
pub mod resources;
pub mod san;
pub mod sim;
pub mod sm;
pub mod udm;

pub use admin::AdminClient;
pub use ambient::Ambient;
pub use authorized::{Authorized, Credential};
pub use capif::CapifClient;
pub use dpop::DpopSession;
pub use error::{SdkError, TransportKind};
pub use exchange::{Exchange as WireExchange, Recorder};
pub use https::{HttpsClient, HttpsLimits, Identity};
pub use lm::LmClient;
pub use request::{Answer, Created, Request, Versioned};
pub use resources::Resources;
pub use san::{AnchorQuery, SanClient};
pub use sim::{AuthorizationRequest, ClientAuth, Code, Exchange, Pending, SimClient, UserSession};
pub use sm::{ContentHead, MapQuery, SmClient};
