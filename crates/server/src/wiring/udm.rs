//! The UDM of this process.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result};
use api_types::function::Function;
use operator_core::udm::UdmServer;
use service_http::kit::FunctionKit;
use tokio::task::JoinHandle;

use super::function::Common;

/// Time between two looks for subscriptions that are over. Own value.
const SWEEP: Duration = Duration::from_secs(60);

/// The UDM, ready to be asked.
pub(super) async fn udm_server(
    common: &Common<'_>,
    urls: &BTreeMap<String, String>,
) -> Result<(UdmServer, FunctionKit)> {
    let origin = urls.get("udm").context("the udm listener")?;
    let kit = common.kit(Function::Udm, origin, None, Vec::new()).await?;
    let udm = UdmServer::new(kit.clone());
    udm.start();
    Ok((udm, kit))
}

/// The forgetting of subscriptions that are over.
pub(super) fn keep_up(udm: UdmServer) -> JoinHandle<()> {
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(SWEEP).await;
            if let Err(error) = udm.maintain().await {
                tracing::error!(%error, "upkeep of the UDM failed; it is tried again");
            }
        }
    })
}
