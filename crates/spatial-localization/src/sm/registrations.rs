//! Registrations: data sources of maps (TS 24.550 `sm_smds`) and servers of maps (TS 29.437 `ssm-smasr`).
//!
//! A registration is its owner's; it ends at its `expTime`, or never, and is refreshed by PUT or PATCH before that
//! (TS 23.437 9.5.2). After its end it is found no more.

use api_types::DateTime;
use api_types::merge_patch;
use api_types::problem::Cause;
use api_types::validate::Validate;
use authorization::{CallerKind, Principal, Reason};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use service_http::call::{Authorized, Call};
use service_http::callback_hosts;
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::registrations::{self, RegistrationRow};
use store::{Sql, StoreError};

use super::access::{self, SCOPE_READ, SCOPE_WRITE};
use super::{SmServer, steps};
use crate::shared::etag::{self, EntityTag};
use crate::shared::input::{self, Input, PathId};
use crate::shared::operator_rules::Action;
use crate::shared::subscriptions::standing::called_back;
use crate::shared::surroundings::Surroundings;

/// Registrations of one owner and kind. Own value.
const PER_OWNER: u64 = 100;

/// Largest registration as it is kept, in bytes: what a patch may make of it. Own value.
const KEPT: usize = 256 * 1024;

const REGISTER: Action = Action { verb: "register", scope: SCOPE_WRITE };
const READ: Action = Action { verb: "read", scope: SCOPE_READ };

/// One kind of registration.
pub(super) trait Registry: Send + Sync + 'static {
    /// On the wire.
    type Body: Serialize + DeserializeOwned + Validate + Clone + Send + Sync + 'static;
    /// Its word in the store.
    const FAMILY: &'static str;
    /// The collection.
    const PATH: &'static str;
    /// Name of creation in audit and charging.
    const CREATE: &'static str;
    /// Name of a change.
    const UPDATE: &'static str;
    /// Name of the end.
    const DELETE: &'static str;

    fn exp_time(body: &Self::Body) -> Option<DateTime>;
    /// Where it is called back, and by which member that is named.
    fn callback(_: &Self::Body) -> Option<(&str, &'static str)> {
        None
    }
    /// Whether the caller may register this at all.
    ///
    /// # Errors
    /// Not in its own name; not this kind of caller.
    fn check(call: &Call, body: &Self::Body) -> Result<(), Refusal>;
}

/// Data sources.
pub(super) struct Sources;

/// Servers of maps.
pub(super) struct Servers;

impl Registry for Sources {
    type Body = api_types::sm::DataSourceRegReq;
    const FAMILY: &'static str = "data_source";
    const PATH: &'static str = super::SOURCES;
    const CREATE: &'static str = "sm.data_source.register";
    const UPDATE: &'static str = "sm.data_source.update";
    const DELETE: &'static str = "sm.data_source.deregister";

    fn exp_time(body: &Self::Body) -> Option<DateTime> {
        body.exp_time
    }

    fn callback(body: &Self::Body) -> Option<(&str, &'static str)> {
        Some((&body.notification_destination, "/notificationDestination"))
    }

    /// The requestor is the user or UE of the token, or the VAL server itself.
    fn check(call: &Call, body: &Self::Body) -> Result<(), Refusal> {
        let caller = &call.caller;
        let own = match caller.kind {
            CallerKind::ValServer => caller.val_server() == body.requestor_id,
            CallerKind::ValClient => {
                let user = caller.user.as_ref().map(|user| user.as_str());
                let ue = caller.ue.as_ref().map(|ue| ue.as_str());
                [user, ue].contains(&Some(body.requestor_id.as_str()))
            }
            CallerKind::Function => false,
        };
        let subscriber = body.ue_id.is_none() || body.ue_id == caller.gpsi;
        if own && subscriber {
            return Ok(());
        }
        call.ctx.fail("subject", "requestorId and ueId name the caller", "somebody else");
        Err(Refusal::open(Reason::SubjectWrong))
    }
}

impl Registry for Servers {
    type Body = api_types::sm::SMASReg;
    const FAMILY: &'static str = "smas";
    const PATH: &'static str = super::SERVERS;
    const CREATE: &'static str = "sm.smas.register";
    const UPDATE: &'static str = "sm.smas.update";
    const DELETE: &'static str = "sm.smas.deregister";

    fn exp_time(body: &Self::Body) -> Option<DateTime> {
        body.exp_time
    }

    /// VAL servers only (TS 23.437 table 9.7.1-1).
    fn check(call: &Call, _: &Self::Body) -> Result<(), Refusal> {
        if call.caller.kind == CallerKind::ValServer {
            return Ok(());
        }
        call.ctx.fail("resource", "a VAL server", "another caller");
        Err(Refusal::open(Reason::NotEntitled))
    }
}

/// POST.
pub(super) async fn create<R: Registry>(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    let body = input::typed::<R::Body>(input::read(request, input::JSON, |_| {}).await?.body)?;
    checked::<R>(&sm, &call, &body).await?;
    let (job, by) = (sm.clone(), call.clone());
    let made: RegistrationRow = sm
        .store()
        .write(move |tx| {
            Box::pin(async move {
                let around = access::around(tx, &job, &by).await?;
                around.check_action(&by, REGISTER, None)?;
                let Principal { issuer, subject } = by.caller.principal();
                if registrations::count(tx, R::FAMILY, &issuer, &subject).await? >= PER_OWNER {
                    by.ctx.fail("admission", "at most 100 registrations", "more");
                    return Err(Refusal::open(Reason::RateLimited));
                }
                let row = RegistrationRow {
                    reg_id: by.ctx.ambient().random_id(),
                    family: R::FAMILY.to_owned(),
                    owner_issuer: issuer,
                    owner_subject: subject,
                    owner_name: by.ctx.actor().name,
                    client: called_back(&by.caller).to_owned(),
                    body: written(&body)?,
                    version: 1,
                    ends_s: R::exp_time(&body).map(DateTime::unix),
                    created_s: around.now_s,
                };
                registrations::insert(tx, &row).await?;
                record(tx, &by, &row, &around, R::CREATE, StatusCode::CREATED).await?;
                Ok::<_, Refusal>(row)
            })
        })
        .await?;
    steps::granted(&call, "Registration response");
    let location = format!("{}{}/{}", sm.kit().origin, R::PATH, made.reg_id);
    let headers =
        [(LOCATION, location), (ETAG, tag(&made).header()), (CONTENT_TYPE, "application/json".to_owned())];
    Ok((StatusCode::CREATED, headers, made.body).into_response())
}

/// GET.
pub(super) async fn read<R: Registry>(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    PathId(reg_id): PathId,
) -> Result<Response, Refusal> {
    let (job, by) = (sm.clone(), call.clone());
    let row: RegistrationRow = sm
        .store()
        .write(move |tx| {
            Box::pin(async move {
                let (row, around) = own::<R>(tx, &job, &by, &reg_id, READ).await?;
                record(tx, &by, &row, &around, "sm.registration.read", StatusCode::OK).await?;
                Ok::<_, Refusal>(row)
            })
        })
        .await?;
    Ok(shown(row))
}

/// PUT.
pub(super) async fn replace<R: Registry>(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    PathId(reg_id): PathId,
    request: Request,
) -> Result<Response, Refusal> {
    let Input { headers, body, .. } = input::read(request, input::JSON, |_| {}).await?;
    let wanted = input::typed::<R::Body>(body)?;
    change::<R>(&sm, call, reg_id, headers, wanted).await
}

/// PATCH (RFC 7396): a refresh is one of `expTime` alone.
pub(super) async fn modify<R: Registry>(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    PathId(reg_id): PathId,
    request: Request,
) -> Result<Response, Refusal> {
    let Input { headers, body: patch, .. } = input::read(request, input::PATCH, |_| {}).await?;
    let (job, by, id) = (sm.clone(), call.clone(), reg_id.clone());
    let kept: RegistrationRow = sm
        .store()
        .write(move |tx| {
            Box::pin(async move { own::<R>(tx, &job, &by, &id, REGISTER).await.map(|(row, _)| row) })
        })
        .await?;
    let mut whole: Value = parsed(&kept.body)?;
    merge_patch::apply(&mut whole, &patch);
    let wanted = input::typed::<R::Body>(whole)?;
    change::<R>(&sm, call, reg_id, headers, wanted).await
}

async fn change<R: Registry>(
    sm: &SmServer,
    call: Call,
    reg_id: String,
    headers: HeaderMap,
    wanted: R::Body,
) -> Result<Response, Refusal> {
    checked::<R>(sm, &call, &wanted).await?;
    let job = sm.clone();
    let row: RegistrationRow = sm
        .store()
        .write(move |tx| {
            Box::pin(async move {
                let (mut row, around) = own::<R>(tx, &job, &call, &reg_id, REGISTER).await?;
                etag::check_if_match(&headers, &[tag(&row)])?;
                row.body = written(&wanted)?;
                row.ends_s = R::exp_time(&wanted).map(DateTime::unix);
                if !registrations::update(tx, &row).await? {
                    return Err(Refusal::open(Reason::StaleVersion));
                }
                record(tx, &call, &row, &around, R::UPDATE, StatusCode::OK).await?;
                Ok::<_, Refusal>(row)
            })
        })
        .await?;
    Ok(shown(row))
}

/// DELETE.
pub(super) async fn delete<R: Registry>(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    PathId(reg_id): PathId,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    let job = sm.clone();
    let _: () = sm
        .store()
        .write(move |tx| {
            Box::pin(async move {
                let (row, around) = own::<R>(tx, &job, &call, &reg_id, REGISTER).await?;
                etag::check_if_match(&headers, &[tag(&row)])?;
                registrations::remove(tx, &row.reg_id).await?;
                record(tx, &call, &row, &around, R::DELETE, StatusCode::NO_CONTENT).await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What holds for every body, before anything is kept.
async fn checked<R: Registry>(sm: &SmServer, call: &Call, body: &R::Body) -> Result<(), Refusal> {
    R::check(call, body)?;
    let now_s = call.ctx.ambient().now_s();
    if R::exp_time(body).is_some_and(|end| end.unix() <= now_s) {
        return Err(input::optional("/expTime", "is past"));
    }
    if written(body)?.len() > KEPT {
        return Err(Refusal::open(Reason::TooLarge));
    }
    match R::callback(body) {
        None => Ok(()),
        Some((uri, member)) => {
            let client = called_back(&call.caller);
            callback_hosts::check(sm.hosts(), &call.ctx, client, uri, member).await
        }
    }
}

/// The caller's registration, and the stage `operator`.
async fn own<R: Registry>(
    tx: &mut dyn Sql,
    sm: &SmServer,
    call: &Call,
    reg_id: &str,
    action: Action,
) -> Result<(RegistrationRow, Surroundings), Refusal> {
    let around = access::around(tx, sm, call).await?;
    let row = registrations::live(tx, R::FAMILY, reg_id, around.now_s).await?;
    let is_own = |row: &RegistrationRow| {
        call.caller.is(&Principal::new(row.owner_issuer.as_str(), row.owner_subject.as_str()))
    };
    let Some(row) = row.filter(is_own) else {
        call.ctx.fail("resource", "a registration of the caller", "none");
        return Err(Refusal::open(Reason::NotFound).answered(404, Cause::ResourceNotFound));
    };
    call.ctx.pass("resource", "a registration of the caller", "held");
    around.check_action(call, action, None)?;
    Ok((row, around))
}

async fn record(
    tx: &mut dyn Sql,
    call: &Call,
    row: &RegistrationRow,
    around: &Surroundings,
    action: &'static str,
    status: StatusCode,
) -> Result<(), Refusal> {
    let permit = Permit::new(action)
        .object(format!("registrations/{}", row.reg_id))
        .owner(row.owner_name.as_str())
        .policy_version(around.policy_version())
        .status(status.as_u16());
    ledger::permit(tx, call, &permit).await
}

fn shown(row: RegistrationRow) -> Response {
    let headers = [(ETAG, tag(&row).header()), (CONTENT_TYPE, "application/json".to_owned())];
    (StatusCode::OK, headers, row.body).into_response()
}

fn tag(row: &RegistrationRow) -> EntityTag {
    EntityTag::of_document(row.body.as_bytes(), None)
}

pub(super) fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Damaged("a registration cannot be read"))
}

fn written<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Damaged("a registration cannot be written"))
}
