//! `PUT /v1/positions/{valUeId}`: where the operator saw a VAL UE.

use api_types::admin::Position;
use api_types::ids::ValUeId;
use axum::Json;
use axum::extract::{Path, State};
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::refusal::Refusal;
use store::anchors::positions::UePosition;

use super::elsewhere::not_here;
use super::query::refuse;
use super::{Admin, record};

/// The servers of this process that decide by place have it when this is answered.
pub(super) async fn put(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(id): Path<String>,
    JsonBody(position): JsonBody<Position>,
) -> Result<Json<Position>, Refusal> {
    let id = ValUeId::try_from(id).map_err(|_| refuse("valUeId", "is not an identifier"))?;
    if admin.san.is_none() && admin.sm.is_none() {
        return Err(not_here());
    }
    let at = position.at.unwrap_or_else(|| api_types::DateTime::from_unix_ms(admin.kit.ambient.now_ms()));
    let position = Position { val_ue_id: None, at: Some(at), ..position };
    let this = admin.clone();
    let work = async move {
        if let Some(san) = &this.san {
            let (lon, lat, alt) = (position.lon, position.lat, position.alt);
            san.put_position(&id, UePosition { lon, lat, alt, at_s: at.unix() }).await?;
        }
        if let Some(sm) = &this.sm {
            sm.put_position(&id, &position).await?;
        }
        Ok(Position { val_ue_id: Some(id), ..position })
    };
    // The record does not say where: a position is the user's.
    Ok(Json(record::act(&admin, &ctx, ("admin.position.put", "positions"), |_| 200, work).await?))
}
