//! Interconnection with CAPIF core functions of other domains (CAPIF-6, TS 23.222 8.25 and 8.26; TS 29.222 8.1, 8.2): each
//! publishes to its partners what is shared with them, over the partner's own publish interface, and partners may look for
//! it over the discover interface. A service API of a partner is found here like one of our own; tokens for it are taken by
//! its API exposing function only if that trusts this core function (decision 0100).

mod inward;
mod link;
mod outward;
mod partner;
mod plan;
mod pull;
mod push;
mod tasks;

pub(crate) use inward::{Inward, is_of_partner, registration_of};
pub use link::{LinkError, PartnerLink};
pub use partner::{Federation, Partner, Take};
pub(crate) use partner::{partner, registrations};
pub(crate) use tasks::start;
