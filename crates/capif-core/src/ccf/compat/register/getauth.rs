//! `GET /getauth`: a user gets what an API invoker or a domain begins with.

use api_types::admin::EnrolmentKind;
use axum::Json;
use axum::extract::State;
use http::HeaderMap;
use jose::sha256;
use serde_json::{Value, json};
use service_http::call::Ctx;
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::capif::enrolments::{self, EnrolmentRow};

use super::GRANT_S;
use crate::ccf::CcfServer;
use crate::ccf::identifier::Realm;

/// `GET /getauth`
pub(in crate::ccf::compat) async fn getauth(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    let compat = ccf.compat()?;
    let (name, user) = compat.accounts().user(&ccf, &ctx, &headers, false).await?;
    let ambient = &ccf.kit().ambient;
    let secret = ambient.random_secret();
    let row = EnrolmentRow {
        enrolment_id: Realm::OpenCapif.fresh("ENR", ambient),
        kind: EnrolmentKind::OpenCapif.as_str().to_owned(),
        name,
        apis: Vec::new(),
        secret_sha256: sha256(secret.as_bytes()).to_vec(),
        expires_s: ccf.now_s().saturating_add(GRANT_S),
        used_s: None,
    };
    ccf.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                enrolments::insert(tx, &row).await?;
                let object = format!("enrolments/{}", row.enrolment_id);
                let permit = Permit::new("ccf.compat.getauth").object(object).owner(&user.uuid).units(0);
                ledger::record(tx, &ctx, &ctx.actor(), &permit).await
            })
        })
        .await?;
    // Relative and without a slash before: clients put them behind an origin that ends with one.
    Ok(Json(json!({
        "message": "Token and CA root returned successfully",
        "access_token": secret,
        "ca_root": ccf.certificates().root_pem(),
        "ccf_api_onboarding_url": "api-provider-management/v1/registrations",
        "ccf_publish_url": "published-apis/v1/<apfId>/service-apis",
        "ccf_onboarding_url": "api-invoker-management/v1/onboardedInvokers",
        "ccf_discover_url": "service-apis/v1/allServiceAPIs?api-invoker-id=",
        "ccf_security_url": "capif-security/v1/trustedInvokers/<apiInvokerId>",
    })))
}
