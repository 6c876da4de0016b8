//! The router of a function, made of its rows.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use authorization::Reason;
use axum::Router;
use axum::handler::Handler;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, MethodRouter, on};
use http::HeaderValue;
use http::header::ALLOW;

use super::admit::{Admission, admit};
use super::{MatchedRoute, RouteSpec};
use crate::kit::FunctionKit;
use crate::limits::RateLimits;
use crate::refusal::Refusal;

/// Why no router could be made of the rows: a fault of the program, found when it starts.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MountError {
    /// Two rows of one operation, or of one method and path.
    #[error("route {0} stands there twice")]
    Twice(&'static str),
    /// A row without a handler.
    #[error("operation {0} has no handler")]
    NoHandler(&'static str),
    /// A handler without a row.
    #[error("handler {0} has no route")]
    NoRoute(&'static str),
    /// A method that the framework has no filter for.
    #[error("method of {0} cannot be routed")]
    Method(&'static str),
    /// A path in another notation.
    #[error("path of {0} is malformed")]
    Path(&'static str),
}

/// Rows on their way to a router.
///
/// ```ignore
/// let router = Mount::new(ROUTES)
///     .limits(kit.limits.clone())
///     .guarded(kit.clone())
///     .on("GetAnchorsList", get_anchors_list)
///     .finish()?;
/// ```
pub struct Mount<S> {
    specs: &'static [RouteSpec],
    handlers: BTreeMap<&'static str, MethodRouter<S>>,
    kit: Option<FunctionKit>,
    limits: Option<Arc<RateLimits>>,
    fault: Option<MountError>,
}

impl<S: Clone + Send + Sync + 'static> Mount<S> {
    /// A router for `specs`.
    pub fn new(specs: &'static [RouteSpec]) -> Self {
        Self { specs, handlers: BTreeMap::new(), kit: None, limits: None, fault: None }
    }

    /// The limits that each source is held to.
    #[must_use]
    pub fn limits(mut self, limits: Arc<RateLimits>) -> Self {
        self.limits = Some(limits);
        self
    }

    /// With the guard between admission and each handler.
    #[must_use]
    pub fn guarded(mut self, kit: FunctionKit) -> Self {
        self.kit = Some(kit);
        self
    }

    /// The handler of an operation.
    #[must_use]
    pub fn on<H, T>(mut self, operation: &'static str, handler: H) -> Self
    where
        H: Handler<T, S>,
        T: 'static,
    {
        let spec = self.specs.iter().find(|spec| spec.operation == operation);
        let fault = match spec {
            None => Some(MountError::NoRoute(operation)),
            Some(spec) => match MethodFilter::try_from(spec.method.clone()) {
                Err(_) => Some(MountError::Method(operation)),
                Ok(filter) => {
                    let handler = on(filter, handler);
                    let twice = self.handlers.insert(operation, handler).is_some();
                    twice.then_some(MountError::Twice(operation))
                }
            },
        };
        self.fault = self.fault.or(fault);
        self
    }

    /// The router.
    ///
    /// HEAD is served only where a row says so; another method of a known path is answered with
    /// 405 and `Allow`.
    ///
    /// # Errors
    ///
    /// See [`MountError`].
    pub fn finish(mut self) -> Result<Router<S>, MountError> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        let mut paths: BTreeMap<&'static str, (MethodRouter<S>, String)> = BTreeMap::new();
        for (index, spec) in self.specs.iter().enumerate() {
            let same = |other: &RouteSpec| {
                other.operation == spec.operation || (other.path == spec.path && other.method == spec.method)
            };
            if self.specs[..index].iter().any(same) {
                return Err(MountError::Twice(spec.operation));
            }
            if !is_path(spec.path) {
                return Err(MountError::Path(spec.operation));
            }
            let handler = self.handlers.remove(spec.operation);
            let handler = handler.ok_or(MountError::NoHandler(spec.operation))?;
            let admission = Admission { spec, limits: self.limits.clone(), kit: self.kit.clone() };
            let handler = handler.layer(from_fn_with_state(admission, admit));
            let (router, allow) = paths.remove(spec.path).unwrap_or_default();
            let separator = if allow.is_empty() { "" } else { ", " };
            let mut allow = allow;
            let _ = write!(allow, "{separator}{}", spec.method);
            paths.insert(spec.path, (router.merge(handler), allow));
        }
        let mut router = Router::new();
        for (path, (methods, allow)) in paths {
            let refuse = move || {
                let answer = method_not_allowed(&allow);
                async move { answer }
            };
            router = router.route(path, methods.fallback(refuse));
        }
        Ok(router)
    }
}

/// The answer to a method that a path does not take.
pub(super) fn method_not_allowed(allow: &str) -> Response {
    let mut response = Refusal::open(Reason::MethodWrong).into_response();
    if let Ok(allow) = HeaderValue::try_from(allow) {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}

/// Whether axum takes the path without a panic.
fn is_path(path: &str) -> bool {
    // The last segment may be the rest of the path.
    let path = match path.rsplit_once("/{*") {
        Some((before, rest)) if rest.len() > 1 && rest.ends_with('}') && !rest.contains('/') => before,
        _ => path,
    };
    path.strip_prefix('/').is_some_and(|rest| {
        rest.split('/').all(|segment| {
            let name = segment.strip_prefix('{').and_then(|s| s.strip_suffix('}'));
            let text = name.unwrap_or(segment);
            let name_fits = name.is_none_or(|n| !n.is_empty());
            name_fits && !text.contains(['{', '}', '*', ':']) && text.is_ascii()
        })
    })
}

impl MatchedRoute {
    /// The operation id.
    pub fn operation(self) -> &'static str {
        self.0.operation
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::Method;

    async fn handler() {}

    #[test]
    fn rows_that_do_not_fit_are_found_at_the_start() {
        const GOOD: &[RouteSpec] =
            &[RouteSpec::public(Method::GET, "/a/{id}", "A"), RouteSpec::public(Method::PUT, "/a/{id}", "B")];
        const PATH_TWICE: &[RouteSpec] =
            &[RouteSpec::public(Method::GET, "/a", "A"), RouteSpec::public(Method::GET, "/a", "B")];
        const NAME_TWICE: &[RouteSpec] =
            &[RouteSpec::public(Method::GET, "/a", "A"), RouteSpec::public(Method::GET, "/b", "A")];
        const MALFORMED: &[RouteSpec] = &[RouteSpec::public(Method::GET, "/:id", "A")];
        let mount = |specs| Mount::<()>::new(specs).on("A", handler);
        assert!(mount(GOOD).on("B", handler).finish().is_ok());
        let rows = [
            (mount(GOOD).finish(), MountError::NoHandler("B")),
            (mount(GOOD).on("B", handler).on("C", handler).finish(), MountError::NoRoute("C")),
            (mount(GOOD).on("B", handler).on("B", handler).finish(), MountError::Twice("B")),
            (mount(PATH_TWICE).on("B", handler).finish(), MountError::Twice("B")),
            (mount(NAME_TWICE).finish(), MountError::Twice("A")),
            (mount(MALFORMED).finish(), MountError::Path("A")),
        ];
        for (got, want) in rows {
            assert_eq!(got.map(|_| ()), Err(want));
        }
    }
}
