//! Interfaces of others over our maps: the spatial service discovery of the Open Spatial Computing Platform (decision
//! 0042).
//!
//! Its public server answers everybody. Here a request passes the same guard as one of TS 29.437, with the same scopes by
//! method; a map is decided about in the same place, and what is hidden is absent.

mod cell;
mod mapping;
mod oscp;

pub(super) use oscp::{create, list, list_own, read, remove, replace};

use http::Method;
use service_http::routes::RouteSpec;

use super::access::{SCOPE_READ, SCOPE_WRITE};

/// Where the interface begins: what a client of it is configured with. `{country}` is two letters and decides nothing.
pub(super) const RECORDS: &str = "/oscp-ssd/v1/{country}/ssrs";
pub(super) const RECORD: &str = "/oscp-ssd/v1/{country}/ssrs/{ssrId}";
pub(super) const OWN_RECORDS: &str = "/oscp-ssd/v1/{country}/provider/ssrs";

pub(super) const LIST_ROUTE: RouteSpec =
    RouteSpec::token(Method::GET, RECORDS, "ListServiceRecords", &[SCOPE_READ]).cost(2);
pub(super) const OWN_ROUTE: RouteSpec =
    RouteSpec::token(Method::GET, OWN_RECORDS, "ListOwnServiceRecords", &[SCOPE_READ]).cost(2);
pub(super) const READ_ROUTE: RouteSpec =
    RouteSpec::token(Method::GET, RECORD, "GetServiceRecord", &[SCOPE_READ]);
pub(super) const CREATE_ROUTE: RouteSpec =
    RouteSpec::token(Method::POST, RECORDS, "CreateServiceRecord", &[SCOPE_WRITE]).cost(4);
pub(super) const REPLACE_ROUTE: RouteSpec =
    RouteSpec::token(Method::PUT, RECORD, "ReplaceServiceRecord", &[SCOPE_WRITE]).cost(4);
pub(super) const REMOVE_ROUTE: RouteSpec =
    RouteSpec::token(Method::DELETE, RECORD, "RemoveServiceRecord", &[SCOPE_WRITE]);

/// A record or the name of a cell: no bytes panic.
pub fn fuzz_service_record(bytes: &[u8]) {
    use api_types::validate::Validate as _;
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = cell::area(text);
    }
    let Ok(record) = api_types::strict_json::from_slice::<api_types::faces::oscp::ServiceRecord>(bytes, 16)
    else {
        return;
    };
    if record.validate("").is_ok() {
        let _ = (mapping::request(&record), mapping::patch(&record));
    }
}
