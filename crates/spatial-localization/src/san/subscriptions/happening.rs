//! What happens to anchors and UEs, noted in the transaction of the change where somebody may want to hear of it.

use api_types::san::{SpatialAnchor, SpatialAnchorProfile};
use authorization::Principal;
use serde::{Deserialize, Serialize};
use service_http::ambient::Ambient;
use store::anchors::AnchorRow;
use store::happenings;
use store::publications::Sync;
use store::{Sql, StoreError, subscriptions};

use super::Anchors;
use crate::san::stored::{self, Anchor};
use crate::shared::subscriptions::Kind;

/// What happened.
#[derive(Clone, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub(in crate::san) enum Happening {
    /// A list was created, changed or deleted. What is gone is kept as it was.
    Changed {
        #[serde(default)]
        created: Vec<u32>,
        #[serde(default)]
        updated: Vec<u32>,
        #[serde(default)]
        deleted: Vec<Gone>,
    },
    /// The operator saw a UE at another place.
    Moved { ue: String },
    /// A UE has discovered anchors.
    Discovered { ue: String, anchors: Vec<u32> },
    /// A subscription has begun, and has told nothing yet.
    Begun { sub_id: String },
}

/// An anchor as it last was.
#[derive(Clone, Serialize, Deserialize)]
pub(in crate::san) struct Gone {
    list_id: String,
    body: SpatialAnchor,
    serv_info: serde_json::Value,
    service_id: String,
    owner_issuer: String,
    owner_subject: String,
    at: Option<(f64, f64)>,
    /// It was its owner's alone.
    #[serde(default)]
    pending: bool,
}

impl Gone {
    /// An anchor of a list that is being removed.
    pub(in crate::san) fn of(
        anchor: &Anchor,
        owner: &Principal,
        serv_info: &str,
    ) -> Result<Self, StoreError> {
        Ok(Self {
            list_id: anchor.row.list_id.clone(),
            body: anchor.body.clone(),
            serv_info: stored::parsed(serv_info)?,
            service_id: anchor.row.service_id.clone(),
            owner_issuer: owner.issuer.clone(),
            owner_subject: owner.subject.clone(),
            at: anchor.row.at,
            pending: anchor.row.sync == Sync::Pending,
        })
    }

    /// As decisions see it.
    pub(super) fn anchor(&self) -> Result<Anchor, StoreError> {
        let row = AnchorRow {
            anchor_id: self.body.anchor_id.map_or(0, |id| id.0),
            list_id: self.list_id.clone(),
            label: String::new(),
            owner_key: String::new(),
            class_id: 0,
            service_id: self.service_id.clone(),
            incarnation: 0,
            body: stored::written(&self.body)?,
            spec_hash: None,
            at: self.at,
            start_s: None,
            stop_s: None,
            sync: if self.pending { Sync::Pending } else { Sync::Free },
        };
        Anchor::of(row, Principal::new(self.owner_issuer.as_str(), self.owner_subject.as_str()))
    }

    /// As a subscriber is shown it, once `shown` has left of the anchor what is the subscriber's.
    pub(super) fn profile(&self, shown: SpatialAnchor) -> Result<SpatialAnchorProfile, StoreError> {
        let val_svc_inf = serde_json::from_value(self.serv_info.clone())
            .map_err(|_| StoreError::Damaged("service information of an anchor that is gone"))?;
        Ok(SpatialAnchorProfile { anch_info: shown, val_svc_inf })
    }
}

/// Notes what happened, where there is any subscription.
///
/// # Errors
/// The store failed.
pub(in crate::san) async fn note(
    tx: &mut dyn Sql,
    ambient: &Ambient,
    trace: Option<String>,
    what: &Happening,
) -> Result<(), StoreError> {
    if !subscriptions::any(tx, Anchors::FAMILY).await? {
        return Ok(());
    }
    let body = stored::written(what)?;
    let happening =
        happenings::Happening { kind: Anchors::FAMILY.to_owned(), body, at_ms: ambient.now_ms(), trace };
    happenings::note(tx, &happening).await
}
