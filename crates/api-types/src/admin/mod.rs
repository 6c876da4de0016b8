//! Bodies of the administration API, `{admin}/v1`. All own, lowerCamelCase.

mod account;
mod capif;
mod consent;
mod enrolment;
mod observation;
mod policy;
mod revocation;
mod view;

pub use account::{AuthMethod, Client, ClientCreated, ClientKind, Service, SubjectType, User};
pub use account::{MAX_CSR, MAX_LIST, MAX_PASSWORD};
pub use capif::{
    CapifAccessControl, CapifApi, CapifAsk, CapifCertificate, CapifContext, CapifContextEntry, CapifExplain,
    CapifExplained, CapifFunction, CapifInvoker, CapifNegotiated, CapifOutcome, CapifProvider, CapifRefusal,
    CapifResource, CapifToken, CapifUser, EnrolmentInfo, OpenApis,
};
pub use consent::{Consent, Privacy, Purpose, Subscriber};
pub use enrolment::{Enrolment, EnrolmentCreated, EnrolmentKind};
pub use observation::MAX_OFFSET_S;
pub use observation::{
    AuditItem, AuditVerify, AuditVerifyFunction, ChargingItem, Check, CheckVerdict, Health, Page, Position,
    TestClock, TraceStep, TraceSummary, VerifierInfo, Why,
};
pub use policy::{Policy, PolicyClass, PolicyEffect, PolicyExplain, PolicyExplained, PolicyOutcome};
pub use revocation::{KeyInfo, KeyRotated, KeyStatus, RevocationKind, RevocationRequest, Revoked, Rotate};
pub use view::{AnchorView, MapView, Viewed};
