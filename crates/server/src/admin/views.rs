//! `/views`: anchors and maps as the operator sees them, or as somebody else would (decision 0011).
//!
//! `user`, `client` and `ue` name whose view it is: a user by way of a client, or a client for itself; without them it is
//! the operator's. What is hidden from somebody is not in the answer.

use api_types::admin::{AnchorView, MapView, Viewed};
use api_types::ids::{ClientId, UserId, ValUeId};
use authorization::{Caller, Principal, Reason};
use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use seal_security::sim_s::Asked;
use service_http::call::{Authorized, Ctx};
use service_http::refusal::Refusal;
use spatial_localization::shared::view::{View, Viewer};

use super::elsewhere::not_here;
use super::query::{Filters, refuse};
use super::{Admin, record};

/// Scope of the discovery that a view of anchors stands for.
const FIND_ANCHORS: &str = "3gpp:seal:san.discover";
/// Scope of the discovery that a view of maps stands for.
const READ_MAPS: &str = "3gpp:seal:sm.read";

/// Whose view is asked for.
enum Wanted {
    Operator(Option<Principal>),
    Somebody(Box<Caller>),
    /// Somebody who would get no token.
    Nobody,
}

impl Wanted {
    fn viewer(&self) -> Option<Viewer<'_>> {
        match self {
            Self::Operator(operator) => Some(Viewer::Operator(operator.clone())),
            Self::Somebody(caller) => Some(Viewer::Somebody(caller)),
            Self::Nobody => None,
        }
    }
}

/// `GET /v1/views/anchors?user&client&ue&limit&cursor`
pub(super) async fn anchors(
    State(admin): State<Admin>,
    ctx: Ctx,
    operator: Result<Authorized, Refusal>,
    filters: Filters,
) -> Result<Json<Viewed<AnchorView>>, Refusal> {
    let san = admin.san.as_ref().ok_or_else(not_here)?;
    let (limit, after) = (filters.limit()?, after(&filters)?);
    let wanted = wanted(&admin, operator.ok(), &filters, FIND_ANCHORS).await?;
    record::looked(&admin, &ctx, "admin.view.anchors", object(&admin, &filters)).await?;
    Ok(Json(match wanted.viewer() {
        Some(viewer) => shown(san.view(&viewer, after, limit).await?),
        None => not_entitled(),
    }))
}

/// `GET /v1/views/maps?user&client&ue&limit&cursor`
pub(super) async fn maps(
    State(admin): State<Admin>,
    ctx: Ctx,
    operator: Result<Authorized, Refusal>,
    filters: Filters,
) -> Result<Json<Viewed<MapView>>, Refusal> {
    let sm = admin.sm.as_ref().ok_or_else(not_here)?;
    let (limit, after) = (filters.limit()?, after(&filters)?);
    let wanted = wanted(&admin, operator.ok(), &filters, READ_MAPS).await?;
    record::looked(&admin, &ctx, "admin.view.maps", object(&admin, &filters)).await?;
    Ok(Json(match wanted.viewer() {
        Some(viewer) => shown(sm.view(&viewer, after, limit).await?),
        None => not_entitled(),
    }))
}

/// `GET /v1/views/maps/{mapId}/content?user&client&ue`
pub(super) async fn content(
    State(admin): State<Admin>,
    ctx: Ctx,
    operator: Result<Authorized, Refusal>,
    Path(map_id): Path<String>,
    filters: Filters,
) -> Result<Response, Refusal> {
    let sm = admin.sm.as_ref().ok_or_else(not_here)?;
    let absent = || Refusal::open(Reason::NotFound);
    let map_id: u32 = map_id.parse().map_err(|_| absent())?;
    let wanted = wanted(&admin, operator.ok(), &filters, READ_MAPS).await?;
    let content = sm.view_content(&wanted.viewer().ok_or_else(absent)?, map_id).await?;
    let object = format!("{}/spatial-maps/{map_id}/content", object(&admin, &filters));
    record::looked(&admin, &ctx, "admin.view.content", object).await?;
    let headers = [(CONTENT_TYPE, content.media_type), (CONTENT_LENGTH, content.bytes.to_string())];
    Ok((headers, content.body).into_response())
}

async fn wanted(
    admin: &Admin,
    operator: Option<Authorized>,
    filters: &Filters,
    scope: &str,
) -> Result<Wanted, Refusal> {
    let (user, ue) = (filters.text("user"), filters.text("ue"));
    let Some(client) = filters.text("client") else {
        if user.is_some() || ue.is_some() {
            return Err(refuse("client", "is needed beside user and ue"));
        }
        return Ok(Wanted::Operator(operator.map(|Authorized(call)| call.caller.principal())));
    };
    let sim = admin.sim.as_ref().ok_or_else(not_here)?;
    let malformed = |name: &'static str| refuse(name, "is not an identifier");
    let client = ClientId::try_from(client).map_err(|_| malformed("client"))?;
    let user = user.map(|user| UserId::try_from(user).map_err(|_| malformed("user"))).transpose()?;
    let ue = ue.map(|ue| ValUeId::try_from(ue).map_err(|_| malformed("ue"))).transpose()?;
    let asked = Asked { client: &client, user: user.as_ref(), ue: ue.as_ref() };
    let caller = sim.caller_for(&asked, scope).await?;
    Ok(caller.map_or(Wanted::Nobody, |caller| Wanted::Somebody(Box::new(caller))))
}

/// Whose view it was, for the record; people by their pseudonym.
fn object(admin: &Admin, filters: &Filters) -> String {
    match (filters.text("user"), filters.text("client")) {
        (Some(user), _) => format!("views/users/{}", admin.kit.pseudonym(user)),
        (None, Some(client)) => format!("views/clients/{client}"),
        (None, None) => "views/operator".to_owned(),
    }
}

fn after(filters: &Filters) -> Result<Option<u32>, Refusal> {
    let place = |text: &str| text.parse().map_err(|_| refuse("cursor", "is not one that this program gave"));
    filters.text("cursor").map(place).transpose()
}

fn shown<T>(view: View<T>) -> Viewed<T> {
    Viewed {
        items: view.items,
        next: view.next.map(|next| next.to_string()),
        denied: view.denied.map(|reason| reason.as_str().to_owned()),
    }
}

fn not_entitled<T>() -> Viewed<T> {
    shown(View { items: Vec::new(), next: None, denied: Some(Reason::NotEntitled) })
}
