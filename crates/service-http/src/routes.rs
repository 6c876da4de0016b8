//! The routes of a function as data: its router, its OpenAPI document and the test that walks
//! every route are made of the same rows.

mod admit;
mod mount;

use http::Method;

use crate::peer::CertRole;

pub use mount::{Mount, MountError};

/// Largest request body where a route names none, in bytes. Own value.
pub const BODY_LIMIT: usize = 256 * 1024;

/// Who may call a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteAuth {
    /// Anybody.
    Public,
    /// Who holds an access token for the operation.
    Token,
    /// Who presents a certificate of one of these roles.
    Mtls(&'static [CertRole]),
}

/// The step of a procedure of the sources that a route performs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// As `TR33.721-S3`.
    pub procedure: &'static str,
    /// Its number in the source, as `7b`.
    pub step: &'static str,
    /// The message as the source names it.
    pub message: &'static str,
}

/// The login that an act asks for (RFC 9470 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StepUp {
    /// The one authentication context that will do.
    pub acr: &'static str,
    /// Oldest login that will do, in seconds.
    pub max_age_s: u32,
}

/// One route.
///
/// Build it with [`RouteSpec::public`], [`RouteSpec::token`] or [`RouteSpec::mtls`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteSpec {
    /// HTTP method.
    pub method: Method,
    /// Path in the notation of axum: `/ssan-sanm/v1/anchors-lists/{anchorsListId}`.
    pub path: &'static str,
    /// Operation id, unique within the function.
    pub operation: &'static str,
    /// Any one of these scopes opens the route.
    pub scopes: &'static [&'static str],
    /// Who may call.
    pub auth: RouteAuth,
    /// The step of a procedure that this is, if it is one.
    pub step: Option<Step>,
    /// Largest request body in bytes.
    pub body_limit: usize,
    /// Cost of a request in units of the rate limit.
    pub cost: u32,
    /// Never shed and never rate limited: revocation feed, withdrawal of consent, health.
    pub unlimited: bool,
    /// Opens to the console too, for an operator whose token has one of the roles (design, section 3).
    pub operators: bool,
    /// The login that an operator needs for it (RFC 9470).
    pub step_up: Option<StepUp>,
}

/// Scope of the tokens of operators, at routes that are [`RouteSpec::or_operator`].
pub const OPERATOR_SCOPE: &str = "metaseal:admin";

impl RouteSpec {
    const fn new(
        method: Method,
        path: &'static str,
        operation: &'static str,
        scopes: &'static [&'static str],
        auth: RouteAuth,
    ) -> Self {
        Self {
            method,
            path,
            operation,
            scopes,
            auth,
            step: None,
            body_limit: BODY_LIMIT,
            cost: 1,
            unlimited: false,
            operators: false,
            step_up: None,
        }
    }

    /// A route for anybody.
    pub const fn public(method: Method, path: &'static str, operation: &'static str) -> Self {
        Self::new(method, path, operation, &[], RouteAuth::Public)
    }

    /// A route that any one of `scopes` opens.
    pub const fn token(
        method: Method,
        path: &'static str,
        operation: &'static str,
        scopes: &'static [&'static str],
    ) -> Self {
        Self::new(method, path, operation, scopes, RouteAuth::Token)
    }

    /// A route for certificates of `roles`.
    pub const fn mtls(
        method: Method,
        path: &'static str,
        operation: &'static str,
        roles: &'static [CertRole],
    ) -> Self {
        Self::new(method, path, operation, &[], RouteAuth::Mtls(roles))
    }

    /// As a step of a procedure.
    #[must_use]
    pub const fn step(mut self, procedure: &'static str, step: &'static str, message: &'static str) -> Self {
        self.step = Some(Step { procedure, step, message });
        self
    }

    /// With another body limit, in bytes.
    #[must_use]
    pub const fn body_limit(mut self, bytes: usize) -> Self {
        self.body_limit = bytes;
        self
    }

    /// With another cost.
    #[must_use]
    pub const fn cost(mut self, units: u32) -> Self {
        self.cost = units;
        self
    }

    /// Also for an operator by way of the console, whose token names one of the roles of the certificates.
    #[must_use]
    pub const fn or_operator(mut self) -> Self {
        self.operators = true;
        self.scopes = &[OPERATOR_SCOPE];
        self
    }

    /// An operator must have logged in in this way, at most so many seconds ago.
    #[must_use]
    pub const fn step_up(mut self, acr: &'static str, max_age_s: u32) -> Self {
        self.step_up = Some(StepUp { acr, max_age_s });
        self
    }

    /// Never shed and never rate limited.
    #[must_use]
    pub const fn unlimited(mut self) -> Self {
        self.unlimited = true;
        self
    }
}

/// The route that a request found: an extension of the request inside of [`Mount`], and of the
/// response outside of it.
#[derive(Clone, Copy, Debug)]
pub struct MatchedRoute(pub &'static RouteSpec);
