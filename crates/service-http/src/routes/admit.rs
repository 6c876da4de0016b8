//! Admission: the first stage of every request, before anything is read of it
//! (design, section 2).

use std::sync::Arc;

use authorization::Reason;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::Method;

use super::mount::method_not_allowed;
use super::{MatchedRoute, RouteAuth, RouteSpec};
use crate::body;
use crate::limits::{InFlight, RateLimits};
use crate::peer::Peer;
use crate::refusal::Refusal;

#[derive(Clone)]
pub(super) struct Admission {
    pub(super) spec: &'static RouteSpec,
    pub(super) limits: Option<Arc<RateLimits>>,
}

/// Lets a request through to the guard and the handler, or refuses it.
pub(super) async fn admit(State(admission): State<Admission>, mut request: Request, next: Next) -> Response {
    let spec = admission.spec;
    let mut response = match admission.check(&request) {
        Err(refused) => *refused,
        Ok(in_flight) => {
            request.extensions_mut().insert(MatchedRoute(spec));
            let (parts, body) = request.into_parts();
            let body = body::limited(body, spec.body_limit);
            let response = next.run(Request::from_parts(parts, body)).await;
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
