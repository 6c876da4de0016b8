//! A refusal on its way to the wire.
//!
//! The fine [`Reason`] goes to audit, trace and `why`; the caller sees what [`wire`] leaves of it.
//! Two refusals that `wire` maps alike have the same bytes.

use std::sync::Arc;

use api_types::problem::{Cause, InvalidParam, ProblemDetails};
use authorization::{Check, Reason};
use axum::response::{IntoResponse, Response};
use http::HeaderValue;
use http::header::{RETRY_AFTER, WWW_AUTHENTICATE};
use jose::Alg;

use crate::problem;
use crate::routes::StepUp;
use crate::wire::{is_hidden, wire};

/// `Retry-After` of 429 and 503 when nothing better is known, in seconds. Own value: the lease.
pub const RETRY_AFTER_S: u32 = 1;

/// The authentication scheme that a challenge asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChallengeScheme {
    /// RFC 6750.
    Bearer,
    /// RFC 9449, 7.1.
    Dpop,
}

/// What `WWW-Authenticate` says beside the error.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Challenge {
    /// The scheme of the refused request; `None`: both are offered.
    pub scheme: Option<ChallengeScheme>,
    /// URL of the protected resource metadata (RFC 9728, 5.1).
    pub resource_metadata: Option<Arc<str>>,
    /// Scopes that would do (RFC 6750, 3), space-separated.
    pub scope: Option<String>,
    /// The login that would do (RFC 9470 3). Boxed, so that refusals stay small.
    pub step_up: Option<Box<StepUp>>,
}

/// Why a request goes no further.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The fine reason.
    pub reason: Reason,
    /// Whether the caller may discover the object, so that it may be told why.
    pub may_discover: bool,
    /// Members or parameters at fault; never their values. Told only of the caller's own input.
    pub invalid: Vec<InvalidParam>,
    /// Replaces the answer of [`wire`] where an operation's own text names another one. Has no
    /// effect where `wire` hides the object.
    pub answer: Option<(u16, Cause)>,
    /// What `WWW-Authenticate` says; the default offers both schemes.
    pub challenge: Challenge,
    /// `Retry-After` in seconds, for 429 and 503.
    pub retry_after_s: Option<u32>,
    /// The checks made up to here, for the record.
    pub checks: Vec<Check>,
}

/// What the recording layer finds in the extensions of a refused response.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusalRecord {
    /// The fine reason.
    pub reason: Reason,
    /// Whether the caller was allowed to know.
    pub may_discover: bool,
    /// Status on the wire.
    pub status: u16,
    /// Cause on the wire.
    pub cause: Cause,
    /// The checks made up to here.
    pub checks: Vec<Check>,
}

impl Refusal {
    /// A refusal that hides the object, if it concerns one.
    pub fn hidden(reason: Reason) -> Self {
        Self {
            reason,
            may_discover: false,
            invalid: Vec::new(),
            answer: None,
            challenge: Challenge::default(),
            retry_after_s: None,
            checks: Vec::new(),
        }
    }

    /// A refusal to somebody who may discover the object.
    pub fn open(reason: Reason) -> Self {
        Self { may_discover: true, ..Self::hidden(reason) }
    }

    /// Input that is refused as `cause` (a 400), naming the members at fault.
    pub fn input(cause: Cause, invalid: Vec<InvalidParam>) -> Self {
        let reason = match cause {
            Cause::MandatoryIeMissing => Reason::MemberMissing,
            Cause::InvalidQueryParam => Reason::QueryWrong,
            _ => Reason::InputRefused,
        };
        Self { invalid, answer: Some((400, cause)), ..Self::open(reason) }
    }

    /// Whether the caller may discover the object.
    #[must_use]
    pub fn discoverable(mut self, may_discover: bool) -> Self {
        self.may_discover = may_discover;
        self
    }

    /// With the members at fault.
    #[must_use]
    pub fn with_invalid(mut self, invalid: Vec<InvalidParam>) -> Self {
        self.invalid = invalid;
        self
    }

    /// With an answer of the operation's own text.
    #[must_use]
    pub fn answered(mut self, status: u16, cause: Cause) -> Self {
        self.answer = Some((status, cause));
        self
    }

    /// With a challenge.
    #[must_use]
    pub fn challenged(mut self, challenge: Challenge) -> Self {
        self.challenge = challenge;
        self
    }

    /// With `Retry-After`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }

    /// With the checks made up to here.
    #[must_use]
    pub fn checked(mut self, checks: Vec<Check>) -> Self {
        self.checks = checks;
        self
    }

    /// Status and cause on the wire.
    pub fn on_the_wire(&self) -> (u16, Cause) {
        if self.is_hidden() {
            return wire(self.reason, false);
        }
        self.answer.unwrap_or_else(|| wire(self.reason, self.may_discover))
    }

    fn is_hidden(&self) -> bool {
        is_hidden(self.reason, self.may_discover)
    }
}

impl From<Reason> for Refusal {
    /// Hides the object: the safe reading when nobody said that the caller may discover it.
    fn from(reason: Reason) -> Self {
        Self::hidden(reason)
    }
}

impl From<store::StoreError> for Refusal {
    fn from(error: store::StoreError) -> Self {
        // What broke inside goes to the log, once, and never to the wire.
        tracing::error!(error = %error, "storage failed");
        Self::open(Reason::StoreFailed)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let (status, cause) = self.on_the_wire();
        let mut details = ProblemDetails::new(status, cause);
        // What is hidden is told by nothing at all.
        if !self.invalid.is_empty() && !self.is_hidden() {
            details = details.with_invalid(self.invalid);
        }
        let mut response = problem::response(&details);
        let headers = response.headers_mut();
        for value in challenges(self.reason, status, &self.challenge) {
            headers.append(WWW_AUTHENTICATE, value);
        }
        if matches!(status, 429 | 503) {
            let seconds = self.retry_after_s.unwrap_or(RETRY_AFTER_S);
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(RefusalRecord {
            reason: self.reason,
            may_discover: self.may_discover,
            status,
            cause,
            checks: self.checks,
        });
        response
    }
}

/// The `WWW-Authenticate` values of an answer: RFC 6750 3, RFC 9449 7.1, RFC 9728 5.1.
fn challenges(reason: Reason, status: u16, challenge: &Challenge) -> Vec<HeaderValue> {
    let error = match (status, reason) {
        // RFC 6750 3.1: no error code for a request without authentication.
        (401, Reason::TokenMissing) => None,
        // RFC 9110 15.5.2 wants a challenge; a browser that knows the scheme would ask for nothing.
        (401, Reason::SessionUnknown) => {
            return vec![HeaderValue::from_static("Session realm=\"console\"")];
        }
        // RFC 9470 3.
        (401, Reason::LoginStale) => {
            Some(("insufficient_user_authentication", "a more recent login is required"))
        }
        (401, Reason::LoginWeak) => {
            Some(("insufficient_user_authentication", "a different kind of login is required"))
        }
        (401, Reason::DpopInvalid) => Some(("invalid_dpop_proof", "the DPoP proof is refused")),
        (401, Reason::DpopNonceWanted) => Some(("use_dpop_nonce", "the DPoP proof needs a nonce")),
        (400, Reason::TokenInQuery) => Some(("invalid_request", "the access token stands in the query")),
        (401, _) => Some(("invalid_token", "the access token is refused")),
        (403, Reason::ScopeNarrow | Reason::DetailsNarrow) => {
            Some(("insufficient_scope", "the access token is too narrow"))
        }
        _ => return Vec::new(),
    };
    let mut params = Vec::new();
    if let Some((code, description)) = error {
        params.push(format!("error=\"{code}\""));
        params.push(format!("error_description=\"{description}\""));
    }
    let scope = challenge.scope.as_deref().filter(|s| is_quotable(s));
    params.extend(scope.map(|scope| format!("scope=\"{scope}\"")));
    if let Some(StepUp { acr, max_age_s }) = challenge.step_up.as_deref() {
        params.extend([format!("acr_values=\"{acr}\""), format!("max_age=\"{max_age_s}\"")]);
    }
    let metadata = challenge.resource_metadata.as_deref();
    let metadata = metadata.filter(|s| is_quotable(s));
    params.extend(metadata.map(|url| format!("resource_metadata=\"{url}\"")));

    let mut values = Vec::new();
    let offered = |scheme| challenge.scheme.is_none_or(|only| only == scheme);
    if offered(ChallengeScheme::Dpop) {
        let mut params = params.clone();
        let algs: Vec<_> = Alg::ALL.iter().map(|alg| alg.as_str()).collect();
        params.push(format!("algs=\"{}\"", algs.join(" ")));
        values.push(format!("DPoP {}", params.join(", ")));
    }
    if offered(ChallengeScheme::Bearer) {
        let rest = params.join(", ");
        values.push(format!("Bearer {rest}").trim_end().to_owned());
    }
    let values = values.into_iter().map(HeaderValue::try_from);
    values.filter_map(Result::ok).collect()
}

/// Whether `text` may stand in a quoted-string as it is.
fn is_quotable(text: &str) -> bool {
    text.bytes().all(|b| (b.is_ascii_graphic() || b == b' ') && b != b'"' && b != b'\\')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn challenge_of(refusal: Refusal) -> Vec<String> {
        let response = refusal.into_response();
        let values = response.headers().get_all(WWW_AUTHENTICATE).iter();
        values.map(|v| v.to_str().expect("text").to_owned()).collect()
    }

    #[test]
    fn a_challenge_says_what_heals() {
        let challenge = |scheme| Challenge {
            scheme,
            resource_metadata: Some("https://localhost:8446/m".into()),
            scope: Some("3gpp:seal:san.read".into()),
            ..Challenge::default()
        };
        let both = challenge_of(Refusal::open(Reason::TokenMissing));
        assert_eq!(both, ["DPoP algs=\"ES256 Ed25519 PS256\"", "Bearer"]);
        let bearer = Some(ChallengeScheme::Bearer);
        let rows = [
            (
                Reason::Expired,
                bearer,
                "Bearer error=\"invalid_token\", error_description=\"the access token is refused\"",
            ),
            (Reason::ScopeNarrow, bearer, "Bearer error=\"insufficient_scope\""),
            (Reason::TokenInQuery, bearer, "Bearer error=\"invalid_request\""),
            (Reason::DpopInvalid, Some(ChallengeScheme::Dpop), "DPoP error=\"invalid_dpop_proof\""),
            (Reason::DpopNonceWanted, Some(ChallengeScheme::Dpop), "DPoP error=\"use_dpop_nonce\""),
        ];
        for (reason, scheme, begins) in rows {
            let values = challenge_of(Refusal::open(reason).challenged(challenge(scheme)));
            assert_eq!(values.len(), 1, "{reason}");
            assert!(values[0].starts_with(begins), "{reason}: {}", values[0]);
            assert!(values[0].contains("scope=\"3gpp:seal:san.read\""), "{reason}: {}", values[0]);
            assert!(values[0].contains("resource_metadata=\"https://localhost:8446/m\""), "{}", values[0]);
        }
        let step_up = Some(Box::new(StepUp { acr: "phr", max_age_s: 300 }));
        let step_up = Challenge { scheme: bearer, step_up, ..Challenge::default() };
        for reason in [Reason::LoginStale, Reason::LoginWeak] {
            let values = challenge_of(Refusal::open(reason).challenged(step_up.clone()));
            assert!(
                values[0].starts_with("Bearer error=\"insufficient_user_authentication\""),
                "{}",
                values[0]
            );
            assert!(values[0].ends_with(", acr_values=\"phr\", max_age=\"300\""), "{}", values[0]);
        }
        for quiet in [Reason::NotOwner, Reason::NotFound, Reason::InputRefused, Reason::LeaseExpired] {
            assert!(challenge_of(Refusal::open(quiet)).is_empty(), "{quiet}");
        }
        let injected = Challenge { scheme: bearer, scope: Some("a\", x=\"b".into()), ..Challenge::default() };
        let values = challenge_of(Refusal::open(Reason::ScopeNarrow).challenged(injected));
        assert!(!values[0].contains("x="), "{}", values[0]);
    }

    #[test]
    fn who_shall_wait_is_told_how_long() {
        let wait = |refusal: Refusal| refusal.into_response().headers().get(RETRY_AFTER).cloned();
        assert_eq!(wait(Refusal::open(Reason::RateLimited).retry_after(7)), Some(7.into()));
        assert_eq!(wait(Refusal::open(Reason::LeaseExpired)), Some(RETRY_AFTER_S.into()));
        assert_eq!(wait(Refusal::open(Reason::NotOwner).retry_after(7)), None);
    }

    #[test]
    fn the_record_keeps_the_fine_reason() {
        let response = Refusal::from(Reason::ConsentUdm).into_response();
        let record: &RefusalRecord = response.extensions().get().expect("record");
        assert_eq!((record.reason, record.status), (Reason::ConsentUdm, 404));
        assert_eq!(record.cause, Cause::ResourceNotFound);
    }
}
