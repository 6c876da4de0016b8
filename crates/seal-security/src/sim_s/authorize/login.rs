//! The user answers the form (TS 24.547 6.2.2.2; TR 33.721 6.1.2-1, step 0), or a browser that is logged in is asked
//! without one.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use api_types::Secret;
use authorization::Reason;
use axum::response::Response;
use http::HeaderMap;
use http::header::SET_COOKIE;
use jose::sha256;
use serde::{Deserialize, Serialize};
use service_http::call::{Actor, Ctx};
use service_http::edge::source_of;
use store::sessions::{self, Interaction, Session};
use store::users::{self, UserRecord};

use super::answer::{self, ReturnTo};
use super::begin::{Refused, answer_refused};
use super::grant::{self, Authenticated, Drawn, Ends};
use super::request::{ACR_PASSWORD, AuthorizationRequest};
use super::{browser, page};
use crate::sim_s::SimServer;
use crate::sim_s::error::{ErrorCode, OAuthError};
use crate::sim_s::form::Form;
use crate::sim_s::passkey::{self, ACR_PASSKEY};
use crate::sim_s::password::MAX_PASSWORD;
use crate::sim_s::world::World;

/// Wrong answers that one form may get. Own value.
const MAX_ATTEMPTS: i64 = 20;

/// Longest user name, in bytes. Own value.
const MAX_USERNAME: usize = 256;

/// What is remembered of a login.
#[derive(Clone, Serialize, Deserialize)]
struct SessionDetail {
    auth_time_s: i64,
    acr: String,
    /// What the user has allowed to whom, by the form.
    allowed: BTreeMap<String, BTreeSet<String>>,
}

/// The answer to the form.
pub(super) async fn login(sim: &SimServer, ctx: &Ctx, headers: &HeaderMap, form: &Form) -> Response {
    match answered(sim, ctx, headers, form).await {
        Ok(response) => response,
        Err(refused) => answer_refused(sim, refused),
    }
}

async fn answered(sim: &SimServer, ctx: &Ctx, headers: &HeaderMap, form: &Form) -> Result<Response, Refused> {
    let now_s = sim.now_s();
    if !browser::is_same_origin(headers, &sim.config().issuer) {
        ctx.fail("origin of the form", "own page", "another site");
        return Err(cross_site().into());
    }
    let id = form.one("interaction").unwrap_or_default().to_owned();
    let id_hash = sha256(id.as_bytes());
    let found = sim
        .kit()
        .store
        .read(|tx| Box::pin(async move { sessions::find_interaction(tx, &id_hash, now_s).await }))
        .await?;
    let interaction = found.ok_or(void())?;
    if sim.is_over(interaction.expires_s, sim.config().interaction_s) {
        return Err(void().into());
    }
    let request: AuthorizationRequest = serde_json::from_str(&interaction.request).map_err(|_| void())?;
    let cookie = browser::cookie(headers).map(|cookie| sha256(cookie.as_bytes()).to_vec());
    if cookie.is_some() && cookie != interaction.browser {
        ctx.fail("browser", "the one that got the form", "another one");
        return Err(cross_site().into());
    }
    ctx.set_actor(Actor::ue(&request.client_id));
    if form.has("cancel") {
        cancel(sim, &interaction, now_s).await?;
        let error = OAuthError::new(ErrorCode::AccessDenied, Reason::ConsentOwner);
        return Err(Refused::of(&request, error));
    }
    let passkey = form.one("passkey");
    let (found, acr) = match passkey {
        Some(sent) => (passkey::login::authenticate(sim, ctx, source(ctx), &id, sent).await?, ACR_PASSKEY),
        None if request.acr == ACR_PASSKEY => {
            ctx.fail("credentials", "a passkey", "none");
            (None, ACR_PASSKEY)
        }
        None => {
            let name = form.one("username").unwrap_or_default();
            let found = authenticate(sim, ctx, name, form.one("password").unwrap_or_default()).await?;
            if found.is_none() {
                ctx.fail("credentials", "user name and password", "wrong");
            }
            (found, ACR_PASSWORD)
        }
    };
    let Some(user) = found else {
        let wrong = interaction.id_hash.clone();
        sim.kit()
            .store
            .write(move |tx| {
                Box::pin(async move {
                    sessions::count_wrong(tx, &wrong, MAX_ATTEMPTS).await.map_err(OAuthError::from)
                })
            })
            .await?;
        return Ok(wrong_credentials(sim, &request, &id));
    };
    ctx.pass("credentials", "user name and password, or a passkey", acr);
    conclude(
        sim,
        ctx,
        &request,
        interaction,
        cookie,
        Authenticated { user, auth_time_s: now_s, acr: acr.to_owned() },
    )
    .await
}

/// The form again, the same for an unknown name and a wrong password.
fn wrong_credentials(sim: &SimServer, request: &AuthorizationRequest, id: &str) -> Response {
    let form = page::LoginPage {
        client_id: &request.client_id,
        scopes: &request.scopes,
        redirect_uri: &request.redirect_uri,
        interaction: id,
        relying_party: &passkey::relying_party(&sim.config().issuer).unwrap_or_default(),
        password: request.acr != ACR_PASSKEY,
        failed: true,
    };
    let mut response = page::login(form, &sim.kit().ambient);
    let error = OAuthError::new(ErrorCode::AccessDenied, Reason::CredentialsWrong);
    let record = error.record(response.status().as_u16());
    response.extensions_mut().insert(record);
    response
}

/// Where the request comes from, as the brakes see it.
pub(in crate::sim_s) fn source(ctx: &Ctx) -> IpAddr {
    ctx.peer().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| source_of(peer.addr.ip()))
}

/// Checks name and password behind the brakes. The work is the same whether the account exists or not.
pub(in crate::sim_s) async fn authenticate(
    sim: &SimServer,
    ctx: &Ctx,
    name: &str,
    password: &str,
) -> Result<Option<UserRecord>, OAuthError> {
    let source = source(ctx);
    // Names that cannot be are braked together and cost no memory.
    let account = if name.len() <= MAX_USERNAME { name } else { "" };
    let braked =
        |wait_s| OAuthError::new(ErrorCode::AccessDenied, Reason::LoginThrottled).retry_after(wait_s);
    sim.throttle().admit(account, source, sim.kit().ambient.monotonic()).map_err(braked)?;
    let wanted = account.to_owned();
    let user = sim.kit().store.read(|tx| Box::pin(async move { users::find(tx, &wanted).await })).await?;
    let password = Secret::new(if password.len() <= MAX_PASSWORD { password } else { "" });
    let hash = user.as_ref().and_then(|user| user.password.as_deref());
    // Looked at again when its turn has come: of many at once no more are tried than of as many in a row.
    let (begin, forgive) = ((sim.clone(), account.to_owned()), (sim.clone(), account.to_owned()));
    let begin = move || begin.0.throttle().attempt(&begin.1, source, begin.0.kit().ambient.monotonic());
    let forgive =
        move || forgive.0.throttle().forgive(&forgive.1, source, forgive.0.kit().ambient.monotonic());
    let right = sim.passwords().verify_braked(&password, hash, begin, forgive).await?.map_err(braked)?;
    Ok(user.filter(|_| right))
}

async fn cancel(sim: &SimServer, interaction: &Interaction, now_s: i64) -> Result<(), OAuthError> {
    let hash = interaction.id_hash.clone();
    sim.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                sessions::consume_interaction(tx, &hash, now_s).await.map_err(OAuthError::from)
            })
        })
        .await?;
    Ok(())
}

/// The right answer: interaction, session and code change in one transaction.
async fn conclude(
    sim: &SimServer,
    ctx: &Ctx,
    request: &AuthorizationRequest,
    interaction: Interaction,
    cookie: Option<Vec<u8>>,
    known: Authenticated,
) -> Result<Response, Refused> {
    let now_s = known.auth_time_s;
    let drawn = draw(sim);
    let fresh = sim.kit().ambient.random_secret();
    let (config, code) = (sim.config(), drawn.code.clone());
    let (ends, session_ends_s) = (ends(sim, now_s), now_s.saturating_add(config.session_s));
    let servers = config.servers.clone();
    let (asked, ctx, fresh_hash) = (request.clone(), ctx.clone(), sha256(fresh.as_bytes()).to_vec());
    let done: Result<(), OAuthError> = sim
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                if !sessions::consume_interaction(tx, &interaction.id_hash, now_s).await? {
                    return Err(void());
                }
                // The account may have changed while the password was checked.
                let current = users::find(tx, known.user.user_id.as_str()).await?;
                let Some(user) = current.filter(|current| current.password == known.user.password) else {
                    return Ok(Err(OAuthError::new(ErrorCode::AccessDenied, Reason::CredentialsWrong)));
                };
                let who = Authenticated { user, ..known };
                let world = World::read(tx, &servers).await?;
                let scopes = match grant::grant(tx, &ctx, &asked, &who, &world, &drawn, ends).await {
                    Ok(scopes) => scopes,
                    Err(error) if error.code == ErrorCode::AccessDenied => return Ok(Err(error)),
                    Err(error) => return Err(error),
                };
                let mut detail =
                    SessionDetail { auth_time_s: now_s, acr: who.acr.clone(), allowed: BTreeMap::new() };
                if let Some(cookie) = cookie {
                    let before = sessions::find(tx, &cookie, now_s).await?;
                    if let Some(before) = before.filter(|before| before.user_id == who.user.user_id.as_str())
                    {
                        detail.allowed = serde_json::from_str(&before.detail)
                            .map_or(BTreeMap::new(), |d: SessionDetail| d.allowed);
                    }
                    sessions::close(tx, &cookie).await?;
                    sessions::move_browser(tx, &cookie, &fresh_hash).await?;
                }
                detail.allowed.entry(asked.client_id.clone()).or_default().extend(scopes);
                let session = Session {
                    id_hash: fresh_hash,
                    user_id: who.user.user_id.as_str().to_owned(),
                    detail: serde_json::to_string(&detail).unwrap_or_default(),
                    expires_s: session_ends_s,
                };
                sessions::open(tx, &session).await?;
                Ok(Ok(()))
            })
        })
        .await?;
    let to = return_to(sim, request);
    let mut response = match done {
        Ok(()) => answer::granted(to, &code, config.see_other),
        Err(error) => return Ok(answer::refused(to, &error, config.see_other)),
    };
    if let Some(cookie) = browser::set_cookie(&fresh) {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}

/// `prompt=none`: answered only when the user is logged in and has allowed all of it before, so that nobody is asked
/// behind his back (A38).
pub(super) async fn silently(
    sim: &SimServer,
    ctx: &Ctx,
    headers: &HeaderMap,
    request: &AuthorizationRequest,
) -> Response {
    match silent_code(sim, ctx, headers, request).await {
        Ok(code) => answer::granted(return_to(sim, request), &code, false),
        Err(error) => answer::refused(return_to(sim, request), &error, false),
    }
}

async fn silent_code(
    sim: &SimServer,
    ctx: &Ctx,
    headers: &HeaderMap,
    request: &AuthorizationRequest,
) -> Result<String, OAuthError> {
    let now_s = sim.now_s();
    let login_required = OAuthError::new(ErrorCode::LoginRequired, Reason::CredentialsWrong);
    let interaction_required = OAuthError::new(ErrorCode::InteractionRequired, Reason::ConsentOwner);
    let cookie = sha256(browser::cookie(headers).ok_or(login_required.clone())?.as_bytes()).to_vec();
    let drawn = draw(sim);
    let (code, ends) = (drawn.code.clone(), ends(sim, now_s));
    let servers = sim.config().servers.clone();
    let (asked, ctx, this) = (request.clone(), ctx.clone(), sim.clone());
    sim.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let session = sessions::find(tx, &cookie, now_s).await?;
                let session =
                    session.filter(|session| !this.is_over(session.expires_s, this.config().session_s));
                let session = session.ok_or(login_required.clone())?;
                let detail: SessionDetail =
                    serde_json::from_str(&session.detail).map_err(|_| login_required.clone())?;
                let too_old = |most: i64| now_s.saturating_sub(detail.auth_time_s) > most;
                let too_weak = asked.acr == ACR_PASSKEY && detail.acr != ACR_PASSKEY;
                if too_weak || asked.max_age_s.is_some_and(too_old) {
                    return Err(login_required);
                }
                let user = users::find(tx, &session.user_id).await?.ok_or(login_required)?;
                if !detail
                    .allowed
                    .get(&asked.client_id)
                    .is_some_and(|allowed| asked.scopes.is_subset(allowed))
                {
                    return Err(interaction_required);
                }
                let who = Authenticated { user, auth_time_s: detail.auth_time_s, acr: detail.acr };
                let world = World::read(tx, &servers).await?;
                grant::grant(tx, &ctx, &asked, &who, &world, &drawn, ends).await?;
                Ok::<_, OAuthError>(())
            })
        })
        .await?;
    Ok(code)
}

fn draw(sim: &SimServer) -> Drawn {
    let ambient = &sim.kit().ambient;
    Drawn { code: ambient.random_secret(), family: ambient.random_id() }
}

fn ends(sim: &SimServer, now_s: i64) -> Ends {
    let config = sim.config();
    Ends {
        now_s,
        code_s: now_s.saturating_add(config.code_s),
        family_s: now_s.saturating_add(config.refresh_max_s),
        idle_s: now_s.saturating_add(config.refresh_idle_s),
    }
}

fn return_to<'a>(sim: &'a SimServer, request: &'a AuthorizationRequest) -> ReturnTo<'a> {
    let (redirect_uri, state) = (request.redirect_uri.as_str(), Some(request.state.as_str()));
    ReturnTo { redirect_uri, state, issuer: &sim.config().issuer }
}

const fn void() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, Reason::GrantWrong)
}

const fn cross_site() -> OAuthError {
    OAuthError::new(ErrorCode::InvalidRequest, Reason::CrossSite)
}
