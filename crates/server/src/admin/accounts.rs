//! `/users` and `/clients`: who the SIM-S knows.

use api_types::admin::{Client, ClientCreated, Page, User};
use api_types::ids::{ClientId, UserId};
use authorization::Reason;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use http::{StatusCode, header};
use seal_security::sim_s::{SimServer, Versioned, Written};
use serde::Serialize;
use service_http::call::{Call, Ctx};
use service_http::json_body::JsonBody;
use service_http::peer::CertRole;
use service_http::refusal::Refusal;

use super::elsewhere::not_here;
use super::query::{Filters, refuse};
use super::{Admin, record};

/// `GET /v1/users?limit&cursor`
pub(super) async fn list_users(
    State(admin): State<Admin>,
    filters: Filters,
) -> Result<Json<Page<User>>, Refusal> {
    let after = filters.text("cursor").unwrap_or_default();
    Ok(Json(sim(&admin)?.users(after, filters.limit()?).await?))
}

/// `GET /v1/users/{userId}`; the password is never read back.
pub(super) async fn get_user(
    State(admin): State<Admin>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    Ok(read(sim(&admin)?.user(&user_id(id)?).await?))
}

/// `PUT /v1/users/{userId}`
pub(super) async fn put_user(
    State(admin): State<Admin>,
    ctx: Ctx,
    call: Option<Extension<Call>>,
    Path(id): Path<String>,
    JsonBody(user): JsonBody<User>,
) -> Result<Response, Refusal> {
    let (id, sim) = (user_id(id)?, sim(&admin)?.clone());
    check_roles(&sim, &ctx, call.as_deref(), &id, &user.roles).await?;
    let act = ("admin.user.put", format!("users/{}", admin.kit.pseudonym(id.as_str())));
    let work = async move { sim.put_user(&id, user).await };
    Ok(wrote(record::act(&admin, &ctx, act, status, work).await?))
}

/// `DELETE /v1/users/{userId}`: sessions, grants and tokens end with it.
pub(super) async fn delete_user(
    State(admin): State<Admin>,
    ctx: Ctx,
    call: Option<Extension<Call>>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let (id, sim) = (user_id(id)?, sim(&admin)?.clone());
    check_roles(&sim, &ctx, call.as_deref(), &id, &[]).await?;
    let act = ("admin.user.delete", format!("users/{}", admin.kit.pseudonym(id.as_str())));
    record::act(&admin, &ctx, act, |()| 204, async move { sim.delete_user(&id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `DELETE /v1/users/{userId}/passkeys`: of who has lost the device; the next passkey is added by password again.
pub(super) async fn remove_passkeys(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let (id, sim) = (user_id(id)?, sim(&admin)?.clone());
    let act = ("admin.passkeys.delete", format!("users/{}/passkeys", admin.kit.pseudonym(id.as_str())));
    record::act(&admin, &ctx, act, |()| 204, async move { sim.remove_passkeys(&id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// `GET /v1/clients?limit&cursor`
pub(super) async fn list_clients(
    State(admin): State<Admin>,
    filters: Filters,
) -> Result<Json<Page<Client>>, Refusal> {
    let after = filters.text("cursor").unwrap_or_default();
    Ok(Json(sim(&admin)?.clients(after, filters.limit()?).await?))
}

/// `GET /v1/clients/{clientId}`; its secret is never read back.
pub(super) async fn get_client(
    State(admin): State<Admin>,
    Path(id): Path<String>,
) -> Result<Response, Refusal> {
    Ok(read(sim(&admin)?.client(&client_id(id)?).await?))
}

/// `PUT /v1/clients/{clientId}`: answers, once, the secret or the certificate that was made.
pub(super) async fn put_client(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(id): Path<String>,
    JsonBody(client): JsonBody<Client>,
) -> Result<Response, Refusal> {
    let (id, sim) = (client_id(id)?, sim(&admin)?.clone());
    let act = ("admin.client.put", format!("clients/{id}"));
    let work = async move {
        let written: Written<ClientCreated> = sim.put_client(&id, client).await?;
        Ok(written)
    };
    Ok(wrote(record::act(&admin, &ctx, act, status, work).await?))
}

/// `DELETE /v1/clients/{clientId}`: grants and tokens end with it.
pub(super) async fn delete_client(
    State(admin): State<Admin>,
    ctx: Ctx,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let (id, sim) = (client_id(id)?, sim(&admin)?.clone());
    let act = ("admin.client.delete", format!("clients/{id}"));
    let work = async move { sim.delete_client(&id).await };
    record::act(&admin, &ctx, act, |()| 204, work).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Roles are an administrator's to give, and an account that has one an administrator's to change: an operator who could do
/// either would be one himself.
///
/// # Errors
/// `ROLE_MISSING`.
async fn check_roles(
    sim: &SimServer,
    ctx: &Ctx,
    call: Option<&Call>,
    id: &UserId,
    wanted: &[String],
) -> Result<(), Refusal> {
    const EXPECTED: &str = "an administrator, or an account without roles before and after";
    let admin = CertRole::Admin;
    let by_certificate = ctx.peer().is_some_and(|peer| peer.certificate_as(&[admin]).is_some());
    let by_token = call.is_some_and(|call| call.claims().roles.iter().any(|role| role == admin.as_str()));
    let is_plain = match sim.user(id).await {
        _ if by_certificate || by_token => true,
        Ok(known) => known.body.roles.is_empty() && wanted.is_empty(),
        Err(refusal) if refusal.reason == Reason::NotFound => wanted.is_empty(),
        Err(refusal) => return Err(refusal),
    };
    if is_plain {
        ctx.pass("roles of the account", EXPECTED, "held");
        return Ok(());
    }
    ctx.fail("roles of the account", EXPECTED, "an operator");
    Err(Refusal::open(Reason::RoleMissing))
}

fn sim(admin: &Admin) -> Result<&SimServer, Refusal> {
    admin.sim.as_ref().ok_or_else(not_here)
}

fn user_id(text: String) -> Result<UserId, Refusal> {
    UserId::try_from(text).map_err(|_| refuse("userId", "is not an identifier"))
}

fn client_id(text: String) -> Result<ClientId, Refusal> {
    ClientId::try_from(text).map_err(|_| refuse("clientId", "is not an identifier"))
}

fn status<T>(written: &Written<T>) -> u16 {
    if written.created { 201 } else { 200 }
}

fn wrote<T: Serialize>(written: Written<T>) -> Response {
    let etag = [(header::ETAG, format!("\"{}\"", written.version))];
    let status = if written.created { StatusCode::CREATED } else { StatusCode::OK };
    (status, etag, Json(written.body)).into_response()
}

fn read<T: Serialize>(found: Versioned<T>) -> Response {
    ([(header::ETAG, format!("\"{}\"", found.version))], Json(found.body)).into_response()
}
