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
use axum::middleware::from_fn_with_state;

use crate::kit::FunctionKit;
use crate::record;
use crate::response;
use crate::routes::{Mount, RouteSpec};

pub use credentials::{ASSERTED_IDENTITY, Credentials, UE_ID, fuzz};

/// Rows with admission limits and the guard in place; give it the handlers.
pub fn mount<S: Clone + Send + Sync + 'static>(kit: &FunctionKit, specs: &'static [RouteSpec]) -> Mount<S> {
    let wrapped = kit.clone();
    Mount::new(specs).limits(kit.limits.clone()).wrap(move |spec, handler| {
        let gate = gate::Gate { kit: wrapped.clone(), spec };
        handler.layer(from_fn_with_state(gate, gate::guard))
    })
}

/// The whole of a function's listener: `routes` inside of trace, audit of refusals, headers, metrics and fallback.
pub fn serve(kit: &FunctionKit, routes: Router) -> Router {
    let routes = routes.layer(from_fn_with_state(kit.clone(), record::open));
    let finished = response::finish(routes, kit.function, kit.ambient.clone());
    finished.layer(from_fn_with_state(kit.clone(), record::close))
}

#[cfg(test)]
mod tests;
