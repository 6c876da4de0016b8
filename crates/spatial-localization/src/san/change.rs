//! Writing a changed list: which anchors stay who they are, which come and which go.

use std::collections::{BTreeMap, BTreeSet};

use api_types::san::SpatialAnchorsList;
use api_types::validate::child;
use authorization::capif::invocation::needs_of_list;
use authorization::parts::Touched;
use authorization::{Reason, parts};
use service_http::call::Call;
use service_http::refusal::Refusal;
use store::Sql;
use store::anchors::{AnchorRow, classes, lists, records};
use store::publications::Sync;

use super::access::Asker;
use super::stored::{self, Frame, List};
use super::subscriptions::happening::{self, Gone, Happening};
use super::{ANCHOR_KEPT, LIST_KEPT, SanServer, publish};
use crate::shared::denial::Denial;
use crate::shared::operator_rules::Action;
use crate::shared::{grants, input, reach, serv_infos};

/// For each label of the wanted list the anchor that it already is, if any.
pub(super) type Identity = BTreeMap<String, Option<u32>>;

/// The list to be changed, held until the transaction ends, and who asks.
///
/// # Errors
/// 404: there is none; told with the bytes of a list that is hidden.
pub(super) async fn locked(
    tx: &mut dyn Sql,
    san: &SanServer,
    call: &Call,
    list_id: &str,
    action: Action,
) -> Result<(List, Asker), Refusal> {
    let asker = Asker::new(san, tx, call, action).await?;
    let reached = lists::reach(tx, list_id, &reach::reader(call, asker.around.now_s)).await?;
    reach::check(reached).map_err(|reason| hidden(call, reason))?;
    let list = lists::lock_with_anchors(tx, list_id).await?;
    let list = list.ok_or_else(|| hidden(call, Reason::NotFound))?;
    Ok((List::of(list)?, asker))
}

/// A list that is not there for this caller; told with the same bytes whatever the reason.
pub(super) fn hidden(call: &Call, reason: Reason) -> Refusal {
    Denial::hidden(reason).told(call, "an anchor that stands open")
}

/// Tells which anchors stay: by `anchorId` where it is given, else by the label.
///
/// # Errors
/// 400: an `anchorId` that is no anchor of this list, whether or not it is one of another.
pub(super) fn identity(list: &List, wanted: &SpatialAnchorsList) -> Result<Identity, Refusal> {
    let ids: BTreeSet<u32> = list.anchors.values().map(|anchor| anchor.row.anchor_id).collect();
    let mut claimed = BTreeSet::new();
    for (label, anchor) in &wanted.anchors {
        let Some(id) = anchor.anchor_id else { continue };
        if !ids.contains(&id.0) {
            let param = child(&child("/anchors", label), "anchorId");
            return Err(input::optional(param, "is not an anchor of this list"));
        }
        claimed.insert(id.0);
    }
    let by_label = |label: &str| {
        let id = list.anchors.get(label).map(|anchor| anchor.row.anchor_id);
        id.filter(|id| !claimed.contains(id))
    };
    let of = |(label, anchor): (&String, &api_types::san::SpatialAnchor)| {
        (label.clone(), anchor.anchor_id.map(|id| id.0).or_else(|| by_label(label)))
    };
    Ok(wanted.anchors.iter().map(of).collect())
}

/// The list as it is, under the labels of the wanted one, so that a new label is no new anchor.
pub(super) fn relabelled(list: &List, identity: &Identity) -> SpatialAnchorsList {
    let mut whole = list.whole();
    let mut by_id: BTreeMap<u32, _> = std::mem::take(&mut whole.anchors)
        .into_values()
        .filter_map(|body| Some((body.anchor_id?.0, body)))
        .collect();
    for (label, id) in identity {
        if let Some(body) = id.and_then(|id| by_id.remove(&id)) {
            whole.anchors.insert(label.clone(), body);
        }
    }
    // What is left goes; no label has a control character, so that none of these stands in the wanted list.
    whole.anchors.extend(by_id.into_iter().map(|(id, body)| (format!("\u{1}{id}"), body)));
    whole
}

/// Decides whether the owner may make the change and names the providers of what is new.
///
/// # Errors
/// [`Reason::PartOfOtherProvider`], [`Reason::DetailsNarrow`].
pub(super) fn decide_as_owner(
    call: &Call,
    list_id: &str,
    before: &SpatialAnchorsList,
    wanted: &mut SpatialAnchorsList,
) -> Result<(), Refusal> {
    let touched = parts::touched(before, wanted);
    parts::check(&call.caller, true, &touched, |_| true).map_err(|reason| refused(call, reason))?;
    check_granted(call, list_id, before, &touched)?;
    for (label, anchor) in &mut wanted.anchors {
        let stored =
            before.anchors.get(label).and_then(|anchor| anchor.serv_infos.as_deref()).unwrap_or_default();
        serv_infos::assign(&mut anchor.serv_infos, stored, call.caller.client_id.as_str());
    }
    call.ctx.pass("parts", "only parts of the caller", "held");
    Ok(())
}

/// Decides whether the details of the token grant everything that is touched of `before`.
///
/// # Errors
/// [`Reason::DetailsNarrow`].
pub(super) fn check_granted(
    call: &Call,
    list_id: &str,
    before: &SpatialAnchorsList,
    touched: &Touched,
) -> Result<(), Refusal> {
    let id_of = |label: &str| before.anchors.get(label).and_then(|anchor| anchor.anchor_id);
    grants::check_parts(call, || needs_of_list(list_id, touched, id_of))
}

/// A refusal of the stages `resource` and `parts` to somebody who may discover the list.
pub(super) fn refused(call: &Call, reason: Reason) -> Refusal {
    Denial::open(reason).told(call, "only parts of the caller")
}

/// Writes the wanted list over the one that is locked, and counts the anchors that were touched.
///
/// # Errors
/// The store failed.
pub(super) async fn write(
    san: &SanServer,
    tx: &mut dyn Sql,
    call: &Call,
    list: List,
    wanted: &SpatialAnchorsList,
    identity: &Identity,
) -> Result<(List, u64), Refusal> {
    let ambient = &san.kit().ambient;
    let owner = list.owner();
    let service_id = wanted.val_serv_info.service_id.as_str().to_owned();
    let frame = Frame { list_id: &list.row.list_id, owner: &owner, service_id: &service_id, ambient };
    let known: BTreeMap<u32, &AnchorRow> =
        list.anchors.values().map(|anchor| (anchor.row.anchor_id, &anchor.row)).collect();

    let (mut added, mut changed, mut rows) = (Vec::new(), Vec::new(), Vec::new());
    let mut numbers = BTreeMap::new();
    for (label, body) in &wanted.anchors {
        let before = identity.get(label).copied().flatten().and_then(|id| known.get(&id));
        let (anchor_id, life) = match before {
            Some(row) => (row.anchor_id, (row.incarnation, row.sync)),
            None => {
                (stored::fresh_id(tx, ambient).await?, (stored::incarnation(ambient), san.sync_of(&owner)))
            }
        };
        let row = frame.row(tx, &mut numbers, label, body, anchor_id, life).await?;
        match before {
            None => added.push(row.clone()),
            Some(before) if **before != row => changed.push(row.clone()),
            Some(_) => {}
        }
        rows.push(row);
    }
    check_size(&list, &rows)?;
    let stay: BTreeSet<u32> = rows.iter().map(|row| row.anchor_id).collect();
    let gone: Vec<u32> = known.keys().copied().filter(|id| !stay.contains(id)).collect();

    let mut deleted = Vec::with_capacity(gone.len());
    for anchor in list.anchors.values().filter(|anchor| gone.contains(&anchor.row.anchor_id)) {
        deleted.push(Gone::of(anchor, &owner, &list.row.serv_info)?);
    }
    records::remove(tx, &gone).await?;
    // Labels that change places pass through one that nobody can have.
    let moved = |row: &&AnchorRow| known.get(&row.anchor_id).is_some_and(|before| before.label != row.label);
    let aside: Vec<AnchorRow> = changed
        .iter()
        .filter(moved)
        .map(|row| AnchorRow { label: format!("\u{1}{}", row.anchor_id), ..row.clone() })
        .collect();
    records::update(tx, &aside).await?;
    records::update(tx, &changed).await?;
    records::insert(tx, &added).await?;
    let mut row = list.row.clone();
    row.service_id.clone_from(&service_id);
    row.serv_info = stored::written(&wanted.val_serv_info)?;
    if !lists::update(tx, &row).await? {
        return Err(Refusal::open(Reason::StaleVersion));
    }
    row.version += 1;
    let moved_on = changed.iter().map(|row| row.anchor_id).chain(gone.iter().copied());
    let left: Vec<i64> = moved_on.filter_map(|id| known.get(&id)).map(|row| row.class_id).collect();
    classes::purge(tx, &left).await?;
    let touched = (added.len() + changed.len() + gone.len()) as u64;
    if touched > 0 {
        let resources: Vec<String> =
            gone.iter().filter_map(|id| known.get(id)).map(|row| stored::resource_of(row)).collect();
        publish::changed(san, tx, &list.row.list_id, &resources).await?;
        // Others hear of what is only the owner's when it is no longer.
        let ids = |rows: &[AnchorRow]| {
            rows.iter().filter(|row| row.sync != Sync::Pending).map(|row| row.anchor_id).collect()
        };
        let happening = Happening::Changed { created: ids(&added), updated: ids(&changed), deleted };
        happening::note(tx, ambient, Some(call.ctx.trace().trace.to_string()), &happening).await?;
    }
    Ok((List::of((row, rows))?, touched))
}

/// A patch is small, and what it makes of a list need not be: many of them make it no larger than one body could.
///
/// # Errors
/// 413: list or anchor would be too large, and larger than before.
fn check_size(list: &List, rows: &[AnchorRow]) -> Result<(), Refusal> {
    let octets = |rows: &mut dyn Iterator<Item = &AnchorRow>| {
        rows.fold((0, 0), |(all, most), row| (all + row.body.len(), row.body.len().max(most)))
    };
    let before = octets(&mut list.anchors.values().map(|anchor| &anchor.row));
    let after = octets(&mut rows.iter());
    if after.0 > LIST_KEPT.max(before.0) || after.1 > ANCHOR_KEPT.max(before.1) {
        return Err(Refusal::open(Reason::TooLarge));
    }
    Ok(())
}
