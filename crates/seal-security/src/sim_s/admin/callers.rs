//! Who somebody would be at a server, if a token were issued now (decision 0011).

use std::collections::BTreeSet;

use api_types::ids::{ClientId, UserId, ValUeId};
use authorization::{Caller, CallerKind, ScopeSet};
use service_http::refusal::Refusal;
use store::{StoreError, clients, revocations, users};

use super::not_found;
use crate::sim_s::SimServer;
use crate::sim_s::directory::{Directory, scope_text};
use crate::sim_s::entitlement::{self, Party};
use crate::sim_s::world::World;

/// Somebody who may ask for a token.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// The client.
    pub client: &'a ClientId,
    /// The user who has logged in there; `None`: the client for itself.
    pub user: Option<&'a UserId>,
    /// The UE that the user is at.
    pub ue: Option<&'a ValUeId>,
}

impl SimServer {
    /// The caller that a token for `scope` would make of somebody; `None` when no such token would be issued.
    ///
    /// # Errors
    /// 404 for a client or user that is not there, or a UE that is not the user's; the store fails.
    pub async fn caller_for(&self, asked: &Asked<'_>, scope: &str) -> Result<Option<Caller>, Refusal> {
        let servers = self.config().servers.clone();
        let (client_id, user_id) = (asked.client.clone(), asked.user.cloned());
        let read = self.kit().store.read(move |tx| {
            Box::pin(async move {
                let client = clients::find(tx, client_id.as_str()).await?;
                let user = match &user_id {
                    Some(user) => Some(users::find(tx, user.as_str()).await?),
                    None => None,
                };
                let (world, rev) = (World::read(tx, &servers).await?, revocations::epoch(tx).await?);
                Ok::<_, StoreError>((client, user, world, rev))
            })
        });
        let (client, user, world, rev) = read.await?;
        let client = client.ok_or_else(not_found)?;
        let user = user.map(|user| user.ok_or_else(not_found)).transpose()?;
        let wanted = BTreeSet::from([scope.to_owned()]);
        let may_ask = Directory::registered(&client.registration.scopes).contains(scope);
        let now_s = self.now_s();
        let (party, scopes) = match &user {
            Some(user) => {
                if asked.ue.is_some_and(|ue| !user.profile.val_ue_ids.contains(ue)) {
                    return Err(not_found());
                }
                let party = Party::user(&user.profile, &client);
                let scopes = entitlement::of_user(&wanted, &party, &world, now_s);
                (party, scopes)
            }
            None => {
                let party = Party::client(&client);
                let scopes = entitlement::of_client(&wanted, &party, &world, now_s);
                (party, scopes)
            }
        };
        if !may_ask || scopes.is_empty() {
            return Ok(None);
        }
        let profile = user.as_ref().map(|user| &user.profile);
        let subject = user.as_ref().map_or(client.client_id.as_str(), |user| user.user_id.as_str());
        Ok(Some(Caller {
            issuer: self.config().issuer.clone(),
            subject: subject.to_owned(),
            client_id: client.client_id.clone(),
            kind: if user.is_some() { CallerKind::ValClient } else { CallerKind::ValServer },
            user: profile.map(|profile| profile.val_user_id.clone()),
            ue: asked.ue.cloned().filter(|_| user.is_some()),
            gpsi: profile.and_then(|profile| profile.gpsi.clone()),
            ext_id: profile.and_then(|profile| profile.external_id.clone()),
            val_services: party.val_services.into_iter().collect(),
            scopes: ScopeSet::parse(&scope_text(&scopes)).map_err(Refusal::open)?,
            // No token stands behind it: it can look, and nothing can be granted to it.
            jti: String::new(),
            rev,
            exp: now_s,
            kid: String::new(),
            x5t: None,
            actor: None,
        }))
    }
}
