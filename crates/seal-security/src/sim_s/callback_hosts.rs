//! Where a client may be called back, for the functions that send notifications (own interface).
//!
//! A function that runs in another process reads nothing of the SIM-S's records: it asks here, with its certificate.

use api_types::callback::CallbackHosts;
use api_types::ids::ClientId;
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use service_http::refusal::Refusal;
use store::clients;

use super::SimServer;
use super::error::no_store;

/// `GET /clients/{clientId}/callback-hosts`
///
/// # Errors
/// 404: no such client.
pub(crate) async fn callback_hosts(
    State(sim): State<SimServer>,
    Path(client): Path<String>,
) -> Result<Response, Refusal> {
    let absent = || Refusal::open(Reason::NotFound);
    let client_id = ClientId::try_from(client).map_err(|_| absent())?;
    let name = client_id.as_str().to_owned();
    let found = sim.kit().store.read(|tx| Box::pin(async move { clients::find(tx, &name).await })).await?;
    let callback_hosts = found.ok_or_else(absent)?.registration.callback_hosts;
    let mut response = Json(CallbackHosts { client_id, callback_hosts }).into_response();
    no_store(&mut response);
    Ok(response)
}
