//! From a map to the rows that keep it.

use api_types::problem::InvalidParam;
use api_types::sm::SpatialMap;
use authorization::Principal;
use service_http::ambient::Ambient;
use service_http::call::Call;
use store::anchors::{ClassDef, classes};
use store::maps::NewMap;
use store::publications::Sync;
use store::{Sql, StoreError};

use crate::shared::{publication, rules};
use crate::sm::build;

/// Whose map it is.
#[derive(Clone)]
pub(super) struct Owner {
    pub(super) principal: Principal,
    /// As audit and charging name it.
    pub(super) name: String,
}

impl Owner {
    /// Who creates a map owns it.
    pub(super) fn of(call: &Call) -> Self {
        Self { principal: call.caller.principal(), name: call.ctx.actor().name }
    }
}

/// Everything about a map that the store needs, but the number of its class.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    row: NewMap,
    class: ClassDef,
    draws: Vec<u32>,
}

impl Draft {
    /// The rows of a valid map.
    ///
    /// # Errors
    /// Its coverage cannot be searched, or is too large for what it asks.
    pub(super) fn of(
        map: &SpatialMap,
        (owner, sync): (&Owner, Sync),
        ambient: &Ambient,
        most_m2: f64,
    ) -> Result<Self, Vec<InvalidParam>> {
        let mut kept = map.clone();
        kept.supp_feat = None;
        kept.sm_prof.sync_state = None;
        let profile = &kept.sm_prof;
        let visibility = publication::visibility(sync, profile.visibility);
        let item = rules::item(owner.principal.clone(), visibility, profile.allw_ent.as_ref());
        let period = profile.time_period.as_ref();
        let row = NewMap {
            map_id: profile.map_id.0,
            owner_issuer: owner.principal.issuer.clone(),
            owner_subject: owner.principal.subject.clone(),
            owner_name: owner.name.clone(),
            class_id: 0,
            service_id: kept.svc_id.as_ref().map(|id| id.as_str().to_owned()).unwrap_or_default(),
            body: serde_json::to_string(&kept).map_err(|_| vec![InvalidParam::new("", "cannot be kept")])?,
            start_s: period.map(|period| period.start_time.unix()),
            stop_s: period.map(|period| period.stop_time.unix()),
            layers: profile.map_lyr_list.lyr_list.iter().map(|layer| layer.map_lyr_id.clone()).collect(),
            boxes: build::boxes(&kept, most_m2)?,
            sync,
        };
        Ok(Self { row, class: rules::class_of(&item), draws: rules::draws(ambient) })
    }

    /// The rows, with the number of their class.
    ///
    /// # Errors
    /// The store failed.
    pub(super) async fn classed(mut self, tx: &mut dyn Sql) -> Result<NewMap, StoreError> {
        self.row.class_id = classes::class_of(tx, &self.class, &self.draws).await?;
        Ok(self.row)
    }
}
