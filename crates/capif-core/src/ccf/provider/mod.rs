//! `CAPIF_API_Provider_Management` (TS 29.222 8.9; sheet 1.1).

mod change;
mod deregister;
pub(crate) mod functions;
mod register;

use api_types::capif::provider::{APIProviderEnrolmentDetails, PATCH_UPDATE};
use api_types::secret::Secret;
use authorization::Reason;
use service_http::refusal::Refusal;
use store::capif::providers::ProviderRow;

pub(crate) use change::{modify, replace};
pub(crate) use deregister::deregister;
pub(crate) use register::register;

/// Where registrations are.
pub(crate) const PATH: &str = "/api-provider-management/v1/registrations";

/// Features of the API that are served.
pub(crate) const FEATURES: [u32; 1] = [PATCH_UPDATE];

/// The registration as it is kept: without its secret, which is used up.
fn kept(
    registration: &str,
    enrolment: &str,
    body: &APIProviderEnrolmentDetails,
) -> Result<ProviderRow, Refusal> {
    let failed = || Refusal::open(Reason::StoreFailed);
    let body = APIProviderEnrolmentDetails { reg_sec: Some(Secret::new(USED)), ..body.clone() };
    let domain = body.api_prov_dom_id.as_ref().ok_or_else(failed)?;
    Ok(ProviderRow {
        registration_id: registration.to_owned(),
        domain_id: domain.as_str().to_owned(),
        enrolment_id: enrolment.to_owned(),
        body: serde_json::to_string(&body).map_err(|_| failed())?,
        version: 1,
    })
}

/// What is on record.
fn read(row: &ProviderRow) -> Result<APIProviderEnrolmentDetails, Refusal> {
    serde_json::from_str(&row.body).map_err(|_| Refusal::open(Reason::StoreFailed))
}

/// Stands for a secret that was used up.
const USED: &str = "used";
