//! `PUT /trustedInvokers/{apiInvokerId}` and `POST …/update`: an API invoker negotiates (TS 29.222 8.5.2.2).

use std::collections::BTreeSet;

use api_types::capif::publish::ServiceAPIDescription;
use api_types::capif::security::{SecurityTarget, ServiceSecurity};
use api_types::common_data::SupportedFeatures;
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use service_http::call::{Actor, Ctx};
use service_http::json_body::JsonBody;
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::Sql;
use store::capif::contexts::{self, ContextEntry, ContextRow};
use store::capif::{invokers, tokens};

use super::negotiate::negotiate;
use super::{FEATURES, PATH, text};
use crate::ccf::allowed::{allows, apis_of};
use crate::ccf::identifier::Realm;
use crate::ccf::party::{own, party};
use crate::ccf::{CcfServer, published};

/// `PUT /capif-security/v1/trustedInvokers/{apiInvokerId}`
pub(crate) async fn create(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(invoker): Path<String>,
    JsonBody(body): JsonBody<ServiceSecurity>,
) -> Result<Response, Refusal> {
    let location = HeaderValue::try_from(ccf.at(&format!("{PATH}/{invoker}")));
    let location = location.map_err(|_| Refusal::hidden(Reason::NotFound))?;
    let body = change(&ccf, ctx, invoker, body, true).await?;
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(body)).into_response())
}

/// `POST /capif-security/v1/trustedInvokers/{apiInvokerId}/update`: 404 without a context.
pub(crate) async fn update(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(invoker): Path<String>,
    JsonBody(body): JsonBody<ServiceSecurity>,
) -> Result<Json<ServiceSecurity>, Refusal> {
    change(&ccf, ctx, invoker, body, false).await.map(Json)
}

async fn change(
    ccf: &CcfServer,
    ctx: Ctx,
    invoker: String,
    body: ServiceSecurity,
    may_create: bool,
) -> Result<ServiceSecurity, Refusal> {
    let server = ccf.clone();
    let (body, epoch): (ServiceSecurity, Option<u64>) = ccf
        .kit()
        .store
        .write(move |tx| Box::pin(async move { apply(&server, tx, &ctx, &invoker, body, may_create).await }))
        .await?;
    ccf.acknowledge(epoch).await?;
    Ok(body)
}

async fn apply(
    ccf: &CcfServer,
    tx: &mut dyn Sql,
    ctx: &Ctx,
    invoker: &str,
    mut body: ServiceSecurity,
    may_create: bool,
) -> Result<(ServiceSecurity, Option<u64>), Refusal> {
    let party = party(tx, ctx, &[CertRole::Invoker]).await?;
    own(ctx, &party, invoker, "apiInvokerId")?;
    let row = invokers::find(tx, invoker).await?.ok_or(Refusal::open(Reason::NotFound))?;
    let before = contexts::held(tx, invoker).await?;
    if before.is_none() && !may_create {
        return Err(Refusal::open(Reason::NotFound));
    }
    let apis = apis_of(tx, &row.enrolment_id).await?;
    let mut entries: Vec<ContextEntry> = Vec::new();
    let mut infos = Vec::with_capacity(body.security_info.len());
    for info in body.security_info {
        let may = |name: &str| allows(&apis, name);
        let published = match info.target() {
            Some(SecurityTarget::Aef(aef)) => published::of_aef(tx, aef.as_str()).await?,
            // An interface may be any function's: the catalogue in memory, where nothing has changed.
            _ => {
                let catalogue = ccf.catalogue().at(tx).await?;
                let allowed = catalogue.all().filter(|entry| may(entry.description.api_name.as_str()));
                allowed.map(|entry| entry.description.clone()).collect()
            }
        };
        let here = |api: &ServiceAPIDescription| Realm::of_api(api) == party.realm();
        let published: Vec<_> =
            published.into_iter().filter(|api| here(api) && may(api.api_name.as_str())).collect();
        let negotiated = negotiate(info, &published, &ccf.config().methods);
        const EXPECTED: &str = "a method that is published, preferred and allowed";
        match (&negotiated.info.sel_security_method, negotiated.refused) {
            (Some(method), _) => ctx.pass("security method", EXPECTED, method.as_str().to_owned()),
            (None, Some(refused)) => ctx.fail("security method", EXPECTED, refused.to_string()),
            (None, None) => ctx.fail("security method", EXPECTED, "no such API for this API invoker"),
        }
        entries.extend(negotiated.selected.into_iter().map(|selected| ContextEntry {
            aef_id: selected.aef_id,
            api_id: selected.api_id,
            api_name: selected.api_name,
            method: selected.method.as_str().to_owned(),
        }));
        infos.push(negotiated.info);
    }
    body.security_info = infos;
    body.supported_features =
        body.supported_features.take().map(|theirs| theirs.intersection(&SupportedFeatures::of(&FEATURES)));
    // One API at one function has one method: the entry that came first.
    let mut seen = BTreeSet::new();
    entries.retain(|entry| seen.insert((entry.aef_id.clone(), entry.api_id.clone())));
    // What the context no longer opens, no token of before opens.
    let had = contexts::entries(tx, invoker).await?;
    let mut lost = Vec::new();
    for gone in had.iter().filter(|had| !entries.contains(had)) {
        lost.extend(tokens::of_api(tx, invoker, &gone.aef_id, &gone.api_name, ccf.now_s()).await?);
    }
    let context = ContextRow { invoker_id: invoker.to_owned(), body: text(&body)?, version: 0 };
    contexts::put(tx, &context, &entries, ccf.now_s()).await?;
    let permit = Permit::new("ccf.security.negotiate").object(format!("contexts/{invoker}")).units(0);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await?;
    let epoch = ccf.note(tx, ccf.end_tokens(lost)).await?;
    Ok((body, epoch))
}
