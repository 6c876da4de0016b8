//! `GET /v1/verifiers`: who holds a lease on the revocations of which issuer.

use api_types::admin::{Page, VerifierInfo};
use api_types::date_time::DateTime;
use api_types::function::Function;
use axum::Json;
use axum::extract::State;
use service_http::kit::FunctionKit;
use service_http::refusal::Refusal;
use store::leases;

use super::Admin;

/// Lease holders of the issuers of this process.
pub(super) async fn list(State(admin): State<Admin>) -> Result<Json<Page<VerifierInfo>>, Refusal> {
    let mut items = Vec::new();
    let issues = |kit: &&FunctionKit| matches!(kit.function, Function::Sim | Function::Ccf);
    for kit in admin.functions.iter().filter(issues) {
        let issuer = kit.origin.to_string();
        let held =
            kit.store.read(move |sql| Box::pin(async move { leases::holders(sql, &issuer).await })).await?;
        let now_ms = kit.ambient.now_ms();
        items.extend(held.into_iter().map(|lease| VerifierInfo {
            verifier: lease.verifier,
            issuer: lease.issuer,
            epoch: lease.confirmed,
            alive: lease.lease_until_ms > now_ms,
            lease_until: DateTime::from_unix_ms(lease.lease_until_ms),
        }));
    }
    Ok(Json(Page { items, next: None }))
}
