//! `POST /securities/{securityId}/token` as plain OpenCAPIF clients need it: one token for all functions that the scope
//! names, signed with RS256 by the key of this listener's TLS certificate, without an audience, which their verifiers refuse.
//! What is decided is what the other listener decides, for each function.

use api_types::capif::token::{AccessTokenReq, GrantType};
use api_types::oauth::TokenResponse;
use api_types::secret::Secret;
use authorization::capif::scope::CapifScope;
use authorization::{Reason, ScopeSet};
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use serde::Serialize;
use serde_json::{Value, json};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::oauth::error::{ErrorCode, OAuthError, no_store};
use service_http::oauth::form::Form;
use service_http::peer::CertRole;
use store::Sql;
use store::capif::{invokers, tokens};

use crate::ccf::CcfServer;
use crate::ccf::identifier::Realm;
use crate::ccf::party::party;
use crate::ccf::security::check_apis;

/// What such a token says.
#[derive(Serialize)]
struct Claims {
    iss: String,
    sub: String,
    client_id: String,
    scope: String,
    iat: i64,
    exp: i64,
    jti: String,
    cnf: Value,
}

/// What is asked for.
struct Asked {
    request: AccessTokenReq,
    scope: CapifScope,
    security: String,
    jti: String,
}

/// `POST /capif-security/v1/securities/{securityId}/token`
pub(super) async fn token(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(security): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    match answer(&ccf, &ctx, &security, &headers, &body).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

async fn answer(
    ccf: &CcfServer,
    ctx: &Ctx,
    security: &str,
    headers: &HeaderMap,
    body: &[u8],
) -> Result<Response, OAuthError> {
    let form = Form::of_body(headers, body)?;
    let request = AccessTokenReq::from_form(|name| form.one(name)).map_err(|_| OAuthError::malformed())?;
    if request.grant_type != GrantType::ClientCredentials {
        return Err(OAuthError::new(ErrorCode::UnsupportedGrantType, Reason::GrantWrong));
    }
    if request.res_owner_id.is_some() {
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, Reason::OwnerRequired));
    }
    if form.one("authorization_details").is_some() {
        // A token without them would open more than was asked for.
        return Err(OAuthError::new(ErrorCode::InvalidAuthorizationDetails, Reason::DetailsUnknown));
    }
    let asked = Asked {
        scope: scope(ctx, request.scope.as_deref())?,
        request,
        security: security.to_owned(),
        jti: ccf.kit().ambient.record_id(),
    };
    let (server, seen) = (ccf.clone(), ctx.clone());
    let claims: Claims = ccf
        .kit()
        .store
        .write(move |tx| Box::pin(async move { decide(&server, tx, &seen, &asked).await }))
        .await?;
    let unavailable = || OAuthError::new(ErrorCode::TemporarilyUnavailable, Reason::KeyUnavailable);
    let key = ccf.compat().map_err(|_| unavailable())?.key();
    let mut response = Json(TokenResponse {
        access_token: Secret::new(key.sign(&claims).map_err(|_| unavailable())?),
        token_type: "Bearer".to_owned(),
        expires_in: claims.exp.saturating_sub(claims.iat),
        scope: Some(claims.scope),
        refresh_token: None,
        id_token: None,
        issued_token_type: None,
        authorization_details: None,
    })
    .into_response();
    no_store(&mut response);
    Ok(response)
}

fn scope(ctx: &Ctx, text: Option<&str>) -> Result<CapifScope, OAuthError> {
    const EXPECTED: &str = "3gpp#aefId:apiName;… of functions that registered at this listener";
    let refused = |reason| {
        ctx.fail("scope", EXPECTED, "not so");
        OAuthError::new(ErrorCode::InvalidScope, reason)
    };
    let text = text.ok_or_else(|| refused(Reason::ScopeUnknown))?;
    let set = ScopeSet::parse(text).map_err(refused)?;
    let scope = CapifScope::of(&set).map_err(|_| refused(Reason::ScopeUnknown))?;
    if !scope.aefs().all(|aef| Realm::of(aef) == Realm::OpenCapif) {
        return Err(refused(Reason::TargetWrong));
    }
    ctx.pass("scope", EXPECTED, "held");
    Ok(scope)
}

async fn decide(ccf: &CcfServer, tx: &mut dyn Sql, ctx: &Ctx, asked: &Asked) -> Result<Claims, OAuthError> {
    const EXPECTED: &str = "certificate, securityId and client_id of one API invoker";
    let now_s = ccf.now_s();
    let party = party(tx, ctx, &[CertRole::Invoker]).await.map_err(|_| OAuthError::client())?;
    if asked.security != party.id || asked.request.client_id.as_str() != party.id {
        ctx.fail("client", EXPECTED, "of different ones");
        return Err(OAuthError::client());
    }
    // No onboarding secret is told here, and clients send a word that is none: there is nothing to compare.
    ctx.pass("client", EXPECTED, "held");
    let row = invokers::find(tx, &party.id).await?.ok_or(OAuthError::client())?;
    if row.expires_s.is_some_and(|end| end <= now_s) {
        ctx.fail("onboarding", "in force", "expired");
        return Err(OAuthError::client());
    }
    let rules = ccf.rules().of(tx).await?;
    let pairs: Vec<(String, Vec<String>)> = asked
        .scope
        .aefs()
        .map(|aef| (aef.to_owned(), asked.scope.apis(aef).map(str::to_owned).collect()))
        .collect();
    for (aef, apis) in &pairs {
        check_apis(ccf, tx, ctx, &row, (aef, apis)).await?;
        if !apis.iter().all(|api| rules.permits(&party.id, api, None, None, now_s)) {
            ctx.fail("local policy", "no rule denies", "denied");
            return Err(OAuthError::new(ErrorCode::InvalidScope, Reason::NotEntitled));
        }
    }
    let life = now_s.saturating_add(ccf.config().access_token_s);
    let exp = row.expires_s.map_or(life, |until| until.min(life));
    note(tx, &asked.jti, &party.id, &pairs, exp).await?;
    let object = pairs.iter().map(|(aef, _)| aef.as_str()).collect::<Vec<_>>().join(" ");
    let permit = Permit::new("ccf.compat.token").object(object).units(0).policy_version(rules.version);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await?;
    Ok(Claims {
        iss: ccf.config().issuer.clone(),
        sub: party.id.clone(),
        client_id: party.id,
        scope: asked.scope.plain().to_string(),
        iat: now_s,
        exp,
        jti: asked.jti.clone(),
        cnf: json!({ "x5t#S256": party.x5t }),
    })
}

/// Notes the token for every function that it is for, so that a withdrawal at one of them finds it.
async fn note(
    tx: &mut dyn Sql,
    jti: &str,
    invoker: &str,
    pairs: &[(String, Vec<String>)],
    exp: i64,
) -> Result<(), OAuthError> {
    let Some(((aef, apis), further)) = pairs.split_first() else { return Ok(()) };
    let row = tokens::TokenRow {
        jti: jti.to_owned(),
        invoker_id: invoker.to_owned(),
        aef_id: aef.clone(),
        apis: apis.clone(),
        resources: Vec::new(),
        permission: None,
        expires_s: exp.saturating_add(authorization::token::LEEWAY_S),
    };
    tokens::insert(tx, &row).await?;
    for (aef, apis) in further {
        tokens::add_apis(tx, jti, aef, apis).await?;
    }
    Ok(())
}
