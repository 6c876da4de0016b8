//! Records of all functions as one list: function by function, each in the order of its records.

use api_types::admin::Page;
use service_http::kit::FunctionKit;
use service_http::refusal::Refusal;
use store::BoxFuture;

use super::Admin;
use super::query::Filters;

/// Reads up to a number of records of one function after a place: `(after, number)`.
pub(super) type Fetch<T> =
    for<'a> fn(&'a Admin, &'a FunctionKit, &'a Filters, (u64, u32)) -> BoxFuture<'a, Result<Vec<T>, Refusal>>;

/// A page of the records that `filters` leaves.
///
/// `seq` tells the place of a record.
pub(super) async fn walk<T>(
    admin: &Admin,
    filters: &Filters,
    seq: fn(&T) -> u64,
    fetch: Fetch<T>,
) -> Result<Page<T>, Refusal> {
    let (limit, place) = (filters.limit()?, filters.place()?);
    let first = filters.number("after")?.unwrap_or(0);
    let mut items: Vec<T> = Vec::new();
    for kit in admin.chosen(filters.function()?) {
        let after = match place {
            Some((function, _)) if kit.function < function => continue,
            Some((function, seq)) if kit.function == function => seq.max(first),
            _ => first,
        };
        kit.flush().await;
        let room = limit - u32::try_from(items.len()).unwrap_or(limit);
        let mut found = fetch(admin, kit, filters, (after, room + 1)).await?;
        let full = found.len() > room as usize;
        found.truncate(room as usize);
        let last = found.last().map_or(after, seq);
        items.extend(found);
        if full {
            return Ok(Page { items, next: Some(format!("{}.{last}", kit.function.as_str())) });
        }
    }
    Ok(Page { items, next: None })
}
