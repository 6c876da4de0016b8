//! What can be looked at: audit, charging, traces, health, positions.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::date_time::DateTime;
use crate::function::Function;
use crate::ids::{TraceId, ValUeId};
use crate::problem::InvalidParam;
use crate::validate::{Faults, Validate};

/// A page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
    /// Cursor of the next page; `null` at the end.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page without a next one.
    #[must_use]
    pub fn last(items: Vec<T>) -> Self {
        Self { items, next: None }
    }
}

/// One decision, as the audit chain of its function holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditItem {
    /// Place in the chain.
    pub seq: u64,
    /// When.
    pub at: DateTime,
    /// Which function decided.
    pub function: Function,
    /// Who asked; people by a keyed pseudonym.
    pub actor: String,
    /// Whose object it is.
    pub owner: Option<String>,
    /// What was asked.
    pub action: String,
    /// Of what.
    pub object: Option<String>,
    /// `permit` or `deny`.
    pub verdict: String,
    /// Fine reason of a deny.
    pub reason: Option<String>,
    /// Coarse cause on the wire.
    pub cause: Option<String>,
    /// HTTP status.
    pub status: u16,
    /// Version of the operator's rules.
    pub policy_version: Option<u64>,
    /// Version of the consent.
    pub consent_version: Option<u64>,
    /// Trace.
    pub trace: TraceId,
    /// Hash of the row before.
    pub prev: String,
    /// Hash of this row.
    pub hash: String,
}

/// GET `/audit/verify`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct AuditVerify {
    /// Whether every chain is whole.
    pub intact: bool,
    /// Each function's chain.
    pub functions: BTreeMap<String, AuditVerifyFunction>,
}

/// State of one chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AuditVerifyFunction {
    /// Whether the chain is whole.
    pub intact: bool,
    /// Rows read.
    pub rows: u64,
    /// Hash of the last row.
    pub head: String,
    /// First row that does not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub broken_at: Option<u64>,
}

/// One served unit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ChargingItem {
    /// Identifier.
    pub id: String,
    /// Place in the list of its function.
    pub seq: u64,
    /// When.
    pub at: DateTime,
    /// Which function served.
    pub function: Function,
    /// Who used it.
    pub consumer: String,
    /// By which client.
    pub client: String,
    /// Whose object it is.
    pub owner: Option<String>,
    /// VAL service.
    pub service: Option<String>,
    /// Operation.
    pub operation: String,
    /// Resource.
    pub resource: Option<String>,
    /// Units served.
    pub units: u64,
    /// Bytes served.
    pub bytes: u64,
    /// Outcome.
    pub outcome: String,
    /// Trace.
    pub trace: TraceId,
}

closed_enum! {
    /// Outcome of one check.
    CheckVerdict {
        /// Held.
        Pass = "pass",
        /// Did not hold.
        Fail = "fail",
        /// Had nothing to check.
        Skip = "skip",
    }
}

/// One check of a decision.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Check {
    /// Which check.
    pub check: String,
    /// Its outcome.
    pub verdict: CheckVerdict,
    /// What was expected, redacted.
    #[serde(default)]
    pub expected: String,
    /// What was seen, redacted.
    #[serde(default)]
    pub seen: String,
    /// What would make it pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// One procedure step that a function performed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TraceStep {
    /// Trace.
    pub trace: TraceId,
    /// Procedure, such as `TR33.721-S1`.
    pub procedure: String,
    /// Step number of the source.
    pub step: String,
    /// Sender.
    pub from: String,
    /// Receiver.
    pub to: String,
    /// Message.
    pub message: String,
    /// Checks made.
    #[serde(default)]
    pub checks: Vec<Check>,
    /// When.
    pub at: DateTime,
}

/// One line of GET `/traces`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct TraceSummary {
    /// Trace.
    pub trace: TraceId,
    /// The trace that came from outside the trust domain, which this one is linked to: one for all requests of a run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<TraceId>,
    /// First step seen.
    pub at: DateTime,
    /// Procedures seen.
    pub procedures: Vec<String>,
    /// Operations decided.
    #[serde(default)]
    pub operations: Vec<String>,
    /// Number of steps.
    pub steps: u64,
    /// `permit` or `deny`, of the last decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<String>,
}

/// GET `/traces/{t}/why`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Why {
    /// Trace.
    pub trace: TraceId,
    /// `permit` or `deny`.
    pub verdict: String,
    /// Fine reason of a deny.
    pub reason: Option<String>,
    /// Coarse cause on the wire.
    pub cause: Option<String>,
    /// HTTP status.
    pub status: u16,
    /// Which function decided.
    pub function: Function,
    /// Operation.
    pub operation: String,
    /// Each check, and what would make it pass.
    pub checks: Vec<Check>,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime>,
}

/// PUT `/positions/{valUeId}`.
#[derive(Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Position {
    /// Stands in the path; only answers carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub val_ue_id: Option<ValUeId>,
    /// Degrees.
    pub lon: f64,
    /// Degrees.
    pub lat: f64,
    /// Metres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alt: Option<f64>,
    /// When; absent: now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<DateTime>,
}

impl std::fmt::Debug for Position {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Position")
    }
}

impl Validate for Position {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.range(self.lon, -180.0, 180.0, at, "lon");
        faults.range(self.lat, -90.0, 90.0, at, "lat");
        if let Some(alt) = self.alt {
            faults.range(alt, -32_767.0, 32_767.0, at, "alt");
        }
        faults.done()
    }
}

/// PUT `/test/clock`, demo only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestClock {
    /// Seconds by which the clock of every function is moved.
    pub offset_s: i64,
}

/// Largest offset of the test clock, in seconds (ten years). Own value.
pub const MAX_OFFSET_S: i64 = 10 * 366 * 86_400;

impl Validate for TestClock {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        let held = (-MAX_OFFSET_S..=MAX_OFFSET_S).contains(&self.offset_s);
        faults.require(held, at, "offsetS", "is out of range");
        faults.done()
    }
}

/// GET `/health`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Health {
    /// `ok` or `degraded`.
    pub status: String,
    /// Version of the program.
    pub version: String,
    /// State of each function.
    pub functions: BTreeMap<String, String>,
    /// The clients of others that a listener of the CAPIF core function is open for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compat: Option<String>,
}

/// A verifier that holds a lease, GET `/verifiers`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifierInfo {
    /// The verifier.
    pub verifier: String,
    /// The issuer whose revocations it follows.
    pub issuer: String,
    /// Last epoch that it confirmed.
    pub epoch: u64,
    /// End of its lease.
    pub lease_until: DateTime,
    /// Whether the lease holds now.
    pub alive: bool,
}
