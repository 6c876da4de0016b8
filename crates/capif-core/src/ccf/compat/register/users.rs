//! `POST /createUser`, `GET /getUsers`, `DELETE /deleteUser/{uuid}`: an administrator keeps the users. A user who goes takes
//! along what was given to him and not used; who was onboarded or registered is withdrawn over `admin`.

use api_types::admin::EnrolmentKind;
use api_types::problem::InvalidParam;
use api_types::secret::Secret;
use api_types::validate::{Faults, Validate};
use authorization::Reason;
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use service_http::call::Ctx;
use service_http::json_body::JsonBody;
use service_http::ledger::{self, Permit};
use service_http::password::{MAX_PASSWORD, MIN_PASSWORD};
use service_http::refusal::Refusal;
use store::capif::{compat_users, enrolments};
use store::{Sql, StoreError};

use super::accounts::{is_name, read_user};
use super::{ADMIN_ID, MOST_USERS, User};
use crate::ccf::CcfServer;
use crate::ccf::identifier::fresh;

/// Users that are read at once. Own value.
const PAGE: u32 = 500;

/// A new user. What else OpenCAPIF asks about people (address, telephone number) is not kept.
#[derive(Deserialize)]
pub(in crate::ccf::compat) struct NewUser {
    username: String,
    password: Secret,
}

impl Validate for NewUser {
    fn validate(&self, at: &str) -> Result<(), Vec<InvalidParam>> {
        let mut faults = Faults::new();
        faults.require(
            is_name(&self.username),
            at,
            "username",
            "is not a name of letters, digits and . _ - @",
        );
        let password = self.password.expose();
        let fits = password.chars().count() >= MIN_PASSWORD && password.len() <= MAX_PASSWORD;
        faults.require(fits, at, "password", "is too short or too long");
        faults.done()
    }
}

/// `POST /createUser`
pub(in crate::ccf::compat) async fn create_user(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    headers: HeaderMap,
    JsonBody(body): JsonBody<NewUser>,
) -> Result<Response, Refusal> {
    let accounts = ccf.compat()?.accounts();
    accounts.session(&ccf, &ctx, &headers)?;
    let ambient = &ccf.kit().ambient;
    let password = accounts.hash(&body.password, ambient).await?;
    let user = User { uuid: fresh("USR", ambient), password, created_s: ccf.now_s() };
    let text = serde_json::to_string(&user).map_err(|_| Refusal::open(Reason::StoreFailed))?;
    let (at_ms, uuid) = (ambient.now_ms(), user.uuid.clone());
    ccf.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                if compat_users::find(tx, &body.username).await?.is_some() {
                    return Err(Refusal::open(Reason::IdTaken));
                }
                if compat_users::count(tx).await? > MOST_USERS {
                    return Err(Refusal::open(Reason::TooLarge));
                }
                compat_users::put(tx, &body.username, &text, at_ms).await?;
                let permit =
                    Permit::new("ccf.compat.user").object(format!("users/{uuid}")).status(201).units(0);
                ledger::record(tx, &ctx, &ctx.actor(), &permit).await
            })
        })
        .await?;
    let told = json!({ "message": "User registered successfully", "uuid": user.uuid });
    Ok((StatusCode::CREATED, Json(told)).into_response())
}

/// `GET /getUsers`
pub(in crate::ccf::compat) async fn list_users(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    headers: HeaderMap,
) -> Result<Json<Value>, Refusal> {
    ccf.compat()?.accounts().session(&ccf, &ctx, &headers)?;
    let read = ccf.kit().store.read(|tx| Box::pin(async move { all(tx).await }));
    let users: Vec<Value> = read
        .await?
        .into_iter()
        .map(|(name, user)| json!({ "uuid": user.uuid, "username": name, "createdS": user.created_s }))
        .collect();
    Ok(Json(json!({ "message": "Users successfully obtained", "users": users })))
}

/// `DELETE /deleteUser/{uuid}`
pub(in crate::ccf::compat) async fn delete_user(
    State(ccf): State<CcfServer>,
    ctx: Ctx,
    headers: HeaderMap,
    Path(uuid): Path<String>,
) -> Result<StatusCode, Refusal> {
    ccf.compat()?.accounts().session(&ccf, &ctx, &headers)?;
    ccf.kit()
        .store
        .write(move |tx| {
            Box::pin(async move {
                let found = all(tx).await?.into_iter().find(|(_, user)| user.uuid == uuid);
                let (name, _) = found.ok_or(Refusal::open(Reason::NotFound))?;
                compat_users::delete(tx, &name).await?;
                enrolments::withdraw_named(tx, EnrolmentKind::OpenCapif.as_str(), &name).await?;
                let permit =
                    Permit::new("ccf.compat.user").object(format!("users/{uuid}")).status(204).units(0);
                ledger::record(tx, &ctx, &ctx.actor(), &permit).await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Every user by name, without the administrator.
async fn all(tx: &mut dyn Sql) -> Result<Vec<(String, User)>, StoreError> {
    let (mut users, mut after) = (Vec::new(), String::new());
    loop {
        let page = compat_users::page(tx, &after, PAGE).await?;
        let Some(last) = page.last() else { return Ok(users) };
        after.clone_from(&last.id);
        for document in page.into_iter().filter(|document| document.id != ADMIN_ID) {
            users.push((document.id, read_user(&document.body)?));
        }
    }
}
