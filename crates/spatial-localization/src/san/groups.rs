//! Groups of anchors (TS 23.437 8.6, Rel-20; own interface `ssan-grpm`): what its owner puts together, read as one.
//!
//! A group opens nothing: of its anchors each reader is shown those that a discovery would show.

use std::collections::BTreeSet;

use api_types::problem::InvalidParam;
use api_types::san::{SpatialAnchorGroup, SpatialAnchorGroups};
use async_trait::async_trait;
use authorization::access_rules::may_discover;
use authorization::{Item, Principal};
use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, Uri};
use service_http::call::{Authorized, Call};
use service_http::kit::FunctionKit;
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::Sql;
use store::anchors::discovery;
use store::registrations;

use super::{GROUPS, READ, SanServer, WRITE, discover, granted};
use crate::shared::input::{self, PathId};
use crate::shared::operator_rules::{Action, RulesCache};
use crate::shared::registrations::{self as shared, Names, PER_OWNER, Registry};
use crate::shared::rules;
use crate::shared::surroundings::Surroundings;

/// Groups of anchors.
pub(super) struct Groups;

const LIST: Action = Action { verb: "read", scope: READ };

#[async_trait]
impl Registry for Groups {
    type Server = SanServer;
    type Body = SpatialAnchorGroup;
    const FAMILY: &'static str = "anchor_group";
    const PATH: &'static str = GROUPS;
    const NAMES: Names = Names {
        create: "san.group.create",
        read: "san.group.read",
        update: "san.group.update",
        delete: "san.group.delete",
        object: "groups",
    };
    const WRITE: Action = Action { verb: "group", scope: WRITE };
    const READ: Action = LIST;
    const OWN: bool = true;

    fn kit(server: &SanServer) -> &FunctionKit {
        server.kit()
    }

    fn rules(server: &SanServer) -> &RulesCache {
        server.rules()
    }

    fn name(body: &mut SpatialAnchorGroup, reg_id: &str) -> Result<(), Refusal> {
        if body.group_id.as_ref().is_some_and(|named| named != reg_id) {
            return Err(input::optional("/groupId", "is assigned by the server"));
        }
        body.group_id = Some(reg_id.to_owned());
        Ok(())
    }

    fn check(_: &Call, _: &SpatialAnchorGroup) -> Result<(), Refusal> {
        Ok(())
    }

    /// One puts one's own anchors together: whether an anchor of another is there at all, nobody learns here.
    async fn check_kept(tx: &mut dyn Sql, call: &Call, body: &SpatialAnchorGroup) -> Result<(), Refusal> {
        let ids: Vec<u32> = body.anchor_ids.iter().map(|id| id.0).collect();
        let owner = rules::owner_key(&call.caller.principal());
        if discovery::count_own(tx, &owner, &ids).await? == ids.len() as u64 {
            return Ok(());
        }
        call.ctx.fail("resource", "anchors of the caller", "others among them");
        let fault = InvalidParam::new("/anchorIds", "names an anchor that is not the caller's");
        Err(input::refused(vec![fault]))
    }

    fn shows(call: &Call, owner: &Principal, body: &SpatialAnchorGroup) -> bool {
        may_discover(&call.caller, &Item::new(owner.clone(), None, body.rules.as_ref())).is_ok()
    }

    fn hides(body: &mut SpatialAnchorGroup) {
        // Rules are for their owner alone, as those of an anchor are.
        body.rules = None;
        // So is which anchors there are: the others see theirs by the discovery in the group.
        body.anchor_ids.clear();
    }

    fn granted(call: &Call) {
        granted(call);
    }
}

/// GET `/groups`: those of the caller.
///
/// # Errors
/// The stage that refuses.
pub(super) async fn list(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    uri: Uri,
) -> Result<Response, Refusal> {
    let features = shared::features(&uri)?;
    shared::there::<Groups>(&call, features)?;
    let (server, by) = (san.clone(), call.clone());
    let groups: Vec<SpatialAnchorGroup> = san
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let around = Surroundings::of(tx, server.kit(), server.rules(), &by.caller).await?;
                around.check_action(&by, LIST, None)?;
                let Principal { issuer, subject } = by.caller.principal();
                let rows =
                    registrations::of_owner(tx, Groups::FAMILY, (&issuer, &subject), around.now_s, PER_OWNER)
                        .await?;
                let groups =
                    rows.iter().map(|row| shared::parsed(&row.body)).collect::<Result<Vec<_>, _>>()?;
                let permit = Permit::new(Groups::NAMES.read)
                    .object(Groups::NAMES.object)
                    .units((groups.len() as u64).max(1))
                    .policy_version(around.policy_version())
                    .status(StatusCode::OK.as_u16());
                ledger::permit(tx, &by, &permit).await?;
                Ok::<_, Refusal>(groups)
            })
        })
        .await?;
    granted(&call);
    let supp_feat = features.negotiated().and_then(|bits| bits.to_owned().try_into().ok());
    Ok(Json(SpatialAnchorGroups { groups, supp_feat }).into_response())
}

/// GET `/groups/{groupId}/spatial-anchors`: a discovery (TS 29.437 `ssan-disc`) in the group.
///
/// # Errors
/// The stage that refuses.
pub(super) async fn anchors(
    State(san): State<SanServer>,
    Authorized(call): Authorized,
    PathId(group_id): PathId,
    uri: Uri,
) -> Result<Response, Refusal> {
    shared::there::<Groups>(&call, shared::features(&uri)?)?;
    let (server, by, id) = (san.clone(), call.clone(), group_id.clone());
    let group: SpatialAnchorGroup = san
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let (row, _) = shared::shown_to::<Groups>(tx, &server, &by, &id, discover::FIND).await?;
                Ok::<_, Refusal>(shared::parsed(&row.body)?)
            })
        })
        .await?;
    let path = format!("{GROUPS}/{group_id}/spatial-anchors");
    let mut question = discover::read(&san, &call, uri.query(), &path).await?;
    let in_group: BTreeSet<u32> = group.anchor_ids.iter().map(|id| id.0).collect();
    question.narrow(&in_group);
    discover::answer(&san, &call, question, &path).await
}
