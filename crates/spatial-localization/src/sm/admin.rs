//! What the admin interface tells this function (contract, section 5).

use api_types::admin::Position;
use api_types::ids::{ClientId, ValUeId};
use api_types::problem::InvalidParam;
use api_types::validate::Validate;
use service_http::egress::Target;
use service_http::refusal::Refusal;
use store::anchors::positions::{self, UePosition};
use store::{StoreError, maps};

use super::SmServer;
use crate::shared::input::refused;

/// Most callback hosts of one client. Own value.
const MAX_HOSTS: usize = 64;

impl SmServer {
    /// Replaces the hosts that a client may be called back at (`callbackHosts`); none drops the client.
    ///
    /// # Errors
    /// A host that is none; the store failed.
    pub async fn put_client_hosts(&self, client: &ClientId, hosts: Vec<String>) -> Result<(), Refusal> {
        if hosts.len() > MAX_HOSTS {
            return Err(refused(vec![InvalidParam::new("/callbackHosts", "has too many elements")]));
        }
        for (n, host) in hosts.iter().enumerate() {
            // A host is registered exactly when a url of it is a target.
            let url = match host.parse::<std::net::Ipv6Addr>() {
                Ok(address) => format!("https://[{address}]/"),
                Err(_) => format!("https://{host}/"),
            };
            if Target::parse(&url, &[host]).is_err() {
                let at = format!("/callbackHosts/{n}");
                return Err(refused(vec![InvalidParam::new(at, "is not a host, or a host and a port")]));
            }
        }
        let client = client.as_str().to_owned();
        self.store()
            .write(move |tx| Box::pin(async move { maps::hosts::put(tx, &client, &hosts).await }))
            .await
            .map_err(|error: StoreError| error.into())
    }

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
