//! `GET /accessControlPolicyList/{serviceApiId}`: an API exposing function asks for the policies of a service API that it
//! exposes (TS 29.222 8.6.2.2).

use api_types::capif::ApiInvokerId;
use api_types::capif::access_control::{AccessControlFilter, AccessControlPolicyList, ApiInvokerPolicy};
use api_types::query::Query;
use api_types::validate::cause_of;
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::peer::CertRole;
use service_http::refusal::Refusal;
use store::capif::access_control::{self, AccessControlRow};
use store::{Sql, StoreError};

use super::{exposed_at, of_rows, read};
use crate::ccf::CcfServer;
use crate::ccf::party::{own, party};

/// `GET /access-control-policy/v1/accessControlPolicyList/{serviceApiId}?aef-id&api-invoker-id`
pub(crate) async fn list(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    Path(api): Path<String>,
    RawQuery(query): RawQuery,
) -> Result<Json<AccessControlPolicyList>, Refusal> {
    let bad = |faults: Vec<_>| Refusal::input(cause_of(&faults), faults);
    let query = Query::parse(query.as_deref().unwrap_or_default()).map_err(|fault| bad(vec![fault]))?;
    let wanted = AccessControlFilter::parse(&query).map_err(bad)?;
    ccf.kit()
        .store
        .write(move |tx| Box::pin(async move { told(tx, &ctx, &api, wanted).await.map(Json) }))
        .await
}

async fn told(
    tx: &mut dyn Sql,
    ctx: &Ctx,
    api: &str,
    wanted: AccessControlFilter,
) -> Result<AccessControlPolicyList, Refusal> {
    const EXPECTED: &str = "one that the caller exposes";
    let aef = party(tx, ctx, &[CertRole::Aef]).await?;
    own(ctx, &aef, wanted.aef_id.as_str(), "aef-id")?;
    if exposed_at(tx, api, &aef.id).await?.is_none() {
        ctx.fail("service API", EXPECTED, "none");
        return Err(Refusal::hidden(Reason::NotFound));
    }
    ctx.pass("service API", EXPECTED, "held");
    let rows = access_control::list(tx, (api, &aef.id)).await?;
    let policies = answer(&rows, wanted.api_invoker_id.as_ref())?;
    let permit = Permit::new("ccf.access_control.list").object(format!("service-apis/{api}")).units(0);
    ledger::record(tx, ctx, &Actor::peer(ctx.peer()), &permit).await?;
    Ok(AccessControlPolicyList { api_invoker_policies: Some(policies) })
}

/// The policies that are asked for: of one API invoker its own, or else the one of all that have none.
fn answer(
    rows: &[AccessControlRow],
    invoker: Option<&ApiInvokerId>,
) -> Result<Vec<ApiInvokerPolicy>, StoreError> {
    let Some(invoker) = invoker else { return of_rows(rows) };
    let of = |wanted: Option<&str>| rows.iter().find(|row| row.invoker_id.as_deref() == wanted);
    let Some(row) = of(Some(invoker.as_str())).or_else(|| of(None)) else { return Ok(Vec::new()) };
    Ok(vec![ApiInvokerPolicy { api_invoker_id: invoker.clone(), ..read(row)? }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn row(invoker: Option<&str>, most: u64) -> AccessControlRow {
        let name = invoker.unwrap_or(super::super::EVERY_INVOKER);
        let body = json!({ "apiInvokerId": name, "allowedTotalInvocations": most }).to_string();
        let invoker_id = invoker.map(str::to_owned);
        AccessControlRow { api_id: "API1".into(), aef_id: "AEF1".into(), invoker_id, body, version: 1 }
    }

    type Row<'r> = (&'r str, &'r [AccessControlRow], Option<&'r str>, &'r [(&'r str, u64)]);

    #[test]
    fn one_has_its_own_policy_or_that_of_all_others() {
        let all = [row(None, 10), row(Some("INV1"), 1), row(Some("INV2"), 2)];
        #[rustfmt::skip] // a table stays a table
        let rows: [Row<'_>; 6] = [
            ("all",                  &all,      None,         &[("INV1", 1), ("INV2", 2)]),
            ("its own",              &all,      Some("INV2"), &[("INV2", 2)]),
            ("that of all others",   &all,      Some("INV3"), &[("INV3", 10)]),
            ("none for others",      &all[1..], Some("INV3"), &[]),
            ("only that of others",  &all[..1], None,         &[]),
            ("none at all",          &[],       Some("INV1"), &[]),
        ];
        for (what, rows, invoker, expected) in rows {
            let invoker = invoker.map(|id| id.parse().unwrap());
            let policies = answer(rows, invoker.as_ref()).unwrap();
            let seen: Vec<_> = policies
                .iter()
                .map(|policy| (policy.api_invoker_id.as_str(), policy.allowed_total_invocations.unwrap()))
                .collect();
            assert_eq!(seen, expected, "{what}");
        }
    }
}
