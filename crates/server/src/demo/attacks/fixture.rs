//! Anchors and a map of `vs-1` that others may not see, made for the attacks and taken away after them.

use anyhow::{Context, Result};
use api_types::ids::{AnchorsListId, SpatialMapId};
use bytes::Bytes;
use sdk::{SanClient, SmClient};
use serde_json::{Value, json};

use crate::demo::campus::{self, SERVICES};
use crate::demo::{Sample, glb};

/// Things that are there and hidden.
pub(super) struct Hidden {
    san: SanClient,
    sm: SmClient,
    /// One anchor, private.
    pub(super) private: AnchorsListId,
    /// Number of that anchor.
    pub(super) anchor: u32,
    /// One anchor, for bob alone.
    pub(super) restricted: AnchorsListId,
    /// One anchor for everybody, in a period that is over.
    pub(super) over: AnchorsListId,
    /// A map without rules, with a payload.
    pub(super) map: SpatialMapId,
}

impl Hidden {
    pub(super) async fn make(sample: &Sample) -> Result<Self> {
        let (san, sm) = owner(sample, "vs-1").await?;
        let (private, anchor) = list(&san, |anchor| anchor["visibility"] = json!("PRIVATE")).await?;
        let (restricted, _) = list(&san, |anchor| {
            anchor["visibility"] = json!("RESTRICTED");
            let bob = sample.users.get("bob").map(|bob| bob["valUserId"].clone()).unwrap_or_default();
            anchor["rules"] = json!({ "allowedEntities": [{ "type": "VAL_CLIENT", "identifier": bob }] });
        })
        .await?;
        let (over, _) = list(&san, |anchor| {
            anchor["timePeriod"] =
                json!({ "startTime": "2020-01-01T00:00:00Z", "stopTime": "2020-12-31T00:00:00Z" });
        })
        .await?;
        let mut wanted = campus::map(&SERVICES[0]);
        wanted["mapInf"].as_object_mut().context("no map")?.remove("allwEnt");
        let map = sm.create_map(&serde_json::from_value(wanted)?).await.context("hidden map")?.id();
        sm.put_content(map, "model/gltf-binary", Bytes::from(glb::floor_plan("hidden", 10)), None).await?;
        Ok(Self { san, sm, private, anchor, restricted, over, map })
    }

    pub(super) async fn remove(self) -> Result<()> {
        for id in [&self.private, &self.restricted, &self.over] {
            self.san.delete_list(id, None).await?;
        }
        Ok(self.sm.delete_map(self.map, None).await?)
    }
}

/// The clients of a VAL server, for everything.
pub(super) async fn owner(sample: &Sample, id: &str) -> Result<(SanClient, SmClient)> {
    let https = sample.https(id, None)?;
    let credential = sample.val_server(id, "san", "3gpp:seal:san").await?;
    let san = SanClient::new(https.clone(), sample.url("san")?, credential)?;
    let credential = sample.val_server(id, "sm", "3gpp:seal:sm").await?;
    Ok((san, SmClient::new(https, sample.url("sm")?, credential)?))
}

/// A list of one anchor for everybody, as the campus has them.
pub(super) fn one_anchor() -> Value {
    let mut list = campus::lists(&SERVICES[0]).remove(0);
    if let Some(anchors) = list["anchors"].as_object_mut() {
        anchors.retain(|label, _| label == "a000");
    }
    list
}

async fn list(san: &SanClient, change: impl FnOnce(&mut Value)) -> Result<(AnchorsListId, u32)> {
    let mut list = one_anchor();
    change(&mut list["anchors"]["a000"]);
    let created = san.create_list(&serde_json::from_value(list)?).await.context("hidden list")?;
    let anchor = created.value.anchors.values().find_map(|anchor| anchor.anchor_id).context("no anchor")?;
    Ok((created.id, anchor.0))
}
