//! `ss-upr`: what a VAL server may know of a user or UE of its VAL services (TS 29.549; TS 23.434 12.3.2.5).

use std::collections::BTreeSet;

use api_types::idm::{ProfileDoc, ValTargetUe};
use api_types::ids::ValServiceId;
use api_types::query::Query;
use api_types::validate::cause_of;
use axum::Json;
use axum::extract::{RawQuery, State};
use serde_json::json;
use service_http::call::{Actor, Ctx};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::users;
use store::val_services::{self, MemberKind};
use store::{Sql, StoreError};

use super::membership;
use crate::sim_s::SimServer;

/// `GET /ss-upr/v1/val-services?val-service-id&val-tgt-ue`. Who takes part in no VAL service of the asker is nobody: the
/// answer is empty, as for a name that does not exist.
pub(crate) async fn read(
    State(sim): State<SimServer>,
    ctx: Ctx,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<ProfileDoc>>, Refusal> {
    let bad = |fault| {
        let faults = vec![fault];
        Refusal::input(cause_of(&faults), faults)
    };
    let query = Query::parse(query.as_deref().unwrap_or_default()).map_err(bad)?;
    let target = query.valid::<ValTargetUe>("val-tgt-ue");
    let target = target.map_err(|faults| Refusal::input(cause_of(&faults), faults))?;
    let target = Query::required("val-tgt-ue", target).map_err(bad)?;
    let service: Option<ValServiceId> = query.parsed("val-service-id").map_err(bad)?;
    let server = sim.clone();
    sim.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let client = super::val_server(&server, tx, &ctx).await?;
                if let Some(service) = &service {
                    super::check_service(&ctx, &client, service)?;
                }
                let own: BTreeSet<_> = client.registration.val_services.iter().cloned().collect();
                let shown: Vec<_> = services_of(tx, &target)
                    .await?
                    .into_iter()
                    .filter(|one| own.contains(one) && service.as_ref().is_none_or(|wanted| wanted == one))
                    .collect();
                let actor = Actor::client(client.client_id.as_str());
                let permit = Permit::new("sim.profile.read").object("val-services").units(0);
                ledger::record(tx, &ctx, &actor, &permit).await?;
                if shown.is_empty() {
                    return Ok(Json(Vec::new()));
                }
                let information = json!({ "valServices": shown }).to_string();
                Ok(Json(vec![ProfileDoc { profile_information: information, val_tgt_ue: target }]))
            })
        })
        .await
}

async fn services_of(tx: &mut dyn Sql, target: &ValTargetUe) -> Result<Vec<ValServiceId>, StoreError> {
    if let Some(user) = &target.val_user_id {
        let account = users::find_val_user(tx, user.as_str()).await?;
        return match account {
            Some(account) => membership::of(tx, &account.profile, None).await,
            None => Ok(Vec::new()),
        };
    }
    let Some(ue) = &target.val_ue_id else { return Ok(Vec::new()) };
    let listed = val_services::of_member(tx, MemberKind::Ue, ue.as_str()).await?;
    let damaged = |_| StoreError::Damaged("VAL service");
    listed.into_iter().map(|service| ValServiceId::try_from(service).map_err(damaged)).collect()
}
