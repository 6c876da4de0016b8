//! `POST /securities/{securityId}/token` (TS 29.222 8.5.4.2.6; TR 33.721 6.2.2.1 steps 1 to 3): an access token for APIs of one
//! function, and below it for the three levels of solution #2. Whatever of the three levels is asked for, what is granted is
//! what local policy and the owner leave of it (TR 33.721 6.3.2.1 steps 6 to 8); an owner who has not decided can be asked.

mod explain;
mod local;
mod mint;
mod owner;

use api_types::capif::publish::ServiceAPIDescription;
use api_types::capif::token::{AccessTokenReq, GrantType};
use api_types::oauth::{AuthorizationDetail, TokenResponse};
use api_types::secret::Secret;
use authorization::capif::details::{Details, DetailsError};
use authorization::capif::grant::{Granted, Judges, Question, Verdict, grant};
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
use store::capif::invokers::InvokerRow;
use store::capif::{contexts, invokers, service_apis, tokens};
use store::{Sql, StoreError};

pub(in crate::ccf) use self::explain::{Said, explain};
pub(in crate::ccf) use self::local::KeptRules;
use self::local::LocalRules;
use self::mint::Mint;
use self::owner::Owners;
use super::negotiate::is_active;
use crate::ccf::allowed::{allows, apis_of};
use crate::ccf::party::{Party, party};
use crate::ccf::resource_auth::{self, ask};
use crate::ccf::{CcfServer, published};

/// The procedure of solution #2 (TR 33.721 6.2.2.1), of which the request is step 1.
const PROCEDURE: &str = "TR33.721-S2";

/// How long whoever waits for the answer of an owner waits until it asks again, in seconds. Own value, that of RFC 8628 3.2.
const INTERVAL_S: u32 = 5;

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
    let waits = match request.ask_mode.as_deref() {
        None => false,
        Some("poll") => true,
        Some(_) => return Err(OAuthError::malformed()),
    };
    let asked = Asked {
        waits,
        scope: scope(ctx, request.scope.as_deref())?,
        details: asked.map_err(|fault| refused_details(ctx, &fault))?,
        request,
        security: security.to_owned(),
        jti: ccf.kit().ambient.record_id(),
    };
    look(ccf).await?;
    // step 2: policy and owner decide, in the transaction that keeps the token.
    let (server, seen) = (ccf.clone(), ctx.clone());
    let outcome: Outcome = ccf
        .kit()
        .store
        .write(move |tx| Box::pin(async move { decide(&server, tx, &seen, &asked).await }))
        .await?;
    ctx.step(PROCEDURE, "2", "CCF", "CCF", "Verify the request by the preconfigured policies");
    let (issued, by_owner) = match outcome {
        Outcome::Issued(issued, by_owner) => (issued, by_owner),
        Outcome::Asked(refusal) => {
            // The question is kept; its notification can leave.
            ccf.events().wake();
            return Err(refusal);
        }
    };
    if by_owner {
        ctx.step(
            resource_auth::PROCEDURE,
            "7",
            "CCF",
            "CCF",
            "Decide by local policy and the owner's policy",
        );
    }
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
    if by_owner {
        ctx.step(resource_auth::PROCEDURE, "8", "CCF", ctx.actor().label, "Access token");
    }
    Ok(response)
}

/// Brings what is kept in memory up to date, in a snapshot, so that the one writer need not: the rules and what is published.
///
/// # Errors
/// The store fails.
pub(in crate::ccf) async fn look(ccf: &CcfServer) -> Result<(), StoreError> {
    let server = ccf.clone();
    let read = ccf.kit().store.read(|tx| {
        Box::pin(async move {
            server.rules().look(tx).await?;
            server.catalogue().at(tx).await.map(drop)
        })
    });
    read.await
}

/// What is asked for.
struct Asked {
    request: AccessTokenReq,
    /// Whether it can wait for the owner of a resource (`ask_mode=poll`).
    waits: bool,
    scope: CapifScope,
    details: Option<Details>,
    security: String,
    jti: String,
}

/// What became of a request that is kept, whatever it was.
enum Outcome {
    /// A token; `true`: owners of resources had a say in it.
    Issued(Box<Issued>, bool),
    /// Nothing, for owners are asked.
    Asked(OAuthError),
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

async fn decide(ccf: &CcfServer, tx: &mut dyn Sql, ctx: &Ctx, asked: &Asked) -> Result<Outcome, OAuthError> {
    let now_s = ccf.now_s();
    let (party, row) = invoker(tx, ctx, asked).await?;
    if row.expires_s.is_some_and(|end| end <= now_s) {
        ctx.fail("onboarding", "in force", "expired");
        return Err(OAuthError::client());
    }
    let wrong = |reason| OAuthError::new(ErrorCode::InvalidScope, reason);
    let aef = asked.scope.single_aef().map_err(wrong)?.to_owned();
    let apis: Vec<String> = asked.scope.apis(&aef).map(str::to_owned).collect();
    check_apis(ccf, tx, ctx, &row, (&aef, &apis)).await?;
    let rules = ccf.rules().of(tx).await?;
    if !apis.iter().all(|api| rules.permits(&party.id, api, None, None, now_s)) {
        ctx.fail("local policy", "no rule denies", "denied");
        return Err(wrong(Reason::NotEntitled));
    }
    let mut until_s = row.expires_s;
    let (mut granted, mut by_owner) = (Details::default(), false);
    if let Some(details) = &asked.details {
        details.check_locations(&aef).map_err(|fault| refused_details(ctx, &fault))?;
        let owners = Owners::hold(tx, ccf, details, (&aef, &party.id)).await?;
        by_owner = details.elements().iter().any(|element| mint::resource(element).is_some());
        if by_owner {
            let to = "Access token request for a resource of somebody";
            ctx.step(resource_auth::PROCEDURE, "6", ctx.actor().label, "CCF", to);
        }
        let decided = judged(details, &rules, &owners, (&party.id, &apis), now_s);
        told(ctx, details, &decided);
        if let Some(refusal) = asks(ccf, tx, ctx, asked, &party, &owners, details, &decided).await? {
            return Ok(Outcome::Asked(refusal));
        }
        granted = decided.check().map_err(not_granted)?.clone();
        until_s = until_s.into_iter().chain(owners.until_s(&granted)).min();
        for answer in owners.rests_on(&granted).into_iter().filter(|answer| answer.until_s.is_none()) {
            // A yes for once is used up by the token that is kept with it.
            if !store::capif::asks::take(tx, &answer.ask).await? {
                return Err(not_granted(Reason::AuthorizationAsked));
            }
        }
    }
    let claims = Mint {
        ccf,
        invoker: &party,
        aef: &aef,
        scope: &asked.scope,
        details: &granted,
        jti: &asked.jti,
        rev: store::revocations::epoch(tx).await?,
        until_s,
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
    Ok(Outcome::Issued(Box::new(Issued { claims, told }), by_owner))
}

/// What is granted: requested, and left by local policy, by the owner and by the permission of the resource owner.
fn judged(
    details: &Details,
    rules: &LocalRules,
    owners: &Owners<'_>,
    (invoker, apis): (&str, &[String]),
    now_s: i64,
) -> Granted {
    let local = |question: &Question<'_>| rules.judge(question, (invoker, apis), now_s);
    let owner = |question: &Question<'_>| owners.judge(question);
    // A token without a resource owner rests on no permission of one; with one it is refused before.
    let permission = |_: &Question<'_>| Verdict::Permit;
    grant(details, &Judges { local: &local, owner: &owner, permission: &permission })
}

/// Writes into the trace who refused what; the requester learns none of it.
fn told(ctx: &Ctx, details: &Details, decided: &Granted) {
    const EXPECTED: &str = "granted by local policy, the owner and the resource owner";
    for refused in decided.refused() {
        let element = details.elements().get(refused.element);
        let what = element.and_then(mint::resource).unwrap_or_else(|| "the service".to_owned());
        let action = refused.action.map_or("everything", |action| action.as_str());
        ctx.fail(refused.by.as_str(), EXPECTED, format!("{action} of {what}: {}", refused.reason));
    }
    if decided.refused().is_empty() {
        ctx.pass("authorization_details", EXPECTED, "held");
    }
}

/// Asks the owners who can be asked; the refusal, where the requester is to wait or gets nothing.
#[expect(clippy::too_many_arguments, reason = "what decides, what was decided, and where it is kept")]
async fn asks(
    ccf: &CcfServer,
    tx: &mut dyn Sql,
    ctx: &Ctx,
    asked: &Asked,
    party: &Party,
    owners: &Owners<'_>,
    details: &Details,
    decided: &Granted,
) -> Result<Option<OAuthError>, OAuthError> {
    let wanted = owners.to_ask(details, decided.to_ask());
    if wanted.is_empty() {
        return Ok(None);
    }
    let open = ask(tx, ccf, ctx, &party.id, wanted).await?;
    let nothing = decided.check().is_err();
    Ok(match open.ask {
        Some(ask) if asked.waits => Some(OAuthError::pending(ask, INTERVAL_S)),
        Some(_) if nothing => Some(not_granted(Reason::AuthorizationAsked)),
        None if open.limited && asked.waits => {
            Some(OAuthError::new(ErrorCode::TooOften, Reason::RateLimited).retry_after(60))
        }
        _ => None,
    })
}

/// Whatever is not granted, and why ever: one answer.
const fn not_granted(reason: Reason) -> OAuthError {
    OAuthError::new(ErrorCode::InvalidAuthorizationDetails, reason)
}

fn is_active_at(api: &ServiceAPIDescription, aef: &str) -> bool {
    let mut profiles = api.aef_profiles.iter().flatten();
    profiles.any(|profile| profile.aef_id.as_str() == aef && is_active(api, profile))
}

/// Each API of the scope was negotiated with tokens, is published and active at the function, and allowed to the API
/// invoker. What is missing is not told: an API that is not there and one that is not for this invoker are one answer.
pub(in crate::ccf) async fn check_apis(
    ccf: &CcfServer,
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
    let negotiated =
        |api_id: &str| entries.iter().any(|entry| entry.api_id == api_id && entry.method == "OAUTH");
    let held = ccf.catalogue().held_at(tx).await?;
    for name in apis {
        let is_good = match &held {
            Some(published) => published
                .named_at(aef, name)
                .is_some_and(|entry| negotiated(entry.id()) && is_active_at(&entry.description, aef)),
            // Published or changed a moment ago.
            None => match service_apis::named(tx, aef, name).await? {
                Some(row) => negotiated(&row.api_id) && is_active_at(&published::read(&row)?, aef),
                None => false,
            },
        };
        if !is_good || !allows(&allowed, name) {
            return Err(refused());
        }
    }
    ctx.pass("negotiated APIs", EXPECTED, "held");
    Ok(())
}
