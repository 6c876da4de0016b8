//! Tokens and certificates that were good until somebody took them back (S2-6d, IMP-09).

use anyhow::{Context, Result, ensure};
use api_types::capif::security::RevocationCause;
use api_types::capif::{AefId, ApiName};
use authorization::Reason;
use sdk::capif::ServiceApiQuery;
use sdk::{Answer, CapifClient, HttpsClient, Identity, Request, SdkError};
use serde_json::Value;

use super::super::Arena;
use super::super::holder::at;
use super::{bearing, case};
use crate::demo::Sample;
use crate::demo::invoker::{Invoker, aef, context, scope};

const ROWS: &[&str] = &["S2-6d", "NA-5", "NA-6", "IMP-09"];
const ANCHORS: &str = "ssan-disc";
const LISTS: &str = "ssan-sanm";
const MAPS: &str = "ssm-disc";

pub(super) async fn play(arena: &mut Arena<'_>) -> Result<()> {
    let sample = arena.sample;
    let invoker = Invoker::onboard(sample, arena.observer.admin(), &["san", "sm"]).await?;
    let token = async |role: &str, api: &str| -> Result<String> {
        let token = invoker.token(role, api, Value::Null).await?;
        Ok(token.access_token.expose().to_owned())
    };
    let (anchors, lists, maps) =
        (token("san", ANCHORS).await?, token("san", LISTS).await?, token("sm", MAPS).await?);
    for (api, token) in [(ANCHORS, &anchors), (LISTS, &lists), (MAPS, &maps)] {
        ensure!(opens(sample, &invoker, api, token).await?, "{api} is refused before the revocation");
    }

    // The API exposing function withdraws one of its APIs.
    withdraw(arena, &invoker, ANCHORS).await?;
    let outcome = show(sample, &invoker, ANCHORS, &anchors).await?;
    arena.judge(case("token-that-the-aef-revoked", ANCHORS, ROWS, Reason::RevokedToken), outcome).await?;
    let outcome = ask(sample, &invoker, "san", ANCHORS).await?;
    let again =
        case("new-token-after-the-aef-revoked", "securities-token", ROWS, Reason::MethodNotNegotiated);
    arena.judge(again, outcome).await?;
    for (api, token) in [(LISTS, &lists), (MAPS, &maps)] {
        ensure!(opens(sample, &invoker, api, token).await?, "{api} ended with the token of {ANCHORS}");
    }

    // The API invoker negotiates anew, without the anchors.
    invoker.ccf.put_context(&invoker.id, &context(sample, &["sm"])?).await?;
    let outcome = show(sample, &invoker, LISTS, &lists).await?;
    arena.judge(case("token-after-a-new-negotiation", LISTS, ROWS, Reason::RevokedToken), outcome).await?;
    ensure!(opens(sample, &invoker, MAPS, &maps).await?, "{MAPS} ended with the negotiation");

    // It leaves: its tokens and its certificate are good nowhere.
    invoker.ccf.offboard(&invoker.id).await?;
    let outcome = show(sample, &invoker, MAPS, &maps).await?;
    arena.judge(case("token-of-an-offboarded-invoker", MAPS, ROWS, Reason::RevokedKey), outcome).await?;
    let outcome = ask(sample, &invoker, "sm", MAPS).await?;
    let certificate =
        case("certificate-of-an-offboarded-invoker", "securities-token", ROWS, Reason::ClientAuthWrong);
    arena.judge(certificate, outcome).await?;
    let mut url = at(sample, "ccf", "/service-apis/v1/allServiceAPIs")?;
    url.query_pairs_mut().append_pair("api-invoker-id", invoker.id.as_str());
    let outcome = invoker.https.send(Request::get(url)).await;
    let certificate =
        case("certificate-of-an-offboarded-invoker", "allServiceAPIs", ROWS, Reason::PeerRefused);
    arena.judge(certificate, outcome).await
}

/// A read with a token.
async fn show(
    sample: &Sample,
    invoker: &Invoker<'_>,
    api: &str,
    token: &str,
) -> Result<Result<Answer, SdkError>> {
    let (role, path) = match api {
        ANCHORS => ("san", "/ssan-disc/v1/spatial-anchors?limit=1"),
        LISTS => ("san", "/ssan-sanm/v1/anchors-lists/no-such-list"),
        _ => ("sm", "/ssm-disc/v1/spatial-maps?limit=1"),
    };
    Ok(invoker.https.send(bearing(Request::get(at(sample, role, path)?), token)).await)
}

/// Whether a token opens its API; that the list is not there is another matter.
async fn opens(sample: &Sample, invoker: &Invoker<'_>, api: &str, token: &str) -> Result<bool> {
    Ok(matches!(show(sample, invoker, api, token).await??.status, 200 | 404))
}

/// A request for a token.
async fn ask(
    sample: &Sample,
    invoker: &Invoker<'_>,
    role: &str,
    api: &str,
) -> Result<Result<Answer, SdkError>> {
    let id = invoker.id.as_str();
    let url = at(sample, "ccf", &format!("/capif-security/v1/securities/{id}/token"))?;
    let scope = scope(sample, role, api)?;
    let form = [("grant_type", "client_credentials"), ("client_id", id), ("scope", scope.as_str())];
    Ok(invoker.https.send(Request::post(url).form(form)).await)
}

/// The SAn server takes one of its APIs from an API invoker, with its own certificate.
async fn withdraw(arena: &Arena<'_>, invoker: &Invoker<'_>, api: &str) -> Result<()> {
    let sample = arena.sample;
    let dir = arena.data.join("capif/san");
    let kept: Value = serde_json::from_slice(&std::fs::read(dir.join("registration.json"))?)?;
    let identity = Identity {
        cert_pem: kept["aef"]["cert"].as_str().context("no certificate of the SAn server")?.to_owned(),
        key_pem: std::fs::read_to_string(dir.join("aef.key"))?,
    };
    let query = ServiceApiQuery {
        api_name: Some(ApiName::try_from(api)?),
        aef_id: Some(AefId::try_from(aef(sample, "san")?)?),
        ..ServiceApiQuery::default()
    };
    let found = invoker.ccf.discover(&invoker.id, &query).await?.service_api_descriptions.unwrap_or_default();
    let ids: Vec<_> = found.into_iter().filter_map(|api| api.api_id).collect();
    ensure!(ids.len() == 1, "{api} is not found");
    let san = CapifClient::new(HttpsClient::new(&sample.ca, Some(&identity))?, sample.url("ccf")?)?;
    Ok(san.revoke_authorization(&invoker.id, &ids, RevocationCause::UnexpectedReason).await?)
}
