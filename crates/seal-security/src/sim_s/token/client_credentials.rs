//! A client asks for itself (RFC 6749 4.4): VAL servers and XR application servers.

use std::collections::BTreeSet;

use authorization::Reason;
use store::Sql;

use super::mint::{Issued, Mint, Subject};
use super::narrow::{Permitted, Target, narrow};
use super::{Decided, TokenRequest};
use crate::sim_s::directory::{OPENID, wrong_scope};
use crate::sim_s::entitlement::{self, Party};
use crate::sim_s::error::{ErrorCode, OAuthError};

/// The kind of client that has a user and no rights of its own.
const USER_CLIENT: &str = "sim_c";

pub(crate) async fn issue(tx: &mut dyn Sql, request: &TokenRequest) -> Result<Decided, OAuthError> {
    let config = request.sim.config();
    let client = request.client.record()?;
    if client.registration.kind == USER_CLIENT {
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, Reason::GrantWrong));
    }
    let scope = request.form.one("scope").ok_or_else(wrong_scope)?;
    let world = request.sim.world(tx).await?;
    let asked = world.directory.read_scope(scope, &client.registration.scopes)?;
    if asked.contains(OPENID) {
        return Err(wrong_scope());
    }
    let permitted = Permitted { scopes: &asked, audiences: None, issuer: &config.issuer };
    let target = narrow(Some(scope), &request.resources(), permitted, &world.directory)?;
    let party = Party::client(client);
    let scopes: BTreeSet<String> = entitlement::of_client(&target.scopes, &party, &world, request.now_s);
    if scopes.is_empty() {
        request.ctx.fail("entitlement", "no policy denies", "denied");
        return Err(OAuthError::new(ErrorCode::AccessDenied, Reason::NotEntitled));
    }
    let target = Target { scopes, ..target };
    let binding = request.binding()?;
    let mint = Mint {
        config,
        client_id: &client.client_id,
        subject: Subject::Client,
        val_ue_id: None,
        val_services: party.val_services.into_iter().collect(),
        target: &target,
        binding: &binding,
        act: None,
        login: None,
        jti: &request.jti,
        rev: request.sim.epoch(tx).await?,
        now_s: request.now_s,
        not_after_s: i64::MAX,
    };
    let issued = Issued {
        access: mint.access()?,
        id: None,
        refresh: None,
        token_type: binding.token_type(),
        issued_token_type: None,
    };
    request.keep(tx, &issued, None, world.policy_version).await?;
    Ok(Decided::Issued(Box::new(issued)))
}
