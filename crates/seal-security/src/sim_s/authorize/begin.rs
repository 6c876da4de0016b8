//! The authentication request arrives (TS 24.547 6.2.2.1; TR 33.721 6.1.2-1, step 0): the login form is shown, or, for
//! `prompt=none`, the answer given from an earlier login.

use authorization::Reason;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::response::Response;
use http::HeaderMap;
use http::header::SET_COOKIE;
use jose::sha256;
use service_http::call::{Actor, Ctx};
use store::clients::ClientRecord;
use store::grants::pushed;
use store::{clients, sessions};

use super::answer::{self, ReturnTo};
use super::request::{self, AuthorizationRequest};
use super::{browser, login, page};
use crate::sim_s::SimServer;
use crate::sim_s::error::{ErrorCode, OAuthError};
use crate::sim_s::form::Form;
use crate::sim_s::passkey::{self, ACR_PASSKEY};
use crate::sim_s::world;

/// What the `request_uri` of a pushed request begins with (RFC 9126 2.2).
pub const URN_PREFIX: &str = "urn:ietf:params:oauth:request_uri:";

/// A request that is refused: at its redirect URI, or on a page where there is none to trust.
pub(super) enum Refused {
    /// On a page.
    OnPage(OAuthError),
    /// At the redirect URI.
    AtClient {
        /// Why.
        error: OAuthError,
        /// Where to.
        redirect_uri: String,
        /// Echoed.
        state: Option<String>,
    },
}

impl<E: Into<OAuthError>> From<E> for Refused {
    fn from(error: E) -> Self {
        Self::OnPage(error.into())
    }
}

/// `GET /authorize`.
pub async fn authorize(
    State(sim): State<SimServer>,
    ctx: Ctx,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    match Form::parse(query.unwrap_or_default().as_bytes()) {
        Ok(form) => begin(&sim, &ctx, &headers, &form).await,
        Err(error) => page::error(&error.into(), &sim.kit().ambient),
    }
}

/// `POST /authorize`: the answer to the form, or an authentication request in a body (OpenID Connect Core 3.1.2.1).
pub async fn authorize_post(
    State(sim): State<SimServer>,
    ctx: Ctx,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match Form::of_body(&headers, &body) {
        Ok(form) if form.has("interaction") => login::login(&sim, &ctx, &headers, &form).await,
        Ok(form) => begin(&sim, &ctx, &headers, &form).await,
        Err(error) => page::error(&error.into(), &sim.kit().ambient),
    }
}

async fn begin(sim: &SimServer, ctx: &Ctx, headers: &HeaderMap, form: &Form) -> Response {
    let request = match read(sim, ctx, form).await {
        Ok(request) => request,
        Err(refused) => return answer_refused(sim, refused),
    };
    if request.silent {
        return login::silently(sim, ctx, headers, &request).await;
    }
    match show_form(sim, headers, &request).await {
        Ok(page) => page,
        Err(error) => answer_refused(sim, Refused::of(&request, error)),
    }
}

impl Refused {
    pub(super) fn of(request: &AuthorizationRequest, error: OAuthError) -> Self {
        let (redirect_uri, state) = (request.redirect_uri.clone(), Some(request.state.clone()));
        Self::AtClient { error, redirect_uri, state }
    }
}

pub(super) fn answer_refused(sim: &SimServer, refused: Refused) -> Response {
    match refused {
        Refused::OnPage(error) => page::error(&error, &sim.kit().ambient),
        Refused::AtClient { error, redirect_uri, state } => {
            let issuer = &sim.config().issuer;
            answer::refused(
                ReturnTo { redirect_uri: &redirect_uri, state: state.as_deref(), issuer },
                &error,
                false,
            )
        }
    }
}

/// Reads the request, from its parameters or from what was pushed.
async fn read(sim: &SimServer, ctx: &Ctx, form: &Form) -> Result<AuthorizationRequest, Refused> {
    let unknown = OAuthError::new(ErrorCode::InvalidRequest, Reason::ClientUnknown);
    let client_id = form.one("client_id").ok_or(unknown.clone())?.to_owned();
    let servers = sim.config().servers.clone();
    let (client, directory) = sim
        .kit()
        .store
        .read(|tx| {
            Box::pin(async move {
                Ok((clients::find(tx, &client_id).await?, world::directory(tx, &servers).await?))
            })
        })
        .await?;
    let client = client.ok_or(unknown)?;
    ctx.set_actor(Actor::ue(client.client_id.as_str()));
    if let Some(uri) = form.one("request_uri") {
        return Ok(pushed_request(sim, &client, uri).await?);
    }
    let redirect_uri = request::redirect_uri(form, &client)?;
    request::read(form, &client, redirect_uri, &directory).map_err(|error| Refused::AtClient {
        error,
        redirect_uri: redirect_uri.to_owned(),
        state: form.one("state").map(str::to_owned),
    })
}

/// Takes out a pushed request. A `request_uri` of anybody else is never fetched (A39).
async fn pushed_request(
    sim: &SimServer,
    client: &ClientRecord,
    uri: &str,
) -> Result<AuthorizationRequest, OAuthError> {
    let void = OAuthError::new(ErrorCode::InvalidRequestUri, Reason::GrantWrong);
    if !uri.starts_with(URN_PREFIX) {
        return Err(void);
    }
    let (hash, client_id) = (sha256(uri.as_bytes()), client.client_id.as_str().to_owned());
    let taken: Option<(String, i64)> = sim
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move { pushed::consume(tx, &hash, &client_id).await.map_err(OAuthError::from) })
        })
        .await?;
    let (text, ends_s) = taken.ok_or(void.clone())?;
    if sim.is_over(ends_s, sim.config().pushed_request_s) {
        return Err(void);
    }
    serde_json::from_str(&text).map_err(|_| void)
}

/// Remembers the request under a fresh identifier and shows the form with it.
async fn show_form(
    sim: &SimServer,
    headers: &HeaderMap,
    request: &AuthorizationRequest,
) -> Result<Response, OAuthError> {
    let ambient = &sim.kit().ambient;
    let (id, fresh) = (ambient.random_secret(), ambient.random_secret());
    let sent = browser::cookie(headers).map(|cookie| sha256(cookie.as_bytes()));
    let fresh_hash = sha256(fresh.as_bytes());
    let now_s = sim.now_s();
    let text = serde_json::to_string(request)
        .map_err(|_| OAuthError::new(ErrorCode::ServerError, Reason::StoreFailed))?;
    let (id_hash, expires_s) = (sha256(id.as_bytes()), now_s.saturating_add(sim.config().interaction_s));
    let kept: bool = sim
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                // A cookie that we did not give out is not taken over (session fixation, A37).
                let known = match sent {
                    Some(hash) => {
                        sessions::knows_browser(tx, &hash, now_s).await?
                            || sessions::find(tx, &hash, now_s).await?.is_some()
                    }
                    None => false,
                };
                let browser = sent.filter(|_| known).unwrap_or(fresh_hash);
                let interaction = sessions::Interaction {
                    id_hash: id_hash.to_vec(),
                    request: text,
                    browser: Some(browser.to_vec()),
                    attempts: 0,
                    expires_s,
                };
                sessions::begin(tx, &interaction).await?;
                Ok::<_, OAuthError>(known)
            })
        })
        .await?;
    let form = page::LoginPage {
        client_id: &request.client_id,
        scopes: &request.scopes,
        redirect_uri: &request.redirect_uri,
        interaction: &id,
        relying_party: &passkey::relying_party(&sim.config().issuer).unwrap_or_default(),
        password: request.acr != ACR_PASSKEY,
        failed: false,
    };
    let mut response = page::login(form, ambient);
    if let Some(cookie) = (!kept).then(|| browser::set_cookie(&fresh)).flatten() {
        response.headers_mut().append(SET_COOKIE, cookie);
    }
    Ok(response)
}
