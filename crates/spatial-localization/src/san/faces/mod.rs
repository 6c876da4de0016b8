//! Interfaces of others over our anchors: ETSI GS ARF 005 world storage (decision 0042).
//!
//! The servers that are known for it let everybody read and write. Here a request passes the same guard as one of
//! TS 29.437, with the same scopes by method; an anchor is decided about in the same place, and what is hidden is absent.

mod arf005;
mod mapping;

pub(super) use arf005::{create, list, ping, read, remove, replace};

pub(super) use mapping::fuzz_world_anchor;

use http::Method;
use service_http::routes::RouteSpec;

use super::{DISCOVER, READ, WRITE};

/// Where the interface begins: what a client of it is configured with.
pub(super) const PING: &str = "/arf005/v1/ping";
pub(super) const WORLD_ANCHORS: &str = "/arf005/v1/worldAnchors";
pub(super) const WORLD_ANCHOR: &str = "/arf005/v1/worldAnchors/{worldAnchorUUID}";

/// Largest world anchor on the wire, in bytes. Own value, above what may be kept.
const BYTES: usize = 512 * 1024;

pub(super) const PING_ROUTE: RouteSpec =
    RouteSpec::token(Method::GET, PING, "PingWorldStorage", &[READ, DISCOVER]);
pub(super) const LIST_ROUTE: RouteSpec =
    RouteSpec::token(Method::GET, WORLD_ANCHORS, "ListWorldAnchors", &[DISCOVER]).cost(2);
pub(super) const READ_ROUTE: RouteSpec =
    RouteSpec::token(Method::GET, WORLD_ANCHOR, "GetWorldAnchor", &[READ]);
pub(super) const CREATE_ROUTE: RouteSpec =
    RouteSpec::token(Method::POST, WORLD_ANCHORS, "CreateWorldAnchor", &[WRITE]).body_limit(BYTES).cost(4);
pub(super) const REPLACE_ROUTE: RouteSpec =
    RouteSpec::token(Method::PUT, WORLD_ANCHORS, "ReplaceWorldAnchor", &[WRITE]).body_limit(BYTES).cost(4);
pub(super) const REMOVE_ROUTE: RouteSpec =
    RouteSpec::token(Method::DELETE, WORLD_ANCHOR, "RemoveWorldAnchor", &[WRITE]);
