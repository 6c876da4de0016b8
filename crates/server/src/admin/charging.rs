//! `/charging`: what was served to whom.

use api_types::admin::{ChargingItem, Page};
use api_types::date_time::DateTime;
use api_types::ids::TraceId;
use axum::Json;
use axum::extract::State;
use service_http::call::Ctx;
use service_http::kit::FunctionKit;
use service_http::refusal::Refusal;
use store::charging::{self, ChargingRecord};

use super::query::Filters;
use super::walk::walk;
use super::{Admin, people, record};

/// `GET /v1/charging?function&consumer&after&limit&cursor`
///
/// `consumer` is a client id, a pseudonym, or a VAL user id whose pseudonym each function knows.
pub(super) async fn list(
    State(admin): State<Admin>,
    ctx: Ctx,
    filters: Filters,
) -> Result<Json<Page<ChargingItem>>, Refusal> {
    let seq = |record: &ChargingRecord| record.seq;
    let page =
        walk(&admin, &filters, seq, |admin, kit, filters, part| Box::pin(page(admin, kit, filters, part)))
            .await?;
    record::looked(&admin, &ctx, "admin.charging.read", "charging").await?;
    Ok(Json(Page { items: page.items.into_iter().map(item).collect(), next: page.next }))
}

async fn page(
    admin: &Admin,
    kit: &FunctionKit,
    filters: &Filters,
    (after, limit): (u64, u32),
) -> Result<Vec<ChargingRecord>, Refusal> {
    let Some(consumer) = filters.text("consumer") else { return fetch(kit, None, after, limit).await };
    let mut rows = Vec::new();
    for name in people::in_records(admin, kit, consumer).await? {
        rows.extend(fetch(kit, Some(name), after, limit).await?);
    }
    rows.sort_by_key(|row| row.seq);
    rows.truncate(limit as usize);
    Ok(rows)
}

async fn fetch(
    kit: &FunctionKit,
    consumer: Option<String>,
    after: u64,
    limit: u32,
) -> Result<Vec<ChargingRecord>, Refusal> {
    let rows = kit
        .store
        .read(move |sql| {
            Box::pin(async move { charging::page(sql, consumer.as_deref(), after, limit).await })
        })
        .await?;
    Ok(rows)
}

fn item(record: ChargingRecord) -> ChargingItem {
    let row = record.row;
    ChargingItem {
        id: row.id,
        seq: record.seq,
        at: DateTime::from_unix_ms(row.at_ms),
        function: row.function,
        consumer: row.consumer,
        client: row.client,
        owner: row.owner,
        service: row.service,
        operation: row.operation,
        resource: row.resource,
        units: row.units,
        bytes: row.bytes,
        outcome: row.outcome,
        trace: TraceId::or_none(row.trace),
    }
}
