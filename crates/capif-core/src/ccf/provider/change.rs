//! `PUT` and `PATCH /registrations/{registrationId}`: the management function of a domain changes it. Functions that are
//! new get certificates, those that come with another key get another one, those that are left out end.

use std::collections::BTreeSet;

use api_types::capif::provider::{APIProviderEnrolmentDetails, ApiProviderFuncRole};
use api_types::problem::Cause;
use api_types::secret::Secret;
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, State};
use serde_json::Value;
use service_http::call::{Actor, Ctx};
use service_http::json_body::{JsonBody, MergePatchBody};
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::Sql;
use store::capif::providers::ProviderRow;
use store::capif::{certificates, providers};

use super::functions::{certify, wrong};
use super::{USED, kept, read};
use crate::ccf::CcfServer;
use crate::ccf::party::party;

/// `PUT /api-provider-management/v1/registrations/{registrationId}`
pub(crate) async fn replace(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(registration): Path<String>,
    JsonBody(body): JsonBody<APIProviderEnrolmentDetails>,
) -> Result<Json<APIProviderEnrolmentDetails>, Refusal> {
    change(ccf, ctx, registration, Change::Replace(body)).await
}

/// `PATCH /api-provider-management/v1/registrations/{registrationId}`
pub(crate) async fn modify(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(registration): Path<String>,
    MergePatchBody(patch): MergePatchBody<Value>,
) -> Result<Json<APIProviderEnrolmentDetails>, Refusal> {
    change(ccf, ctx, registration, Change::Modify(patch)).await
}

enum Change {
    Replace(APIProviderEnrolmentDetails),
    Modify(Value),
}

async fn change(
    ccf: CcfServer,
    ctx: Ctx,
    registration: String,
    change: Change,
) -> Result<Json<APIProviderEnrolmentDetails>, Refusal> {
    let server = ccf.clone();
    let (body, epoch): (APIProviderEnrolmentDetails, Option<u64>) = ccf
        .kit()
        .store
        .write(move |tx| Box::pin(async move { apply(&server, tx, &ctx, &registration, change).await }))
        .await?;
    ccf.acknowledge(epoch).await?;
    Ok(Json(body))
}

async fn apply(
    ccf: &CcfServer,
    tx: &mut dyn Sql,
    ctx: &Ctx,
    registration: &str,
    change: Change,
) -> Result<(APIProviderEnrolmentDetails, Option<u64>), Refusal> {
    let row = manager(tx, ctx, registration).await?;
    let before: APIProviderEnrolmentDetails = read(&row)?;
    let mut body = match change {
        Change::Replace(body) => APIProviderEnrolmentDetails {
            // Assigned here, and used up: neither is changed by whoever sends them.
            api_prov_dom_id: before.api_prov_dom_id.clone(),
            supp_feat: before.supp_feat.clone(),
            reg_sec: Some(Secret::new(USED)),
            ..body
        },
        Change::Modify(patch) => {
            before.patched(&patch).map_err(|faults| Refusal::input(Cause::MandatoryIeIncorrect, faults))?
        }
    };
    let present = before.api_prov_funcs.as_deref().unwrap_or_default();
    let functions = body.api_prov_funcs.take().unwrap_or_default();
    if !functions.iter().any(|function| function.api_prov_func_role == ApiProviderFuncRole::Amf) {
        return Err(wrong(
            "/apiProvFuncs",
            "needs a management function (AMF), which alone may change the domain",
        ));
    }
    let certified = certify(ccf, registration, functions, present)?;
    let stays: BTreeSet<&str> = certified.rows.iter().map(|row| row.function_id.as_str()).collect();
    let gone: Vec<String> = present
        .iter()
        .filter_map(|function| function.api_prov_func_id.clone())
        .filter(|id| !stays.contains(id.as_str()))
        .collect();
    let mut entries = Vec::new();
    for function in &gone {
        entries.extend(ccf.end_function(tx, function).await?);
        providers::delete_function(tx, function).await?;
    }
    for function in certified.rows.iter().filter(|row| certified.renewed.contains(&row.function_id)) {
        entries.extend(ccf.end_certificates(tx, &function.function_id).await?);
    }
    for function in &certified.rows {
        if !present.iter().any(|known| known.api_prov_func_id.as_ref() == Some(&function.function_id)) {
            providers::insert_function(tx, function).await?;
        }
    }
    for certificate in &certified.certificates {
        certificates::insert(tx, certificate).await?;
    }
    body.api_prov_funcs = Some(certified.functions);
    body.fail_reason = certified.fail_reason;
    let next = kept(registration, &row.enrolment_id, &body)?;
    if !providers::update(tx, &next, row.version, ccf.now_s()).await? {
        return Err(Refusal::open(Reason::StaleVersion));
    }
    let permit = Permit::new("ccf.provider.change").object(format!("registrations/{registration}")).units(0);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await?;
    Ok((body, ccf.note(tx, entries).await?))
}

/// The management function of the registration, and what is on record of it. Another one's is as if it were not there.
pub(super) async fn manager(tx: &mut dyn Sql, ctx: &Ctx, registration: &str) -> Result<ProviderRow, Refusal> {
    let party = party(tx, ctx, &[CertRole::Amf]).await?;
    if party.registration != registration {
        ctx.fail("registration", "the caller's own", "another one");
        return Err(Refusal::hidden(Reason::NotOwner));
    }
    ctx.pass("registration", "the caller's own", "its own");
    providers::find(tx, registration).await?.ok_or(Refusal::hidden(Reason::NotFound))
}
