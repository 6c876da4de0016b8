//! Whether a caller may do something to a map: the stages `resource`, place and time, and `operator` (design, section 2).
//!
//! Absent, hidden, inactive for this caller and under construction are one answer, made in one place.

use api_types::sm::SpatialMap;
use authorization::access_rules::{self, Grant};
use authorization::capif::details::{Instance, Kind};
use authorization::{Item, Principal, Reason};
use http::StatusCode;
use service_http::call::Call;
use service_http::ledger::Permit;
use service_http::refusal::Refusal;
use store::maps::MapRow;
use store::publications::Sync as Known;
use store::{Sql, StoreError, maps};

use crate::shared::data_class::{Hidden, conceal_map};
use crate::shared::denial::Denial;
use crate::shared::operator_rules::Action;
use crate::shared::subscriptions::standing::Subscriber;
use crate::shared::surroundings::Surroundings;
use crate::shared::{grants, publication, reach, rules};
use crate::sm::SmServer;
use crate::sm::record::Owner;

/// An operation, as audit, charging and operator rules name it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Operation {
    /// Name in audit and charging.
    pub(super) name: &'static str,
    verb: &'static str,
    scope: &'static str,
}

impl Operation {
    const fn new(name: &'static str, verb: &'static str, scope: &'static str) -> Self {
        Self { name, verb, scope }
    }

    pub(super) fn action(self) -> Action {
        Action { verb: self.verb, scope: self.scope }
    }
}

/// Scope of everything that reads.
pub(super) const SCOPE_READ: &str = "3gpp:seal:sm.read";
/// Scope of everything that writes.
pub(super) const SCOPE_WRITE: &str = "3gpp:seal:sm.write";

/// Scope of `ssm-loc`.
pub(super) const SCOPE_LOCALIZE: &str = "3gpp:seal:sm.localize";

pub(super) const CREATE: Operation = Operation::new("sm.map.create", "create", SCOPE_WRITE);
pub(super) const READ: Operation = Operation::new("sm.map.read", "read", SCOPE_READ);
pub(super) const UPDATE: Operation = Operation::new("sm.map.update", "update", SCOPE_WRITE);
pub(super) const DELETE: Operation = Operation::new("sm.map.delete", "delete", SCOPE_WRITE);
pub(super) const DISCOVER: Operation = Operation::new("sm.map.discover", "discover", SCOPE_READ);
pub(super) const CREATE_LINK: Operation = Operation::new("sm.world_link.create", "create", SCOPE_WRITE);
pub(super) const READ_LINK: Operation = Operation::new("sm.world_link.read", "read", SCOPE_READ);
pub(super) const UPDATE_LINK: Operation = Operation::new("sm.world_link.update", "update", SCOPE_WRITE);
pub(super) const DELETE_LINK: Operation = Operation::new("sm.world_link.delete", "delete", SCOPE_WRITE);
pub(super) const DISCOVER_LINKS: Operation = Operation::new("sm.world_link.discover", "discover", SCOPE_READ);
pub(super) const LOCALIZE: Operation = Operation::new("sm.localize", "localize", SCOPE_LOCALIZE);
pub(super) const READ_CONTENT: Operation = Operation::new("sm.content.read", "read", SCOPE_READ);
pub(super) const WRITE_CONTENT: Operation = Operation::new("sm.content.write", "update", SCOPE_WRITE);

/// A map that the caller may discover, and what decided so.
#[derive(Clone)]
pub(super) struct Seen {
    pub(super) row: MapRow,
    pub(super) map: SpatialMap,
    pub(super) grant: Grant,
    /// What of it the operator keeps from the caller.
    pub(super) hidden: Hidden,
    pub(super) policy_version: u64,
}

impl Seen {
    /// Refuses everybody but the owner.
    pub(super) fn owner_only(&self) -> Result<(), Refusal> {
        if self.grant.owner { Ok(()) } else { Err(Refusal::open(Reason::NotOwner)) }
    }

    /// The map as far as it is not kept from the caller.
    pub(super) fn visible(&self) -> SpatialMap {
        let mut map = self.map.clone();
        if self.grant.owner {
            map.sm_prof.sync_state = publication::shown(self.row.sync);
        } else {
            conceal_map(&mut map, &self.hidden);
        }
        map
    }

    /// Whose map it is.
    pub(super) fn owner(&self) -> Owner {
        let principal = Principal::new(self.row.owner_issuer.as_str(), self.row.owner_subject.as_str());
        Owner { principal, name: self.row.owner_name.clone() }
    }

    /// The record of what is granted.
    pub(super) fn permit(&self, operation: Operation, status: StatusCode) -> Permit {
        Permit::new(operation.name)
            .object(object(self.row.map_id))
            .owner(self.row.owner_name.clone())
            .service(self.row.service_id.clone())
            .policy_version(self.policy_version)
            .status(status.as_u16())
    }
}

/// The name of a map in audit and charging.
pub(super) fn object(map_id: u32) -> String {
    format!("spatial-maps/{map_id}")
}

/// The map of a path, for an operation of this caller.
///
/// # Errors
/// One 404 for everything that the caller may not discover; 403 for a rule of the operator.
pub(super) async fn read(
    sm: &SmServer,
    call: &Call,
    map_id: &str,
    operation: Operation,
) -> Result<Seen, Refusal> {
    check_named(call, map_id, operation)?;
    let (server, caller, id) = (sm.clone(), call.clone(), parse_id(map_id));
    let read = sm.store().read(move |tx| {
        Box::pin(async move {
            let around = around(tx, &server, &caller).await?;
            let permitted = permits(tx, &server, &caller, id, operation).await?;
            let row = match reached(tx, &caller, id, &around, permitted).await? {
                Ok(id) => maps::record::by_id(tx, id).await?.ok_or(Reason::NotFound),
                Err(reason) => Err(reason),
            };
            Ok((row, around, permitted))
        })
    });
    let (row, around, permitted) = read.await?;
    decide(call, row, &around, operation, permitted)
}

/// As [`read`], inside the transaction that changes the map, with its row locked.
///
/// # Errors
/// As [`read`].
pub(super) async fn locked(
    tx: &mut dyn Sql,
    sm: &SmServer,
    call: &Call,
    map_id: &str,
    operation: Operation,
) -> Result<Seen, Refusal> {
    check_named(call, map_id, operation)?;
    let around = around(tx, sm, call).await?;
    let row = match reached(tx, call, parse_id(map_id), &around, false).await? {
        Ok(id) => maps::record::locked(tx, id).await?.ok_or(Reason::NotFound),
        Err(reason) => Err(reason),
    };
    decide(call, row, &around, operation, false)
}

/// Whether the owner of a map has permitted the caller at the core function to read it.
async fn permits(
    tx: &mut dyn Sql,
    sm: &SmServer,
    call: &Call,
    id: Option<u32>,
    operation: Operation,
) -> Result<bool, StoreError> {
    let Some(map_id) = id else { return Ok(false) };
    let is = |own: &Instance| matches!(own, Instance::Map(id) if id.0 == map_id);
    Ok(operation.verb == READ.verb
        && grants::asks_owners(call, sm.core())
        && grants::owner_permits(call, Kind::SpatialMap, is)
        && publication::is_told(tx, &map_id.to_string()).await?)
}

/// Whether the details of the token name the map; of one that is to be changed, whether any part of it.
///
/// # Errors
/// `DETAILS_NARROW`, whether or not there is such a map.
fn check_named(call: &Call, map_id: &str, operation: Operation) -> Result<(), Refusal> {
    let Some(known) = authorization::capif::invocation::operation(call.ctx.operation()) else {
        return Ok(());
    };
    match operation.name == UPDATE.name {
        true => grants::check_part_of_map(call, map_id, known.action),
        false => grants::check_map(call, map_id, known.action),
    }
}

/// The number of a map that is not shut to the caller whatever its document says; else why it is.
async fn reached(
    tx: &mut dyn Sql,
    call: &Call,
    id: Option<u32>,
    around: &Surroundings,
    permitted: bool,
) -> Result<Result<u32, Reason>, StoreError> {
    let Some(id) = id else { return Ok(Err(Reason::NotFound)) };
    let reached = maps::record::reach(tx, id, &reach::reader(call, around.now_s)).await?;
    Ok(reach::check_permitted(reached, permitted).map(|()| id))
}

/// What else decides: the rules of the operator, where the caller was seen, and the time.
pub(super) async fn around(tx: &mut dyn Sql, sm: &SmServer, call: &Call) -> Result<Surroundings, StoreError> {
    Surroundings::of(tx, sm.kit(), sm.rules(), &call.caller).await
}

fn decide(
    call: &Call,
    row: Result<MapRow, Reason>,
    around: &Surroundings,
    operation: Operation,
    permitted: bool,
) -> Result<Seen, Refusal> {
    let told = |denial: Denial| denial.told(call, "a map that stands open");
    let row = row.map_err(|reason| told(Denial::hidden(reason)))?;
    let map = document(&row)?;
    let permitted = permitted && row.sync != Known::Pending;
    let grant = check_if(&Subscriber::of(call), (&row, &map), around, operation, permitted).map_err(told)?;
    let seen = if grant.owner { "owner" } else { "allowed" };
    call.ctx.pass("resource", "a map that stands open", seen);
    let hidden = hidden(&Subscriber::of(call), &row, around, operation, grant);
    Ok(Seen { row, map, grant, hidden, policy_version: around.policy_version() })
}

/// The owner's rules decide who may discover the map; then the operator's decide about the operation, and whoever may
/// discover the map is told so.
///
/// # Errors
/// The first stage that refuses.
pub(super) fn check(
    who: &Subscriber,
    row: &MapRow,
    map: &SpatialMap,
    around: &Surroundings,
    operation: Operation,
) -> Result<Grant, Denial> {
    check_if(who, (row, map), around, operation, false)
}

/// As [`check`], of what the owner may have permitted at the core function.
fn check_if(
    who: &Subscriber,
    (row, map): (&MapRow, &SpatialMap),
    around: &Surroundings,
    operation: Operation,
    permitted: bool,
) -> Result<Grant, Denial> {
    if !who.opens_service(&row.service_id) {
        return Err(Denial::hidden(Reason::NotVisible));
    }
    let grant = match access_rules::may_discover(&who.caller, &item(row, map)) {
        Err(_) if permitted => Grant { owner: false },
        decided => decided.map_err(Denial::hidden)?,
    };
    let active = map.sm_prof.time_period.is_none_or(|period| period.holds(around.now_s));
    // Owners still find inactive maps; to others they are not there (contract, section 7).
    if !grant.owner && !active {
        return Err(Denial::hidden(Reason::OutsidePeriod));
    }
    if !grant.owner {
        around.check_owner(&who.caller, operation.action(), || row.map_id.to_string())?;
    }
    let names = [row.map_id.to_string(), object(row.map_id)];
    let names = names.each_ref().map(String::as_str);
    around.check(&who.caller, operation.action(), Some(&row.service_id), &names)?;
    Ok(grant)
}

/// The parts of a map that the operator keeps from somebody who may discover it.
pub(super) fn hidden(
    who: &Subscriber,
    row: &MapRow,
    around: &Surroundings,
    operation: Operation,
    grant: Grant,
) -> Hidden {
    if grant.owner {
        return Hidden::new();
    }
    around.hidden(&who.caller, operation.action(), Some(&row.service_id), &object(row.map_id))
}

/// The document of a row.
pub(super) fn document(row: &MapRow) -> Result<SpatialMap, StoreError> {
    serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged("the document of a map"))
}

/// What decides about a map.
pub(super) fn item(row: &MapRow, map: &SpatialMap) -> Item {
    let owner = Principal::new(row.owner_issuer.as_str(), row.owner_subject.as_str());
    let visibility = publication::visibility(row.sync, map.sm_prof.visibility);
    rules::item(owner, visibility, map.sm_prof.allw_ent.as_ref())
}

/// The number of a path: decimal, in its one canonical form, so that no map has two addresses.
fn parse_id(text: &str) -> Option<u32> {
    let id: u32 = text.parse().ok()?;
    (id.to_string() == text).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_map_has_one_address() {
        for (text, id) in [
            ("17", Some(17)),
            ("0", Some(0)),
            ("4294967295", Some(u32::MAX)),
            ("4294967296", None),
            ("017", None),
            ("+17", None),
            ("-1", None),
            ("17.0", None),
            ("", None),
            ("%31", None),
        ] {
            assert_eq!(parse_id(text), id, "{text}");
        }
    }
}
