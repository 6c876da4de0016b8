//! Problem details: what a refusal looks like on the wire (TS 29.122, RFC 9457).

use serde::{Deserialize, Serialize};

/// Media type of a problem (RFC 9457 3).
pub const MEDIA_TYPE: &str = "application/problem+json";

macro_rules! causes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal, $title:literal, $detail:literal;)+) => {
        closed_enum! {
            /// The coarse cause of a refusal, as the peer sees it. `title` and `detail` are constant per cause.
            Cause { $($(#[$doc])* $variant = $text),+ }
        }

        impl Cause {
            /// The `title` that belongs to the cause.
            #[must_use]
            pub const fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)+ }
            }

            /// The `detail` that belongs to the cause: the same for every request, so that it leaks nothing.
            #[must_use]
            pub const fn detail(self) -> &'static str {
                match self { $(Self::$variant => $detail,)+ }
            }
        }
    };
}

causes! {
    /// Own. 401.
    TokenMissing = "TOKEN_MISSING", "Access token missing", "The request needs an access token for this server.";
    /// Own; `invalid_token` of RFC 6750 3.1. 401.
    InvalidToken = "INVALID_TOKEN", "Access token refused", "The access token cannot be used for this request; get a new one.";
    /// Own; `insufficient_scope` of RFC 6750 3.1. 403.
    InsufficientScope = "INSUFFICIENT_SCOPE", "Access token too narrow", "The access token does not cover this operation.";
    /// Own name in the style of TS 29.500. 403.
    UnauthorizedOperation = "UNAUTHORIZED_OPERATION", "Operation not allowed", "The caller may not perform this operation on this resource.";
    /// Own. 403.
    OwnerRequired = "OWNER_REQUIRED", "Permission of the owner needed", "The resource owner has to permit this access.";
    /// Own. 403.
    OutsideServiceArea = "OUTSIDE_SERVICE_AREA", "Outside of the service area", "The resource is not accessible from where the user is.";
    /// Own. 403.
    SpatialConditionNotMet = "SPATIAL_CONDITION_NOT_MET", "Spatial condition not met", "A spatial condition of the resource is not met.";
    /// Own. 403.
    ConsentNotGiven = "CONSENT_NOT_GIVEN", "Consent not given", "The user has not consented to this use.";
    /// Own. 403.
    NotInAccessList = "NOT_IN_ACCESS_LIST", "Not in the access list", "The access control list does not name the caller.";
    /// Own. 403.
    GpsiMismatch = "GPSI_MISMATCH", "Other subscriber", "The subscriber of the request is not the one of the access token.";
    /// Own. 403.
    AssetExpired = "ASSET_EXPIRED", "Asset expired", "The digital asset has expired.";
    /// Own. 403.
    AvatarNotAuthentic = "AVATAR_NOT_AUTHENTIC", "Avatar not authentic", "The avatar could not be proven authentic.";
    /// Own. 403.
    AvatarNotAllowedInApplication = "AVATAR_NOT_ALLOWED_IN_APPLICATION", "Avatar not allowed here", "The avatar may not be used in this application.";
    /// Own; absent and hidden are the same. 404.
    ResourceNotFound = "RESOURCE_NOT_FOUND", "Not found", "There is no such resource.";
    /// TS 29.122 style. 404.
    SubscriptionNotFound = "SUBSCRIPTION_NOT_FOUND", "Subscription not found", "There is no such subscription.";
    /// Own. 404.
    RoleNotHere = "ROLE_NOT_HERE", "Role not here", "This process does not run the role of the request.";
    /// Own. 409.
    StalePolicy = "STALE_POLICY", "Policy changed meanwhile", "The policy was changed by somebody else; read it again.";
    /// Own. 409.
    IdTaken = "ID_TAKEN", "Identifier taken", "The identifier is in use for something else.";
    /// RFC 9110 15.5.13. 412.
    PreconditionFailed = "PRECONDITION_FAILED", "Precondition failed", "The resource is not in the state that the request expects.";
    /// TS 29.500 table 5.2.7.2-1. 400.
    InvalidMsgFormat = "INVALID_MSG_FORMAT", "Message malformed", "The message could not be read.";
    /// TS 29.500 table 5.2.7.2-1. 400.
    MandatoryIeMissing = "MANDATORY_IE_MISSING", "Mandatory member missing", "A mandatory member is missing.";
    /// TS 29.500 table 5.2.7.2-1. 400.
    MandatoryIeIncorrect = "MANDATORY_IE_INCORRECT", "Member incorrect", "A mandatory member has an unacceptable value.";
    /// TS 29.500 table 5.2.7.2-1. 400.
    OptionalIeIncorrect = "OPTIONAL_IE_INCORRECT", "Optional member incorrect", "An optional member has an unacceptable value.";
    /// TS 29.500 table 5.2.7.2-1. 400.
    InvalidQueryParam = "INVALID_QUERY_PARAM", "Query parameter incorrect", "A query parameter has an unacceptable value.";
    /// Own. 413.
    TooLarge = "TOO_LARGE", "Too large", "The request is larger than this server accepts.";
    /// TS 29.500 table 5.2.7.2-1. 415.
    UnsupportedMediaType = "UNSUPPORTED_MEDIA_TYPE", "Media type not supported", "The operation does not take this media type.";
    /// Own. 422.
    AdaptationNotPossible = "ADAPTATION_NOT_POSSIBLE", "Adaptation not possible", "The asset cannot be adapted as asked.";
    /// Own. 429.
    TooManyRequests = "TOO_MANY_REQUESTS", "Too many requests", "Slow down, and try again after the time in Retry-After.";
    /// TS 29.500 table 5.2.7.2-1. 500.
    SystemFailure = "SYSTEM_FAILURE", "System failure", "The server failed; the trace id finds the record.";
    /// Own. 503.
    IssuerUnreachable = "ISSUER_UNREACHABLE", "Issuer unreachable", "The state of the token cannot be known now; try again soon.";
    /// Own. 503.
    DecisionUnavailable = "DECISION_UNAVAILABLE", "Decision unavailable", "Something that the decision needs is not reachable; try again soon.";
    /// Own. 503.
    Overloaded = "OVERLOADED", "Overloaded", "The server is overloaded; try again after the time in Retry-After.";
    /// Own. 503.
    KeyUnavailable = "KEY_UNAVAILABLE", "Key unavailable", "A key that the operation needs is not available now.";
}

/// One member or parameter that was refused (TS 29.122 `InvalidParam`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct InvalidParam {
    /// JSON Pointer into the body, or the name of a query parameter or header.
    pub param: String,
    /// What it must be; never what it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl InvalidParam {
    /// A fault with its constant reason.
    #[must_use]
    pub fn new(param: impl Into<String>, reason: &'static str) -> Self {
        Self { param: param.into(), reason: Some(reason.to_owned()) }
    }
}

/// The body of a refusal (TS 29.122 `ProblemDetails`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ProblemDetails {
    /// URI of the kind of problem; absent is `about:blank`.
    #[serde(rename = "type", default, skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// Constant per cause.
    pub title: String,
    /// HTTP status.
    pub status: u16,
    /// Constant per cause.
    pub detail: String,
    /// URI of this occurrence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// The coarse cause.
    pub cause: Cause,
    /// The members refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalid_params: Option<Vec<InvalidParam>>,
    /// Features of the server (TS 29.500 6.6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported_features: Option<String>,
}

impl ProblemDetails {
    /// The problem that belongs to a cause.
    #[must_use]
    pub fn new(status: u16, cause: Cause) -> Self {
        Self {
            type_: None,
            title: cause.title().to_owned(),
            status,
            detail: cause.detail().to_owned(),
            instance: None,
            cause,
            invalid_params: None,
            supported_features: None,
        }
    }

    /// Adds the members refused; an empty list adds nothing.
    #[must_use]
    pub fn with_invalid(mut self, invalid: Vec<InvalidParam>) -> Self {
        self.invalid_params = (!invalid.is_empty()).then_some(invalid);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_has_the_members_of_the_source() {
        let problem = ProblemDetails::new(400, Cause::MandatoryIeMissing)
            .with_invalid(vec![InvalidParam::new("/anchors", "is mandatory")]);
        let json = serde_json::to_value(&problem).unwrap();
        assert_eq!(json["cause"], "MANDATORY_IE_MISSING");
        assert_eq!(json["invalidParams"][0]["param"], "/anchors");
        assert_eq!(json.get("instance"), None);
        assert_eq!(serde_json::from_value::<ProblemDetails>(json).unwrap(), problem);
        assert!(
            ProblemDetails::new(404, Cause::ResourceNotFound).with_invalid(vec![]).invalid_params.is_none()
        );
    }

    #[test]
    fn each_cause_reads_back_and_has_its_texts() {
        for cause in Cause::ALL {
            assert_eq!(cause.as_str().parse(), Ok(*cause));
            assert!(!cause.title().is_empty() && cause.detail().ends_with('.'));
        }
    }
}
