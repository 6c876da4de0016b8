//! A function that was handed a token asks for one of its own, to go on for the same subject (RFC 8693).
//!
//! Only functions of this system may: the token was issued for that function, the new one is bound to its certificate,
//! names it in `act`, and holds what policy gives the subject, by way of its client, at the other server (design section 5,
//! SY-*).

use std::collections::BTreeSet;

use api_types::Function;
use api_types::ids::ClientId;
use authorization::Reason;
use authorization::claims::{Actor, SubType};
use store::{Sql, clients, revocations};

use super::mint::{ACCESS_TOKEN_TYPE, Binding, Issued, Login, Mint, Subject};
use super::narrow::{Permitted, Target, narrow};
use super::{Decided, TokenRequest, security_token};
use crate::sim_s::directory::{ADMIN, CONSOLE, Directory, OPENID, wrong_target};
use crate::sim_s::entitlement::{self, Party};
use crate::sim_s::error::{ErrorCode, OAuthError};
use crate::sim_s::own_token;
use crate::sim_s::provisioning::membership;
use crate::sim_s::world::World;

pub(crate) async fn exchange(tx: &mut dyn Sql, request: &TokenRequest) -> Result<Decided, OAuthError> {
    let (form, config) = (&request.form, request.sim.config());
    let wrong = |reason| OAuthError::new(ErrorCode::InvalidRequest, reason);
    let Some(function) = request.client.function() else {
        // A user's own client asks for nothing but a security token for a partner, where there is one.
        if config.partners.is_empty() {
            return Err(OAuthError::new(ErrorCode::UnauthorizedClient, Reason::GrantWrong));
        }
        return security_token::issue(tx, request).await;
    };
    let token = form.one("subject_token").ok_or(OAuthError::malformed())?;
    let types = form.one("subject_token_type") == Some(ACCESS_TOKEN_TYPE)
        && form.one("requested_token_type").is_none_or(|wanted| wanted == ACCESS_TOKEN_TYPE);
    if !types || form.has("actor_token") || form.has("audience") {
        return Err(OAuthError::malformed());
    }
    let world = World::read(tx, &config.servers).await?;
    let role: Function = function.parse().map_err(|_| wrong(Reason::AudienceWrong))?;
    let own = world.directory.origin_of(role).ok_or_else(wrong_target)?.to_owned();
    let claims = own_token::read(&request.sim, token, request.now_s).map_err(wrong)?;
    own_token::check_revoked(tx, &claims.claims, &claims.kid).await?.map_err(wrong)?;
    let claims = claims.claims;
    if claims.aud.one() != Some(own.as_str()) {
        return Err(wrong(Reason::AudienceWrong));
    }
    // One function after another (two at most, identity sheet 1.8) only behind the facade, which hands on what it was
    // asked for: a map with the anchors of its reader (FFS-20).
    if claims.act.as_ref().is_some_and(|act| act.sub != Function::Lm.as_str() || act.act.is_some()) {
        return Err(wrong(Reason::GrantWrong));
    }
    let by_client = claims.by_client.clone().unwrap_or_else(|| claims.client_id.clone());
    let client = clients::find(tx, by_client.as_str()).await?.ok_or(wrong(Reason::ClientUnknown))?;
    let user = match claims.sub_type {
        SubType::User => {
            let user = membership::find_user(tx, &claims.sub, claims.val_ue_id.as_ref()).await?;
            Some(user.ok_or(wrong(Reason::SubjectWrong))?)
        }
        SubType::Client => None,
    };
    let (party, by_permit) = match &user {
        Some(user) => (Party::user(&user.profile, &client), true),
        None => (Party::client(&client), false),
    };
    let all: BTreeSet<String> = world.directory.scopes();
    let rights = if by_permit {
        entitlement::of_user(&all, &party, &world, request.now_s)
    } else {
        entitlement::of_client(&all, &party, &world, request.now_s)
    };
    // What the client could not ask for itself, nobody gets in its name.
    let registered = Directory::registered(&client.registration.scopes);
    // The facade goes on with what the token in hand opens; a server that asks another one asks for something else.
    let facade = role == Function::Lm;
    // In an operator's name only the console goes on to `admin`.
    let operators = |scope: &str| [ADMIN, CONSOLE].contains(&scope);
    let kept = |scope: &String| {
        let may = role == Function::Console || !operators(scope);
        may && scope != OPENID && registered.contains(scope) && (!facade || claims.scope.covers(scope))
    };
    let rights: BTreeSet<String> = rights.into_iter().filter(kept).collect();
    let permitted = Permitted { scopes: &rights, audiences: None, issuer: &config.issuer };
    let resources = request.resources();
    if resources.len() != 1 {
        return Err(wrong_target());
    }
    let target: Target = narrow(form.one("scope"), &resources, permitted, &world.directory)?;
    if target.audience == own {
        return Err(wrong_target());
    }
    let binding = Binding::of(None, request.certificate.as_ref(), false)?;
    let function_id = ClientId::try_from(function).map_err(|_| OAuthError::client())?;
    let mint = Mint {
        config,
        client_id: &function_id,
        subject: match &user {
            Some(user) => Subject::User(user.user_id.as_str(), &user.profile),
            None => Subject::Client,
        },
        val_ue_id: claims.val_ue_id.as_ref(),
        val_services: party.val_services.iter().cloned().collect(),
        target: &target,
        binding: &binding,
        // The login stays the one that the user made, however often a token is exchanged (RFC 9470 5).
        login: claims.auth_time.and_then(|at| {
            let acr = claims.acr.as_deref().unwrap_or_default();
            Login::for_operators(&target, &world.directory, at.0, acr)
        }),
        act: Some(Actor { sub: function.to_owned(), act: claims.act.map(Box::new) }),
        jti: &request.jti,
        rev: revocations::epoch(tx).await?,
        now_s: request.now_s,
        not_after_s: claims.exp.0,
    };
    let mut access = mint.access()?;
    access.sub = claims.sub;
    access.by_client = Some(by_client);
    let issued = Issued {
        access,
        id: None,
        refresh: None,
        token_type: binding.token_type(),
        issued_token_type: Some(ACCESS_TOKEN_TYPE),
    };
    request.keep(tx, &issued, None, world.policy_version).await?;
    Ok(Decided::Issued(Box::new(issued)))
}
