//! What a PUT or PATCH makes of a map, and whose parts it touches. Pure.
//!
//! Members of ours that the peer does not know stay as they are: a peer of Rel-19 must not open a private map by
//! replacing it.

use api_types::ids::SpatialMapId;
use api_types::san::ServInfo;
use api_types::sm::SpatialMap;
use authorization::Reason;
use authorization::capif::invocation::needs_of_map;
use authorization::parts::{self, AnchorChange, Touched};
use serde_json::Value;
use service_http::call::Call;
use service_http::refusal::Refusal;

use crate::shared::grants;
use crate::shared::input::refused;
use crate::shared::own_members;
use crate::shared::serv_infos;
use crate::shared::supp_feat::SuppFeat;
use crate::sm::access::Seen;
use crate::sm::build;
use crate::sm::faces::ObjectEdit;
use crate::sm::view::{self, Reader};

/// A change as it was asked for.
#[derive(Clone, Debug)]
pub(super) enum Change {
    /// PUT.
    Whole(Box<SpatialMap>),
    /// One object of the map, by the interface of ETSI GS ARF 005.
    Object(ObjectEdit),
    /// PATCH (RFC 7396); the array `servInfos` is the sender's part of the entries.
    Patch(Value),
}

impl Change {
    pub(super) fn is_patch(&self) -> bool {
        matches!(self, Self::Patch(_))
    }

    /// The map after the change, valid, with the number of the path and the providers named.
    ///
    /// # Errors
    /// 400 by the members at fault; 403 for parts of others.
    pub(super) fn of(&self, seen: &Seen, call: &Call, features: SuppFeat) -> Result<SpatialMap, Refusal> {
        let caller = &*call.caller;
        let provider = caller.client_id.as_str();
        // Who is not the owner is judged by what it is shown: a hidden member is no other than an absent one.
        let base = match seen.grant.owner {
            true => seen.map.clone(),
            false => {
                let all = SuppFeat::parse(Some("1")).unwrap_or_default();
                view::shown(&seen.map, Reader { owner: false, features: all })
            }
        };
        let mut wanted = self.wanted(&base, SpatialMapId(seen.row.map_id), provider, features)?;
        let touched = touched(&base, &wanted);
        parts::check(caller, seen.grant.owner, &touched, |_| true)
            .map_err(|reason: Reason| Refusal::open(reason))?;
        let map_id = seen.row.map_id;
        grants::check_parts(call, || needs_of_map(map_id, !touched.anchors.is_empty(), &touched.serv_infos))?;
        let before = seen.map.sm_prof.serv_infos.as_deref().unwrap_or_default();
        serv_infos::assign(&mut wanted.sm_prof.serv_infos, before, provider);
        if seen.grant.owner {
            return Ok(wanted);
        }
        let mut map = seen.map.clone();
        map.sm_prof.serv_infos = wanted.sm_prof.serv_infos;
        Ok(map)
    }

    fn wanted(
        &self,
        base: &SpatialMap,
        id: SpatialMapId,
        provider: &str,
        features: SuppFeat,
    ) -> Result<SpatialMap, Refusal> {
        let mut wanted = match self {
            Self::Whole(map) => {
                map.validate_at(id).map_err(refused)?;
                let mut map = SpatialMap::clone(map);
                if !features.own_members() {
                    own_members::keep!(&base.sm_prof, &mut map.sm_prof);
                }
                map
            }
            Self::Object(edit) => {
                let mut map = base.clone();
                edit.apply(id, map.sm_prof.obj_list.get_or_insert_default())?;
                map.sm_prof.obj_list = map.sm_prof.obj_list.filter(|objects| !objects.is_empty());
                map.validate_at(id).map_err(refused)?;
                map
            }
            Self::Patch(patch) => {
                let mut map = base.patched(patch).map_err(refused)?;
                if patch.pointer("/smProf/servInfos").is_some() {
                    let stored = base.sm_prof.serv_infos.as_deref().unwrap_or_default();
                    let proposed = map.sm_prof.serv_infos.take().unwrap_or_default();
                    map.sm_prof.serv_infos = Some(serv_infos::patched(stored, &proposed, provider));
                }
                map
            }
        };
        // The VAL service is part of what a map is; a body may leave it out.
        wanted.svc_id = wanted.svc_id.or_else(|| base.svc_id.clone());
        wanted.supp_feat = None;
        // Only answers say it.
        wanted.sm_prof.sync_state = None;
        let infos = wanted.aug_lyr_inf.as_deref().unwrap_or_default();
        build::check_details(infos, "/augLyrInf").map_err(refused)?;
        Ok(wanted)
    }
}

/// What differs: the map itself, entries of service information, or both.
fn touched(before: &SpatialMap, after: &SpatialMap) -> Touched {
    let rest = |map: &SpatialMap| {
        let mut map = map.clone();
        map.sm_prof.serv_infos = None;
        map.supp_feat = None;
        map
    };
    let entries = |map: &SpatialMap| -> Vec<ServInfo> { map.sm_prof.serv_infos.clone().unwrap_or_default() };
    let mut touched = Touched::default();
    if rest(before) != rest(after) {
        touched.anchors.push(("map".to_owned(), AnchorChange::Changed));
    }
    parts::diff_serv_infos("map", &entries(before), &entries(after), &mut touched.serv_infos);
    touched
}
