//! Discovery at the store, with permissions, beside a bare query of the same index for the same number of answers.

use std::time::Duration;

use anyhow::Result;
use store::anchors::{Filter, discovery};
use store::spatial_index::GeoBox;
use store::{Dialect, Store, StoreError, Value};

use service_http::testkit::TestIssuer;

use super::Options;
use super::fill::{REGION, VISIBLE};
use super::process::thread_cpu;
use super::program::CLIENT;
use super::samples::Samples;

/// Answers of one question. Own value: a page.
pub(super) const ANSWERS: f64 = 100.0;

const AUDIENCE: &str = "https://san.example";

/// What the client holds, as a VAL server without a VAL service.
fn held() -> Result<Vec<String>> {
    use authorization::access_rules::held_by;
    let (ambient, _) = service_http::ambient::Ambient::for_test(1_800_000_000, 1);
    let claims = TestIssuer::sim(&ambient).claims_of_server(AUDIENCE, CLIENT, "3gpp:seal:san");
    let caller = authorization::Caller::from_claims(&serde_json::from_value(claims)?, "kid", None);
    Ok(held_by(&caller).iter().map(ToString::to_string).collect())
}

/// A square in which, of so many anchors, about `answers` lie; `n` moves it about.
pub(super) fn square(count: u32, answers: f64, n: usize) -> GeoBox {
    let (west, south, side) = REGION;
    let own = side * (answers / f64::from(count)).sqrt().min(1.0);
    let share = |step: f64| ((n as f64 * step).fract()) * (side - own);
    let (min_lon, min_lat) = (west + share(0.754_877_666), south + share(0.569_840_291));
    GeoBox { min_lon, min_lat, max_lon: min_lon + own, max_lat: min_lat + own }
}

/// Times of [`discovery::find`], and how many were found on average.
///
/// # Errors
/// The engine failed.
pub(super) async fn with_permissions(options: &Options, store: &Store, count: u32) -> Result<(Samples, f64)> {
    let held = held()?;
    let now_s = options.ambient.now_s();
    repeat(options, async |n| {
        let filter = Filter {
            held: held.clone(),
            boxes: Some(vec![square(count, ANSWERS / VISIBLE, n)]),
            now_s,
            limit: 1_000,
            ..Filter::default()
        };
        let found = store.read(|tx| Box::pin(async move { discovery::find(tx, &filter).await })).await?;
        Ok(found.found.len())
    })
    .await
}

/// Times of the index alone: the places in a box, and the records that they name.
///
/// # Errors
/// The engine failed.
pub(super) async fn bare(options: &Options, store: &Store, count: u32) -> Result<(Samples, f64)> {
    let sql = match store.dialect() {
        Dialect::Sqlite => {
            "select a.*, l.* from anchor_spot b join anchor a on a.anchor_id = b.spot & 2147483647 \
             join anchors_list l on l.list_id = a.list_id \
             where b.min_lon >= $1 and b.max_lon <= $2 and b.min_lat >= $3 and b.max_lat <= $4"
        }
        Dialect::Postgres => {
            "select a.*, l.* from anchor_box b join anchor a on a.anchor_id = b.anchor_id \
             join anchors_list l on l.list_id = a.list_id \
             where b.at OPERATOR(public.&&) public.ST_MakeEnvelope(CAST($1 AS double precision), \
             CAST($3 AS double precision), CAST($2 AS double precision), CAST($4 AS double precision))"
        }
    };
    let scale = |degrees: f64| match store.dialect() {
        Dialect::Sqlite => Value::Int((degrees * 1e7).round() as i64),
        Dialect::Postgres => Value::Real(degrees),
    };
    repeat(options, async |n| {
        let area = square(count, ANSWERS, n);
        let edges = [area.min_lon, area.max_lon, area.min_lat, area.max_lat].map(scale);
        let rows = store.read(|tx| Box::pin(async move { tx.query(sql, &edges).await })).await?;
        Ok(rows.len())
    })
    .await
}

async fn repeat(
    options: &Options,
    ask: impl AsyncFn(usize) -> Result<usize, StoreError>,
) -> Result<(Samples, f64)> {
    let mut samples = Samples::default();
    let mut answers = 0;
    for n in 0..50 {
        ask(n).await?;
    }
    let (cpu, wall) = (thread_cpu(), options.ambient.monotonic());
    let until = wall + Duration::from_secs_f64(options.seconds / 2.0);
    let mut asked = 0;
    loop {
        let start = options.ambient.monotonic();
        if start >= until {
            break;
        }
        answers += ask(asked).await?;
        asked += 1;
        samples.push(options.ambient.monotonic().saturating_sub(start));
    }
    samples.cpu = thread_cpu().saturating_sub(cpu);
    samples.wall = options.ambient.monotonic().saturating_sub(wall);
    Ok((samples, answers as f64 / f64::from(u32::try_from(asked.max(1)).unwrap_or(u32::MAX))))
}
