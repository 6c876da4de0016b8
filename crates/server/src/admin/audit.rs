//! `/audit`, `/audit/verify`: the decisions of every function of this process.

use std::collections::BTreeMap;

use api_types::admin::{AuditItem, AuditVerify, AuditVerifyFunction, Page};
use api_types::date_time::DateTime;
use api_types::ids::TraceId;
use axum::Json;
use axum::extract::State;
use service_http::call::Ctx;
use service_http::kit::FunctionKit;
use service_http::refusal::Refusal;
use store::audit::{self, AuditFilter, AuditRecord};

use super::query::Filters;
use super::walk::walk;
use super::{Admin, people, record};

/// `GET /v1/audit?function&trace&actor&object&after&limit&cursor`
///
/// `actor` is a client id, a pseudonym, or a VAL user id whose pseudonym each function knows.
pub(super) async fn list(
    State(admin): State<Admin>,
    ctx: Ctx,
    filters: Filters,
) -> Result<Json<Page<AuditItem>>, Refusal> {
    let seq = |record: &AuditRecord| record.seq;
    let page =
        walk(&admin, &filters, seq, |admin, kit, filters, part| Box::pin(page(admin, kit, filters, part)))
            .await?;
    record::looked(&admin, &ctx, "admin.audit.read", "audit").await?;
    Ok(Json(Page { items: page.items.into_iter().map(item).collect(), next: page.next }))
}

async fn page(
    admin: &Admin,
    kit: &FunctionKit,
    filters: &Filters,
    (after, limit): (u64, u32),
) -> Result<Vec<AuditRecord>, Refusal> {
    let text = |name: &str| filters.text(name).map(str::to_owned);
    let filter = AuditFilter { trace: text("trace"), actor: None, object: text("object"), after };
    let Some(actor) = filters.text("actor") else { return fetch(kit, filter, limit).await };
    let mut rows = Vec::new();
    for name in people::in_records(admin, kit, actor).await? {
        rows.extend(fetch(kit, AuditFilter { actor: Some(name), ..filter.clone() }, limit).await?);
    }
    rows.sort_by_key(|row| row.seq);
    rows.truncate(limit as usize);
    Ok(rows)
}

async fn fetch(kit: &FunctionKit, filter: AuditFilter, limit: u32) -> Result<Vec<AuditRecord>, Refusal> {
    Ok(kit.store.read(move |sql| Box::pin(async move { audit::page(sql, &filter, limit).await })).await?)
}

fn item(record: AuditRecord) -> AuditItem {
    let row = record.row;
    AuditItem {
        seq: record.seq,
        at: DateTime::from_unix_ms(row.at_ms),
        function: row.function,
        actor: row.actor,
        owner: row.owner,
        action: row.action,
        object: row.object,
        verdict: row.verdict,
        reason: row.reason,
        cause: row.cause,
        status: row.status.unwrap_or_default(),
        policy_version: row.policy_version,
        consent_version: row.consent_version,
        trace: TraceId::or_none(row.trace),
        prev: record.prev,
        hash: record.hash,
    }
}

/// `GET /v1/audit/verify`: recomputes every chain.
pub(super) async fn verify(State(admin): State<Admin>, ctx: Ctx) -> Result<Json<AuditVerify>, Refusal> {
    record::looked(&admin, &ctx, "admin.audit.verify", "audit").await?;
    let mut functions = BTreeMap::new();
    for kit in &admin.functions {
        kit.flush().await;
        let found = kit.store.read(|sql| Box::pin(async move { audit::verify(sql).await })).await?;
        let function = AuditVerifyFunction {
            intact: found.intact(),
            rows: found.checked,
            head: found.head.hash,
            broken_at: found.broken,
        };
        functions.insert(kit.function.as_str().to_owned(), function);
    }
    let intact = functions.values().all(|function| function.intact);
    Ok(Json(AuditVerify { intact, functions }))
}
