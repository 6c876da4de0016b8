//! An API invoker that takes more than it may, and whoever plays the core function or another API invoker to an API exposing
//! function (IMP-20; TS 29.222 8.6 and 8.8).

use anyhow::{Context, Result, ensure};
use api_types::capif::{AefId, ApiName};
use authorization::Reason;
use http::Method;
use sdk::Request;
use sdk::capif::ServiceApiQuery;
use serde_json::{Value, json};

use super::super::Arena;
use super::super::holder::at;
use super::{bearing, case};
use crate::demo::invoker::{Invoker, aef};

const ROWS: &[&str] = &["IMP-20", "NA-5"];
const API: &str = "ssan-disc";

pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    let sample = arena.sample;
    let invoker = Invoker::onboard(sample, arena.observer.admin(), &["san"]).await?;
    let query = ServiceApiQuery {
        api_name: Some(ApiName::try_from(API)?),
        aef_id: Some(AefId::try_from(aef(sample, "san")?)?),
        ..ServiceApiQuery::default()
    };
    let found = invoker.ccf.discover(&invoker.id, &query).await?.service_api_descriptions.unwrap_or_default();
    let api = found.into_iter().find_map(|api| api.api_id).context("an API that is not found")?;
    let token = invoker.token("san", API, Value::Null).await?.access_token;
    let ask = async || -> Result<_> {
        let url = at(sample, "san", "/ssan-disc/v1/spatial-anchors?limit=1")?;
        Ok(invoker.https.send(bearing(Request::get(url), token.expose())).await)
    };

    // It may invoke once, and a bound in time comes after that.
    for (policy, allowed, member, reason) in [
        (json!({ "allowedTotalInvocations": 1 }), true, "more-than-allowed", Reason::InvocationLimit),
        (
            json!({ "allowedInvocationTimeRangeList": [{ "stopTime": "2020-01-01T00:00:00Z" }] }),
            false,
            "after-the-time-that-is-allowed",
            Reason::OutsideAllowedTime,
        ),
    ] {
        let admin = arena.observer.admin();
        let url = admin.url(&["capif", "access-control", invoker.id.as_str(), api.as_str()])?;
        let limited = admin.send(Request::new(Method::PUT, url).json(&policy)).await?;
        ensure!(matches!(limited.status, 200 | 201), "the limit is not taken: {}", limited.status);
        if allowed {
            ensure!(ask().await??.status == 200, "the one invocation that is allowed is refused");
        }
        let outcome = ask().await?;
        arena.judge(case(member, API, ROWS, reason), outcome).await?;
    }

    // What only the core function may say, and what only another API invoker.
    let revoke = json!({
        "revokeInfo": { "apiInvokerId": "INV1", "apiIds": [api], "cause": "OTHER_REASON" }, "supportedFeatures": "0",
    });
    let announce = json!({ "apiInvokerId": "INV1", "supportedFeatures": "0" });
    for (path, body, member, reason) in [
        ("revoke-authorization", revoke, "revocation-by-an-api-invoker", Reason::PeerRefused),
        ("check-authentication", announce, "announced-as-another", Reason::NotOwner),
    ] {
        let url = at(sample, "san", &format!("/aef-security/v1/{path}"))?;
        let outcome = invoker.https.send(Request::post(url).json(&body)).await;
        arena.judge(case(member, path, ROWS, reason), outcome).await?;
    }
    Ok(())
}
