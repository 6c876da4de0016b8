//! `/capif` of the admin API: what is on record at the CAPIF core function of this process, and what the operator does there.

mod catalogue;
mod limits;
mod owners;
mod parties;

use api_types::capif::AefId;
use axum::Json;
use axum::response::{IntoResponse, Response};
use capif_core::ccf::{CcfServer, Part, Versioned};
use serde::Serialize;
use service_http::refusal::Refusal;

pub(super) use catalogue::{
    api, apis, context, contexts, delete_open_apis, open_apis, put_open_apis, users_of_api,
};
pub(super) use limits::{
    access_control, access_control_list, delete_access_control, delete_routing, put_access_control,
    put_routing, routing,
};
pub(super) use owners::{asks, explain, resources};
pub(super) use parties::{
    delete_invoker, delete_provider, enrolments, invoker, invokers, provider, providers, refusals,
    withdraw_enrolment,
};

use super::Admin;
use super::elsewhere::not_here;
use super::everywhere::etag;
use super::query::{Filters, refuse};

/// The core function, where it runs here.
fn ccf(admin: &Admin) -> Result<&CcfServer, Refusal> {
    admin.ccf.as_ref().ok_or_else(not_here)
}

/// The page that is asked for.
fn part(filters: &Filters) -> Result<Part<'_>, Refusal> {
    Ok(Part { cursor: filters.text("cursor").unwrap_or_default(), limit: filters.limit()? })
}

/// An identifier of a path.
fn id<T: TryFrom<String>>(name: &'static str, text: String) -> Result<T, Refusal> {
    T::try_from(text).map_err(|_| refuse(name, "is not an identifier"))
}

/// `aef`: the function that is meant, where a service API is exposed at several.
fn aef(filters: &Filters) -> Result<Option<AefId>, Refusal> {
    filters.text("aef").map(|text| id("aef", text.to_owned())).transpose()
}

/// A record with its version as entity tag.
fn tagged<T: Serialize>(found: Versioned<T>) -> Response {
    (etag(found.version), Json(found.body)).into_response()
}
