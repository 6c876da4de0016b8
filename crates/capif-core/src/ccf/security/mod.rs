//! `CAPIF_Security` (TS 29.222 8.5; sheet 1.6 and 2): which method an API invoker uses at which API exposing function, and
//! the access tokens for it.

mod context;
mod info;
mod negotiate;
pub(crate) mod notice;
mod obtain;
mod revoke;
mod token;

pub(crate) use context::{create, update};
pub(crate) use obtain::obtain;
pub(crate) use revoke::{remove, revoke};
pub(crate) use token::token;
pub(in crate::ccf) use token::{KeptRules, Said, check_apis, explain};

use api_types::capif::security::{SECURITY_INFO_PER_API, ServiceSecurity};
use authorization::Reason;
use service_http::refusal::Refusal;
use store::capif::contexts::ContextRow;

/// Where security contexts are.
pub(crate) const PATH: &str = "/capif-security/v1/trustedInvokers";

/// Features of the API that are served.
pub(crate) const FEATURES: [u32; 1] = [SECURITY_INFO_PER_API];

/// What is on record of a context.
fn read(row: &ContextRow) -> Result<ServiceSecurity, Refusal> {
    serde_json::from_str(&row.body).map_err(|_| Refusal::open(Reason::StoreFailed))
}

fn text(body: &ServiceSecurity) -> Result<String, Refusal> {
    serde_json::to_string(body).map_err(|_| Refusal::open(Reason::StoreFailed))
}
