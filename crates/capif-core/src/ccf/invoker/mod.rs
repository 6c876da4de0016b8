//! `CAPIF_API_Invoker_Management` (TS 29.222 8.4; sheet 1.2).

mod change;
mod offboard;
mod onboard;

use api_types::capif::invoker::{APIInvokerEnrolmentDetails, EXPIRATION_TIME, PATCH_UPDATE};
use authorization::Reason;
use service_http::call::Ctx;
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::Sql;
use store::capif::invokers::{self, InvokerRow};

use super::party::{Party, party};

pub(crate) use change::{modify, replace};
pub(crate) use offboard::offboard;
pub(crate) use onboard::onboard;

/// Where onboarded API invokers are.
pub(crate) const PATH: &str = "/api-invoker-management/v1/onboardedInvokers";

/// Features of the API that are served.
pub(crate) const FEATURES: [u32; 2] = [PATCH_UPDATE, EXPIRATION_TIME];

/// What is on record of an API invoker.
fn read(row: &InvokerRow) -> Result<APIInvokerEnrolmentDetails, Refusal> {
    serde_json::from_str(&row.body).map_err(|_| Refusal::open(Reason::StoreFailed))
}

/// What is kept of an API invoker: without its secret, of which only a digest is.
fn kept(body: &APIInvokerEnrolmentDetails) -> Result<String, Refusal> {
    let mut body = body.clone();
    body.onboarding_information.onboarding_secret = None;
    serde_json::to_string(&body).map_err(|_| Refusal::open(Reason::StoreFailed))
}

/// The API invoker of this connection, which is the one of the path. Another one's is as if it were not there.
async fn itself(tx: &mut dyn Sql, ctx: &Ctx, onboarding: &str) -> Result<(Party, InvokerRow), Refusal> {
    let party = party(tx, ctx, &[CertRole::Invoker]).await?;
    if party.id != onboarding {
        ctx.fail("onboardingId", "the caller's own", "another one");
        return Err(Refusal::hidden(Reason::NotOwner));
    }
    ctx.pass("onboardingId", "the caller's own", "its own");
    let row = invokers::held(tx, onboarding).await?.ok_or(Refusal::hidden(Reason::NotFound))?;
    Ok((party, row))
}
