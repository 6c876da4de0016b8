//! The location management server as a facade of the spatial servers (TR 33.721, solution #Y, 6.Y; decision CON-01).
//!
//! It is an audience of its own. It takes the operations of the anchor and map servers under their own paths, decides
//! by itself whether the token opens the operation, exchanges the token (RFC 8693) for one of the server behind, bound to
//! its own certificate and with the user's rights only, and hands request and answer on as they are. Off unless it is
//! named.

mod exchange;
mod forward;
mod headers;

use std::sync::{Arc, LazyLock};

use api_types::function::Function;
use api_types::oauth::ProtectedResourceMetadata;
use axum::extract::State;
use axum::{Json, Router};
use service_http::guard;
use service_http::kit::FunctionKit;
use service_http::resource_metadata;
use service_http::routes::{MountError, RouteAuth, RouteSpec};

use crate::{san, sm};

pub use exchange::Tokens;

/// The procedure that every route here is part of (TR 33.721, solution #Y, "get map").
const PROCEDURE: &str = "TR33.721-SY";

/// The routes of the facade: those of the servers behind it that a token opens.
pub static ROUTES: LazyLock<Vec<RouteSpec>> = LazyLock::new(|| {
    let behind = san::ROUTES.iter().chain(sm::ROUTES).filter(|route| route.auth == RouteAuth::Token);
    let here = behind.cloned().map(|route| RouteSpec {
        step: route.step.map(|step| service_http::routes::Step { procedure: PROCEDURE, ..step }),
        ..route
    });
    std::iter::once(resource_metadata::ROUTE).chain(here).collect()
});

/// A server behind the facade.
#[derive(Clone, Debug)]
pub struct Behind {
    /// Which one.
    pub function: Function,
    /// Its url, which is the audience of its tokens.
    pub origin: String,
}

/// The facade. Cheap to clone.
#[derive(Clone)]
pub struct LmServer(Arc<Inner>);

struct Inner {
    kit: FunctionKit,
    tokens: Tokens,
    behind: Vec<Behind>,
}

impl std::fmt::Debug for LmServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LmServer").field("behind", &self.0.behind).finish_non_exhaustive()
    }
}

/// What a client needs to know of this server before it has a token (RFC 9728).
async fn metadata(State(lm): State<LmServer>) -> Json<ProtectedResourceMetadata> {
    Json(resource_metadata::document(&lm.0.kit, &ROUTES))
}

impl LmServer {
    /// A facade on the surroundings of the function `lm`. What is not behind it is answered as a role that does not run.
    pub fn new(kit: FunctionKit, tokens: Tokens, behind: Vec<Behind>) -> Self {
        Self(Arc::new(Inner { kit, tokens, behind }))
    }

    /// The whole of its listener.
    ///
    /// # Errors
    /// Routes and handlers do not fit: a fault of the program.
    pub fn router(&self) -> Result<Router, MountError> {
        let specs: &'static [RouteSpec] = &ROUTES;
        let mut routes = guard::mount(&self.0.kit, specs).on("ProtectedResourceMetadata", metadata);
        for spec in specs.iter().filter(|spec| spec.auth == RouteAuth::Token) {
            routes = routes.on(spec.operation, forward::forward);
        }
        Ok(guard::serve(&self.0.kit, routes.finish()?.with_state(self.clone())))
    }

    /// The server that serves a path, if it is there.
    fn behind(&self, path: &'static str) -> Option<&Behind> {
        let anchors = san::ROUTES.iter().any(|route| route.path == path);
        let function = if anchors { Function::San } else { Function::Sm };
        self.0.behind.iter().find(|behind| behind.function == function)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_operation_of_the_servers_behind_is_here_once() {
        let operations: Vec<&str> = ROUTES.iter().map(|route| route.operation).collect();
        let mut once = operations.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), operations.len());
        for route in san::ROUTES.iter().chain(sm::ROUTES).filter(|route| route.auth == RouteAuth::Token) {
            let here = ROUTES.iter().find(|here| here.operation == route.operation).unwrap();
            assert_eq!(
                (here.path, here.scopes, here.body_limit),
                (route.path, route.scopes, route.body_limit)
            );
        }
    }
}
