//! `PUT` and `PATCH /onboardedInvokers/{onboardingId}`. The key changes by PATCH only: the new certificate replaces the
//! one before, which ends with the answer (TS 29.222 8.4.2.3).

use api_types::capif::invoker::APIInvokerEnrolmentDetails;
use api_types::problem::Cause;
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
use store::capif::Write;
use store::capif::certificates::{self, CertificateRow};
use store::capif::invokers::{self, InvokerRow};

use super::{itself, kept, read};
use crate::ccf::certificates::Named;
use crate::ccf::events::{Happening, note};
use crate::ccf::provider::functions::{refused, wrong};
use crate::ccf::{CcfServer, allowed};

/// `PUT /api-invoker-management/v1/onboardedInvokers/{onboardingId}`
pub(crate) async fn replace(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(onboarding): Path<String>,
    JsonBody(body): JsonBody<APIInvokerEnrolmentDetails>,
) -> Result<Json<APIInvokerEnrolmentDetails>, Refusal> {
    change(ccf, ctx, onboarding, Change::Replace(Box::new(body))).await
}

/// `PATCH /api-invoker-management/v1/onboardedInvokers/{onboardingId}`
pub(crate) async fn modify(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(onboarding): Path<String>,
    MergePatchBody(patch): MergePatchBody<Value>,
) -> Result<Json<APIInvokerEnrolmentDetails>, Refusal> {
    change(ccf, ctx, onboarding, Change::Modify(patch)).await
}

enum Change {
    Replace(Box<APIInvokerEnrolmentDetails>),
    Modify(Value),
}

async fn change(
    ccf: CcfServer,
    ctx: Ctx,
    onboarding: String,
    change: Change,
) -> Result<Json<APIInvokerEnrolmentDetails>, Refusal> {
    let server = ccf.clone();
    let (body, epoch): (APIInvokerEnrolmentDetails, Option<u64>) = ccf
        .kit()
        .store
        .write(move |tx| Box::pin(async move { apply(&server, tx, &ctx, &onboarding, change).await }))
        .await?;
    ccf.acknowledge(epoch).await?;
    Ok(Json(body))
}

async fn apply(
    ccf: &CcfServer,
    tx: &mut dyn Sql,
    ctx: &Ctx,
    onboarding: &str,
    change: Change,
) -> Result<(APIInvokerEnrolmentDetails, Option<u64>), Refusal> {
    let (party, row) = itself(tx, ctx, onboarding).await?;
    let before = read(&row)?;
    let by_patch = matches!(change, Change::Modify(_));
    let mut body = match change {
        Change::Replace(body) => *body,
        Change::Modify(patch) => {
            before.patched(&patch).map_err(|faults| Refusal::input(Cause::MandatoryIeIncorrect, faults))?
        }
    };
    // Assigned here: not changed by whoever sends them.
    body.api_invoker_id.clone_from(&before.api_invoker_id);
    body.supported_features.clone_from(&before.supported_features);
    body.onboarding_information.onboarding_secret = None;
    body.onboarding_information
        .api_invoker_certificate
        .clone_from(&before.onboarding_information.api_invoker_certificate);
    let until_s = body.exp_time.as_ref().map(|end| end.unix());
    if until_s.is_some_and(|end| end <= ccf.now_s()) {
        return Err(wrong("/expTime", "is over"));
    }
    let mut entries = Vec::new();
    let mut key_sha256 = row.key_sha256.clone();
    let key = &body.onboarding_information.api_invoker_public_key;
    if *key != before.onboarding_information.api_invoker_public_key {
        const AT: &str = "/onboardingInformation/apiInvokerPublicKey";
        if !by_patch {
            return Err(wrong(AT, "is not changed by PUT; send PATCH"));
        }
        let named = Named { role: CertRole::Invoker, id: onboarding, until_s };
        let issued = ccf.certificates().issue(key, named).map_err(|error| refused(error, AT))?;
        entries.extend(ccf.end_certificates(tx, onboarding).await?);
        let certificate = CertificateRow {
            x5t_s256: issued.x5t_s256,
            role: CertRole::Invoker.as_str().to_owned(),
            principal: onboarding.to_owned(),
            registration: onboarding.to_owned(),
            not_after_s: issued.not_after_s,
            revoked_s: None,
        };
        certificates::insert(tx, &certificate).await?;
        key_sha256 = issued.key_sha256;
        body.onboarding_information.api_invoker_certificate = Some(issued.cert_pem);
    }
    let apis = allowed::apis_of(tx, &row.enrolment_id).await?;
    let asked = body.api_list.take();
    (body.api_list, body.failure_reasons) = allowed::enrolled(tx, party.realm(), &apis, asked).await?;
    let next = InvokerRow { body: kept(&body)?, key_sha256, expires_s: until_s, ..row.clone() };
    match invokers::update(tx, &next, row.version, ccf.now_s()).await? {
        Write::Done => {}
        Write::Stale => return Err(Refusal::open(Reason::StaleVersion)),
        Write::Taken => return Err(Refusal::open(Reason::IdTaken)),
    }
    let itself = onboarding.try_into().map_err(|_| Refusal::open(Reason::StoreFailed))?;
    note(tx, ccf, Happening::InvokerUpdated { invoker: itself }).await?;
    let permit = Permit::new("ccf.invoker.change").object(format!("invokers/{onboarding}")).units(0);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await?;
    Ok((body, ccf.note(tx, entries).await?))
}
