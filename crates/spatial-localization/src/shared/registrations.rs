//! Registrations: what a caller leaves with a function until it ends. Data sources of maps (TS 24.550 `sm_smds`), servers
//! of maps (TS 29.437 `ssm-smasr`), groups of anchors (`ssan-grpm`).
//!
//! A registration is its owner's; it ends at its `expTime`, or never, and is refreshed by PUT or PATCH before that
//! (TS 23.437 9.5.2). After its end it is found no more.

use api_types::DateTime;
use api_types::merge_patch;
use api_types::problem::Cause;
use api_types::validate::Validate;
use async_trait::async_trait;
use authorization::{Principal, Reason};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, StatusCode, Uri};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use service_http::call::{Authorized, Call};
use service_http::callback_hosts::HostSource;
use service_http::kit::FunctionKit;
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::registrations::{self, RegistrationRow};
use store::{Sql, StoreError};

use super::etag::{self, EntityTag};
use super::input::{self, Input, PathId};
use super::operator_rules::{Action, RulesCache};
use super::subscriptions::standing::{called_back, check_callback};
use super::supp_feat::SuppFeat;
use super::surroundings::Surroundings;

/// Registrations of one owner and kind. Own value.
pub(crate) const PER_OWNER: u32 = 100;

/// Largest registration as it is kept, in bytes: what a patch may make of it. Own value.
const KEPT: usize = 256 * 1024;

/// What the operations of a kind are called in audit and charging.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Names {
    pub(crate) create: &'static str,
    pub(crate) read: &'static str,
    pub(crate) update: &'static str,
    pub(crate) delete: &'static str,
    /// The resource, before its identifier.
    pub(crate) object: &'static str,
}

/// One kind of registration.
#[async_trait]
pub(crate) trait Registry: Send + Sync + 'static {
    /// The server that has it.
    type Server: Clone + Send + Sync + 'static;
    /// On the wire.
    type Body: Serialize + DeserializeOwned + Validate + Clone + Send + Sync + 'static;
    /// Its word in the store.
    const FAMILY: &'static str;
    /// The collection.
    const PATH: &'static str;
    const NAMES: Names;
    const WRITE: Action;
    const READ: Action;
    /// Whether it is there only for peers that set feature 1: what Rel-19 does not know.
    const OWN: bool = false;

    fn kit(server: &Self::Server) -> &FunctionKit;
    fn rules(server: &Self::Server) -> &RulesCache;
    fn exp_time(_: &Self::Body) -> Option<DateTime> {
        None
    }
    /// Where it is called back, and by which member that is named.
    fn callback<'b>(
        _: &'b Self::Server,
        _: &'b Self::Body,
    ) -> Option<(&'b dyn HostSource, &'b str, &'static str)> {
        None
    }
    /// Writes the identifier into the body, where it has a place there.
    ///
    /// # Errors
    /// 400: the body names another one.
    fn name(_: &mut Self::Body, _: &str) -> Result<(), Refusal> {
        Ok(())
    }
    /// Whether the caller may register this at all.
    ///
    /// # Errors
    /// Not in its own name; not this kind of caller.
    fn check(call: &Call, body: &Self::Body) -> Result<(), Refusal>;
    /// What of it must be so in the store.
    ///
    /// # Errors
    /// 400; the store failed.
    async fn check_kept(_: &mut dyn Sql, _: &Call, _: &Self::Body) -> Result<(), Refusal> {
        Ok(())
    }
    /// Whether somebody else than the owner may read it.
    fn shows(_: &Call, _: &Principal, _: &Self::Body) -> bool {
        false
    }
    /// Takes out what is the owner's alone.
    fn hides(_: &mut Self::Body) {}
    /// Notes the steps that follow when it was registered.
    fn granted(call: &Call);
}

/// POST.
///
/// # Errors
/// The stage that refuses.
pub(crate) async fn create<R: Registry>(
    State(server): State<R::Server>,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    let Input { body, features, .. } = input::read(request, input::JSON, |_| {}).await?;
    there::<R>(&call, features)?;
    let mut body = input::typed::<R::Body>(body)?;
    let reg_id = R::kit(&server).ambient.random_id();
    R::name(&mut body, &reg_id)?;
    checked::<R>(&server, &call, &body).await?;
    let (job, by) = (server.clone(), call.clone());
    let made: RegistrationRow = R::kit(&server)
        .store
        .write(move |tx| {
            Box::pin(async move {
                let around = around::<R>(tx, &job, &by).await?;
                around.check_action(&by, R::WRITE, None)?;
                R::check_kept(tx, &by, &body).await?;
                let Principal { issuer, subject } = by.caller.principal();
                if registrations::count(tx, R::FAMILY, &issuer, &subject).await? >= u64::from(PER_OWNER) {
                    by.ctx.fail("admission", "at most 100 registrations", "more");
                    return Err(Refusal::open(Reason::RateLimited));
                }
                let row = RegistrationRow {
                    reg_id,
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
                record::<R>(tx, &by, &row, &around, R::NAMES.create, StatusCode::CREATED).await?;
                Ok::<_, Refusal>(row)
            })
        })
        .await?;
    R::granted(&call);
    let location = format!("{}{}/{}", R::kit(&server).origin, R::PATH, made.reg_id);
    let headers =
        [(LOCATION, location), (ETAG, tag(&made).header()), (CONTENT_TYPE, "application/json".to_owned())];
    Ok((StatusCode::CREATED, headers, made.body).into_response())
}

/// GET.
///
/// # Errors
/// The stage that refuses.
pub(crate) async fn read<R: Registry>(
    State(server): State<R::Server>,
    Authorized(call): Authorized,
    PathId(reg_id): PathId,
    uri: Uri,
) -> Result<Response, Refusal> {
    there::<R>(&call, features(&uri)?)?;
    let (job, by) = (server.clone(), call.clone());
    let row: RegistrationRow = R::kit(&server)
        .store
        .write(move |tx| {
            Box::pin(async move {
                let (mut row, around) = shown_to::<R>(tx, &job, &by, &reg_id, R::READ).await?;
                if !by.caller.is(&owner(&row)) {
                    let mut body: R::Body = parsed(&row.body)?;
                    R::hides(&mut body);
                    row.body = written(&body)?;
                }
                record::<R>(tx, &by, &row, &around, R::NAMES.read, StatusCode::OK).await?;
                Ok::<_, Refusal>(row)
            })
        })
        .await?;
    Ok(shown(row))
}

/// PUT.
///
/// # Errors
/// The stage that refuses.
pub(crate) async fn replace<R: Registry>(
    State(server): State<R::Server>,
    Authorized(call): Authorized,
    PathId(reg_id): PathId,
    request: Request,
) -> Result<Response, Refusal> {
    let Input { headers, body, features } = input::read(request, input::JSON, |_| {}).await?;
    there::<R>(&call, features)?;
    let wanted = input::typed::<R::Body>(body)?;
    change::<R>(&server, call, reg_id, headers, wanted).await
}

/// PATCH (RFC 7396): a refresh is one of `expTime` alone.
///
/// # Errors
/// The stage that refuses.
pub(crate) async fn modify<R: Registry>(
    State(server): State<R::Server>,
    Authorized(call): Authorized,
    PathId(reg_id): PathId,
    request: Request,
) -> Result<Response, Refusal> {
    let Input { headers, body: patch, features } = input::read(request, input::PATCH, |_| {}).await?;
    there::<R>(&call, features)?;
    let (job, by, id) = (server.clone(), call.clone(), reg_id.clone());
    let kept: RegistrationRow = R::kit(&server)
        .store
        .write(move |tx| Box::pin(async move { own::<R>(tx, &job, &by, &id).await.map(|(row, _)| row) }))
        .await?;
    let mut whole: Value = parsed(&kept.body)?;
    merge_patch::apply(&mut whole, &patch);
    let wanted = input::typed::<R::Body>(whole)?;
    change::<R>(&server, call, reg_id, headers, wanted).await
}

async fn change<R: Registry>(
    server: &R::Server,
    call: Call,
    reg_id: String,
    headers: HeaderMap,
    mut wanted: R::Body,
) -> Result<Response, Refusal> {
    R::name(&mut wanted, &reg_id)?;
    checked::<R>(server, &call, &wanted).await?;
    let job = server.clone();
    let row: RegistrationRow = R::kit(server)
        .store
        .write(move |tx| {
            Box::pin(async move {
                let (mut row, around) = own::<R>(tx, &job, &call, &reg_id).await?;
                etag::check_if_match(&headers, &[tag(&row)])?;
                R::check_kept(tx, &call, &wanted).await?;
                row.body = written(&wanted)?;
                row.ends_s = R::exp_time(&wanted).map(DateTime::unix);
                if !registrations::update(tx, &row).await? {
                    return Err(Refusal::open(Reason::StaleVersion));
                }
                record::<R>(tx, &call, &row, &around, R::NAMES.update, StatusCode::OK).await?;
                Ok::<_, Refusal>(row)
            })
        })
        .await?;
    Ok(shown(row))
}

/// DELETE.
///
/// # Errors
/// The stage that refuses.
pub(crate) async fn delete<R: Registry>(
    State(server): State<R::Server>,
    Authorized(call): Authorized,
    PathId(reg_id): PathId,
    uri: Uri,
    headers: HeaderMap,
) -> Result<StatusCode, Refusal> {
    there::<R>(&call, features(&uri)?)?;
    let job = server.clone();
    let _: () = R::kit(&server)
        .store
        .write(move |tx| {
            Box::pin(async move {
                let (row, around) = own::<R>(tx, &job, &call, &reg_id).await?;
                etag::check_if_match(&headers, &[tag(&row)])?;
                registrations::remove(tx, &row.reg_id).await?;
                record::<R>(tx, &call, &row, &around, R::NAMES.delete, StatusCode::NO_CONTENT).await
            })
        })
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Whether the interface is there for this peer.
///
/// # Errors
/// 404, as for a path that no release knows.
pub(crate) fn there<R: Registry>(call: &Call, features: SuppFeat) -> Result<(), Refusal> {
    if !R::OWN || features.own_members() {
        return Ok(());
    }
    call.ctx.fail("features", "suppFeat or supp-feats with bit 1", "not set");
    Err(Refusal::hidden(Reason::NotFound))
}

/// What the query says of features.
///
/// # Errors
/// 400.
pub(crate) fn features(uri: &Uri) -> Result<SuppFeat, Refusal> {
    input::features(&input::query(uri.query())?)
}

/// What holds for every body, before anything is kept.
async fn checked<R: Registry>(server: &R::Server, call: &Call, body: &R::Body) -> Result<(), Refusal> {
    R::check(call, body)?;
    let now_s = call.ctx.ambient().now_s();
    if R::exp_time(body).is_some_and(|end| end.unix() <= now_s) {
        return Err(input::optional("/expTime", "is past"));
    }
    if written(body)?.len() > KEPT {
        return Err(Refusal::open(Reason::TooLarge));
    }
    match R::callback(server, body) {
        None => Ok(()),
        Some((hosts, uri, member)) => check_callback(hosts, call, uri, member).await,
    }
}

async fn around<R: Registry>(
    tx: &mut dyn Sql,
    server: &R::Server,
    call: &Call,
) -> Result<Surroundings, StoreError> {
    Surroundings::of(tx, R::kit(server), R::rules(server), &call.caller).await
}

/// The caller's registration, and the stage `operator`.
async fn own<R: Registry>(
    tx: &mut dyn Sql,
    server: &R::Server,
    call: &Call,
    reg_id: &str,
) -> Result<(RegistrationRow, Surroundings), Refusal> {
    let around = around::<R>(tx, server, call).await?;
    let row = registrations::live(tx, R::FAMILY, reg_id, around.now_s).await?;
    let Some(row) = row else { return Err(absent(call)) };
    if !call.caller.is(&owner(&row)) {
        let body: R::Body = parsed(&row.body)?;
        // Who may read it is told that it is another's.
        let seen = R::shows(call, &owner(&row), &body);
        call.ctx.fail("resource", "a registration of the caller", "of another");
        return Err(if seen { Refusal::open(Reason::NotOwner) } else { absent(call) });
    }
    call.ctx.pass("resource", "a registration of the caller", "held");
    around.check_action(call, R::WRITE, None)?;
    Ok((row, around))
}

/// A registration that the caller may read, and the stage `operator`.
///
/// # Errors
/// 404: absent, or not for this caller; a rule of the operator.
pub(crate) async fn shown_to<R: Registry>(
    tx: &mut dyn Sql,
    server: &R::Server,
    call: &Call,
    reg_id: &str,
    action: Action,
) -> Result<(RegistrationRow, Surroundings), Refusal> {
    let around = around::<R>(tx, server, call).await?;
    let row = registrations::live(tx, R::FAMILY, reg_id, around.now_s).await?;
    let Some(row) = row else { return Err(absent(call)) };
    if !call.caller.is(&owner(&row)) && !R::shows(call, &owner(&row), &parsed(&row.body)?) {
        return Err(absent(call));
    }
    call.ctx.pass("resource", "a registration for the caller", "held");
    around.check_action(call, action, None)?;
    Ok((row, around))
}

fn owner(row: &RegistrationRow) -> Principal {
    Principal::new(row.owner_issuer.as_str(), row.owner_subject.as_str())
}

fn absent(call: &Call) -> Refusal {
    call.ctx.fail("resource", "a registration for the caller", "none");
    Refusal::open(Reason::NotFound).answered(404, Cause::ResourceNotFound)
}

async fn record<R: Registry>(
    tx: &mut dyn Sql,
    call: &Call,
    row: &RegistrationRow,
    around: &Surroundings,
    action: &'static str,
    status: StatusCode,
) -> Result<(), Refusal> {
    let permit = Permit::new(action)
        .object(format!("{}/{}", R::NAMES.object, row.reg_id))
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

/// What was registered.
///
/// # Errors
/// The record is damaged.
pub(crate) fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Damaged("a registration cannot be read"))
}

fn written<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Damaged("a registration cannot be written"))
}
