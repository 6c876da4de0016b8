//! Whom a world link may be shown: who may discover both of its ends.
//!
//! Trackables are decided about here, world anchors by the anchor server in the caller's name. A link of somebody who owns the
//! map of neither end is shown to nobody else, so that nobody ties his own to what others have made.

use std::collections::{BTreeMap, BTreeSet};

use api_types::faces::world_link::{ElementKind, WorldLink};
use authorization::{Principal, Reason};
use service_http::call::Call;
use service_http::refusal::Refusal;
use store::world_links::LinkRow;
use store::{Sql, StoreError, maps};

use super::object;
use crate::shared::data_class::shows_object;
use crate::shared::subscriptions::standing::Subscriber;
use crate::shared::surroundings::Surroundings;
use crate::shared::{reach, uuid};
use crate::sm::{SmServer, access};

/// A link as it is kept.
#[derive(Clone)]
pub(super) struct Kept {
    pub(super) row: LinkRow,
    pub(super) link: WorldLink,
}

impl Kept {
    /// # Errors
    /// The row is damaged.
    pub(super) fn of(row: LinkRow) -> Result<Self, StoreError> {
        let link = serde_json::from_str(&row.body).map_err(|_| StoreError::Damaged("a world link"))?;
        Ok(Self { row, link })
    }

    pub(super) fn owner(&self) -> Principal {
        Principal::new(self.row.owner_issuer.as_str(), self.row.owner_subject.as_str())
    }
}

/// Owners of the maps of trackables that the caller may discover.
type Open = BTreeMap<String, Principal>;

/// What is left of links once the maps have been looked at.
struct Asked {
    /// The caller may discover every trackable of these.
    left: Vec<Kept>,
    /// World anchors that decide about them.
    anchors: BTreeSet<String>,
}

/// Those of `links` that the caller may be shown, in their order.
///
/// # Errors
/// The store failed; the anchor server does not answer where it is needed.
pub(super) async fn visible(sm: &SmServer, call: &Call, links: Vec<Kept>) -> Result<Vec<Kept>, Refusal> {
    let (server, caller) = (sm.clone(), call.clone());
    let asked = sm.store().read(move |tx| Box::pin(async move { look(tx, &server, &caller, links).await }));
    let Asked { left, anchors } = asked.await?;
    let open = world_anchors(sm, call, &anchors).await?;
    let shown = |kept: &Kept| {
        let mut ends = kept.link.ends().into_iter();
        call.caller.is(&kept.owner())
            || ends.all(|(kind, of)| kind != Some(ElementKind::WorldAnchor) || open.contains(of))
    };
    Ok(left.into_iter().filter(shown).collect())
}

/// Whether the caller may discover both ends of a link that it wants to make.
///
/// # Errors
/// 404 for an end that is absent or hidden; the anchor server does not answer.
pub(super) async fn found(sm: &SmServer, call: &Call, link: &WorldLink) -> Result<(), Refusal> {
    let absent = || {
        call.ctx.fail("resource", "both ends stand open", "one is absent or hidden");
        Refusal::hidden(Reason::NotFound)
    };
    let (server, caller, ends) = (sm.clone(), call.clone(), link.clone());
    let open: Open = sm
        .store()
        .read(move |tx| Box::pin(async move { trackables(tx, &server, &caller, [&ends]).await }))
        .await?;
    let named = |wanted: ElementKind| {
        let ends = link.ends();
        ends.into_iter().filter(move |(kind, _)| *kind == Some(wanted)).map(|(_, of)| of.to_owned())
    };
    if named(ElementKind::Trackable).any(|of| !open.contains_key(&of)) {
        return Err(absent());
    }
    let anchors: BTreeSet<String> = named(ElementKind::WorldAnchor).collect();
    // What is no UUID is no anchor, and nobody is asked.
    if anchors.iter().any(|of| uuid::number(of).is_none()) {
        return Err(absent());
    }
    if world_anchors(sm, call, &anchors).await? == anchors { Ok(()) } else { Err(absent()) }
}

async fn world_anchors(
    sm: &SmServer,
    call: &Call,
    anchors: &BTreeSet<String>,
) -> Result<BTreeSet<String>, Refusal> {
    if anchors.is_empty() {
        return Ok(BTreeSet::new());
    }
    let source = sm.anchors().ok_or_else(|| Refusal::open(Reason::DependencyDown))?;
    source.world_anchors_for(call, anchors).await
}

async fn look(tx: &mut dyn Sql, sm: &SmServer, call: &Call, links: Vec<Kept>) -> Result<Asked, StoreError> {
    let others = links.iter().filter(|kept| !call.caller.is(&kept.owner()));
    let open = trackables(tx, sm, call, others.map(|kept| &kept.link)).await?;
    let mut asked = Asked { left: Vec::with_capacity(links.len()), anchors: BTreeSet::new() };
    for kept in links {
        let own = call.caller.is(&kept.owner());
        if !own {
            let (mut shown, mut made_by_an_owner) = (true, false);
            for (kind, of) in kept.link.ends() {
                if kind == Some(ElementKind::Trackable) {
                    shown &= open.contains_key(of);
                    made_by_an_owner |= open.get(of) == Some(&kept.owner());
                }
            }
            if !shown || !made_by_an_owner {
                continue;
            }
            let anchors =
                kept.link.ends().into_iter().filter(|(kind, _)| *kind == Some(ElementKind::WorldAnchor));
            asked.anchors.extend(anchors.map(|(_, of)| of.to_owned()));
        }
        asked.left.push(kept);
    }
    Ok(asked)
}

/// The trackables at the ends of links that the caller may read, with the owners of their maps.
async fn trackables<'l>(
    tx: &mut dyn Sql,
    sm: &SmServer,
    call: &Call,
    links: impl IntoIterator<Item = &'l WorldLink>,
) -> Result<Open, StoreError> {
    let around = access::around(tx, sm, call).await?;
    let mut wanted: BTreeMap<u32, BTreeSet<String>> = BTreeMap::new();
    for link in links {
        for (kind, of) in link.ends() {
            let number = uuid::number(of).filter(|_| kind == Some(ElementKind::Trackable));
            if let Some(map_id) = number {
                wanted.entry(map_id).or_default().insert(of.to_owned());
            }
        }
    }
    let mut open = Open::new();
    for (map_id, uuids) in wanted {
        of_map(tx, call, &around, map_id, &uuids, &mut open).await?;
    }
    Ok(open)
}

async fn of_map(
    tx: &mut dyn Sql,
    call: &Call,
    around: &Surroundings,
    map_id: u32,
    uuids: &BTreeSet<String>,
    open: &mut Open,
) -> Result<(), StoreError> {
    let reached = maps::record::reach(tx, map_id, &reach::reader(call, around.now_s)).await?;
    if reach::check(reached).is_err() {
        return Ok(());
    }
    let Some(row) = maps::record::by_id(tx, map_id).await? else { return Ok(()) };
    let map = access::document(&row)?;
    let who = Subscriber::of(call);
    let Ok(grant) = access::check(&who, &row, &map, around, access::READ) else { return Ok(()) };
    let hidden = access::hidden(&who, &row, around, access::READ, grant);
    let owner = Principal::new(row.owner_issuer.as_str(), row.owner_subject.as_str());
    for one in map.sm_prof.obj_list.iter().flatten() {
        let of = object::uuid(map_id, &one.obj_id);
        if uuids.contains(&of) && shows_object(&hidden, &one.obj_id) {
            open.insert(of, owner.clone());
        }
    }
    Ok(())
}
