//! What the admin interface tells this function (contract, section 5).

use api_types::admin::Position;
use api_types::ids::ValUeId;
use api_types::validate::Validate;
use service_http::refusal::Refusal;
use store::StoreError;
use store::anchors::positions::{self, UePosition};

use super::SmServer;
use crate::shared::input::refused;

impl SmServer {
    /// Sets where the operator saw a VAL UE (`PUT /positions/{valUeId}`).
    ///
    /// # Errors
    /// The position is none; the store failed.
    pub async fn put_position(&self, ue: &ValUeId, position: &Position) -> Result<(), Refusal> {
        position.validate("").map_err(refused)?;
        let at_s = position.at.map_or_else(|| self.kit().ambient.now_s(), |at| at.unix());
        let kept = UePosition { lon: position.lon, lat: position.lat, alt: position.alt, at_s };
        let ue = ue.as_str().to_owned();
        self.store()
            .write(move |tx| Box::pin(async move { positions::put(tx, &ue, &kept).await }))
            .await
            .map_err(|error: StoreError| error.into())
    }

    /// Where the operator last saw a VAL UE.
    ///
    /// # Errors
    /// The store failed.
    pub async fn position(&self, ue: &ValUeId) -> Result<Option<UePosition>, StoreError> {
        let ue = ue.as_str().to_owned();
        self.store().read(move |tx| Box::pin(async move { positions::of_ue(tx, &ue).await })).await
    }
}
