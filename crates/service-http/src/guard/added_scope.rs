//! Scopes that came with a service which the operator added at run time (`/services`; GEN-7, S1-G1).
//!
//! Such a scope opens what reads and discovers at the server of its service, in the name of that service's VAL service and
//! among its objects only ([`Call::opens_service`](crate::call::Call::opens_service)); it opens nothing that changes
//! anything. A scope that this version knows by itself keeps its own meaning.

use api_types::admin::Service;
use api_types::ids::ValServiceId;
use authorization::Caller;
use authorization::scope::Catalogue;
use store::{StoreError, services};

use crate::kit::FunctionKit;
use crate::routes::RouteSpec;

/// Services that are read at once. Own value.
const PAGE: u32 = 500;

/// Ends of the scopes whose routes an added scope opens.
const READS: [&str; 2] = [".read", ".discover"];

/// What an added scope of the caller opens here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Opened {
    /// The service that has the scope.
    pub(super) service: String,
    /// The VAL service in whose name the caller goes on; absent: those of the token.
    pub(super) val_service: Option<ValServiceId>,
}

/// The service that opens `spec` for the caller, if one does.
pub(super) async fn opens(
    kit: &FunctionKit,
    spec: &RouteSpec,
    caller: &Caller,
) -> Result<Option<Opened>, StoreError> {
    if !spec.scopes.iter().any(|scope| READS.iter().any(|end| scope.ends_with(end))) {
        return Ok(None);
    }
    let known = Catalogue::new();
    let added: Vec<&str> = caller.scopes.iter().filter(|scope| known.target(scope).is_err()).collect();
    if added.is_empty() {
        return Ok(None);
    }
    let mut after = String::new();
    loop {
        let from = after.clone();
        let page =
            kit.store.read(move |tx| Box::pin(async move { services::page(tx, &from, PAGE).await })).await?;
        let Some(last) = page.last() else { return Ok(None) };
        after.clone_from(&last.id);
        for document in &page {
            let service: Service =
                serde_json::from_str(&document.body).map_err(|_| StoreError::Damaged("service"))?;
            let ours = service.role == kit.function
                && service.scopes.iter().any(|scope| added.contains(&scope.as_str()));
            // The token must be for users of that VAL service: the SIM-S sees to it, and so does this server.
            let taken_part =
                service.val_service_id.as_ref().is_none_or(|id| caller.val_services.contains(id));
            if ours && taken_part {
                return Ok(Some(Opened {
                    service: document.id.clone(),
                    val_service: service.val_service_id,
                }));
            }
        }
    }
}
