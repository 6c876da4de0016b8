//! The routes, as data.

use axum::Router;
use http::Method;
use service_http::guard;
use service_http::peer::CertRole;
use service_http::routes::{MountError, RouteSpec};

use super::{CcfServer, metadata};

/// Who follows the feed.
const VERIFIERS: &[CertRole] = &[CertRole::Function, CertRole::Aef];

/// Every route of the core function.
pub const ROUTES: &[RouteSpec] = &[
    RouteSpec::public(Method::GET, "/.well-known/oauth-authorization-server", "AuthorizationServerMetadata"),
    RouteSpec::public(Method::GET, "/jwks", "JsonWebKeySet"),
    RouteSpec::mtls(Method::GET, "/revocations", "Revocations", VERIFIERS).unlimited(),
];

impl CcfServer {
    /// The listener.
    ///
    /// # Errors
    /// When table and handlers do not fit; a fault of the program.
    pub fn router(&self) -> Result<Router, MountError> {
        let routes = guard::mount::<Self>(self.kit(), ROUTES)
            .on("AuthorizationServerMetadata", metadata::metadata)
            .on("JsonWebKeySet", metadata::jwks)
            .on("Revocations", metadata::revocations)
            .finish()?;
        Ok(guard::serve(self.kit(), routes.with_state(self.clone())))
    }
}
