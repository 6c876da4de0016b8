//! Anchors as lines, page by page: no page is more than a few megabytes, however large anchors are.

use api_types::bulk::{
    AnchorFeature, ExportHeader, FeatureProperties, FeatureType, OwnerKind, OwnerRef, PointGeometry,
    PointType,
};
use api_types::san::SpatialAnchor;
use service_http::kit::FunctionKit;
use service_http::refusal::Refusal;
use store::StoreError;
use store::anchors::{AnchorRow, ListRow, bulk};

use super::super::{SanServer, stored};
use crate::shared::geo_pose;

/// Rows that are read at once. Own value.
const ROWS: u32 = 200;

/// A page ends when it has so many octets. Own value.
const PAGE_OCTETS: usize = 4 * 1024 * 1024;

/// Lines, and where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportPage {
    /// Lines, each with its end.
    pub lines: Vec<u8>,
    /// How many anchors these are.
    pub anchors: u64,
    /// List and label of the last one, when more follow.
    pub next: Option<(String, String)>,
}

impl SanServer {
    /// The first line of an export.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn export_header(&self) -> Result<Vec<u8>, Refusal> {
        let mut line = Vec::new();
        push(&mut line, &ExportHeader::new(self.kit().settings.demo))?;
        Ok(line)
    }

    /// How many anchors there are.
    ///
    /// # Errors
    /// The store failed.
    pub async fn count_anchors(&self) -> Result<u64, Refusal> {
        Ok(self.kit().store.read(|tx| Box::pin(async move { bulk::count(tx).await })).await?)
    }

    /// At most `limit` anchors beyond a list and label, in the order of lists and labels.
    ///
    /// # Errors
    /// The store failed; a record is damaged.
    pub async fn export_page(
        &self,
        after: Option<(String, String)>,
        limit: u32,
    ) -> Result<ExportPage, Refusal> {
        let mut page = ExportPage { lines: Vec::new(), anchors: 0, next: after };
        loop {
            let left = limit.saturating_sub(u32::try_from(page.anchors).unwrap_or(limit)).min(ROWS);
            let after = page.next.clone();
            let rows = self.kit().store.read(move |tx| {
                Box::pin(async move {
                    let after = after.as_ref().map(|(list, label)| (list.as_str(), label.as_str()));
                    bulk::page(tx, after, left).await
                })
            });
            let rows = rows.await?;
            let ended = rows.len() < left as usize;
            for (list, row) in rows {
                let place = (list.list_id.clone(), row.label.clone());
                push(&mut page.lines, &feature(self.kit(), list, row)?)?;
                page.anchors += 1;
                page.next = Some(place);
                if page.lines.len() >= PAGE_OCTETS {
                    return Ok(page);
                }
            }
            if ended {
                return Ok(ExportPage { next: None, ..page });
            }
            if page.anchors >= u64::from(limit) {
                return Ok(page);
            }
        }
    }
}

fn push(lines: &mut Vec<u8>, value: &impl serde::Serialize) -> Result<(), StoreError> {
    serde_json::to_writer(&mut *lines, value)
        .map_err(|_| StoreError::Damaged("an anchor cannot be written"))?;
    lines.push(b'\n');
    Ok(())
}

fn feature(kit: &FunctionKit, list: ListRow, row: AnchorRow) -> Result<AnchorFeature, StoreError> {
    let anchor: SpatialAnchor = stored::parsed(&row.body)?;
    let geopose = geo_pose::of_anchor(&anchor);
    let point = |lon, lat, h: Option<f64>| PointGeometry {
        type_: PointType::Point,
        coordinates: [Some(lon), Some(lat), h].into_iter().flatten().collect(),
    };
    let geometry = geopose
        .map(|pose| point(pose.position.lon, pose.position.lat, Some(pose.position.h)))
        .or_else(|| row.at.map(|(lon, lat)| point(lon, lat, None)));
    // A client is named as it is; a user is never (design, section 2).
    let kind = if list.owner_name == list.owner_subject { OwnerKind::Client } else { OwnerKind::User };
    let owner = OwnerRef { issuer: Some(list.owner_issuer), subject: list.owner_subject, kind };
    let properties = FeatureProperties {
        geopose,
        name: None,
        list: Some(list.list_id),
        label: Some(row.label),
        incarnation: Some(row.incarnation.to_string()),
        list_incarnation: Some(list.incarnation.to_string()),
        owner: Some(owner),
        val_serv_info: Some(stored::parsed(&list.serv_info)?),
        anchor: Some(SpatialAnchor { anchor_id: None, ..anchor }),
        demo: kit.settings.demo,
    };
    Ok(AnchorFeature {
        type_: FeatureType::Feature,
        id: Some(api_types::ids::SpatialAnchorId(row.anchor_id)),
        geometry,
        properties,
    })
}
