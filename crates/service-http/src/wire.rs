//! The only bridge from the fine reason of a refusal to what the wire may say
//! (design, section 2; contract, section 6).

use api_types::problem::Cause;
use authorization::Reason;

/// Status and cause of a refusal.
///
/// From the stage `resource` on, a caller without the right to discover the object gets one
/// answer, whatever the reason: 404 `RESOURCE_NOT_FOUND`. Total: a new reason does not compile
/// before it has its place here.
pub fn wire(reason: Reason, may_discover: bool) -> (u16, Cause) {
    if is_hidden(reason, may_discover) {
        return (404, Cause::ResourceNotFound);
    }
    plainly(reason)
}

/// Whether the answer must be that of an absent object.
pub fn is_hidden(reason: Reason, may_discover: bool) -> bool {
    !may_discover && reason.stage().knows_the_object()
}

/// The answer to somebody who may know why.
fn plainly(reason: Reason) -> (u16, Cause) {
    match reason {
        Reason::InputRefused | Reason::AddressRefused | Reason::OwnerUnknown => {
            (400, Cause::MandatoryIeIncorrect)
        }
        Reason::BodyMalformed | Reason::RequestMalformed => (400, Cause::InvalidMsgFormat),
        Reason::MemberMissing => (400, Cause::MandatoryIeMissing),
        Reason::QueryWrong | Reason::AreaTooLarge | Reason::TokenInQuery => (400, Cause::InvalidQueryParam),
        Reason::MediaTypeWrong => (415, Cause::UnsupportedMediaType),
        Reason::RouteUnknown => (404, Cause::ResourceNotFound),
        Reason::MethodWrong => (405, Cause::InvalidMsgFormat),
        Reason::RoleNotHere => (404, Cause::RoleNotHere),
        Reason::TooLarge => (413, Cause::TooLarge),
        Reason::RateLimited | Reason::LoginThrottled => (429, Cause::TooManyRequests),
        Reason::Overloaded => (503, Cause::Overloaded),
        Reason::CrossSite | Reason::PeerRefused => (403, Cause::UnauthorizedOperation),

        Reason::TokenMissing | Reason::SessionUnknown => (401, Cause::TokenMissing),
        Reason::LoginStale | Reason::LoginWeak => (401, Cause::InvalidToken),
        // RFC 6750 3.1: one code for everything that a fresh token heals.
        Reason::TokenMalformed
        | Reason::AlgRefused
        | Reason::TypRefused
        | Reason::KeyUnknown
        | Reason::SignatureWrong
        | Reason::IssuerWrong
        | Reason::AudienceWrong
        | Reason::ClaimNotItsIssuers
        | Reason::Expired
        | Reason::NotYetValid
        | Reason::HolderWrong
        | Reason::DpopInvalid
        | Reason::DpopNonceWanted
        | Reason::Replayed
        | Reason::RevokedToken
        | Reason::RevokedSubject
        | Reason::RevokedClient
        | Reason::RevokedKey
        | Reason::RevokedConsent => (401, Cause::InvalidToken),
        Reason::IssuerUnreachable | Reason::LeaseExpired => (503, Cause::IssuerUnreachable),
        // Token endpoints answer by RFC 6749 5.2 and only borrow the status.
        Reason::ClientUnknown | Reason::ClientAuthWrong | Reason::CredentialsWrong => {
            (401, Cause::InvalidToken)
        }
        Reason::RedirectWrong
        | Reason::GrantWrong
        | Reason::PkceWrong
        | Reason::ScopeUnknown
        | Reason::DetailsUnknown
        | Reason::TargetWrong => (400, Cause::InvalidMsgFormat),

        Reason::SubjectWrong => (403, Cause::GpsiMismatch),
        Reason::ScopeNarrow | Reason::DetailsNarrow => (403, Cause::InsufficientScope),
        Reason::RoleMissing | Reason::MethodNotNegotiated | Reason::OutsideAllowedTime => {
            (403, Cause::UnauthorizedOperation)
        }
        Reason::InvocationLimit => (429, Cause::TooManyRequests),

        Reason::NotFound | Reason::NotVisible | Reason::NotSynchronised => (404, Cause::ResourceNotFound),
        Reason::NotOwner
        | Reason::OwnerDenied
        | Reason::NotAllowedEntity
        | Reason::PartOfOtherProvider
        | Reason::NotEntitled
        | Reason::OperatorRule
        | Reason::RegulatoryRule
        | Reason::AskOver
        | Reason::AskAnswered
        | Reason::NonceWrong => (403, Cause::UnauthorizedOperation),
        Reason::OwnerRequired | Reason::AuthorizationAsked => (403, Cause::OwnerRequired),
        Reason::StaleVersion => (412, Cause::PreconditionFailed),
        Reason::IdTaken => (409, Cause::IdTaken),
        Reason::StalePolicy => (409, Cause::StalePolicy),
        Reason::DependencyDown => (503, Cause::DecisionUnavailable),
        Reason::StoreFailed => (500, Cause::SystemFailure),
        Reason::KeyUnavailable => (503, Cause::KeyUnavailable),
        Reason::OutsideArea => (403, Cause::OutsideServiceArea),
        Reason::OutsidePeriod => (403, Cause::SpatialConditionNotMet),
        Reason::ConsentUdm | Reason::ConsentOwner => (403, Cause::ConsentNotGiven),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::refusal::Refusal;
    use axum::response::IntoResponse as _;
    use http_body_util::BodyExt as _;
    use std::collections::BTreeMap;

    /// What each reason says to somebody who may know, and whether the object decides about it.
    #[rustfmt::skip] // a table stays a table
    const TABLE: &[(&str, u16, &str, bool)] = &[
        ("INPUT_REFUSED",          400, "MANDATORY_IE_INCORRECT",    false),
        ("BODY_MALFORMED",         400, "INVALID_MSG_FORMAT",        false),
        ("MEMBER_MISSING",         400, "MANDATORY_IE_MISSING",      false),
        ("QUERY_WRONG",            400, "INVALID_QUERY_PARAM",       false),
        ("MEDIA_TYPE_WRONG",       415, "UNSUPPORTED_MEDIA_TYPE",    false),
        ("ROUTE_UNKNOWN",          404, "RESOURCE_NOT_FOUND",        false),
        ("METHOD_WRONG",           405, "INVALID_MSG_FORMAT",        false),
        ("ROLE_NOT_HERE",          404, "ROLE_NOT_HERE",             false),
        ("TOO_LARGE",              413, "TOO_LARGE",                 false),
        ("AREA_TOO_LARGE",         400, "INVALID_QUERY_PARAM",       false),
        ("RATE_LIMITED",           429, "TOO_MANY_REQUESTS",         false),
        ("OVERLOADED",             503, "OVERLOADED",                false),
        ("REQUEST_MALFORMED",      400, "INVALID_MSG_FORMAT",        false),
        ("TOKEN_IN_QUERY",         400, "INVALID_QUERY_PARAM",       false),
        ("CROSS_SITE",             403, "UNAUTHORIZED_OPERATION",    false),
        ("LOGIN_THROTTLED",        429, "TOO_MANY_REQUESTS",         false),
        ("ADDRESS_REFUSED",        400, "MANDATORY_IE_INCORRECT",    false),
        ("PEER_REFUSED",           403, "UNAUTHORIZED_OPERATION",    false),
        ("TOKEN_MISSING",          401, "TOKEN_MISSING",             false),
        ("TOKEN_MALFORMED",        401, "INVALID_TOKEN",             false),
        ("ALG_REFUSED",            401, "INVALID_TOKEN",             false),
        ("TYP_REFUSED",            401, "INVALID_TOKEN",             false),
        ("KEY_UNKNOWN",            401, "INVALID_TOKEN",             false),
        ("SIGNATURE_WRONG",        401, "INVALID_TOKEN",             false),
        ("ISSUER_WRONG",           401, "INVALID_TOKEN",             false),
        ("ISSUER_UNREACHABLE",     503, "ISSUER_UNREACHABLE",        false),
        ("AUDIENCE_WRONG",         401, "INVALID_TOKEN",             false),
        ("CLAIM_NOT_ITS_ISSUERS",  401, "INVALID_TOKEN",             false),
        ("EXPIRED",                401, "INVALID_TOKEN",             false),
        ("NOT_YET_VALID",          401, "INVALID_TOKEN",             false),
        ("CLIENT_UNKNOWN",         401, "INVALID_TOKEN",             false),
        ("CLIENT_AUTH_WRONG",      401, "INVALID_TOKEN",             false),
        ("REDIRECT_WRONG",         400, "INVALID_MSG_FORMAT",        false),
        ("GRANT_WRONG",            400, "INVALID_MSG_FORMAT",        false),
        ("CREDENTIALS_WRONG",      401, "INVALID_TOKEN",             false),
        ("SESSION_UNKNOWN",        401, "TOKEN_MISSING",             false),
        ("LOGIN_STALE",            401, "INVALID_TOKEN",             false),
        ("LOGIN_WEAK",             401, "INVALID_TOKEN",             false),
        ("HOLDER_WRONG",           401, "INVALID_TOKEN",             false),
        ("DPOP_INVALID",           401, "INVALID_TOKEN",             false),
        ("DPOP_NONCE_WANTED",      401, "INVALID_TOKEN",             false),
        ("REPLAYED",               401, "INVALID_TOKEN",             false),
        ("PKCE_WRONG",             400, "INVALID_MSG_FORMAT",        false),
        ("LEASE_EXPIRED",          503, "ISSUER_UNREACHABLE",        false),
        ("REVOKED_TOKEN",          401, "INVALID_TOKEN",             false),
        ("REVOKED_SUBJECT",        401, "INVALID_TOKEN",             false),
        ("REVOKED_CLIENT",         401, "INVALID_TOKEN",             false),
        ("REVOKED_KEY",            401, "INVALID_TOKEN",             false),
        ("REVOKED_CONSENT",        401, "INVALID_TOKEN",             false),
        ("SUBJECT_WRONG",          403, "GPSI_MISMATCH",             false),
        ("SCOPE_NARROW",           403, "INSUFFICIENT_SCOPE",        false),
        ("DETAILS_NARROW",         403, "INSUFFICIENT_SCOPE",        false),
        ("ROLE_MISSING",           403, "UNAUTHORIZED_OPERATION",    false),
        ("SCOPE_UNKNOWN",          400, "INVALID_MSG_FORMAT",        false),
        ("DETAILS_UNKNOWN",        400, "INVALID_MSG_FORMAT",        false),
        ("METHOD_NOT_NEGOTIATED",  403, "UNAUTHORIZED_OPERATION",    false),
        ("INVOCATION_LIMIT",       429, "TOO_MANY_REQUESTS",         false),
        ("OUTSIDE_ALLOWED_TIME",   403, "UNAUTHORIZED_OPERATION",    false),
        ("TARGET_WRONG",           400, "INVALID_MSG_FORMAT",        false),
        ("NOT_FOUND",              404, "RESOURCE_NOT_FOUND",        true),
        ("NOT_VISIBLE",            404, "RESOURCE_NOT_FOUND",        true),
        ("NOT_OWNER",              403, "UNAUTHORIZED_OPERATION",    true),
        ("NOT_ALLOWED_ENTITY",     403, "UNAUTHORIZED_OPERATION",    true),
        ("OWNER_DENIED",           403, "UNAUTHORIZED_OPERATION",    true),
        ("NOT_SYNCHRONISED",       404, "RESOURCE_NOT_FOUND",        true),
        ("STALE_POLICY",           409, "STALE_POLICY",              true),
        ("OWNER_UNKNOWN",          400, "MANDATORY_IE_INCORRECT",    true),
        ("AUTHORIZATION_ASKED",    403, "OWNER_REQUIRED",            true),
        ("ASK_OVER",               403, "UNAUTHORIZED_OPERATION",    true),
        ("ASK_ANSWERED",           403, "UNAUTHORIZED_OPERATION",    true),
        ("NONCE_WRONG",            403, "UNAUTHORIZED_OPERATION",    true),
        ("OWNER_REQUIRED",         403, "OWNER_REQUIRED",            true),
        ("STALE_VERSION",          412, "PRECONDITION_FAILED",       true),
        ("ID_TAKEN",               409, "ID_TAKEN",                  true),
        ("DEPENDENCY_DOWN",        503, "DECISION_UNAVAILABLE",      true),
        ("STORE_FAILED",           500, "SYSTEM_FAILURE",            true),
        ("KEY_UNAVAILABLE",        503, "KEY_UNAVAILABLE",           true),
        ("PART_OF_OTHER_PROVIDER", 403, "UNAUTHORIZED_OPERATION",    true),
        ("OUTSIDE_AREA",           403, "OUTSIDE_SERVICE_AREA",      true),
        ("OUTSIDE_PERIOD",         403, "SPATIAL_CONDITION_NOT_MET", true),
        ("NOT_ENTITLED",           403, "UNAUTHORIZED_OPERATION",    true),
        ("OPERATOR_RULE",          403, "UNAUTHORIZED_OPERATION",    true),
        ("REGULATORY_RULE",        403, "UNAUTHORIZED_OPERATION",    true),
        ("CONSENT_UDM",            403, "CONSENT_NOT_GIVEN",         true),
        ("CONSENT_OWNER",          403, "CONSENT_NOT_GIVEN",         true),
    ];

    #[test]
    fn every_reason_has_its_answer() {
        let table: BTreeMap<_, _> = TABLE.iter().map(|row| (row.0, row)).collect();
        assert_eq!(table.len(), TABLE.len(), "no row twice");
        assert_eq!(table.len(), Reason::ALL.len(), "a row for each reason");
        for reason in Reason::ALL {
            let (_, status, cause, of_object) = table[reason.as_str()];
            let told = |may_discover| {
                let (status, cause) = wire(*reason, may_discover);
                (status, cause.as_str())
            };
            assert_eq!(told(true), (*status, *cause), "{reason}");
            let hidden = if *of_object { (404, "RESOURCE_NOT_FOUND") } else { (*status, *cause) };
            assert_eq!(told(false), hidden, "{reason}");
        }
    }

    #[tokio::test]
    async fn all_hidden_answers_are_the_same_bytes() {
        let mut answers = Vec::new();
        for (reason, ..) in TABLE.iter().filter(|row| row.3) {
            let reason: Reason = reason.parse().expect("reason");
            // Whatever an operation hangs onto it: nothing of that is told.
            let invalid = vec![api_types::InvalidParam::new("/x", "must be y")];
            let loud = Refusal::hidden(reason)
                .with_invalid(invalid)
                .answered(403, Cause::OwnerRequired)
                .retry_after(9);
            for refusal in [Refusal::hidden(reason), loud] {
                let (parts, body) = refusal.into_response().into_parts();
                let body = body.collect().await.expect("body").to_bytes();
                answers.push((reason, (parts.status, parts.headers, body)));
            }
        }
        let (_, first) = answers[0].clone();
        for (reason, answer) in answers {
            assert_eq!(answer, first, "{reason}");
        }
    }
}
