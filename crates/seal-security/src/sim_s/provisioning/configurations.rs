//! `ss-ipp`: a VAL server lists who takes part in its VAL services (TS 29.549; TS 23.434 12.3.2.2). What somebody loses
//! by a change, tokens of before lose at once.

use std::collections::BTreeSet;

use api_types::idm::{ValServiceParams, ValServicesConfig, ValServicesConfigPatch};
use api_types::query::Query;
use api_types::validate::cause_of;
use authorization::Reason;
use authorization::revocation::Kind;
use axum::Json;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::header::LOCATION;
use http::{HeaderValue, StatusCode};
use service_http::call::{Actor, Ctx};
use service_http::feed::NewEntry;
use service_http::json_body::{JsonBody, MergePatchBody};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::clients::ClientRecord;
use store::users;
use store::val_services::{self, Config, Member, MemberKind};
use store::{Sql, StoreError};

use super::{check_service, val_server};
use crate::sim_s::SimServer;

/// Where configurations are.
const PATH: &str = "/ss-ipp/v1/configurations";

/// Most configurations of one VAL server. Own value.
const MOST: u32 = 1_000;

/// `POST /ss-ipp/v1/configurations`
pub(crate) async fn create(
    State(sim): State<SimServer>,
    ctx: Ctx,
    JsonBody(body): JsonBody<ValServicesConfig>,
) -> Result<Response, Refusal> {
    let conf_id = sim.kit().ambient.random_id();
    let origin = sim.config().mtls_origin.as_deref().unwrap_or(&sim.config().issuer);
    let location = HeaderValue::try_from(format!("{origin}{PATH}/{conf_id}"));
    let location = location.map_err(|_| Refusal::open(Reason::StoreFailed))?;
    let written = change(&sim, &ctx, Change::Create(conf_id, body)).await?;
    Ok((StatusCode::CREATED, [(LOCATION, location)], Json(written)).into_response())
}

/// `GET /ss-ipp/v1/configurations?val-server-id&config-ids`
pub(crate) async fn list(
    State(sim): State<SimServer>,
    ctx: Ctx,
    RawQuery(query): RawQuery,
) -> Result<Json<Vec<ValServicesConfig>>, Refusal> {
    let bad = |fault| {
        let faults = vec![fault];
        Refusal::input(cause_of(&faults), faults)
    };
    let query = Query::parse(query.as_deref().unwrap_or_default()).map_err(bad)?;
    let server_id = query.text("val-server-id").map_err(bad)?;
    let wanted = query.text("config-ids").map_err(bad)?;
    let wanted: Option<BTreeSet<String>> = wanted.map(|text| text.split(',').map(str::to_owned).collect());
    let server = sim.clone();
    sim.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let client = val_server(&server, tx, &ctx).await?;
                let own = client.client_id.as_str();
                record(tx, &ctx, &client, "sim.val_config.read", PATH, 200).await?;
                // Those of others are as if they were not there.
                if server_id.is_some_and(|asked| asked != own) {
                    return Ok(Json(Vec::new()));
                }
                let all = val_services::of_server(tx, own, MOST).await?;
                let named = |config: &Config| wanted.as_ref().is_none_or(|ids| ids.contains(&config.conf_id));
                let shown = all.iter().filter(|config| named(config)).map(read);
                Ok(Json(shown.collect::<Result<_, StoreError>>()?))
            })
        })
        .await
}

/// `GET /ss-ipp/v1/configurations/{confId}`
pub(crate) async fn get(
    State(sim): State<SimServer>,
    ctx: Ctx,
    Path(conf_id): Path<String>,
) -> Result<Json<ValServicesConfig>, Refusal> {
    let server = sim.clone();
    sim.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let client = val_server(&server, tx, &ctx).await?;
                let config = own(tx, &client, &conf_id).await?;
                record(tx, &ctx, &client, "sim.val_config.read", &conf_id, 200).await?;
                Ok(Json(read(&config)?))
            })
        })
        .await
}

/// `PUT /ss-ipp/v1/configurations/{confId}`
pub(crate) async fn replace(
    State(sim): State<SimServer>,
    ctx: Ctx,
    Path(conf_id): Path<String>,
    JsonBody(body): JsonBody<ValServicesConfig>,
) -> Result<Json<ValServicesConfig>, Refusal> {
    change(&sim, &ctx, Change::Replace(conf_id, body)).await.map(Json)
}

/// `PATCH /ss-ipp/v1/configurations/{confId}`
pub(crate) async fn modify(
    State(sim): State<SimServer>,
    ctx: Ctx,
    Path(conf_id): Path<String>,
    MergePatchBody(patch): MergePatchBody<ValServicesConfigPatch>,
) -> Result<Json<ValServicesConfig>, Refusal> {
    change(&sim, &ctx, Change::Modify(conf_id, patch)).await.map(Json)
}

/// `DELETE /ss-ipp/v1/configurations/{confId}`
pub(crate) async fn delete(
    State(sim): State<SimServer>,
    ctx: Ctx,
    Path(conf_id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let server = sim.clone();
    let epoch: u64 = sim
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let client = val_server(&server, tx, &ctx).await?;
                own(tx, &client, &conf_id).await?;
                let before = val_services::members(tx, &conf_id).await?;
                val_services::delete(tx, &conf_id).await?;
                record(tx, &ctx, &client, "sim.val_config.delete", &conf_id, 204).await?;
                ended(&server, tx, before).await
            })
        })
        .await?;
    sim.revocations().acknowledge(epoch).await?;
    Ok(StatusCode::NO_CONTENT)
}

enum Change {
    Create(String, ValServicesConfig),
    Replace(String, ValServicesConfig),
    Modify(String, ValServicesConfigPatch),
}

async fn change(sim: &SimServer, ctx: &Ctx, change: Change) -> Result<ValServicesConfig, Refusal> {
    let (server, ctx) = (sim.clone(), ctx.clone());
    let (shown, epoch): (ValServicesConfig, u64) = sim
        .kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let client = val_server(&server, tx, &ctx).await?;
                let (conf_id, new, action, status) = match change {
                    Change::Create(conf_id, body) => {
                        let present = val_services::of_server(tx, client.client_id.as_str(), MOST).await?;
                        if present.len() >= MOST as usize {
                            return Err(Refusal::open(Reason::TooLarge));
                        }
                        (conf_id, body, "sim.val_config.create", 201)
                    }
                    Change::Replace(conf_id, body) => {
                        own(tx, &client, &conf_id).await?;
                        (conf_id, body, "sim.val_config.replace", 200)
                    }
                    Change::Modify(conf_id, patch) => {
                        let before = read(&own(tx, &client, &conf_id).await?)?;
                        let val_svc_conf = patch.val_svc_conf.unwrap_or(before.val_svc_conf);
                        (conf_id, ValServicesConfig { val_svc_conf, ..before }, "sim.val_config.modify", 200)
                    }
                };
                if new.val_server_id.as_ref().is_some_and(|named| *named != client.client_id) {
                    ctx.fail("VAL server", "the one of the certificate", "another one");
                    return Err(Refusal::open(Reason::NotOwner));
                }
                for one in &new.val_svc_conf {
                    check_service(&ctx, &client, &one.val_service_id)?;
                }
                let new = ValServicesConfig {
                    val_server_id: Some(client.client_id.clone()),
                    supp_feat: None,
                    ..new
                };
                let before = val_services::members(tx, &conf_id).await?;
                let now = members(&new.val_svc_conf);
                let body =
                    serde_json::to_string(&new).map_err(|_| StoreError::Damaged("VAL configuration"))?;
                let val_server = client.client_id.as_str().to_owned();
                let config = Config { conf_id: conf_id.clone(), val_server, body };
                val_services::put(tx, &config, &now).await?;
                record(tx, &ctx, &client, action, &conf_id, status).await?;
                let lost = before.into_iter().filter(|one| !now.contains(one)).collect();
                Ok((new, ended(&server, tx, lost).await?))
            })
        })
        .await?;
    sim.revocations().acknowledge(epoch).await?;
    Ok(shown)
}

/// Ends the tokens of everybody who has lost something; the epoch to acknowledge.
async fn ended(sim: &SimServer, tx: &mut dyn Sql, lost: Vec<Member>) -> Result<u64, Refusal> {
    let mut subjects = BTreeSet::new();
    for one in lost {
        match one.kind {
            MemberKind::User => {
                let user = users::find_val_user(tx, &one.member).await?;
                subjects.extend(user.map(|user| user.user_id.as_str().to_owned()));
            }
            MemberKind::Ue => subjects.extend(users::of_ue(tx, &one.member).await?),
        }
    }
    let entry = |value| NewEntry { kind: Kind::Subject, value, expires_s: None };
    Ok(sim.note(tx, subjects.into_iter().map(entry).collect()).await?)
}

fn members(services: &[ValServiceParams]) -> Vec<Member> {
    let of = |service: &ValServiceParams| {
        let val_service = service.val_service_id.as_str().to_owned();
        service
            .id_list
            .iter()
            .filter_map(|target| match (&target.val_user_id, &target.val_ue_id) {
                (Some(user), _) => Some((MemberKind::User, user.as_str().to_owned())),
                (None, Some(ue)) => Some((MemberKind::Ue, ue.as_str().to_owned())),
                (None, None) => None,
            })
            .map(|(kind, member)| Member { val_service: val_service.clone(), kind, member })
            .collect::<Vec<_>>()
    };
    services.iter().flat_map(of).collect()
}

/// A configuration of this VAL server; those of others are as if they were not there.
async fn own(tx: &mut dyn Sql, client: &ClientRecord, conf_id: &str) -> Result<Config, Refusal> {
    let found = val_services::find(tx, conf_id).await?;
    let own = found.filter(|config| config.val_server == client.client_id.as_str());
    own.ok_or_else(|| Refusal::hidden(Reason::NotFound))
}

fn read(config: &Config) -> Result<ValServicesConfig, StoreError> {
    serde_json::from_str(&config.body).map_err(|_| StoreError::Damaged("VAL configuration"))
}

async fn record(
    tx: &mut dyn Sql,
    ctx: &Ctx,
    client: &ClientRecord,
    action: &'static str,
    object: &str,
    status: u16,
) -> Result<(), Refusal> {
    let permit = Permit::new(action).object(format!("configurations/{object}")).status(status).units(0);
    ledger::record(tx, ctx, &Actor::client(client.client_id.as_str()), &permit).await
}
