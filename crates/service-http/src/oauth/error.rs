//! Refusals of the OAuth endpoints: a code of the RFCs on the wire, a fine reason in audit and trace.

use crate::refusal::{Refusal, RefusalRecord};
use api_types::oauth::TokenErrorBody;
use api_types::problem::Cause;
use authorization::Reason;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, StatusCode};
use store::StoreError;

use super::form::FormError;

/// `DPoP-Nonce` (RFC 9449 8).
pub const DPOP_NONCE: HeaderName = HeaderName::from_static("dpop-nonce");

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $status:literal, $detail:literal;)+) => {
        /// The error codes that we use (RFC 6749 4.1.2.1 and 5.2, RFC 8707, RFC 9126, RFC 9449, OpenID Connect Core 3.1.2.6).
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum ErrorCode { $($(#[$doc])* $variant),+ }

        impl ErrorCode {
            /// As on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }

            /// HTTP status where the answer is no redirect.
            #[must_use]
            pub const fn status(self) -> u16 {
                match self { $(Self::$variant => $status,)+ }
            }

            /// `error_description`, the same for every request.
            #[must_use]
            pub const fn description(self) -> &'static str {
                match self { $(Self::$variant => $detail,)+ }
            }
        }
    };
}

codes! {
    /// RFC 6749.
    InvalidRequest = "invalid_request", 400, "A parameter is missing, repeated or malformed.";
    /// RFC 6749.
    InvalidClient = "invalid_client", 401, "The client could not be authenticated.";
    /// RFC 6749.
    InvalidGrant = "invalid_grant", 400, "The grant is void, used or was given to somebody else.";
    /// RFC 6749.
    UnauthorizedClient = "unauthorized_client", 400, "The client may not use this grant.";
    /// RFC 6749.
    UnsupportedGrantType = "unsupported_grant_type", 400, "The grant type is not supported.";
    /// RFC 6749.
    UnsupportedResponseType = "unsupported_response_type", 400, "Only the response type code is supported.";
    /// RFC 6749.
    InvalidScope = "invalid_scope", 400, "The scope is unknown, malformed or more than may be granted.";
    /// RFC 6749.
    AccessDenied = "access_denied", 400, "The user or the policy of the operator refuses.";
    /// RFC 6749.
    ServerError = "server_error", 500, "The server failed; the trace id finds the record.";
    /// RFC 6749.
    TemporarilyUnavailable = "temporarily_unavailable", 503, "The server is overloaded; try again later.";
    /// RFC 6749, with the status of RFC 6585 4.
    TooOften = "temporarily_unavailable", 429, "The client asks too often; try again later.";
    /// RFC 8707.
    InvalidTarget = "invalid_target", 400, "The resource is unknown, or not exactly one for this scope.";
    /// RFC 9396.
    InvalidAuthorizationDetails = "invalid_authorization_details", 400, "The authorization details are malformed, of an unknown type, or not granted.";
    /// RFC 9449.
    InvalidDpopProof = "invalid_dpop_proof", 400, "The DPoP proof is missing or refused.";
    /// RFC 9449.
    UseDpopNonce = "use_dpop_nonce", 400, "The DPoP proof needs the nonce of this server.";
    /// OpenID Connect Core.
    LoginRequired = "login_required", 400, "The user has to log in.";
    /// OpenID Connect Core.
    InteractionRequired = "interaction_required", 400, "The user has to be asked.";
    /// OpenID Connect Core.
    RequestNotSupported = "request_not_supported", 400, "Request objects are not supported.";
    /// OpenID Connect Core.
    RegistrationNotSupported = "registration_not_supported", 400, "Registration in a request is not supported.";
    /// OpenID Connect Core, RFC 9126.
    InvalidRequestUri = "invalid_request_uri", 400, "The request_uri is void, used or of another client.";
    /// OpenID Connect unmet authentication requirements.
    UnmetAuthenticationRequirements = "unmet_authentication_requirements", 400, "None of the acr_values is supported.";
    /// RFC 8628 3.5, for whoever asked so that it can wait.
    AuthorizationPending = "authorization_pending", 400, "The owner of the resource has been asked and has not answered yet.";
    /// RFC 6750.
    InvalidToken = "invalid_token", 401, "The access token is refused.";
}

/// Why an OAuth endpoint goes no further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthError {
    /// What the client learns.
    pub code: ErrorCode,
    /// What audit and trace keep.
    pub reason: Reason,
    /// `Retry-After`, in seconds.
    pub retry_after_s: Option<u32>,
    /// `DPoP-Nonce`.
    pub nonce: Option<String>,
    /// `auth_req_id` and `interval` of `authorization_pending`.
    pub pending: Option<(String, u32)>,
}

impl OAuthError {
    /// A refusal.
    #[must_use]
    pub const fn new(code: ErrorCode, reason: Reason) -> Self {
        Self { code, reason, retry_after_s: None, nonce: None, pending: None }
    }

    /// A malformed request.
    #[must_use]
    pub const fn malformed() -> Self {
        Self::new(ErrorCode::InvalidRequest, Reason::RequestMalformed)
    }

    /// A client that is not who it says.
    #[must_use]
    pub const fn client() -> Self {
        Self::new(ErrorCode::InvalidClient, Reason::ClientAuthWrong)
    }

    /// A grant that gives nothing.
    #[must_use]
    pub const fn grant() -> Self {
        Self::new(ErrorCode::InvalidGrant, Reason::GrantWrong)
    }

    /// With the nonce that the client has to use.
    #[must_use]
    pub fn with_nonce(mut self, nonce: String) -> Self {
        self.nonce = Some(nonce);
        self
    }

    /// Somebody was asked, in the question `ask`; the requester comes again after `interval_s`.
    #[must_use]
    pub fn pending(ask: String, interval_s: u32) -> Self {
        let plain = Self::new(ErrorCode::AuthorizationPending, Reason::AuthorizationAsked);
        Self { pending: Some((ask, interval_s)), ..plain }
    }

    /// With the time to wait.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// The record for audit and trace, given the status on the wire.
    #[must_use]
    pub fn record(&self, status: u16) -> RefusalRecord {
        RefusalRecord {
            reason: self.reason,
            may_discover: true,
            status,
            cause: cause_of(status),
            checks: Vec::new(),
        }
    }
}

/// The coarse cause beside a status, for the audit: on the wire stands the error code.
fn cause_of(status: u16) -> Cause {
    match status {
        401 => Cause::InvalidToken,
        403 => Cause::UnauthorizedOperation,
        429 => Cause::TooManyRequests,
        500 => Cause::SystemFailure,
        503 => Cause::Overloaded,
        _ => Cause::InvalidMsgFormat,
    }
}

impl From<FormError> for OAuthError {
    fn from(_: FormError) -> Self {
        Self::malformed()
    }
}

impl From<StoreError> for OAuthError {
    fn from(error: StoreError) -> Self {
        if error == StoreError::Overloaded {
            return Self::new(ErrorCode::TemporarilyUnavailable, Reason::Overloaded).retry_after(1);
        }
        // What broke inside goes to the log, once, and never to the wire.
        tracing::error!(%error, "storage failed");
        Self::new(ErrorCode::ServerError, Reason::StoreFailed)
    }
}

/// A permit that could not be recorded is not granted.
impl From<Refusal> for OAuthError {
    fn from(refusal: Refusal) -> Self {
        match refusal.reason {
            Reason::Overloaded => {
                Self::new(ErrorCode::TemporarilyUnavailable, Reason::Overloaded).retry_after(1)
            }
            // No code of RFC 6749 says "less often"; status and `Retry-After` do.
            Reason::RateLimited => Self {
                retry_after_s: refusal.retry_after_s,
                ..Self::new(ErrorCode::TooOften, Reason::RateLimited)
            },
            reason => Self::new(ErrorCode::ServerError, reason),
        }
    }
}

impl IntoResponse for OAuthError {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
        let (auth_req_id, interval) = self.pending.clone().unzip();
        let body = TokenErrorBody {
            error: self.code.as_str().to_owned(),
            error_description: Some(self.code.description().to_owned()),
            auth_req_id,
            interval,
        };
        let mut response = (status, Json(body)).into_response();
        no_store(&mut response);
        let headers = response.headers_mut();
        match self.code {
            ErrorCode::InvalidClient => {
                headers.insert(
                    WWW_AUTHENTICATE,
                    HeaderValue::from_static("Basic realm=\"sim\", charset=\"UTF-8\""),
                );
            }
            ErrorCode::InvalidToken => {
                headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("DPoP error=\"invalid_token\""));
                headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer error=\"invalid_token\""));
            }
            _ => {}
        }
        if let Some(seconds) = self.retry_after_s {
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(nonce) = self.nonce.as_deref().and_then(|nonce| HeaderValue::from_str(nonce).ok()) {
            headers.insert(DPOP_NONCE, nonce);
        }
        response.extensions_mut().insert(self.record(status.as_u16()));
        response
    }
}

/// RFC 6749 5.1: an answer with a token, or about one, is not kept by any cache.
pub fn no_store(response: &mut Response) {
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response.headers_mut().insert(PRAGMA, HeaderValue::from_static("no-cache"));
}
