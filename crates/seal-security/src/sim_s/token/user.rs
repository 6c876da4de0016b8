//! What code and refresh token have in common: a token of a user's grant, decided anew by account and policy each time.

use authorization::Reason;
use store::grants::families::Family;
use store::{Sql, revocations};

use super::TokenRequest;
use super::mint::{IdClaims, Issued, Login, Mint, Subject};
use super::narrow::{Permitted, Target, narrow};
use crate::sim_s::authorize::grant::Permission;
use crate::sim_s::directory::{Directory, OPENID};
use crate::sim_s::entitlement::{self, Party};
use crate::sim_s::error::{ErrorCode, OAuthError};
use crate::sim_s::passkey::ACR_PASSKEY;
use crate::sim_s::provisioning::membership;
use crate::sim_s::world::World;

/// The parameters that a token of a grant may be narrowed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Narrowing {
    /// Only `resource`: `scope` is no parameter of a code (RFC 6749 4.1.3).
    Resource,
    /// `scope` and `resource` (RFC 6749 6, RFC 8707 2.2).
    ScopeAndResource,
}

/// Issues a token of the grant `family`, without a refresh token.
pub(crate) async fn issue(
    tx: &mut dyn Sql,
    request: &TokenRequest,
    family: &Family,
    permission: &Permission,
    narrowing: Narrowing,
) -> Result<Issued, OAuthError> {
    let config = request.sim.config();
    let client = request.client.record()?;
    let ue = permission.val_ue_id.as_ref();
    let user = membership::find_user(tx, &family.subject, ue).await?.ok_or(OAuthError::grant())?;
    // A grant outlives a change of the account; a UE that was taken from the user is not named any more.
    if permission.val_ue_id.as_ref().is_some_and(|ue| !user.profile.val_ue_ids.contains(ue)) {
        request.ctx.fail("VAL UE", "bound to the user", "no longer bound");
        return Err(OAuthError::new(ErrorCode::InvalidGrant, Reason::SubjectWrong));
    }
    let world = World::read(tx, &config.servers).await?;
    // What the client may have now, of what the user has permitted then.
    let mut scopes = permission.scopes.clone();
    let registered = Directory::registered(&client.registration.scopes);
    scopes.retain(|scope| scope == OPENID || registered.contains(scope));
    let permitted =
        Permitted { scopes: &scopes, audiences: Some(&permission.audiences), issuer: &config.issuer };
    let scope = match narrowing {
        Narrowing::Resource => None,
        Narrowing::ScopeAndResource => request.form.one("scope"),
    };
    let target = narrow(scope, &request.resources(), permitted, &world.directory)?;
    let target = still_entitled(request, target, &Party::user(&user.profile, client), &world)?;
    let binding = request.binding()?;
    let val_services = Party::user(&user.profile, client).val_services.into_iter().collect::<Vec<_>>();
    let mint = Mint {
        config,
        client_id: &client.client_id,
        subject: Subject::User(user.user_id.as_str(), &user.profile),
        val_ue_id: permission.val_ue_id.as_ref(),
        val_services: val_services.clone(),
        target: &target,
        binding: &binding,
        act: None,
        login: Login::for_operators(
            &target,
            &world.directory,
            permission.auth_time_s,
            permission.acr.as_str(),
        ),
        jti: &request.jti,
        rev: revocations::epoch(tx).await?,
        now_s: request.now_s,
        not_after_s: i64::MAX,
    };
    let access = mint.access()?;
    let pairwise = client.registration.subject_type == "pairwise";
    let id = target.scopes.contains(OPENID).then(|| IdClaims {
        iss: config.issuer.clone(),
        sub: request.sim.subject_for(client, user.user_id.as_str()),
        aud: client.client_id.as_str().to_owned(),
        exp: request.now_s.saturating_add(config.id_token_s),
        iat: request.now_s,
        nonce: permission.nonce.clone(),
        auth_time: permission.auth_time_s,
        acr: permission.acr.clone(),
        amr: methods(&permission.acr),
        at_hash: None,
        val_user_id: (!pairwise).then(|| user.profile.val_user_id.as_str().to_owned()),
        val_service_id: val_services,
    });
    let issued =
        Issued { access, id, refresh: None, token_type: binding.token_type(), issued_token_type: None };
    request.keep(tx, &issued, Some(&family.family), world.policy_version).await?;
    Ok(issued)
}

/// By what the user was authenticated (RFC 8176 2): a passkey is something that one has, unlocked by its user.
fn methods(acr: &str) -> Vec<&'static str> {
    if acr == ACR_PASSKEY { vec!["mfa", "user"] } else { vec!["pwd"] }
}

/// Takes away what the user is no longer entitled to.
fn still_entitled(
    request: &TokenRequest,
    target: Target,
    party: &Party,
    world: &World,
) -> Result<Target, OAuthError> {
    let scopes = entitlement::of_user(&target.scopes, party, world, request.now_s);
    let is_service = |scope: &String| scope != OPENID;
    if target.scopes.iter().any(is_service) && !scopes.iter().any(is_service) {
        request.ctx.fail("entitlement", "a policy permits the service", "none permits");
        return Err(OAuthError::new(ErrorCode::InvalidGrant, Reason::NotEntitled));
    }
    Ok(Target { scopes, ..target })
}
