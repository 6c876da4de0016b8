//! What a caller is shown of anchors, and under which entity tag (T3b; FFS-11; contract, section 7).

use api_types::san::{SpatialAnchor, SpatialAnchorsList};
use store::StoreError;

use super::access::Access;
use super::input::forget_sync;
use super::stored::{Anchor, List};
use crate::shared::data_class::conceal_anchor;
use crate::shared::etag::EntityTag;
use crate::shared::publication;
use crate::shared::supp_feat::SuppFeat;

/// An anchor as a caller sees it: each member by whose it is, members of ours for peers that know them.
pub(super) fn anchor(anchor: &Anchor, access: &Access, feat: SuppFeat) -> SpatialAnchor {
    let mut shown = anchor.body.clone();
    if !access.owner {
        conceal_anchor(&mut shown, &access.hidden);
    }
    if !feat.own_members() {
        shown.strip_own_members();
    }
    let is_told = access.owner && feat.own_members();
    shown.sync_state = publication::shown(anchor.row.sync).filter(|_| is_told);
    shown
}

/// The part of a list that a caller sees.
pub(super) fn list(list: &List, open: &[(&str, &Anchor, Access)], feat: SuppFeat) -> SpatialAnchorsList {
    let anchors = open.iter().map(|(label, one, access)| ((*label).to_owned(), anchor(one, access, feat)));
    SpatialAnchorsList {
        val_serv_info: list.serv_info.clone(),
        anchors: anchors.collect(),
        supp_feat: feat.negotiated().and_then(|bits| bits.to_owned().try_into().ok()),
    }
}

/// A representation in bytes, and its tag.
pub(super) struct Representation {
    pub(super) body: Vec<u8>,
    pub(super) tag: EntityTag,
}

impl Representation {
    pub(super) fn of(shown: &SpatialAnchorsList) -> Result<Self, StoreError> {
        let bytes = |list: &SpatialAnchorsList| {
            serde_json::to_vec(list).map_err(|_| StoreError::Damaged("a list cannot be written"))
        };
        let body = bytes(shown)?;
        // What the core function knows of it is no change of the list.
        let tag = match shown.anchors.values().any(|anchor| anchor.sync_state.is_some()) {
            false => EntityTag::of_document(&body, None),
            true => {
                let mut plain = shown.clone();
                forget_sync(&mut plain);
                EntityTag::of_document(&bytes(&plain)?, None)
            }
        };
        Ok(Self { body, tag })
    }
}

/// The tags of every representation that the caller may have been given: it may have asked for less before.
pub(super) fn tags(whole: &List, open: &[(&str, &Anchor, Access)]) -> Result<Vec<EntityTag>, StoreError> {
    [None, Some("0"), Some("1")]
        .into_iter()
        .filter_map(|bits| SuppFeat::parse(bits).ok())
        .map(|feat| Representation::of(&list(whole, open, feat)).map(|representation| representation.tag))
        .collect()
}
