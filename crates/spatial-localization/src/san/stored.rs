//! A list as it is kept, read into its types, and back.

use std::collections::BTreeMap;

use api_types::ids::SpatialAnchorId;
use api_types::san::{SpatialAnchor, SpatialAnchorsList, VALServiceInfo};
use authorization::{Item, Principal};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use service_http::ambient::Ambient;
use store::anchors::{AnchorRow, ListRow, classes, records};
use store::publications::Sync;
use store::{Sql, StoreError};

use crate::shared::geometry::place_of;
use crate::shared::{publication, rules};

/// An anchor that was read.
pub(super) struct Anchor {
    pub(super) row: AnchorRow,
    pub(super) body: SpatialAnchor,
    pub(super) item: Item,
}

/// A list that was read, with all its anchors.
pub(super) struct List {
    pub(super) row: ListRow,
    pub(super) serv_info: VALServiceInfo,
    pub(super) anchors: BTreeMap<String, Anchor>,
}

impl List {
    pub(super) fn of((row, anchors): (ListRow, Vec<AnchorRow>)) -> Result<Self, StoreError> {
        let serv_info = parsed(&row.serv_info)?;
        let owner = owner(&row);
        let anchors = anchors
            .into_iter()
            .map(|anchor| Ok((anchor.label.clone(), Anchor::of(anchor, owner.clone())?)))
            .collect::<Result<_, StoreError>>()?;
        Ok(Self { row, serv_info, anchors })
    }

    pub(super) fn owner(&self) -> Principal {
        owner(&self.row)
    }

    /// The list as its owner sees it.
    pub(super) fn whole(&self) -> SpatialAnchorsList {
        let anchors = self.anchors.iter().map(|(label, anchor)| (label.clone(), anchor.body.clone()));
        SpatialAnchorsList {
            val_serv_info: self.serv_info.clone(),
            anchors: anchors.collect(),
            supp_feat: None,
        }
    }
}

impl Anchor {
    pub(super) fn of(row: AnchorRow, owner: Principal) -> Result<Self, StoreError> {
        let body: SpatialAnchor = parsed(&row.body)?;
        let visibility = publication::visibility(row.sync, body.visibility);
        let item = Item::new(owner, visibility, body.rules.as_ref());
        Ok(Self { row, body, item })
    }
}

fn owner(row: &ListRow) -> Principal {
    Principal::new(row.owner_issuer.as_str(), row.owner_subject.as_str())
}

/// The name of an anchor at the core function.
pub(super) fn resource_of(row: &AnchorRow) -> String {
    format!("{}/{}", row.list_id, row.anchor_id)
}

/// Reads JSON that we wrote.
pub(super) fn parsed<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Damaged("a stored anchor cannot be read"))
}

/// Writes JSON that we read.
pub(super) fn written<T: serde::Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Damaged("an anchor cannot be written"))
}

/// What is common to the rows of a list's anchors.
pub(super) struct Frame<'a> {
    pub(super) list_id: &'a str,
    pub(super) owner: &'a Principal,
    pub(super) service_id: &'a str,
    pub(super) ambient: &'a Ambient,
}

impl Frame<'_> {
    /// The row of an anchor, with the number of its class.
    pub(super) async fn row(
        &self,
        tx: &mut dyn Sql,
        known: &mut BTreeMap<String, i64>,
        label: &str,
        body: &SpatialAnchor,
        anchor_id: u32,
        (incarnation, sync): (i64, Sync),
    ) -> Result<AnchorRow, StoreError> {
        let anchor_id_of = Some(SpatialAnchorId(anchor_id));
        let body = SpatialAnchor { anchor_id: anchor_id_of, sync_state: None, ..body.clone() };
        let visibility = publication::visibility(sync, body.visibility);
        let item = Item::new(self.owner.clone(), visibility, body.rules.as_ref());
        let class = rules::class_of(&item);
        let class_id = match known.get(&class.key) {
            Some(class_id) => *class_id,
            None => {
                let class_id = classes::class_of(tx, &class, &rules::draws(self.ambient)).await?;
                known.insert(class.key, class_id);
                class_id
            }
        };
        let spec_hash = body.spec_info.as_ref().and_then(|text| STANDARD.decode(text).ok());
        Ok(AnchorRow {
            anchor_id,
            list_id: self.list_id.to_owned(),
            label: label.to_owned(),
            owner_key: rules::owner_key(self.owner),
            class_id,
            service_id: self.service_id.to_owned(),
            incarnation,
            spec_hash: spec_hash.map(|bytes| records::spec_hash(&bytes)),
            at: body.pos_info.pos.as_ref().and_then(place_of),
            start_s: body.time_period.map(|period| period.start_time.unix()),
            stop_s: body.time_period.map(|period| period.stop_time.unix()),
            sync,
            body: written(&body)?,
        })
    }
}

/// A random identifier that no anchor ever had.
pub(super) async fn fresh_id(tx: &mut dyn Sql, ambient: &Ambient) -> Result<u32, StoreError> {
    for anchor_id in rules::draws(ambient) {
        if store::anchors::ids::reserve(tx, anchor_id).await? {
            return Ok(anchor_id);
        }
    }
    Err(StoreError::Damaged("no free number for an anchor"))
}

/// A random number of a life.
pub(super) fn incarnation(ambient: &Ambient) -> i64 {
    i64::from_be_bytes(ambient.random_bytes()) & i64::MAX
}
