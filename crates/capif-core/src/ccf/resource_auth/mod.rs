//! Resources of API exposing functions and the policies of their owners (own API, `capif-resource-auth`; TR 33.721 6.3.2.1
//! steps 4 to 7; decision 0070).
//!
//! An API exposing function tells which resources it has, whose they are and whom the owner lets do what; an owner looks
//! at what is told of its own, keeps policies of its own beside, and answers where nobody has decided before. The token
//! endpoint decides by these records.

mod asking;
mod asks;
mod batch;
mod change;
mod decision;
mod deliver;
mod ending;
mod keep;
mod list;
mod policies;
mod profile;
mod put;
mod read;
mod record;
mod remove;
mod subscribe;
mod telling;
mod unsubscribe;
mod version;

use service_http::peer::CertRole;

pub(crate) use asking::{About, Wanted, ask};
pub(crate) use asks::asks;
pub(crate) use batch::batch;
pub(crate) use change::change;
pub(crate) use decision::decide;
pub(crate) use deliver::deliver;
pub(crate) use list::list;
pub(crate) use policies::{policies, set_policies};
pub(crate) use profile::profile;
pub(crate) use put::put;
pub(crate) use read::read;
pub(crate) use record::{Answered, Known, info, own_policies};
pub(crate) use remove::remove;
pub(crate) use subscribe::subscribe;
pub(crate) use telling::{KIND, way};
pub(crate) use unsubscribe::unsubscribe;

/// Where the API is.
const PATH: &str = "/capif-resource-auth/v1";

/// The word of the subscriptions in the store.
pub(crate) const FAMILY: &str = "capif-resource-auth";

/// Who may subscribe.
pub(crate) const SUBSCRIBERS: &[CertRole] = &[CertRole::Aef, CertRole::Invoker];

/// The procedure of solution #3 (TR 33.721 6.3.2.1).
pub(crate) const PROCEDURE: &str = "TR33.721-S3";

/// Resources of a page unless fewer are asked for, and the most. Own value.
const PAGE: u32 = 256;

/// The resource that a segment of a path names. A path has no encoded slash (the edge refuses one), and no resource a
/// colon: `list:7` is `list/7`.
fn of_segment(segment: &str) -> String {
    segment.replace(':', "/")
}

/// The segment of a path that names a resource.
fn to_segment(resource: &str) -> String {
    resource.replace('/', ":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_one_segment() {
        for resource in ["list/7", "17", "a/b/c", "a-b.c_d~e/1"] {
            let segment = to_segment(resource);
            assert!(!segment.contains('/') && of_segment(&segment) == resource, "{resource}");
        }
    }
}
