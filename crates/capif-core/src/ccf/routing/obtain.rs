//! `GET /service-apis/{serviceApiId}`: the API exposing function at which invocations arrive asks where they go (TS 29.222
//! 8.10.2.2).

use api_types::capif::routing::{RoutingFilter, RoutingInfo};
use api_types::query::Query;
use api_types::validate::cause_of;
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::Sql;
use store::capif::routing;

use super::read;
use crate::ccf::CcfServer;
use crate::ccf::access_control::exposed_at;
use crate::ccf::party::{own, party};

/// `GET /capif-routing-info/v1/service-apis/{serviceApiId}?aef-id`
pub(crate) async fn obtain(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(api): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<RoutingInfo>, Refusal> {
    let bad = |faults: Vec<_>| Refusal::input(cause_of(&faults), faults);
    let query = Query::parse(query.as_deref().unwrap_or_default()).map_err(|fault| bad(vec![fault]))?;
    let wanted = RoutingFilter::parse(&query).map_err(bad)?;
    ccf.kit()
        .store
        .write(move |tx| Box::pin(async move { told(tx, &ctx, &api, wanted).await.map(Json) }))
        .await
}

async fn told(tx: &mut dyn Sql, ctx: &Ctx, api: &str, wanted: RoutingFilter) -> Result<RoutingInfo, Refusal> {
    const EXPECTED: &str = "rules of a service API that the caller exposes";
    let aef = party(tx, ctx, &[CertRole::Aef]).await?;
    own(ctx, &aef, wanted.aef_id.as_str(), "aef-id")?;
    let exposed = exposed_at(tx, api, &aef.id).await?.is_some();
    let row = if exposed { routing::find(tx, api, &aef.id).await? } else { None };
    let Some(row) = row else {
        ctx.fail("routing rules", EXPECTED, "none");
        return Err(Refusal::hidden(Reason::NotFound));
    };
    ctx.pass("routing rules", EXPECTED, "held");
    let permit = Permit::new("ccf.routing.obtain").object(format!("service-apis/{api}")).units(0);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await?;
    Ok(read(&row)?)
}
