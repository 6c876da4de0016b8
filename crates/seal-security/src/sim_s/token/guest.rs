//! A security token of a partner is redeemed (RFC 7523 2.1; identity sheet 1.8): the partner says who it is, the rules
//! here say what for.

use authorization::Reason;
use authorization::token::LEEWAY_S;
use store::{Sql, once, revocations};

use super::mint::{Issued, Mint, Subject};
use super::narrow::{Permitted, Target, narrow};
use super::{Decided, TokenRequest};
use crate::sim_s::directory::{OPENID, wrong_scope};
use crate::sim_s::entitlement;
use crate::sim_s::error::{ErrorCode, OAuthError};
use crate::sim_s::partner::security_token::{ONCE, Vouched};
use crate::sim_s::world::World;

/// `grant_type` of RFC 7523.
pub(crate) const JWT_BEARER: &str = "urn:ietf:params:oauth:grant-type:jwt-bearer";

pub(crate) async fn issue(tx: &mut dyn Sql, request: &TokenRequest) -> Result<Decided, OAuthError> {
    let wrong = |reason| OAuthError::new(ErrorCode::InvalidGrant, reason);
    let config = request.sim.config();
    let client = request.client.record()?;
    let Vouched { partner, claims } = request.vouched.as_ref().ok_or(OAuthError::malformed())?;
    if !claims.aud.iter().any(|audience| audience == client.client_id.as_str()) {
        return Err(wrong(Reason::AudienceWrong));
    }
    // The key that the home operator has seen is the one that the new token is bound to.
    let jkt = request.proof.as_ref().map(|proof| proof.jkt.as_str());
    let x5t = request.certificate.as_ref().map(|certificate| certificate.x5t_s256.as_str());
    let held = match (&claims.cnf.jkt, &claims.cnf.x5t_s256) {
        (Some(bound), None) => jkt == Some(bound.as_str()),
        (None, Some(bound)) => x5t == Some(bound.as_str()),
        _ => false,
    };
    if !held {
        return Err(wrong(Reason::HolderWrong));
    }
    let value = format!("{} {}", claims.iss, claims.jti);
    if !once::consume(tx, ONCE, &value, claims.exp.saturating_add(LEEWAY_S + 1)).await? {
        return Err(wrong(Reason::Replayed));
    }
    let guest = partner.guest(&claims.sub)?;
    let party = guest.party(client);
    let scope = request.form.one("scope").ok_or_else(wrong_scope)?;
    let world = World::read(tx, &config.servers).await?;
    let asked = world.directory.read_scope(scope, &client.registration.scopes)?;
    if asked.contains(OPENID) {
        return Err(wrong_scope());
    }
    let permitted = Permitted { scopes: &asked, audiences: None, issuer: &config.issuer };
    let target = narrow(Some(scope), &request.resources(), permitted, &world.directory)?;
    let scopes = entitlement::of_user(&target.scopes, &party, &world, request.now_s);
    if scopes.is_empty() {
        request.ctx.fail(
            "entitlement",
            "a policy permits the service to the partner's users",
            "none permits",
        );
        return Err(OAuthError::new(ErrorCode::AccessDenied, Reason::NotEntitled));
    }
    let target = Target { scopes, ..target };
    let binding = request.binding()?;
    let mint = Mint {
        config,
        client_id: &client.client_id,
        subject: Subject::User(&guest.name, &guest.profile),
        val_ue_id: None,
        val_services: party.val_services.into_iter().collect(),
        target: &target,
        binding: &binding,
        act: None,
        // A partner's users are no operators here.
        login: None,
        jti: &request.jti,
        rev: revocations::epoch(tx).await?,
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
