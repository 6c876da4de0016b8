//! The stages `admission` to `operation` of every protected request, in the order of the design (section 2), and the
//! router that a function mounts behind them.
//!
//! ```ignore
//! let routes = guard::mount(&kit, ROUTES).on("GetAnchorsList", get_anchors_list).finish()?;
//! let router = guard::serve(&kit, routes.with_state(server));
//! ```

mod added_scope;
mod capif;
mod credentials;
mod gate;
mod holder;
mod operator;

use axum::Router;

use crate::kit::FunctionKit;
use crate::response;
use crate::routes::{Mount, RouteSpec};

pub(crate) use gate::guard;

pub use credentials::{ASSERTED_IDENTITY, Credentials, UE_ID, fuzz};

/// Rows with admission limits and the guard in place; give it the handlers.
pub fn mount<S: Clone + Send + Sync + 'static>(kit: &FunctionKit, specs: &'static [RouteSpec]) -> Mount<S> {
    Mount::new(specs).limits(kit.limits.clone()).guarded(kit.clone())
}

/// The whole of a function's listener: `routes` inside of trace, audit of refusals, headers, metrics and fallback.
pub fn serve(kit: &FunctionKit, routes: Router) -> Router {
    response::finish_recorded(routes, kit)
}

#[cfg(test)]
mod tests;
