//! What the core function tells of policies that owners keep there: `POST` to a route of ours (own; decision 0076), by the
//! certificate of the core function and nobody else's.

use api_types::capif::resource_auth::{ResourceAuthEvent, ResourceAuthNotification};
use authorization::Reason;
use http::{Method, StatusCode};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use service_http::routes::RouteSpec;

use super::{CoreFunction, Publishing, echo};

/// Where a server takes them.
pub const NOTIFICATIONS: &str = "/capif-resource-auth/v1/notifications";

/// The route, at each server that publishes.
pub(crate) const ROUTE: RouteSpec =
    RouteSpec::mtls(Method::POST, NOTIFICATIONS, "NotifyResourceAuth", &[CertRole::Ccf]);

/// Keeps what an owner has set, before it is answered.
///
/// # Errors
/// `ROUTE_UNKNOWN` where there is no core function; `PEER_REFUSED` for another one; `NOT_OWNER` for another API exposing function.
pub(crate) async fn notified(
    server: &dyn Publishing,
    core: Option<&CoreFunction>,
    ctx: Ctx,
    told: ResourceAuthNotification,
) -> Result<StatusCode, Refusal> {
    let core = core.ok_or_else(|| Refusal::open(Reason::RouteUnknown))?;
    const HOLDER: &str = "the core function at which this server is registered";
    let holder = ctx.peer().and_then(|peer| peer.certificate_as(&[CertRole::Ccf]));
    if holder.is_none_or(|certificate| certificate.name != core.name) {
        ctx.fail("certificate", HOLDER, "another one");
        return Err(Refusal::open(Reason::PeerRefused));
    }
    ctx.pass("certificate", HOLDER, "held");
    const EXPECTED: &str = "that of this server";
    if told.aef_id != core.aef_id {
        ctx.fail("aefId", EXPECTED, "another one");
        return Err(Refusal::open(Reason::NotOwner));
    }
    ctx.pass("aefId", EXPECTED, "held");
    let here = server.object_of(&told.resource_id).is_some();
    server
        .store()
        .write(move |tx| {
            Box::pin(async move {
                if here && told.event == ResourceAuthEvent::Updated {
                    let (version, policies) =
                        (told.policy_version.unwrap_or_default(), told.auth_policies.unwrap_or_default());
                    echo::keep(tx, &told.resource_id, version, policies, ctx.ambient().now_ms()).await?;
                }
                let object = format!("resources/{}", told.resource_id);
                let permit = Permit::new("resource_auth.notified").object(object).status(204).units(0);
                ledger::record(tx, &ctx, &Actor::peer(ctx.peer()), &permit).await?;
                Ok::<_, Refusal>(StatusCode::NO_CONTENT)
            })
        })
        .await
}
