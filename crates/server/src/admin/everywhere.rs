//! What every function keeps a copy of: policies and services (decision 0006).

use api_types::admin::Page;
use api_types::function::Function;
use authorization::Reason;
use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderName, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use service_http::kit::FunctionKit;
use service_http::refusal::Refusal;
use store::{Document, MOST_DOCUMENTS, Put, Sql, StoreError, policies, services};

use super::Admin;
use super::query::Filters;

/// Documents that are read at once. Own value.
const PAGE: u32 = 500;

/// Which documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Policy,
    Service,
}

impl Kind {
    const ALL: [Self; 2] = [Self::Policy, Self::Service];

    async fn put(self, tx: &mut dyn Sql, id: &str, body: &str, at_ms: i64) -> Result<Put, StoreError> {
        match self {
            Self::Policy => policies::put(tx, id, body, at_ms).await,
            Self::Service => services::put(tx, id, body, at_ms).await,
        }
    }

    async fn find(self, tx: &mut dyn Sql, id: &str) -> Result<Option<Document>, StoreError> {
        match self {
            Self::Policy => policies::find(tx, id).await,
            Self::Service => services::find(tx, id).await,
        }
    }

    async fn page(self, tx: &mut dyn Sql, after: &str, limit: u32) -> Result<Vec<Document>, StoreError> {
        match self {
            Self::Policy => policies::page(tx, after, limit).await,
            Self::Service => services::page(tx, after, limit).await,
        }
    }

    async fn count(self, tx: &mut dyn Sql) -> Result<u64, StoreError> {
        match self {
            Self::Policy => policies::count(tx).await,
            Self::Service => services::count(tx).await,
        }
    }

    async fn delete(self, tx: &mut dyn Sql, id: &str) -> Result<bool, StoreError> {
        match self {
            Self::Policy => policies::delete(tx, id).await,
            Self::Service => services::delete(tx, id).await,
        }
    }
}

/// A document as the API shows it.
pub(super) trait Kept: DeserializeOwned + Serialize {
    /// Which documents these are.
    const KIND: Kind;

    /// With its id and version; `None` when the id is none.
    fn shown(self, id: &str, version: u64) -> Option<Self>;

    /// Reads a stored document.
    fn of(document: &Document) -> Result<Self, Refusal> {
        let body = serde_json::from_str::<Self>(&document.body).ok();
        let shown = body.and_then(|body| body.shown(&document.id, document.version));
        shown.ok_or_else(|| Refusal::open(Reason::StoreFailed))
    }
}

/// Answers one document, with its version as ETag.
pub(super) async fn read<T: Kept>(admin: &Admin, id: &str) -> Result<Response, Refusal> {
    let document = find(admin, T::KIND, id).await?;
    Ok((etag(document.version), Json(T::of(&document)?)).into_response())
}

/// Answers a page of documents.
pub(super) async fn list<T: Kept>(admin: &Admin, filters: &Filters) -> Result<Json<Page<T>>, Refusal> {
    let (documents, next) = page(admin, T::KIND, filters).await?;
    Ok(Json(Page { items: documents.iter().map(T::of).collect::<Result<_, _>>()?, next }))
}

/// Answers a document that was made or replaced.
pub(super) fn wrote<T: Kept>(put: &Put, id: &str, body: T) -> Result<Response, Refusal> {
    let code = if put.created { StatusCode::CREATED } else { StatusCode::OK };
    let shown = body.shown(id, put.version).ok_or_else(|| Refusal::open(Reason::StoreFailed))?;
    Ok((code, etag(put.version), Json(shown)).into_response())
}

/// The status of that answer.
pub(super) fn status(put: &Put) -> u16 {
    if put.created { 201 } else { 200 }
}

/// A version as an entity tag.
pub(super) fn etag(version: u64) -> [(HeaderName, String); 1] {
    [(header::ETAG, format!("\"{version}\""))]
}

/// Makes or replaces a document in every function but one that has it already, last in `admin`, from which it is read.
pub(super) async fn put(
    admin: &Admin,
    kind: Kind,
    id: &str,
    body: &str,
    has_it: Option<Function>,
) -> Result<Put, Refusal> {
    let at_ms = admin.kit.ambient.now_ms();
    check_room(&admin.kit, kind, id).await?;
    let mut last = Put { version: 0, created: false };
    for kit in admin.functions.iter().rev().filter(|kit| Some(kit.function) != has_it) {
        last = put_in(kit, kind, id, body, at_ms).await?;
    }
    Ok(last)
}

/// Decides whether one more may be kept: what decisions do not look at must not be there.
async fn check_room(kit: &FunctionKit, kind: Kind, id: &str) -> Result<(), Refusal> {
    let id = id.to_owned();
    let full = kit.store.read(move |sql| {
        Box::pin(async move {
            Ok(kind.count(sql).await? >= MOST_DOCUMENTS && kind.find(sql, &id).await?.is_none())
        })
    });
    if full.await? { Err(Refusal::open(Reason::TooLarge)) } else { Ok(()) }
}

/// Drops a document everywhere.
pub(super) async fn delete(admin: &Admin, kind: Kind, id: &str) -> Result<(), Refusal> {
    let mut existed = false;
    for kit in admin.functions.iter().rev() {
        let id = id.to_owned();
        let write = kit.store.write(move |tx| Box::pin(async move { kind.delete(tx, &id).await }));
        existed |= write.await.map_err(|error: StoreError| Refusal::from(error))?;
    }
    if existed { Ok(()) } else { Err(Refusal::open(Reason::NotFound)) }
}

/// One document.
async fn find(admin: &Admin, kind: Kind, id: &str) -> Result<Document, Refusal> {
    let id = id.to_owned();
    let found = admin.kit.store.read(move |sql| Box::pin(async move { kind.find(sql, &id).await })).await?;
    found.ok_or_else(|| Refusal::open(Reason::NotFound))
}

/// A page of documents, and the cursor of the next one.
async fn page(
    admin: &Admin,
    kind: Kind,
    filters: &Filters,
) -> Result<(Vec<Document>, Option<String>), Refusal> {
    let limit = filters.limit()?;
    let after = filters.text("cursor").unwrap_or_default().to_owned();
    let store = &admin.kit.store;
    let mut documents =
        store.read(move |sql| Box::pin(async move { kind.page(sql, &after, limit + 1).await })).await?;
    let full = documents.len() > limit as usize;
    documents.truncate(limit as usize);
    let next = documents.last().filter(|_| full).map(|last| last.id.clone());
    Ok((documents, next))
}

/// Every document.
pub(super) async fn all(kit: &FunctionKit, kind: Kind) -> Result<Vec<Document>, StoreError> {
    kit.store
        .read(move |sql| {
            Box::pin(async move {
                let mut all: Vec<Document> = Vec::new();
                loop {
                    let after = all.last().map(|last| last.id.clone()).unwrap_or_default();
                    let page = kind.page(sql, &after, PAGE).await?;
                    if page.is_empty() {
                        return Ok(all);
                    }
                    all.extend(page);
                }
            })
        })
        .await
}

/// Gives each function what `admin` has and it lacks: a function that was added later, or a crash between two copies.
///
/// # Errors
/// A store failed.
pub async fn reconcile(functions: &[FunctionKit]) -> Result<(), StoreError> {
    let Some((admin, others)) = functions.split_first() else { return Ok(()) };
    for kind in Kind::ALL {
        let mut wanted = all(admin, kind).await?;
        if wanted.is_empty() {
            // The first start: functions provision what they begin with, and `admin` takes it over.
            for kit in others {
                for document in all(kit, kind).await? {
                    put_in(admin, kind, &document.id, &document.body, document.at_ms).await?;
                }
            }
            wanted = all(admin, kind).await?;
        }
        for kit in others {
            let present = all(kit, kind).await?;
            for document in &wanted {
                if !present.iter().any(|known| known.id == document.id && known.body == document.body) {
                    put_in(kit, kind, &document.id, &document.body, document.at_ms).await?;
                }
            }
            for gone in present.iter().filter(|known| !wanted.iter().any(|d| d.id == known.id)) {
                let id = gone.id.clone();
                kit.store.write(move |tx| Box::pin(async move { kind.delete(tx, &id).await })).await?;
            }
        }
    }
    Ok(())
}

async fn put_in(kit: &FunctionKit, kind: Kind, id: &str, body: &str, at_ms: i64) -> Result<Put, StoreError> {
    let (id, body) = (id.to_owned(), body.to_owned());
    kit.store.write(move |tx| Box::pin(async move { kind.put(tx, &id, &body, at_ms).await })).await
}
