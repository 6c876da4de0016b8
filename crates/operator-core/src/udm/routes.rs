//! The routes, as data.

use axum::Router;
use http::Method;
use service_http::guard;
use service_http::peer::CertRole;
use service_http::routes::{MountError, RouteSpec};

use super::{UdmServer, modify, subscribe, translate, uc_data, unsubscribe};

/// Trusted functions of the core (TS 29.503 5.2.2); others come through a NEF.
const FUNCTIONS: &[CertRole] = &[CertRole::Function];

const SUBSCRIPTION: &str = "/nudm-sdm/v2/{ueId}/sdm-subscriptions/{subscriptionId}";

/// The procedure of solution #5 (TR 33.721 6.5).
const S5: &str = "TR33.721-S5";

/// Every route of the UDM.
pub const ROUTES: &[RouteSpec] = &[
    RouteSpec::mtls(Method::GET, "/nudm-sdm/v2/{ueId}/id-translation-result", "GetSupiOrGpsi", FUNCTIONS)
        .step(S5, "2", "identifier translation"),
    RouteSpec::mtls(Method::GET, "/nudm-sdm/v2/{ueId}/uc-data", "GetUcData", FUNCTIONS).step(
        S5,
        "2",
        "request of the user consent",
    ),
    RouteSpec::mtls(Method::POST, "/nudm-sdm/v2/{ueId}/sdm-subscriptions", "Subscribe", FUNCTIONS).cost(2),
    RouteSpec::mtls(Method::PATCH, SUBSCRIPTION, "Modify", FUNCTIONS),
    RouteSpec::mtls(Method::DELETE, SUBSCRIPTION, "Unsubscribe", FUNCTIONS).unlimited(),
];

impl UdmServer {
    /// The listener.
    ///
    /// # Errors
    /// When table and handlers do not fit; a fault of the program.
    pub fn router(&self) -> Result<Router, MountError> {
        let routes = guard::mount::<Self>(self.kit(), ROUTES)
            .on("GetSupiOrGpsi", translate::translate)
            .on("GetUcData", uc_data::read)
            .on("Subscribe", subscribe::subscribe)
            .on("Modify", modify::modify)
            .on("Unsubscribe", unsubscribe::unsubscribe)
            .finish()?;
        Ok(guard::serve(self.kit(), routes.with_state(self.clone())))
    }
}
