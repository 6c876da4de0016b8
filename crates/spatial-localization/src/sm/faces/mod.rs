//! Interfaces of others over our maps: the spatial service discovery of the Open Spatial Computing Platform, trackables and
//! world links of ETSI GS ARF 005 (decisions 0042 and 0061).
//!
//! Their public servers answer everybody. Here a request passes the same guard as one of TS 29.437, with the same scopes by
//! method; a map is decided about in the same place, and what is hidden is absent.

mod cell;
mod ends;
pub(super) mod links;
mod mapping;
mod object;
mod oscp;
pub(super) mod trackables;

pub(super) use object::ObjectEdit;
pub(super) use oscp::{create, list, list_own, read, remove, replace};

use http::Method;
use service_http::routes::RouteSpec;

use super::access::{SCOPE_READ, SCOPE_WRITE};
use crate::shared::supp_feat::SuppFeat;

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

/// Objects of maps as ETSI GS ARF 005 knows them.
pub(super) const TRACKABLES: &str = "/arf005/v1/trackables";
pub(super) const TRACKABLE: &str = "/arf005/v1/trackables/{trackableUUID}";
/// Links between them, and to world anchors.
pub(super) const WORLD_LINKS: &str = "/arf005/v1/worldLinks";
pub(super) const WORLD_LINK: &str = "/arf005/v1/worldLinks/{worldLinkUUID}";

pub(super) const LIST_TRACKABLES: RouteSpec =
    RouteSpec::token(Method::GET, TRACKABLES, "ListTrackables", &[SCOPE_READ]).cost(2);
pub(super) const READ_TRACKABLE: RouteSpec =
    RouteSpec::token(Method::GET, TRACKABLE, "GetTrackable", &[SCOPE_READ]);
pub(super) const CREATE_TRACKABLE: RouteSpec =
    RouteSpec::token(Method::POST, TRACKABLES, "CreateTrackable", &[SCOPE_WRITE]).cost(4);
pub(super) const REPLACE_TRACKABLE: RouteSpec =
    RouteSpec::token(Method::PUT, TRACKABLES, "ReplaceTrackable", &[SCOPE_WRITE]).cost(4);
pub(super) const REMOVE_TRACKABLE: RouteSpec =
    RouteSpec::token(Method::DELETE, TRACKABLE, "RemoveTrackable", &[SCOPE_WRITE]);
pub(super) const LIST_LINKS: RouteSpec =
    RouteSpec::token(Method::GET, WORLD_LINKS, "ListWorldLinks", &[SCOPE_READ]).cost(4);
pub(super) const READ_LINK: RouteSpec =
    RouteSpec::token(Method::GET, WORLD_LINK, "GetWorldLink", &[SCOPE_READ]).cost(2);
pub(super) const CREATE_LINK: RouteSpec =
    RouteSpec::token(Method::POST, WORLD_LINKS, "CreateWorldLink", &[SCOPE_WRITE]).cost(4);
pub(super) const REPLACE_LINK: RouteSpec =
    RouteSpec::token(Method::PUT, WORLD_LINKS, "ReplaceWorldLink", &[SCOPE_WRITE]).cost(4);
pub(super) const REMOVE_LINK: RouteSpec =
    RouteSpec::token(Method::DELETE, WORLD_LINK, "RemoveWorldLink", &[SCOPE_WRITE]).cost(2);

/// Peers of these interfaces see members of ours as far as they have a place for them.
fn all_members() -> SuppFeat {
    SuppFeat::parse(Some("1")).unwrap_or_default()
}

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

/// A trackable or a link: no bytes panic.
pub fn fuzz_trackable(bytes: &[u8]) {
    use api_types::validate::Validate as _;
    let depth = 16;
    if let Ok(link) =
        api_types::strict_json::from_slice::<api_types::faces::world_link::WorldLink>(bytes, depth)
    {
        let _ = (link.validate(""), link.ends());
    }
    let Ok(wanted) =
        api_types::strict_json::from_slice::<api_types::faces::trackable::Trackable>(bytes, depth)
    else {
        return;
    };
    if wanted.validate("").is_ok() {
        let mut objects = Vec::new();
        let added = ObjectEdit::Add("a".to_owned(), Box::new(wanted.clone()));
        let map = api_types::ids::SpatialMapId(1);
        if added.apply(map, &mut objects).is_ok() {
            assert_eq!(object::shown(1, &objects[0]).local_crs, wanted.local_crs);
        }
    }
}
