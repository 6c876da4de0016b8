//! From an authenticated user to a code: what of the request the user is entitled to, kept as a new family
//! (TR 33.721 6.1.2, step 2: the SIM-S authorizes the VAL UE for the service).

use std::collections::BTreeSet;

use api_types::ids::{ClientId, ValUeId};
use authorization::Reason;
use jose::sha256;
use serde::{Deserialize, Serialize};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use store::grants::{codes, families};
use store::users::{Profile, UserRecord};
use store::{Sql, clients};

use super::request::AuthorizationRequest;
use crate::sim_s::directory::OPENID;
use crate::sim_s::entitlement::{self, Party};
use crate::sim_s::error::{ErrorCode, OAuthError};
use crate::sim_s::provisioning::membership;
use crate::sim_s::redirect;
use crate::sim_s::world::World;

/// What a user has permitted a client, for as long as the family lives.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Permission {
    /// Scopes.
    pub scopes: BTreeSet<String>,
    /// Servers.
    pub audiences: BTreeSet<String>,
    /// The UE that the user is at.
    pub val_ue_id: Option<ValUeId>,
    /// Nonce of the authentication request.
    pub nonce: Option<String>,
    /// How the user was authenticated.
    pub acr: String,
    /// When.
    pub auth_time_s: i64,
    /// Key that refresh tokens are bound to, once a code was redeemed with one.
    pub jkt: Option<String>,
}

/// What a code is bound to.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CodeBinding {
    /// As in the request, byte for byte.
    pub redirect_uri: String,
    /// PKCE.
    pub code_challenge: String,
    /// DPoP key.
    pub dpop_jkt: Option<String>,
}

/// Who logged in, and when.
#[derive(Clone)]
pub struct Authenticated {
    /// The account.
    pub user: UserRecord,
    /// When the password was given.
    pub auth_time_s: i64,
    /// How.
    pub acr: String,
}

/// Randomness for one grant, drawn before the transaction begins.
#[derive(Clone)]
pub struct Drawn {
    /// The code.
    pub code: String,
    /// Name of the family.
    pub family: String,
}

/// Lifetimes of one grant, in seconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Ends {
    /// Now.
    pub now_s: i64,
    /// Of the code.
    pub code_s: i64,
    /// Of the family.
    pub family_s: i64,
    /// Of the family without use.
    pub idle_s: i64,
}

/// Grants a code. Gives the scopes that the user is entitled to.
///
/// # Errors
/// The client or the UE is not what it was taken for, or the user is entitled to nothing of what was asked.
pub async fn grant(
    tx: &mut dyn Sql,
    ctx: &Ctx,
    request: &AuthorizationRequest,
    who: &Authenticated,
    world: &World,
    drawn: &Drawn,
    ends: Ends,
) -> Result<BTreeSet<String>, OAuthError> {
    let denied = |reason| OAuthError::new(ErrorCode::AccessDenied, reason);
    let client = clients::find(tx, &request.client_id).await?.ok_or(denied(Reason::ClientUnknown))?;
    if !redirect::is_registered(&client.registration.redirect_uris, &request.redirect_uri) {
        return Err(denied(Reason::RedirectWrong));
    }
    let profile = &who.user.profile;
    if request.val_ue_id.as_ref().is_some_and(|ue| !profile.val_ue_ids.contains(ue)) {
        ctx.fail("VAL UE", "bound to the user", "not bound");
        return Err(denied(Reason::SubjectWrong));
    }
    let val_services = membership::of(tx, profile, request.val_ue_id.as_ref()).await?;
    let party = Party::user(&Profile { val_services, ..profile.clone() }, &client);
    let scopes = entitlement::of_user(&request.scopes, &party, world, ends.now_s);
    let asked_for_service = request.scopes.iter().any(|scope| scope != OPENID);
    if asked_for_service && !scopes.iter().any(|scope| scope != OPENID) {
        ctx.fail("entitlement", "a policy permits a service", "none permits");
        return Err(denied(Reason::NotEntitled));
    }
    ctx.pass("entitlement", "policies permit", format!("{} of {}", scopes.len(), request.scopes.len()));
    let taken = |origin: &&String| scopes.iter().any(|scope| world.directory.serves(origin, scope));
    let audiences: BTreeSet<String> = request.audiences.iter().filter(taken).cloned().collect();
    let permission = Permission {
        scopes: scopes.clone(),
        audiences,
        val_ue_id: request.val_ue_id.clone(),
        nonce: request.nonce.clone(),
        acr: who.acr.clone(),
        auth_time_s: who.auth_time_s,
        jkt: None,
    };
    let binding = CodeBinding {
        redirect_uri: request.redirect_uri.clone(),
        code_challenge: request.code_challenge.clone(),
        dpop_jkt: request.dpop_jkt.clone(),
    };
    let text = |value: Result<String, serde_json::Error>| {
        value.map_err(|_| OAuthError::new(ErrorCode::ServerError, Reason::StoreFailed))
    };
    let family = families::Family {
        family: drawn.family.clone(),
        client_id: request.client_id.clone(),
        subject: who.user.user_id.as_str().to_owned(),
        permission: text(serde_json::to_string(&permission))?,
        ends_s: ends.family_s,
        idle_ends_s: ends.idle_s,
        revoked_s: None,
    };
    families::insert(tx, &family).await?;
    let code = codes::Code {
        code_hash: sha256(drawn.code.as_bytes()).to_vec(),
        family: drawn.family.clone(),
        client_id: request.client_id.clone(),
        binding: text(serde_json::to_string(&binding))?,
        expires_s: ends.code_s,
        used_s: None,
    };
    codes::insert(tx, &code).await?;
    let actor = Actor::user(ctx.kit(), who.user.user_id.as_str(), &request.client_id);
    let permit = Permit::new("sim.login").object(object(&client.client_id)).units(0);
    let permit = permit.status(302).policy_version(world.policy_version);
    ledger::record(tx, ctx, &actor, &permit).await?;
    Ok(scopes)
}

/// The object of audit records about a client.
pub(crate) fn object(client: &ClientId) -> String {
    format!("clients/{client}")
}
