//! Enrolments, API invokers and API providers.

use api_types::admin::{CapifInvoker, CapifProvider, CapifRefusal, EnrolmentInfo, Page};
use api_types::capif::{ApiInvokerId, EnrolmentId, RegistrationId};
use api_types::date_time::DateTime;
use api_types::ids::TraceId;
use axum::Json;
use axum::extract::{Path, State};
use http::StatusCode;
use service_http::call::Ctx;
use service_http::refusal::Refusal;
use store::audit::{self, AuditRecord};

use super::{Admin, Filters, ccf, id, part};
use crate::admin::record;

/// `GET /v1/enrolments?limit&cursor`: without their secrets.
pub(in crate::admin) async fn enrolments(
    State(admin): State<Admin>,
    filters: Filters,
) -> Result<Json<Page<EnrolmentInfo>>, Refusal> {
    Ok(Json(ccf(&admin)?.enrolments(part(&filters)?).await?))
}

/// `DELETE /v1/enrolments/{enrolmentId}`: one that was not used.
pub(in crate::admin) async fn withdraw_enrolment(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(enrolment): Path<String>,
) -> Result<StatusCode, Refusal> {
    let (enrolment, ccf) = (id::<EnrolmentId>("enrolmentId", enrolment)?, ccf(&admin)?.clone());
    let act = ("admin.enrolment.delete", format!("enrolments/{enrolment}"));
    record::act(&admin, &ctx, act, |()| 204, async move { ccf.withdraw_enrolment(&enrolment).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /v1/capif/invokers?limit&cursor`
pub(in crate::admin) async fn invokers(
    State(admin): State<Admin>,
    filters: Filters,
) -> Result<Json<Page<CapifInvoker>>, Refusal> {
    Ok(Json(ccf(&admin)?.invokers(part(&filters)?).await?))
}

/// `GET /v1/capif/invokers/{apiInvokerId}`
pub(in crate::admin) async fn invoker(
    State(admin): State<Admin>,
    Path(invoker): Path<String>,
) -> Result<Json<CapifInvoker>, Refusal> {
    Ok(Json(ccf(&admin)?.invoker(&id("apiInvokerId", invoker)?).await?))
}

/// `DELETE /v1/capif/invokers/{apiInvokerId}`: certificates, context and tokens end before this is answered.
pub(in crate::admin) async fn delete_invoker(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(invoker): Path<String>,
) -> Result<StatusCode, Refusal> {
    let (invoker, ccf) = (id::<ApiInvokerId>("apiInvokerId", invoker)?, ccf(&admin)?.clone());
    let act = ("admin.capif.invoker.delete", format!("invokers/{invoker}"));
    record::act(&admin, &ctx, act, |()| 204, async move { ccf.offboard(&invoker).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /v1/capif/providers?limit&cursor`
pub(in crate::admin) async fn providers(
    State(admin): State<Admin>,
    filters: Filters,
) -> Result<Json<Page<CapifProvider>>, Refusal> {
    Ok(Json(ccf(&admin)?.providers(part(&filters)?).await?))
}

/// `GET /v1/capif/providers/{registrationId}`
pub(in crate::admin) async fn provider(
    State(admin): State<Admin>,
    Path(registration): Path<String>,
) -> Result<Json<CapifProvider>, Refusal> {
    Ok(Json(ccf(&admin)?.provider(&id("registrationId", registration)?).await?))
}

/// `DELETE /v1/capif/providers/{registrationId}`: its functions, their certificates and APIs end before this is answered.
pub(in crate::admin) async fn delete_provider(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(registration): Path<String>,
) -> Result<StatusCode, Refusal> {
    let (registration, ccf) = (id::<RegistrationId>("registrationId", registration)?, ccf(&admin)?.clone());
    let act = ("admin.capif.provider.delete", format!("registrations/{registration}"));
    record::act(&admin, &ctx, act, |()| 204, async move { ccf.deregister(&registration).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /v1/capif/refusals/{partyId}?limit`: what was refused to an API invoker or a function of a provider last, by every
/// function of this process, the newest first. Of people there is none of this: they stand in the audit alone.
pub(in crate::admin) async fn refusals(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(party): Path<String>,
    filters: Filters,
) -> Result<Json<Page<CapifRefusal>>, Refusal> {
    let limit = filters.limit()?;
    ccf(&admin)?.check_party(&party).await?;
    let mut items = Vec::new();
    for kit in &admin.functions {
        kit.flush().await;
        let actor = party.clone();
        let read =
            kit.store.read(move |sql| Box::pin(async move { audit::refusals(sql, &actor, limit).await }));
        items.extend(read.await?.into_iter().map(refusal));
    }
    items.sort_by_key(|refusal: &CapifRefusal| std::cmp::Reverse(refusal.at.unix_ms()));
    items.truncate(limit as usize);
    record::looked(&admin, &ctx, "admin.capif.refusals.read", format!("refusals/{party}")).await?;
    Ok(Json(Page::last(items)))
}

fn refusal(record: AuditRecord) -> CapifRefusal {
    let row = record.row;
    CapifRefusal {
        at: DateTime::from_unix_ms(row.at_ms),
        function: row.function,
        action: row.action,
        object: row.object,
        reason: row.reason,
        cause: row.cause,
        status: row.status.unwrap_or_default(),
        trace: TraceId::or_none(row.trace),
    }
}
