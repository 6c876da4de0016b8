//! Permits: recorded in the transaction that grants, and not granted if that fails (design, section 2).
//!
//! One permit is one audit record, one charging record where the function is charged, and the DPoP proof used up.

use api_types::function::Function;
use authorization::Reason;
use store::audit::{self, AuditRow};
use store::charging::{self, ChargingRow};
use store::{Sql, Store, once};

use crate::call::{Actor, Call, Ctx};
use crate::refusal::Refusal;

/// `verdict` of a permit in the audit.
pub const PERMIT: &str = "permit";

/// `verdict` of a refusal in the audit.
pub const DENY: &str = "deny";

/// Kind of the once-only rows of DPoP proofs.
pub const DPOP_JTI: &str = "dpop_jti";

/// How a served request ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Outcome {
    /// All that was asked for.
    #[default]
    Served,
    /// What was left of it for this caller (IMP-02).
    Partial,
    /// A stream that is settled when it ends.
    Reserved,
}

impl Outcome {
    /// The word in the charging record.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Served => "SERVED",
            Self::Partial => "PARTIAL",
            Self::Reserved => charging::RESERVED,
        }
    }
}

/// What is permitted, as audit and charging record it.
#[derive(Clone, Debug, Default)]
pub struct Permit {
    /// The operation, as `san.anchors_list.create`.
    pub action: &'static str,
    /// What was asked for, as `anchors-lists/al-1`.
    pub object: Option<String>,
    /// Whose it is: a client id, or a pseudonym.
    pub owner: Option<String>,
    /// VAL service.
    pub service: Option<String>,
    /// The resource that is charged; absent: the object.
    pub resource: Option<String>,
    /// Units served; 0: nothing is charged.
    pub units: u64,
    /// Bytes served.
    pub bytes: u64,
    /// Version of the operator's rules that decided.
    pub policy_version: Option<u64>,
    /// Version of the consent that decided.
    pub consent_version: Option<u64>,
    /// Status that will be answered.
    pub status: u16,
    /// How it ended.
    pub outcome: Outcome,
    /// Identifier of the charging record, where it is settled later; absent: a random one.
    pub charging_id: Option<String>,
}

impl Permit {
    /// One unit of `action`, answered 200.
    pub fn new(action: &'static str) -> Self {
        Self { action, units: 1, status: 200, ..Self::default() }
    }

    /// On `object`.
    #[must_use]
    pub fn object(mut self, object: impl Into<String>) -> Self {
        self.object = Some(object.into());
        self
    }

    /// Of `owner`.
    #[must_use]
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.owner = Some(owner.into());
        self
    }

    /// For the VAL service `service`.
    #[must_use]
    pub fn service(mut self, service: impl Into<String>) -> Self {
        self.service = Some(service.into());
        self
    }

    /// Charged as `resource`.
    #[must_use]
    pub fn resource(mut self, resource: impl Into<String>) -> Self {
        self.resource = Some(resource.into());
        self
    }

    /// So many units; 0: nothing is charged.
    #[must_use]
    pub fn units(mut self, units: u64) -> Self {
        self.units = units;
        self
    }

    /// So many bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: u64) -> Self {
        self.bytes = bytes;
        self
    }

    /// Decided by this version of the operator's rules.
    #[must_use]
    pub fn policy_version(mut self, version: u64) -> Self {
        self.policy_version = Some(version);
        self
    }

    /// Decided by this version of the consent.
    #[must_use]
    pub fn consent_version(mut self, version: u64) -> Self {
        self.consent_version = Some(version);
        self
    }

    /// Answered with `status`.
    #[must_use]
    pub fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Charged under `id`, which the caller settles when its stream has ended.
    #[must_use]
    pub fn reserved(mut self, id: impl Into<String>) -> Self {
        self.charging_id = Some(id.into());
        self.outcome(Outcome::Reserved)
    }

    /// Ended so.
    #[must_use]
    pub fn outcome(mut self, outcome: Outcome) -> Self {
        self.outcome = outcome;
        self
    }
}

/// Records a permit inside the caller's transaction; call it last, so that nothing is refused after it.
///
/// Expiry, lease and revocations are decided again, the proof of possession is used up, audit and charging are
/// appended. An error undoes the transaction.
///
/// # Errors
/// [`Reason::LeaseExpired`], a revocation, [`Reason::Replayed`], or the store failed.
pub async fn permit(tx: &mut dyn Sql, call: &Call, permit: &Permit) -> Result<(), Refusal> {
    use std::sync::atomic::Ordering::{Acquire, Release};

    let ctx = &call.ctx;
    if let Err(reason) = call.recheck() {
        ctx.fail("recheck before commit", "lease alive, token not revoked", reason.as_str());
        return Err(Refusal::open(reason));
    }
    let session = call.session();
    if let Some(proof) = &session.proof {
        // A second permit of this request finds the proof used up by itself. When a job before was rolled back, the
        // row is written again.
        let ours = session.proof_spent.load(Acquire);
        let value = format!("{}:{}", proof.jkt, proof.jti);
        let fresh = once::consume(tx, DPOP_JTI, &value, proof.forget_at_s()).await?;
        if !fresh && !ours {
            ctx.fail("DPoP jti", "not used before", "used before");
            return Err(Refusal::open(Reason::Replayed));
        }
        session.proof_spent.store(true, Release);
    }
    record(tx, ctx, &ctx.actor(), permit).await
}

/// Records a permit of a read, in a transaction of its own, before the answer is sent.
///
/// # Errors
/// As [`permit`].
pub async fn permit_read(store: &Store, call: &Call, granted: Permit) -> Result<(), Refusal> {
    let call = call.clone();
    store.write(move |tx| Box::pin(async move { permit(tx, &call, &granted).await })).await
}

/// Records a permit of a request without an access token (a login, a token, an act of the admin API).
///
/// # Errors
/// The store failed.
pub async fn record(tx: &mut dyn Sql, ctx: &Ctx, actor: &Actor, permit: &Permit) -> Result<(), Refusal> {
    let at_ms = ctx.ambient().now_ms();
    let function = ctx.function();
    let trace = Some(ctx.trace().trace.to_string());
    audit::leave(
        tx,
        AuditRow {
            at_ms,
            function,
            actor: actor.name.clone(),
            owner: permit.owner.clone(),
            action: permit.action.to_owned(),
            object: permit.object.clone(),
            verdict: PERMIT.to_owned(),
            reason: None,
            cause: None,
            status: Some(permit.status),
            policy_version: permit.policy_version,
            consent_version: permit.consent_version,
            trace: trace.clone(),
        },
    )?;
    if is_charged(function) && permit.units > 0 {
        let row = ChargingRow {
            id: permit.charging_id.clone().unwrap_or_else(|| ctx.ambient().record_id()),
            at_ms,
            function,
            consumer: actor.name.clone(),
            client: actor.client.clone().unwrap_or_else(|| actor.name.clone()),
            owner: permit.owner.clone(),
            service: permit.service.clone(),
            operation: permit.action.to_owned(),
            resource: permit.resource.clone().or_else(|| permit.object.clone()),
            units: permit.units,
            bytes: permit.bytes,
            outcome: permit.outcome.as_str().to_owned(),
            trace,
        };
        // Of an id that the caller chose there may be a record already.
        match permit.charging_id {
            Some(_) => charging::append(tx, &row).await.map(drop)?,
            None => charging::leave(tx, row)?,
        }
    }
    ctx.set_permitted();
    Ok(())
}

/// Units of these functions are charged (design, section 2).
const fn is_charged(function: Function) -> bool {
    matches!(function, Function::San | Function::Sm)
}
