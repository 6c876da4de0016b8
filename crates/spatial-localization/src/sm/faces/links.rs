//! ETSI GS ARF 005: the world links, where one element lies in the frame of another.

use api_types::faces::arf005::NIL_UUID;
use api_types::faces::world_link::WorldLink;
use authorization::{Principal, Reason};
use axum::extract::{RawQuery, Request, State};
use axum::response::Response;
use http::StatusCode;
use http::header::LINK;
use service_http::call::{Authorized, Call};
use service_http::ledger::{self, Permit};
use service_http::refusal::Refusal;
use store::world_links::{self, LinkRow};
use store::{Sql, StoreError};

use super::WORLD_LINKS;
use super::ends::{self, Kept};
use super::trackables::{answered, named, written};
use crate::shared::input::{self, PathId};
use crate::shared::paging::{Page, Paged};
use crate::shared::{rules, uuid};
use crate::sm::access::{
    CREATE_LINK, DELETE_LINK, DISCOVER_LINKS, Operation, READ_LINK, UPDATE_LINK, around,
};
use crate::sm::{SmServer, steps};

/// Most links of one owner. Own value.
const MOST: u64 = 10_000;

/// GET `/worldLinks`: those whose ends the caller may both discover, page by page.
///
/// # Errors
/// The stage that refuses; the anchor server does not answer.
pub(in crate::sm) async fn list(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    RawQuery(text): RawQuery,
) -> Result<Response, Refusal> {
    let query = input::query(text.as_deref())?;
    input::features(&query)?;
    let operation = "arf005 world links";
    let paged = Paged::read(sm.kit(), sm.cursors(), &call, operation, &query, text.as_deref()).await?;
    let version = permitted(&sm, &call, DISCOVER_LINKS).await?;
    // One more than asked for says whether there is a next page; rows that are hidden are stepped over.
    let (wanted, mut after) = (paged.limit as usize, paged.after);
    let mut found: Vec<(u32, WorldLink)> = Vec::new();
    let mut next = None;
    for _ in 0..ROUNDS {
        let (from, most) = (after, paged.limit + 1);
        let rows: Vec<LinkRow> = sm
            .store()
            .read(move |tx| Box::pin(async move { world_links::page(tx, from, most).await }))
            .await?;
        let (last, count) = (rows.last().map(|row| row.link_id), rows.len());
        let kept: Result<Vec<Kept>, StoreError> = rows.into_iter().map(Kept::of).collect();
        let shown = ends::visible(&sm, &call, kept?).await?;
        found.extend(shown.into_iter().map(|kept| (kept.row.link_id, self::shown(&kept))));
        next = last.filter(|_| count == most as usize);
        if found.len() > wanted {
            found.truncate(wanted);
            next = found.last().map(|(id, _)| *id);
        }
        if next.is_none() || found.len() == wanted {
            break;
        }
        after = next;
    }
    let links: Vec<&WorldLink> = found.iter().map(|(_, link)| link).collect();
    let body = written(&links)?;
    let units = (links.len() as u64).max(1);
    let page = Page::of(found, next);
    let link = paged.link(sm.kit(), sm.cursors(), WORLD_LINKS, &page).await?;
    let permit = Permit::new(DISCOVER_LINKS.name)
        .object("world-links")
        .units(units)
        .bytes(body.len() as u64)
        .policy_version(version);
    ledger::permit_read(sm.store(), &call, permit).await?;
    steps::granted(&call, "World links");
    let mut response = answered(body);
    response.headers_mut().extend(link.map(|link| (LINK, link)));
    Ok(response)
}

/// Most reads of one page: a page of what is hidden ends short, and names the next. Own value.
const ROUNDS: usize = 8;

/// GET `/worldLinks/{worldLinkUUID}`.
///
/// # Errors
/// The stage that refuses; one 404 for what is not there and what is hidden.
pub(in crate::sm) async fn read(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    PathId(of): PathId,
) -> Result<Response, Refusal> {
    let version = permitted(&sm, &call, READ_LINK).await?;
    let kept = open(&sm, &call, &of).await?;
    let body = written(&shown(&kept))?;
    let permit = permit(READ_LINK, &kept, version).bytes(body.len() as u64);
    ledger::permit_read(sm.store(), &call, permit).await?;
    steps::granted(&call, "World link");
    Ok(answered(body))
}

/// POST `/worldLinks`: the answer is its UUID.
///
/// # Errors
/// The stage that refuses; 404 for an end that the caller may not discover.
pub(in crate::sm) async fn create(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    let wanted = body(request).await?;
    if wanted.uuid.as_deref().is_some_and(|uuid| uuid != NIL_UUID) {
        return Err(Refusal::open(Reason::IdTaken));
    }
    permitted(&sm, &call, CREATE_LINK).await?;
    ends::found(&sm, &call, &wanted).await?;
    let ambient = call.ctx.ambient();
    let (numbers, life) = (rules::draws(ambient), i64::from_be_bytes(ambient.random_bytes()));
    let Principal { issuer, subject } = call.caller.principal();
    let draft = LinkRow {
        link_id: 0,
        life,
        owner_issuer: issuer,
        owner_subject: subject,
        owner_name: call.ctx.actor().name,
        body: kept_text(&wanted)?,
    };
    let (job, by) = (sm.clone(), call.clone());
    let made: String = sm
        .store()
        .write(move |tx| {
            Box::pin(async move {
                let around = around(tx, &job, &by).await?;
                around.check_action(&by, CREATE_LINK.action(), None)?;
                if world_links::count(tx, &draft.owner_issuer, &draft.owner_subject).await? >= MOST {
                    return Err(Refusal::open(Reason::RateLimited));
                }
                let row = insert(tx, draft, &numbers, by.ctx.ambient().now_s()).await?;
                let made = uuid_of(&row);
                let permit = permit(CREATE_LINK, &Kept::of(row)?, around.policy_version());
                ledger::permit(tx, &by, &permit).await?;
                Ok(made)
            })
        })
        .await?;
    steps::granted(&call, "World link");
    Ok(named(made))
}

/// PUT `/worldLinks`: the UUID is in the body.
///
/// # Errors
/// The stage that refuses.
pub(in crate::sm) async fn replace(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    request: Request,
) -> Result<Response, Refusal> {
    let wanted = body(request).await?;
    let of = wanted.uuid.clone().unwrap_or_default();
    permitted(&sm, &call, UPDATE_LINK).await?;
    own(&sm, &call, &of).await?;
    ends::found(&sm, &call, &wanted).await?;
    let text = kept_text(&wanted)?;
    change(&sm, &call, of.clone(), UPDATE_LINK, Some(text)).await?;
    Ok(named(of))
}

/// DELETE `/worldLinks/{worldLinkUUID}`.
///
/// # Errors
/// The stage that refuses.
pub(in crate::sm) async fn remove(
    State(sm): State<SmServer>,
    Authorized(call): Authorized,
    PathId(of): PathId,
) -> Result<StatusCode, Refusal> {
    permitted(&sm, &call, DELETE_LINK).await?;
    own(&sm, &call, &of).await?;
    change(&sm, &call, of, DELETE_LINK, None).await?;
    Ok(StatusCode::OK)
}

/// Writes or removes a link of the caller's, which is still the caller's.
async fn change(
    sm: &SmServer,
    call: &Call,
    of: String,
    operation: Operation,
    to: Option<String>,
) -> Result<(), Refusal> {
    let (job, by) = (sm.clone(), call.clone());
    let _: () = sm
        .store()
        .write(move |tx| {
            Box::pin(async move {
                let around = around(tx, &job, &by).await?;
                around.check_action(&by, operation.action(), None)?;
                let row = world_links::locked(tx, number(&of)).await?;
                let kept = row.filter(|row| uuid_of(row) == of).map(Kept::of).transpose()?;
                let kept = kept.filter(|kept| by.caller.is(&kept.owner()));
                let kept = kept.ok_or_else(|| Refusal::hidden(Reason::NotFound))?;
                match &to {
                    Some(text) => world_links::replace(tx, kept.row.link_id, text).await?,
                    None => world_links::delete(tx, kept.row.link_id).await?,
                };
                ledger::permit(tx, &by, &permit(operation, &kept, around.policy_version())).await?;
                Ok::<_, Refusal>(())
            })
        })
        .await?;
    steps::granted(call, "World link");
    Ok(())
}

/// The link of a UUID that the caller may discover.
async fn open(sm: &SmServer, call: &Call, of: &str) -> Result<Kept, Refusal> {
    let hidden = || {
        call.ctx.fail("resource", "a link that stands open", "absent or hidden");
        Refusal::hidden(Reason::NotFound)
    };
    let number = number(of);
    let row = sm.store().read(move |tx| Box::pin(async move { world_links::find(tx, number).await }));
    let row = row.await?.filter(|row| uuid_of(row) == of).ok_or_else(hidden)?;
    let shown = ends::visible(sm, call, vec![Kept::of(row)?]).await?;
    shown.into_iter().next().ok_or_else(hidden)
}

/// Refuses everybody but who made the link.
async fn own(sm: &SmServer, call: &Call, of: &str) -> Result<(), Refusal> {
    let kept = open(sm, call, of).await?;
    if call.caller.is(&kept.owner()) { Ok(()) } else { Err(Refusal::open(Reason::NotOwner)) }
}

/// The stage `operator` for the action as a whole; the version of the rules.
async fn permitted(sm: &SmServer, call: &Call, operation: Operation) -> Result<u64, Refusal> {
    let (server, caller) = (sm.clone(), call.clone());
    let around = sm.store().read(|tx| Box::pin(async move { around(tx, &server, &caller).await })).await?;
    around.check_action(call, operation.action(), None)?;
    Ok(around.policy_version())
}

fn permit(operation: Operation, kept: &Kept, version: u64) -> Permit {
    Permit::new(operation.name)
        .object(format!("world-links/{}", kept.row.link_id))
        .owner(kept.row.owner_name.clone())
        .policy_version(version)
}

async fn insert(
    tx: &mut dyn Sql,
    draft: LinkRow,
    numbers: &[u32],
    now_s: i64,
) -> Result<LinkRow, StoreError> {
    for number in numbers {
        let row = LinkRow { link_id: *number, ..draft.clone() };
        if world_links::insert(tx, &row, now_s).await? {
            return Ok(row);
        }
    }
    Err(StoreError::Damaged("no free number for a link"))
}

async fn body(request: Request) -> Result<WorldLink, Refusal> {
    input::typed(input::read(request, input::JSON, |_| {}).await?.body)
}

/// What is kept: UUID and maker stand in the row.
fn kept_text(link: &WorldLink) -> Result<String, StoreError> {
    let kept = WorldLink { uuid: None, creator_uuid: None, ..link.clone() };
    serde_json::to_string(&kept).map_err(|_| StoreError::Damaged("a link cannot be written"))
}

fn shown(kept: &Kept) -> WorldLink {
    let creator_uuid = Some(NIL_UUID.to_owned());
    WorldLink { uuid: Some(uuid_of(&kept.row)), creator_uuid, ..kept.link.clone() }
}

fn uuid_of(row: &LinkRow) -> String {
    uuid::of(b"world link", row.link_id, &row.life.to_be_bytes())
}

/// The number in a UUID; that of no link for what is no UUID.
fn number(uuid: &str) -> u32 {
    uuid::number(uuid).unwrap_or(u32::MAX)
}
