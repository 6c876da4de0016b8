//! Who has a name at the CAPIF core function, and what lets somebody get one.

use serde::{Deserialize, Serialize};

use crate::admin::EnrolmentKind;
use crate::capif::EnrolmentId;
use crate::date_time::DateTime;
use crate::function::Function;
use crate::ids::TraceId;

/// An enrolment, without its secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct EnrolmentInfo {
    /// The enrolment.
    pub enrolment_id: EnrolmentId,
    /// What is enrolled.
    pub kind: EnrolmentKind,
    /// Who, for people.
    pub name: String,
    /// The service APIs that it allows; none named: all.
    pub apis: Vec<String>,
    /// When it can no longer be used.
    pub expires_at: DateTime,
    /// When it was used. A used one bounds the rights of whoever used it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<DateTime>,
}

/// A certificate of the CAPIF root.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapifCertificate {
    /// SHA-256 of the certificate, as in `cnf` (RFC 8705 3.1).
    #[serde(rename = "x5tS256")]
    pub x5t_s256: String,
    /// Last second at which it counts.
    pub not_after: DateTime,
    /// When it was withdrawn or replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<DateTime>,
    /// Whether it counts now.
    pub counts: bool,
}

/// An access token that lives, without the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapifToken {
    /// Its identifier.
    pub jti: String,
    /// The API exposing function that it is for.
    pub aef_id: String,
    /// Service APIs of its scope.
    pub apis: Vec<String>,
    /// Resources that its details name; none: it names none.
    pub resources: Vec<String>,
    /// When nobody accepts it any more.
    pub expires_at: DateTime,
}

/// An API invoker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapifInvoker {
    /// Its identifier.
    pub api_invoker_id: String,
    /// `ONBOARDED`, `PENDING` or `REFUSED`.
    pub state: String,
    /// What let it onboard; absent: not on record any more, and nothing is allowed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolment: Option<EnrolmentInfo>,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub information: Option<String>,
    /// Where its notifications go.
    pub notification_destination: String,
    /// When its onboarding ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<DateTime>,
    /// Its certificates, the one that lasts longest first.
    pub certificates: Vec<CapifCertificate>,
    /// How many security entries it has negotiated.
    pub negotiated: u64,
    /// Its tokens that live; only where one API invoker was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<Vec<CapifToken>>,
}

/// A function of an API provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapifFunction {
    /// Its identifier.
    pub function_id: String,
    /// `aef`, `apf` or `amf`.
    pub role: String,
    /// What it says of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub information: Option<String>,
    /// Its certificates.
    pub certificates: Vec<CapifCertificate>,
}

/// The domain of an API provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapifProvider {
    /// Its registration.
    pub registration_id: String,
    /// The domain.
    pub api_prov_dom_id: String,
    /// The name that it gave itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub api_prov_name: Option<String>,
    /// What let it register.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enrolment: Option<EnrolmentInfo>,
    /// Its functions.
    pub functions: Vec<CapifFunction>,
    /// How many service APIs it has published.
    pub published: u64,
}

/// A request of a party that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct CapifRefusal {
    /// When.
    pub at: DateTime,
    /// Which function decided.
    pub function: Function,
    /// What was asked.
    pub action: String,
    /// Of what.
    pub object: Option<String>,
    /// Fine reason.
    pub reason: Option<String>,
    /// What the caller was told.
    pub cause: Option<String>,
    /// HTTP status.
    pub status: u16,
    /// Leads to `/traces/{t}/why`.
    pub trace: TraceId,
}
