//! `POST /securities/{securityId}/token` (TS 29.222 8.5.4.2.6; TR 33.721 6.2.2.1 steps 1 to 3): an access token for APIs of one
//! function, and below it for the three levels of solution #2. Whatever of the three levels is asked for, what is granted is
//! what local policy and the owner leave of it.

mod local;
mod mint;

use api_types::capif::token::{AccessTokenReq, GrantType};
use api_types::oauth::{AuthorizationDetail, TokenResponse};
use api_types::secret::Secret;
use authorization::capif::details::{Details, DetailsError};
use authorization::capif::scope::CapifScope;
use authorization::{AccessClaims, Reason, ScopeSet};
use aws_lc_rs::constant_time;
use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::HeaderMap;
use jose::{jwt, sha256};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::oauth::error::{ErrorCode, OAuthError, no_store};
use service_http::oauth::form::Form;
use service_http::peer::CertRole;
use store::Sql;
use store::capif::invokers::InvokerRow;
use store::capif::{contexts, invokers, service_apis, tokens};

pub(in crate::ccf) use self::local::LocalRules;
use self::mint::Mint;
use super::negotiate::is_active;
use crate::ccf::allowed::{allows, apis_of};
use crate::ccf::party::{Party, party};
use crate::ccf::{CcfServer, published};

/// The procedure of solution #2 (TR 33.721 6.2.2.1), of which the request is step 1.
const PROCEDURE: &str = "TR33.721-S2";

/// `POST /capif-security/v1/securities/{securityId}/token`
pub(crate) async fn token(
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
    // step 1: the API invoker asks, by its certificate.
    let form = Form::of_body(headers, body)?;
    let request = AccessTokenReq::from_form(|name| form.one(name)).map_err(|_| OAuthError::malformed())?;
    if request.grant_type != GrantType::ClientCredentials {
        return Err(OAuthError::new(ErrorCode::UnsupportedGrantType, Reason::GrantWrong));
    }
    if request.res_owner_id.is_some() {
        // Never a token without the owner where one was asked for with him: the permission of owners is not built yet.
        return Err(OAuthError::new(ErrorCode::UnauthorizedClient, Reason::OwnerRequired));
    }
    let asked = form.one("authorization_details").map(|text| Details::read(text.as_bytes(), &[])).transpose();
    let asked = Asked {
        scope: scope(ctx, request.scope.as_deref())?,
        details: asked.map_err(|fault| refused_details(ctx, &fault))?,
        request,
        security: security.to_owned(),
        jti: ccf.kit().ambient.record_id(),
    };
    // step 2: policy and owner decide, in the transaction that keeps the token.
    let (server, seen) = (ccf.clone(), ctx.clone());
    let issued: Issued = ccf
        .kit()
        .store
        .write(move |tx| Box::pin(async move { decide(&server, tx, &seen, &asked).await }))
        .await?;
    ctx.step(PROCEDURE, "2", "CCF", "CCF", "Verify the request by the preconfigured policies");
    // step 3: the token goes back.
    let unavailable = || OAuthError::new(ErrorCode::TemporarilyUnavailable, Reason::KeyUnavailable);
    let signer = ccf.signer().ok_or_else(unavailable)?;
    let access_token = jwt::sign(&signer, "at+jwt", &issued.claims).map_err(|_| unavailable())?;
    let mut response = Json(TokenResponse {
        access_token: Secret::new(access_token),
        // Fixed by TS 29.222; the binding is to the certificate.
        token_type: "Bearer".to_owned(),
        expires_in: issued.claims.exp.0.saturating_sub(issued.claims.iat.0),
        scope: Some(issued.claims.scope.to_string()),
        refresh_token: None,
        id_token: None,
        issued_token_type: None,
        authorization_details: issued.told,
    })
    .into_response();
    no_store(&mut response);
    ctx.step(PROCEDURE, "3", "CCF", ctx.actor().label, "Access token");
    Ok(response)
}

/// What is asked for.
struct Asked {
    request: AccessTokenReq,
    scope: CapifScope,
    details: Option<Details>,
    security: String,
    jti: String,
}

/// What was granted.
struct Issued {
    claims: AccessClaims,
    /// `authorization_details` of the answer: only for whoever asked with details (sheet 2.4).
    told: Option<Vec<AuthorizationDetail>>,
}

fn scope(ctx: &Ctx, text: Option<&str>) -> Result<CapifScope, OAuthError> {
    const EXPECTED: &str = "3gpp#aefId:apiName,… of one API exposing function";
    let refused = |reason| {
        ctx.fail("scope", EXPECTED, "not so");
        OAuthError::new(ErrorCode::InvalidScope, reason)
    };
    // Absent is not "all": nothing is granted that was not asked for.
    let text = text.ok_or_else(|| refused(Reason::ScopeUnknown))?;
    let set = ScopeSet::parse(text).map_err(refused)?;
    let scope = CapifScope::of(&set).map_err(|_| refused(Reason::ScopeUnknown))?;
    scope.single_aef().map_err(refused)?;
    ctx.pass("scope", EXPECTED, "held");
    Ok(scope)
}

fn refused_details(ctx: &Ctx, fault: &DetailsError) -> OAuthError {
    ctx.fail("authorization_details", "elements of the registered types", fault.to_string());
    OAuthError::new(ErrorCode::InvalidAuthorizationDetails, Reason::DetailsUnknown)
}

/// The API invoker behind the request: certificate, path, body and secret say the same.
async fn invoker(tx: &mut dyn Sql, ctx: &Ctx, asked: &Asked) -> Result<(Party, InvokerRow), OAuthError> {
    const EXPECTED: &str = "certificate, securityId and client_id of one API invoker";
    let party = party(tx, ctx, &[CertRole::Invoker]).await.map_err(|_| OAuthError::client())?;
    if asked.security != party.id || asked.request.client_id.as_str() != party.id {
        ctx.fail("client", EXPECTED, "of different ones");
        return Err(OAuthError::client());
    }
    let row = invokers::find(tx, &party.id).await?.ok_or(OAuthError::client())?;
    if let (Some(secret), Some(known)) = (&asked.request.client_secret, &row.secret_sha256) {
        let shown = sha256(secret.expose().as_bytes());
        constant_time::verify_slices_are_equal(&shown, known).map_err(|_| {
            ctx.fail("client_secret", "the onboarding secret, or none", "another one");
            OAuthError::client()
        })?;
    }
    ctx.pass("client", EXPECTED, "held");
    Ok((party, row))
}

async fn decide(ccf: &CcfServer, tx: &mut dyn Sql, ctx: &Ctx, asked: &Asked) -> Result<Issued, OAuthError> {
    let now_s = ccf.now_s();
    let (party, row) = invoker(tx, ctx, asked).await?;
    if row.expires_s.is_some_and(|end| end <= now_s) {
        ctx.fail("onboarding", "in force", "expired");
        return Err(OAuthError::client());
    }
    let wrong = |reason| OAuthError::new(ErrorCode::InvalidScope, reason);
    let aef = asked.scope.single_aef().map_err(wrong)?.to_owned();
    let apis: Vec<String> = asked.scope.apis(&aef).map(str::to_owned).collect();
    check_apis(tx, ctx, &row, (&aef, &apis)).await?;
    let rules = LocalRules::read(tx).await?;
    if !apis.iter().all(|api| rules.permits(&party.id, api, None, None, now_s)) {
        ctx.fail("local policy", "no rule denies", "denied");
        return Err(wrong(Reason::NotEntitled));
    }
    let granted = match &asked.details {
        None => Details::default(),
        Some(details) => {
            details.check_locations(&aef).map_err(|fault| refused_details(ctx, &fault))?;
            let granted = rules.within(details, &party.id, &apis, now_s);
            if granted.is_empty() {
                ctx.fail(
                    "authorization_details",
                    "something that local policy and the owner leave",
                    "nothing",
                );
                return Err(OAuthError::new(ErrorCode::InvalidAuthorizationDetails, Reason::NotEntitled));
            }
            ctx.pass("authorization_details", "something that local policy and the owner leave", "held");
            granted
        }
    };
    let claims = Mint {
        ccf,
        invoker: &party,
        aef: &aef,
        scope: &asked.scope,
        details: &granted,
        jti: &asked.jti,
        rev: store::revocations::epoch(tx).await?,
        until_s: row.expires_s,
        now_s,
    }
    .claims()?;
    let mut resources: Vec<String> = granted.elements().iter().filter_map(mint::resource).collect();
    resources.sort();
    resources.dedup();
    let token = tokens::TokenRow {
        jti: asked.jti.clone(),
        invoker_id: party.id.clone(),
        aef_id: aef.clone(),
        apis,
        resources,
        permission: None,
        expires_s: claims.exp.0.saturating_add(authorization::token::LEEWAY_S),
    };
    tokens::insert(tx, &token).await?;
    let permit = Permit::new("ccf.token").object(aef).units(0).policy_version(rules.version);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await?;
    let told = asked.details.as_ref().map(|_| {
        granted
            .to_claim()
            .into_iter()
            .filter_map(|detail| {
                serde_json::to_value(detail).ok().and_then(|value| serde_json::from_value(value).ok())
            })
            .collect()
    });
    Ok(Issued { claims, told })
}

/// Each API of the scope was negotiated with tokens, is published and active at the function, and allowed to the API
/// invoker. What is missing is not told: an API that is not there and one that is not for this invoker are one answer.
pub(in crate::ccf) async fn check_apis(
    tx: &mut dyn Sql,
    ctx: &Ctx,
    row: &InvokerRow,
    (aef, apis): (&str, &[String]),
) -> Result<(), OAuthError> {
    const EXPECTED: &str = "APIs that were negotiated with OAUTH, are published there and allowed";
    let refused = || {
        ctx.fail("negotiated APIs", EXPECTED, "one that is not");
        OAuthError::new(ErrorCode::InvalidScope, Reason::MethodNotNegotiated)
    };
    let entries = contexts::entries_at(tx, &row.invoker_id, aef).await?;
    let allowed = apis_of(tx, &row.enrolment_id).await?;
    for name in apis {
        let published = service_apis::named(tx, aef, name).await?.ok_or_else(refused)?;
        let has_method =
            entries.iter().any(|entry| entry.api_id == published.api_id && entry.method == "OAUTH");
        let api = published::read(&published)?;
        let profiles = api.aef_profiles.as_deref().unwrap_or_default();
        let active =
            profiles.iter().any(|profile| profile.aef_id.as_str() == aef && is_active(&api, profile));
        if !has_method || !active || !allows(&allowed, name) {
            return Err(refused());
        }
    }
    ctx.pass("negotiated APIs", EXPECTED, "held");
    Ok(())
}
