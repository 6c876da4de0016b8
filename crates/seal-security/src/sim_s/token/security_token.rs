//! A user's client asks for a security token for a partner SIM-S (RFC 8693; identity sheet 1.8).

use authorization::Reason;
use authorization::claims::SubType;
use service_http::call::Actor;
use service_http::ledger::{self, Permit};
use store::{Sql, users};

use super::mint::ACCESS_TOKEN_TYPE;
use super::{Decided, TokenRequest};
use crate::sim_s::directory::wrong_target;
use crate::sim_s::error::{ErrorCode, OAuthError};
use crate::sim_s::own_token;
use crate::sim_s::partner::security_token::{LIFE_S, SecurityClaims};

/// `issued_token_type` of a security token (RFC 8693 3).
pub(crate) const JWT_TYPE: &str = "urn:ietf:params:oauth:token-type:jwt";

pub(crate) async fn issue(tx: &mut dyn Sql, request: &TokenRequest) -> Result<Decided, OAuthError> {
    let wrong = |reason| OAuthError::new(ErrorCode::InvalidRequest, reason);
    let (form, sim) = (&request.form, &request.sim);
    let client = request.client.record()?;
    let token = form.one("subject_token").ok_or(OAuthError::malformed())?;
    let types = form.one("subject_token_type") == Some(ACCESS_TOKEN_TYPE)
        && form.one("requested_token_type").is_none_or(|wanted| wanted == JWT_TYPE);
    if !types || form.has("actor_token") || form.has("scope") {
        return Err(OAuthError::malformed());
    }
    let targets: Vec<&str> = form.all("resource").chain(form.all("audience")).collect();
    let [target] = targets.as_slice() else { return Err(wrong_target()) };
    let partner = sim.config().partners.iter().find(|partner| partner.is_named(target));
    let partner = partner.ok_or_else(wrong_target)?;

    let own = own_token::read(sim, token, request.now_s).map_err(wrong)?;
    own_token::check_revoked(tx, &own.claims, &own.kid).await?.map_err(wrong)?;
    let claims = own.claims;
    // Nobody exchanges what was issued to somebody else, or what somebody else acts with.
    if claims.client_id != client.client_id || claims.act.is_some() || claims.sub_type != SubType::User {
        return Err(wrong(Reason::HolderWrong));
    }
    let cnf = claims.cnf.clone().ok_or(wrong(Reason::HolderWrong))?;
    let jkt = request.proof.as_ref().map(|proof| proof.jkt.as_str());
    let x5t = request.certificate.as_ref().map(|certificate| certificate.x5t_s256.as_str());
    if cnf.jkt.as_deref() != jkt || (cnf.x5t_s256.is_some() && cnf.x5t_s256.as_deref() != x5t) {
        return Err(wrong(Reason::HolderWrong));
    }
    let user = users::find(tx, &claims.sub).await?.ok_or(wrong(Reason::SubjectWrong))?;
    let security = SecurityClaims {
        iss: sim.config().issuer.clone(),
        sub: sim.subject_at(&partner.issuer, user.user_id.as_str()),
        aud: vec![client.client_id.as_str().to_owned(), partner.issuer.clone()],
        exp: request.now_s.saturating_add(LIFE_S).min(claims.exp.0),
        iat: request.now_s,
        jti: request.jti.clone(),
        acr: None,
        cnf,
    };
    let actor = Actor::user(request.ctx.kit(), &claims.sub, client.client_id.as_str());
    let permit = Permit::new("sim.security_token").object(partner.name.as_str()).units(0);
    ledger::record(tx, &request.ctx, &actor, &permit).await?;
    Ok(Decided::Security(Box::new(security)))
}
