//! Admission: the first stage of every request, before anything is read of it
//! (design, section 2).

use std::sync::Arc;

use authorization::Reason;
use axum::body::{Body, HttpBody as _};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::Method;

use super::mount::method_not_allowed;
use super::{MatchedRoute, RouteAuth, RouteSpec};
use crate::body;
use crate::guard::guard;
use crate::kit::FunctionKit;
use crate::limits::{InFlight, RateLimits};
use crate::peer::Peer;
use crate::refusal::Refusal;

#[derive(Clone)]
pub(super) struct Admission {
    pub(super) spec: &'static RouteSpec,
    pub(super) limits: Option<Arc<RateLimits>>,
    /// The surroundings that the guard decides in; absent where a router stands without one.
    pub(super) kit: Option<FunctionKit>,
}

/// Lets a request through to the guard, and then to the handler, or refuses it. One layer for both: each one more would
/// allocate for every request.
pub(super) async fn admit(State(admission): State<Admission>, mut request: Request, next: Next) -> Response {
    let spec = admission.spec;
    let mut response = match admission.check(&request) {
        Err(refused) => *refused,
        Ok(in_flight) => {
            request.extensions_mut().insert(MatchedRoute(spec));
            let (mut parts, body) = request.into_parts();
            let guarded = match &admission.kit {
                Some(kit) => guard(kit, spec, &mut parts).await,
                None => Ok(()),
            };
            let response = match guarded {
                Ok(()) => next.run(Request::from_parts(parts, limited(body, spec.body_limit))).await,
                Err(refusal) => refusal.into_response(),
            };
            drop(in_flight);
            response
        }
    };
    response.extensions_mut().insert(MatchedRoute(spec));
    response
}

impl Admission {
    fn check(&self, request: &Request) -> Result<Option<InFlight>, Box<Response>> {
        // axum serves HEAD by GET; here a row says whether HEAD is served.
        if request.method() == Method::HEAD && self.spec.method != Method::HEAD {
            return Err(Box::new(method_not_allowed(self.spec.method.as_str())));
        }
        self.decide(request).map_err(|refusal| Box::new(refusal.into_response()))
    }

    fn decide(&self, request: &Request) -> Result<Option<InFlight>, Refusal> {
        let peer = request.extensions().get::<Peer>();
        let mut in_flight = None;
        if !self.spec.unlimited
            && let Some(limits) = &self.limits
        {
            if let Some(peer) = peer {
                limits.admit_source(peer.addr.ip(), self.spec.cost)?;
            }
            in_flight = Some(limits.begin()?);
        }
        if let RouteAuth::Mtls(roles) = self.spec.auth {
            let by_certificate = peer.is_some_and(|peer| peer.certificate_as(roles).is_some());
            let by_console = self.spec.operators && peer.is_some_and(Peer::is_console);
            if !by_certificate && !by_console {
                return Err(Refusal::open(Reason::PeerRefused));
            }
        }
        body::check_announced(request.headers(), self.spec.body_limit)?;
        Ok(in_flight)
    }
}

/// A body of a bounded length; one that is empty needs no bound.
fn limited(body: Body, limit: usize) -> Body {
    if body.is_end_stream() { body } else { body::limited(body, limit) }
}
