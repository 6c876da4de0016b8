//! `CAPIF_Publish_Service` (TS 29.222 8.2; sheet 1.3): an API publishing function publishes the service APIs that the API
//! exposing functions of its domain expose.

mod change;
mod consequences;
mod create;
mod list;
mod modify;
mod read;
mod replace;
mod rules;
mod unpublish;

pub(crate) use consequences::draw;
pub(crate) use create::create;
pub(crate) use list::list;
pub(crate) use modify::modify;
pub(crate) use read::read;
pub(crate) use replace::replace;
pub(crate) use unpublish::unpublish;

use api_types::capif::publish::{
    API_STATUS_MONITORING, API_SUPPORTED_FEATURE_PUBLISHING, EDGE_APP_2, EXTENDED_INTF_DESC,
    MULTIPLE_CUSTOM_OPERATIONS, PATCH_UPDATE, PROTOC_DATA_FORMATS_EXT1, RNAA, SLICE_BASED_API_EXPOSURE,
    ServiceAPIDescription, VENDOR_EXT,
};
use authorization::Reason;
use service_http::call::Ctx;
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::capif::service_apis::{self, ServiceApiRow};
use store::{Sql, StoreError};

use self::rules::Domain;
use super::CcfServer;
use super::federation::{Inward, partner, registration_of};
use super::party::{own, own_name, party};

/// Features of the API that are served.
const FEATURES: [u32; 10] = [
    API_SUPPORTED_FEATURE_PUBLISHING,
    PATCH_UPDATE,
    EXTENDED_INTF_DESC,
    MULTIPLE_CUSTOM_OPERATIONS,
    PROTOC_DATA_FORMATS_EXT1,
    API_STATUS_MONITORING,
    EDGE_APP_2,
    RNAA,
    VENDOR_EXT,
    SLICE_BASED_API_EXPOSURE,
];

/// Most service APIs of one domain. Own value.
pub(crate) const MOST_OF_DOMAIN: u32 = 10_000;

/// Whoever publishes.
struct Publisher<'c> {
    apf: String,
    registration: String,
    /// It is a core function of another domain (CAPIF-6).
    partner: Option<Inward<'c>>,
}

impl Publisher<'_> {
    /// Decides whether it may publish this, and makes of it what is kept.
    ///
    /// # Errors
    /// See [`Domain::check`] and [`Inward::admit`].
    async fn admit(
        &self,
        tx: &mut dyn Sql,
        ctx: &Ctx,
        api: &mut ServiceAPIDescription,
    ) -> Result<(), Refusal> {
        match &self.partner {
            Some(partner) => partner.admit(tx, ctx, api).await,
            None => Domain::of(tx, &self.registration).await?.check(ctx, api),
        }
    }
}

/// The publishing function of this connection, or the partner, which is the one of the path.
///
/// # Errors
/// `PEER_REFUSED`; `NOT_OWNER` for another one in the path, whether or not there is such a one.
async fn publisher<'c>(
    ccf: &'c CcfServer,
    tx: &mut dyn Sql,
    ctx: &Ctx,
    apf: &str,
) -> Result<Publisher<'c>, Refusal> {
    if let (Some(partner), Some(federation)) = (partner(ccf, ctx)?, &ccf.config().federation) {
        own_name(ctx, &partner.ccf_id, apf, "apfId")?;
        return Ok(Publisher {
            apf: partner.ccf_id.clone(),
            registration: registration_of(&partner.ccf_id),
            partner: Some(Inward { own_id: &federation.ccf_id, partner }),
        });
    }
    let party = party(tx, ctx, &[CertRole::Apf]).await?;
    own(ctx, &party, apf, "apfId")?;
    Ok(Publisher { apf: party.id, registration: party.registration, partner: None })
}

/// A service API of this publisher. One of another publisher is as if it were not there.
///
/// # Errors
/// `NOT_FOUND`.
async fn own_api(
    tx: &mut dyn Sql,
    ctx: &Ctx,
    by: &Publisher<'_>,
    api: &str,
) -> Result<ServiceApiRow, Refusal> {
    const EXPECTED: &str = "one that this function has published";
    let row = service_apis::find(tx, api).await?;
    match row.filter(|row| row.apf_id == by.apf) {
        Some(row) => {
            ctx.pass("serviceApiId", EXPECTED, "its own");
            Ok(row)
        }
        None => {
            ctx.fail("serviceApiId", EXPECTED, "none such");
            Err(Refusal::hidden(Reason::NotFound))
        }
    }
}

/// A description as it is kept.
///
/// # Errors
/// It cannot be written.
pub(crate) fn text(api: &ServiceAPIDescription) -> Result<String, StoreError> {
    serde_json::to_string(api).map_err(|_| StoreError::Damaged("service API"))
}

/// The functions that expose a service API.
pub(crate) fn aefs(api: &ServiceAPIDescription) -> Vec<String> {
    api.aef_profiles.iter().flatten().map(|profile| profile.aef_id.as_str().to_owned()).collect()
}
