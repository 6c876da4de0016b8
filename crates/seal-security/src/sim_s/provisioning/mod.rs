//! What VAL servers tell the SIM-S, and ask it, about who takes part in their VAL services (TS 29.549 `ss-ipp`,
//! `ss-upr`; TS 23.434 12.3.2). Over mutual TLS: the VAL server is who its certificate says (TS 33.434 5.1.1.8).

pub(crate) mod configurations;
pub(crate) mod membership;
pub(crate) mod profiles;

use api_types::admin::ClientKind;
use api_types::ids::ValServiceId;
use authorization::Reason;
use service_http::call::{Actor, Ctx};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::clients::{self, ClientRecord};
use store::{Sql, revocations};

use super::SimServer;

/// The VAL server of the certificate, as it is registered now.
///
/// # Errors
/// It is none, its certificate was revoked, or it asks too often.
async fn val_server(sim: &SimServer, tx: &mut dyn Sql, ctx: &Ctx) -> Result<ClientRecord, Refusal> {
    let refused = |seen: &'static str| {
        ctx.fail("VAL server", "a registered VAL server by its certificate", seen);
        Refusal::open(Reason::PeerRefused)
    };
    let certificate = ctx.peer().and_then(|peer| peer.certificate_as(&[CertRole::Client]));
    let certificate = certificate.ok_or_else(|| refused("no client certificate"))?;
    if revocations::newest(tx, "certificate", &certificate.x5t_s256, &sim.config().issuer).await?.is_some() {
        return Err(refused("a revoked certificate"));
    }
    let client = clients::find(tx, &certificate.name).await?.ok_or_else(|| refused("not registered"))?;
    if client.registration.kind != ClientKind::ValServer.as_str() {
        return Err(refused("another kind of client"));
    }
    ctx.set_actor(Actor::client(client.client_id.as_str()));
    sim.kit().limits.admit_client(&client.client_id, 1)?;
    ctx.pass("VAL server", "a registered VAL server by its certificate", "held");
    Ok(client)
}

/// A VAL server speaks of its own VAL services only.
fn check_service(ctx: &Ctx, client: &ClientRecord, service: &ValServiceId) -> Result<(), Refusal> {
    if client.registration.val_services.contains(service) {
        return Ok(());
    }
    ctx.fail("VAL service", "one that the VAL server is registered for", "another one");
    Err(Refusal::open(Reason::NotOwner))
}
