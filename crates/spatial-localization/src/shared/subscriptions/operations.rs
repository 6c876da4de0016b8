//! The resource "individual subscription": create, get, replace, modify, delete (TS 29.437, every `/subscriptions`).
//!
//! A subscription is its subscriber's: to everybody else it is not there.

use api_types::DateTime;
use api_types::common_data::{ReportingInformation, SupportedFeatures};
use api_types::merge_patch;
use api_types::problem::Cause;
use api_types::validate::Validate;
use async_trait::async_trait;
use authorization::{Principal, Reason};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, ETAG, LOCATION};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use service_http::call::{Authorized, Call};
use service_http::callback_hosts::HostSource;
use service_http::kit::FunctionKit;
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::subscriptions::{self, SubscriptionRow};
use store::{Sql, StoreError};

use super::notifier;
use super::reporting::{Method, Reporting};
use super::standing::{Standing, Subscriber, called_back, check_callback};
use crate::shared::etag::{self, EntityTag};
use crate::shared::input::{self, Input, PathId};
use crate::shared::operator_rules::Action;
use crate::shared::supp_feat::SuppFeat;
use crate::shared::surroundings::Surroundings;

/// Subscriptions of one owner. Own value.
const PER_OWNER: u64 = 100;

/// Largest subscription as it is kept, in bytes: what a patch may make of it. Own value.
const KEPT: usize = 256 * 1024;

/// What every kind of subscription has.
pub(crate) struct Members<'b> {
    pub(crate) notif_uri: Option<&'b str>,
    pub(crate) report_req: Option<&'b ReportingInformation>,
    pub(crate) exp_time: Option<DateTime>,
    pub(crate) supp_feat: &'b mut Option<SupportedFeatures>,
}

/// What of an action is recorded and asked of the operator's rules.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Act {
    /// As `san.subscription.create`.
    pub(crate) name: &'static str,
    pub(crate) action: Action,
}

/// One kind of subscription.
#[async_trait]
pub(crate) trait Kind: Send + Sync + 'static {
    /// The server that has it.
    type Server: Clone + Send + Sync + 'static;
    /// On the wire.
    type Body: Serialize + DeserializeOwned + Validate + Clone + PartialEq + Send + Sync + 'static;
    /// Its word in the store.
    const FAMILY: &'static str;
    /// The collection.
    const PATH: &'static str;
    const CREATE: Act;
    const READ: Act;
    const REPLACE: Act;
    const MODIFY: Act;
    const DELETE: Act;

    fn kit(server: &Self::Server) -> &FunctionKit;
    fn hosts(server: &Self::Server) -> Option<&dyn HostSource>;
    /// The rules of the operator and what else surrounds the caller.
    async fn around(server: &Self::Server, tx: &mut dyn Sql, call: &Call)
    -> Result<Surroundings, StoreError>;
    fn members(body: &mut Self::Body) -> Members<'_>;
    /// The VAL service that it is for, if it says one.
    fn val_service(_: &Self::Body) -> Option<String> {
        None
    }
    /// In how many seconds it is looked for something new, where there are no events.
    fn sampling(_: &Self::Body) -> Option<u32> {
        None
    }
    /// Whether two say the same of events, so that what is remembered goes on.
    fn same_events(one: &Self::Body, other: &Self::Body) -> bool;
    /// What the shape does not say.
    ///
    /// # Errors
    /// 400.
    fn check(server: &Self::Server, subscriber: &Subscriber, body: &Self::Body) -> Result<(), Refusal>;
    /// Forgets what is remembered of events.
    async fn reset(server: &Self::Server, tx: &mut dyn Sql, sub_id: &str) -> Result<(), StoreError>;
    /// The first report, where it was asked for: on the wire, or `None` when there is nothing to report. It remembers in
    /// `row.state` what it has told.
    async fn first(
        server: &Self::Server,
        tx: &mut dyn Sql,
        subscriber: &Subscriber,
        row: &mut SubscriptionRow,
        body: &Self::Body,
    ) -> Result<Option<Value>, StoreError>;
    /// Whether its events are about UEs, of which a sample can be told.
    fn about_ues(_: &Self::Body) -> bool {
        false
    }
    /// Reports that were held back, the oldest first, as the messages of one occasion.
    ///
    /// # Errors
    /// They are damaged.
    fn gathered(sub_id: &str, held: Vec<String>) -> Result<Vec<String>, StoreError>;
    /// Called when a subscription begins, or its events are others than before.
    async fn begin(
        server: &Self::Server,
        tx: &mut dyn Sql,
        row: &SubscriptionRow,
        first_told: bool,
    ) -> Result<(), StoreError>;
    /// Wakes whoever reports.
    fn wake(server: &Self::Server);
    /// Notes the steps that follow when a request was granted.
    fn granted(call: &Call);
}

/// POST.
///
/// # Errors
/// The stage that refuses.
pub(crate) async fn create<K: Kind>(
    State(server): State<K::Server>,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    let Input { body, features, .. } = input::read(request, input::JSON, no_strip).await?;
    let body = input::typed::<K::Body>(without_report(body))?;
    created::<K>(&server, &call, body, features).await
}

/// What POST does once its body was read.
pub(crate) async fn created<K: Kind>(
    server: &K::Server,
    call: &Call,
    mut body: K::Body,
    features: SuppFeat,
) -> Result<Response, Refusal> {
    let reporting = checked::<K>(server, call, &mut body, features).await?;
    let (job, by) = (server.clone(), call.clone());
    let made: Shown = K::kit(server)
        .store
        .write(move |tx| Box::pin(async move { insert::<K>(&job, tx, &by, body, reporting).await }))
        .await?;
    K::granted(call);
    K::wake(server);
    let location = format!("{}{}/{}", K::kit(server).origin, K::PATH, made.sub_id);
    made.response(StatusCode::CREATED, Some(&location))
}

async fn insert<K: Kind>(
    server: &K::Server,
    tx: &mut dyn Sql,
    call: &Call,
    body: K::Body,
    reporting: Reporting,
) -> Result<Shown, Refusal> {
    let around = K::around(server, tx, call).await?;
    around.check_action(call, K::CREATE.action, K::val_service(&body).as_deref())?;
    let Principal { issuer, subject } = call.caller.principal();
    if subscriptions::count(tx, &issuer, &subject).await? >= PER_OWNER {
        call.ctx.fail("admission", "at most 100 subscriptions", "more");
        return Err(Refusal::open(Reason::RateLimited));
    }
    let ambient = call.ctx.ambient();
    let mut row = SubscriptionRow {
        sub_id: ambient.random_id(),
        family: K::FAMILY.to_owned(),
        owner_issuer: issuer,
        owner_subject: subject,
        owner_name: call.ctx.actor().name,
        client: called_back(&call.caller).to_owned(),
        standing: Standing::of(call).to_text()?,
        body: written(&body)?,
        version: 1,
        state: "{}".to_owned(),
        reports: 0,
        reports_max: reporting.max.map(i64::from),
        ends_s: reporting.ends_s,
        next_s: first_due(&reporting, around.now_s),
        ended_s: None,
        trace: Some(call.ctx.trace().trace.to_string()),
        created_s: around.now_s,
    };
    subscriptions::insert(tx, &row).await?;
    let report = first::<K>(server, tx, call, &mut row, &body, &reporting, around.now_s).await?;
    let shown = Shown::of(&row, report)?;
    record(tx, call, &row, around.policy_version(), K::CREATE.name, 201, shown.body.len()).await?;
    Ok(shown)
}

/// Makes the first report where it is wanted, and begins.
async fn first<K: Kind>(
    server: &K::Server,
    tx: &mut dyn Sql,
    call: &Call,
    row: &mut SubscriptionRow,
    body: &K::Body,
    reporting: &Reporting,
    now_s: i64,
) -> Result<Option<Value>, StoreError> {
    let mut report = None;
    K::reset(server, tx, &row.sub_id).await?;
    if reporting.immediate {
        report = K::first(server, tx, &Subscriber::of(call), row, body).await?;
        if report.is_some() {
            row.reports += 1;
            let next = reporting.after(row.reports, now_s, now_s);
            row.ended_s = next.ended.then_some(now_s);
            row.next_s = next.next_s;
        }
    }
    subscriptions::reported(tx, row).await?;
    K::begin(server, tx, row, reporting.immediate).await?;
    Ok(report)
}

/// GET.
///
/// # Errors
/// The stage that refuses.
pub(crate) async fn read<K: Kind>(
    State(server): State<K::Server>,
    Authorized(call): Authorized,
    PathId(sub_id): PathId,
    uri: Uri,
) -> Result<Response, Refusal> {
    input::features(&input::query(uri.query())?)?;
    let (job, by) = (server.clone(), call.clone());
    let shown: Shown = K::kit(&server)
        .store
        .write(move |tx| {
            Box::pin(async move {
                let (row, around) = own::<K>(&job, tx, &by, &sub_id, K::READ).await?;
                let shown = Shown::of(&row, None)?;
                record(tx, &by, &row, around.policy_version(), K::READ.name, 200, shown.body.len()).await?;
                Ok::<_, Refusal>(shown)
            })
        })
        .await?;
    K::granted(&call);
    shown.response(StatusCode::OK, None)
}

/// PUT.
///
/// # Errors
/// The stage that refuses.
pub(crate) async fn replace<K: Kind>(
    State(server): State<K::Server>,
    Authorized(call): Authorized,
    PathId(sub_id): PathId,
    request: Request,
) -> Result<Response, Refusal> {
    let Input { headers, body, features } = input::read(request, input::JSON, no_strip).await?;
    let mut wanted = input::typed::<K::Body>(without_report(body))?;
    let reporting = checked::<K>(&server, &call, &mut wanted, features).await?;
    change::<K>(&server, call, sub_id, headers, K::REPLACE, wanted, reporting).await
}

/// PATCH (RFC 7396).
///
/// # Errors
/// The stage that refuses.
pub(crate) async fn modify<K: Kind>(
    State(server): State<K::Server>,
    Authorized(call): Authorized,
    PathId(sub_id): PathId,
    request: Request,
) -> Result<Response, Refusal> {
    let Input { headers, body: patch, features } = input::read(request, input::PATCH, no_strip).await?;
    let (job, by, id) = (server.clone(), call.clone(), sub_id.clone());
    // Looked at first, because who registered a host is asked outside of the transaction.
    let kept: String = K::kit(&server)
        .store
        .write(move |tx| {
            Box::pin(async move { own::<K>(&job, tx, &by, &id, K::MODIFY).await.map(|(row, _)| row.body) })
        })
        .await?;
    let mut whole: Value =
        serde_json::from_str(&kept).map_err(|_| StoreError::Damaged("a subscription cannot be read"))?;
    let had = SuppFeat::parse(whole.get("suppFeat").and_then(Value::as_str)).unwrap_or_default();
    merge_patch::apply(&mut whole, &without_report(patch));
    let mut wanted = input::typed::<K::Body>(whole)?;
    let reporting = checked::<K>(&server, &call, &mut wanted, features.or(had)).await?;
    let headers = match headers.contains_key(http::header::IF_MATCH) {
        true => headers,
        // Of two patches at once the second is of what the first has made.
        false => unchanged(&kept),
    };
    change::<K>(&server, call, sub_id, headers, K::MODIFY, wanted, reporting).await
}

/// A condition of our own: the subscription is still the one that was patched.
fn unchanged(kept: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::try_from(EntityTag::of_document(kept.as_bytes(), None).header()) {
        headers.insert(http::header::IF_MATCH, value);
    }
    headers
}

async fn change<K: Kind>(
    server: &K::Server,
    call: Call,
    sub_id: String,
    headers: HeaderMap,
    act: Act,
    mut wanted: K::Body,
    reporting: Reporting,
) -> Result<Response, Refusal> {
    let (job, by) = (server.clone(), call.clone());
    let shown: Shown = K::kit(server)
        .store
        .write(move |tx| {
            Box::pin(async move {
                let (mut row, around) = own::<K>(&job, tx, &by, &sub_id, act).await?;
                etag::check_if_match(&headers, &[tag(&row)])?;
                let before: K::Body = parsed(&row.body)?;
                let same = K::same_events(&before, &wanted);
                let after = written(&wanted)?;
                let other = without_flag(&row.body)? != without_flag(&after)?;
                row.body = after;
                row.standing = Standing::of(&by).to_text()?;
                row.reports_max = reporting.max.map(i64::from);
                row.ends_s = reporting.ends_s;
                // Whoever says anew how often counts anew; whoever only mutes and asks does not.
                if other {
                    row.next_s = first_due(&reporting, around.now_s);
                    row.reports = 0;
                }
                if !same {
                    row.state = "{}".to_owned();
                }
                if !subscriptions::update(tx, &row).await? {
                    return Err(Refusal::open(Reason::StaleVersion));
                }
                row.version += 1;
                let mut report = None;
                if !same {
                    report = first::<K>(&job, tx, &by, &mut row, &wanted, &reporting, around.now_s).await?;
                }
                if reporting.flow.lets_go() && row.ended_s.is_none() {
                    let uri = K::members(&mut wanted).notif_uri.unwrap_or_default().to_owned();
                    notifier::let_go::<K>(tx, K::kit(&job), &mut row, &uri, &reporting).await?;
                }
                let shown = Shown::of(&row, report)?;
                record(tx, &by, &row, around.policy_version(), act.name, 200, shown.body.len()).await?;
                Ok::<_, Refusal>(shown)
            })
        })
        .await?;
    K::granted(&call);
    K::wake(server);
    shown.response(StatusCode::OK, None)
}

/// A subscription as it is kept, without `notifFlag`: what that says is done at once, and is no other subscription.
fn without_flag(kept: &str) -> Result<Value, StoreError> {
    let mut body: Value = parsed(kept)?;
    if let Some(wanted) = body.get_mut("reportReq").and_then(Value::as_object_mut) {
        wanted.remove("notifFlag");
        if wanted.get("immRep") == Some(&Value::Bool(false)) {
            wanted.remove("immRep");
        }
        if wanted.is_empty() {
            body.as_object_mut().map(|members| members.remove("reportReq"));
        }
    }
    Ok(body)
}

/// DELETE.
///
/// # Errors
/// The stage that refuses.
pub(crate) async fn delete<K: Kind>(
    State(server): State<K::Server>,
    Authorized(call): Authorized,
    PathId(sub_id): PathId,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let (job, by) = (server.clone(), call.clone());
    let _: () = K::kit(&server)
        .store
        .write(move |tx| {
            Box::pin(async move {
                let (row, around) = own::<K>(&job, tx, &by, &sub_id, K::DELETE).await?;
                etag::check_if_match(&headers, &[tag(&row)])?;
                subscriptions::remove(tx, &row.sub_id).await?;
                record(tx, &by, &row, around.policy_version(), K::DELETE.name, 204, 0).await
            })
        })
        .await?;
    K::granted(&call);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// The caller's subscription, and the stage `operator`.
async fn own<K: Kind>(
    server: &K::Server,
    tx: &mut dyn Sql,
    call: &Call,
    sub_id: &str,
    act: Act,
) -> Result<(SubscriptionRow, Surroundings), Refusal> {
    let around = K::around(server, tx, call).await?;
    let row = subscriptions::live(tx, K::FAMILY, sub_id, around.now_s).await?;
    let is_own = |row: &SubscriptionRow| {
        call.caller.is(&Principal::new(row.owner_issuer.as_str(), row.owner_subject.as_str()))
            && row.client == called_back(&call.caller)
    };
    let Some(row) = row.filter(is_own) else {
        call.ctx.fail("resource", "a subscription of the caller", "none");
        return Err(Refusal::open(Reason::NotFound).answered(404, Cause::SubscriptionNotFound));
    };
    call.ctx.pass("resource", "a subscription of the caller", "held");
    around.check_action(call, act.action, None)?;
    Ok((row, around))
}

/// What holds for every body, before anything is kept.
async fn checked<K: Kind>(
    server: &K::Server,
    call: &Call,
    body: &mut K::Body,
    features: SuppFeat,
) -> Result<Reporting, Refusal> {
    let now_s = call.ctx.ambient().now_s();
    let members = K::members(body);
    *members.supp_feat = features.negotiated().and_then(|bits| bits.to_owned().try_into().ok());
    let mut reporting = Reporting::read(members.report_req, members.exp_time, now_s)
        .map_err(|faults| Refusal::input(Cause::OptionalIeIncorrect, faults))?;
    let uri = members.notif_uri.map(str::to_owned);
    if reporting.sample.is_some() && !K::about_ues(body) {
        return Err(input::optional("/reportReq/sampRatio", "is of UEs, of which no event here tells"));
    }
    K::check(server, &Subscriber::of(call), body)?;
    if let (Method::OnEvent, Some(every)) = (reporting.method, K::sampling(body)) {
        reporting.method = Method::Every(every);
    }
    if written(body)?.len() > KEPT {
        return Err(Refusal::open(Reason::TooLarge));
    }
    let uri = uri.ok_or_else(|| input::missing("/notifUri"))?;
    // Asked last: whoever sends nonsense costs no question to the SIM-S.
    let hosts = K::hosts(server).ok_or_else(|| Refusal::open(Reason::DependencyDown))?;
    check_callback(hosts, call, &uri, "/notifUri").await?;
    Ok(reporting)
}

fn first_due(reporting: &Reporting, now_s: i64) -> Option<i64> {
    match reporting.method {
        Method::OnEvent => None,
        Method::Every(period) => Some(now_s.saturating_add(i64::from(period))),
    }
}

async fn record(
    tx: &mut dyn Sql,
    call: &Call,
    row: &SubscriptionRow,
    policy_version: u64,
    action: &'static str,
    status: u16,
    octets: usize,
) -> Result<(), Refusal> {
    let permit = Permit::new(action)
        .object(format!("subscriptions/{}", row.sub_id))
        .owner(row.owner_name.as_str())
        .policy_version(policy_version)
        .bytes(octets as u64)
        .status(status);
    ledger::permit(tx, call, &permit).await
}

fn tag(row: &SubscriptionRow) -> EntityTag {
    EntityTag::of_document(row.body.as_bytes(), None)
}

/// A subscription on its way out.
struct Shown {
    sub_id: String,
    body: Vec<u8>,
    tag: EntityTag,
}

impl Shown {
    fn of(row: &SubscriptionRow, report: Option<Value>) -> Result<Self, StoreError> {
        let mut body: Value = parsed(&row.body)?;
        if let (Some(report), Some(members)) = (report, body.as_object_mut()) {
            members.insert("report".to_owned(), report);
        }
        Ok(Self { sub_id: row.sub_id.clone(), body: written(&body)?.into_bytes(), tag: tag(row) })
    }

    fn response(self, status: StatusCode, location: Option<&str>) -> Result<Response, Refusal> {
        let mut response = (status, self.body).into_response();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let value = |text: &str| {
            HeaderValue::try_from(text)
                .map_err(|_| Refusal::from(StoreError::Damaged("an identifier is no header value")))
        };
        headers.insert(ETAG, value(&self.tag.header())?);
        if let Some(location) = location {
            headers.insert(LOCATION, value(location)?);
        }
        Ok(response)
    }
}

/// The report is the server's to give.
fn without_report(mut body: Value) -> Value {
    if let Some(members) = body.as_object_mut() {
        members.remove("report");
    }
    body
}

/// Subscriptions have no members of ours.
fn no_strip(_: &mut Value) {}

pub(crate) fn parsed<T: DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|_| StoreError::Damaged("a subscription cannot be read"))
}

pub(crate) fn written<T: Serialize>(value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Damaged("a subscription cannot be written"))
}
