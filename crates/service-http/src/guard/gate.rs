//! The guard of one route.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use api_types::secret::Secret;
use authorization::subject::{self, Named};
use authorization::{Caller, CallerKind, Reason};
use axum::extract::OriginalUri;
use http::request::Parts;

use super::credentials::refuse_asserted_identity;
use super::{Credentials, added_scope, capif, holder, operator};
use crate::call::{Actor, Call, Ctx, Session};
use crate::kit::FunctionKit;
use crate::peer::{CertRole, Peer};
use crate::refusal::{Challenge, ChallengeScheme, Refusal};
use crate::routes::{RouteAuth, RouteSpec};

struct Gate<'g> {
    kit: &'g FunctionKit,
    spec: &'static RouteSpec,
}

/// Decides the stages up to `operation`; the first refusal ends the request. What was let through is an extension.
pub(crate) async fn guard(
    kit: &FunctionKit,
    spec: &'static RouteSpec,
    parts: &mut Parts,
) -> Result<(), Refusal> {
    let gate = Gate { kit, spec };
    // Without the recording layer nothing would be audited: nothing is served.
    let Some(ctx) = parts.extensions.get::<Ctx>().cloned() else {
        return Err(Refusal::open(Reason::StoreFailed));
    };
    ctx.set_route(spec);
    let call = match spec.auth {
        RouteAuth::Public => {
            refuse_asserted_identity(&parts.headers)?;
            None
        }
        RouteAuth::Mtls(roles) if spec.operators && ctx.peer().is_some_and(Peer::is_console) => {
            let call = gate.token(&ctx, parts).await?;
            operator::check(&ctx, &call, spec, roles)?;
            Some(call)
        }
        RouteAuth::Mtls(roles) => {
            gate.mutual(&ctx, roles)?;
            None
        }
        RouteAuth::Token => Some(gate.token(&ctx, parts).await?),
    };
    if let Some(call) = call {
        parts.extensions.insert(call);
    }
    Ok(())
}

impl Gate<'_> {
    fn mutual(&self, ctx: &Ctx, roles: &[CertRole]) -> Result<(), Refusal> {
        match ctx.peer().and_then(|peer| peer.certificate_as(roles)) {
            Some(certificate) => {
                ctx.pass("transport", names(roles), certificate.role.as_str());
                Ok(())
            }
            None => {
                ctx.fail("transport", names(roles), "no certificate of these roles");
                Err(Refusal::open(Reason::PeerRefused))
            }
        }
    }

    async fn token(&self, ctx: &Ctx, parts: &Parts) -> Result<Call, Refusal> {
        // admission
        let credentials = Credentials::of(parts).map_err(|refusal| {
            ctx.fail("admission", "one access token in the Authorization header", refusal.reason.as_str());
            refusal.challenged(self.challenge(None))
        })?;
        let refuse = |reason: Reason| {
            // Whoever fails with a proof is told how proofs are made; else both ways are offered.
            let proof = matches!(reason, Reason::DpopInvalid | Reason::DpopNonceWanted);
            Refusal::open(reason).challenged(self.challenge(proof.then_some(ChallengeScheme::Dpop)))
        };

        // transport: a `notifier` may only notify, an admin certificate belongs to another listener.
        let certificate = ctx.peer().and_then(|peer| peer.certificate.as_ref());
        let role = certificate.map(|certificate| certificate.role);
        let may_call = |role| matches!(role, CertRole::Client | CertRole::Function | CertRole::Invoker);
        if role.is_some_and(|role| !may_call(role)) {
            ctx.fail("transport", "a client, API invoker or function certificate, or none", "another role");
            return Err(refuse(Reason::PeerRefused));
        }

        // token
        let verifier = self.kit.verifier.as_ref().ok_or_else(|| refuse(Reason::IssuerUnreachable))?;
        let token = verifier.verify(credentials.token, |check| ctx.push(check)).await.map_err(refuse)?;
        capif::check_mode(self.kit, ctx, self.spec, token.issuer(), role).map_err(refuse)?;
        let claims = token.claims();

        // holder
        let path = parts.extensions.get::<OriginalUri>().map_or(parts.uri.path(), |uri| uri.0.path());
        let proof = holder::check(ctx, parts, path, &credentials, claims).map_err(refuse)?;
        if token.issuer().capif {
            capif::check_subject(ctx, claims).map_err(refuse)?;
            capif::invoked(ctx, parts, path, claims);
        }
        let x5t = ctx.peer().and_then(Peer::x5t_s256);
        let mut caller = Caller::from_claims(claims, token.kid(), x5t);
        caller.client_id = token.issuer().client(&claims.client_id).map_err(refuse)?;
        // With `act`, it speaks for a VAL server and has the rights of that one.
        if role == Some(CertRole::Function) && caller.kind == CallerKind::ValServer && caller.actor.is_none()
        {
            caller.kind = CallerKind::Function;
        }
        ctx.set_actor(match &caller.actor {
            Some(by) if self.spec.operators => Actor::operator(self.kit, &caller.subject, by),
            _ if token.issuer().capif => Actor { label: INVOKER, ..actor(self.kit, &caller) },
            _ => actor(self.kit, &caller),
        });
        if !self.spec.unlimited {
            let limited = self.kit.limits.admit_client(&caller.client_id, self.spec.cost);
            limited.inspect_err(|_| ctx.fail("rate of the client", "below its limit", "over its limit"))?;
        }

        // revoked
        if let Err(reason) = token.check_revoked(ctx.ambient(), x5t) {
            ctx.fail("revoked", "lease alive, nothing of the token revoked", reason.as_str());
            return Err(refuse(reason));
        }
        ctx.pass("revoked", "lease alive, nothing of the token revoked", "held");

        // subject
        match credentials.ue_id {
            None => ctx.skip("subject", "a user of the request is the token's"),
            Some(ue_id) => {
                if let Err(reason) = subject::check(&caller, &[Named::UeId(ue_id)]) {
                    ctx.fail("subject", "Ue-Id names the token's user", "another user");
                    return Err(refuse(reason));
                }
                ctx.pass("subject", "Ue-Id names the token's user", "the same user");
            }
        }

        // operation
        let grants = match token.issuer().capif {
            true => Some(capif::check_operation(ctx, self.spec, &token).map_err(|reason| {
                let scope = Some(capif::wanted(self.spec, token.issuer()));
                Refusal::open(reason).challenged(Challenge { scope, ..self.challenge(None) })
            })?),
            false => None,
        };
        let wanted = self.spec.scopes.join(" ");
        let covered = grants.is_some()
            || self.spec.scopes.is_empty()
            || self.spec.scopes.iter().any(|scope| caller.scopes.covers(scope));
        let added = match covered {
            true => None,
            false => added_scope::opens(self.kit, self.spec, &caller).await.map_err(Refusal::from)?,
        };
        if let Some(opened) = &added {
            ctx.pass("added service", "a scope of a service that the operator added", opened.service.clone());
            if let Some(val_service) = &opened.val_service {
                caller.val_services = vec![val_service.clone()];
            }
        }
        if !covered && added.is_none() {
            ctx.fail("operation", format!("one scope of: {wanted}"), "none of them in the token");
            let challenge = Challenge { scope: Some(wanted), ..self.challenge(None) };
            return Err(Refusal::open(Reason::ScopeNarrow).challenged(challenge));
        }
        if grants.is_none() {
            ctx.pass("operation", format!("one scope of: {wanted}"), "held");
        }

        if grants.is_some() {
            capif::check_access_control(ctx, self.spec, token.claims()).await?;
        }

        let session = Session {
            x5t: x5t.map(str::to_owned),
            token,
            presented: Secret::new(credentials.token),
            proof,
            proof_spent: AtomicBool::new(false),
        };
        let only = added.and_then(|opened| opened.val_service);
        Ok(Call::new(Arc::new(caller), ctx.clone(), session).only_of(only).narrowed(grants))
    }

    fn challenge(&self, scheme: Option<ChallengeScheme>) -> Challenge {
        let resource_metadata = Some(self.kit.resource_metadata.clone());
        Challenge { scheme, resource_metadata, ..Challenge::default() }
    }
}

/// What a VAL server is where CAPIF is used, as at the core function.
const INVOKER: &str = "API invoker";

/// How audit and charging name a caller.
fn actor(kit: &FunctionKit, caller: &Caller) -> Actor {
    match caller.kind {
        CallerKind::ValClient => Actor::user(kit, &caller.subject, caller.client_id.as_str()),
        CallerKind::ValServer => {
            let client = Some(caller.client_id.as_str().to_owned());
            Actor { client, ..Actor::client(caller.val_server()) }
        }
        CallerKind::Function => Actor::function(caller.client_id.as_str()),
    }
}

fn names(roles: &[CertRole]) -> String {
    let names: Vec<_> = roles.iter().map(|role| role.as_str()).collect();
    format!("a certificate of role {}", names.join(" or "))
}
