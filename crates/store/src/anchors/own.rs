//! The anchors of one owner: no permission is asked for what is one's own.

use crate::anchors::discovery::{self, Found};
use crate::anchors::records;
use crate::spatial_index::GeoBox;
use crate::sql::placeholders;
use crate::{Sql, StoreError, Value};

/// What is searched. All filters that are given must hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Own {
    /// As in `AnchorRow::owner_key`.
    pub owner_key: String,
    /// Boxes, any of which must hold the place.
    pub boxes: Option<Vec<GeoBox>>,
    /// Identifiers, any of which is meant.
    pub anchor_ids: Option<Vec<u32>>,
    /// VAL service of the list.
    pub service_id: Option<String>,
    /// Most rows.
    pub limit: u32,
}

/// The anchors that the filter finds, by identifier; inactive ones too.
///
/// # Errors
/// The engine failed; a record is damaged.
pub async fn find(tx: &mut dyn Sql, filter: &Own) -> Result<Vec<Found>, StoreError> {
    let empty = filter.anchor_ids.as_ref().is_some_and(Vec::is_empty)
        || filter.boxes.as_ref().is_some_and(Vec::is_empty);
    if empty {
        return Ok(Vec::new());
    }
    let mut params = vec![Value::from(&filter.owner_key)];
    let mut conditions = String::new();
    if let Some(ids) = &filter.anchor_ids {
        let ids = placeholders(&mut params, ids.iter().map(|id| Value::from(*id)));
        conditions.push_str(&format!(" and a.anchor_id in ({ids})"));
    }
    if let Some(service_id) = &filter.service_id {
        let service = placeholders(&mut params, std::iter::once(Value::from(service_id)));
        conditions.push_str(&format!(" and a.service_id = {service}"));
    }
    if let Some(boxes) = &filter.boxes {
        let mut any = Vec::with_capacity(boxes.len());
        for GeoBox { min_lon, min_lat, max_lon, max_lat } in boxes {
            params.extend([min_lon, max_lon, min_lat, max_lat].map(|edge| Value::Real(*edge)));
            let last = params.len();
            any.push(format!(
                "(a.lon between ${} and ${} and a.lat between ${} and ${last})",
                last - 3,
                last - 2,
                last - 1
            ));
        }
        conditions.push_str(&format!(" and ({})", any.join(" or ")));
    }
    params.push(filter.limit.into());
    let (columns, limit) = (records::COLUMNS, params.len());
    let sql = format!(
        "select {columns}, l.serv_info, l.owner_issuer, l.owner_subject, l.owner_name, 1 \
         from anchor a join anchors_list l on l.list_id = a.list_id \
         where a.owner_key = $1{conditions} order by a.anchor_id limit ${limit}"
    );
    tx.query(&sql, &params).await?.iter().map(discovery::found_of).collect()
}
