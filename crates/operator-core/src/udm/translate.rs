//! `GET /{ueId}/id-translation-result`: the SUPI behind a GPSI, and the other way round (TS 29.503 5.2.2.2.8).

use api_types::ids::Gpsi;
use api_types::nudm_sdm::IdTranslationResult;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::CACHE_CONTROL;
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::udm::subscribers::SubscriberRow;

use super::UdmServer;
use super::server::{absent, caller, subscriber};

/// `GET /nudm-sdm/v2/{ueId}/id-translation-result`
pub(super) async fn translate(
    State(udm): State<UdmServer>,
    ctx: Ctx,
    Path(ue_id): Path<String>,
) -> Result<Response, Refusal> {
    caller(&ctx)?;
    let server = udm.clone();
    let found: IdTranslationResult = udm
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let row = subscriber(tx, &ue_id).await?.ok_or_else(|| absent(&ctx))?;
                let permit = Permit::new("udm.identifier.translate");
                let permit = permit.object(server.object(&row, "id-translation-result")).units(0);
                ledger::record(tx, &ctx, &Actor::peer(ctx.peer()), &permit).await?;
                Ok::<_, Refusal>(result(row))
            })
        })
        .await?;
    Ok(([(CACHE_CONTROL, "no-store")], Json(found)).into_response())
}

fn result(row: SubscriberRow) -> IdTranslationResult {
    let external = row.external_id.and_then(|id| Gpsi::try_from(format!("extid-{id}")).ok());
    IdTranslationResult {
        supported_features: None,
        supi: row.supi,
        gpsi: Some(row.gpsi),
        additional_supis: None,
        additional_gpsis: external.map(|gpsi| vec![gpsi]),
    }
}
