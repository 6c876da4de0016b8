//! What the spatial anchor server and the spatial map server do alike.

pub mod cursor;
pub mod cursor_secret;
pub mod data_class;
pub(crate) mod denial;
pub(crate) mod etag;
pub mod geo_pose;
pub mod geometry;
pub(crate) mod grants;
pub(crate) mod input;
pub mod operator_rules;
pub(crate) mod own_members;
pub(crate) mod paging;
pub mod publication;
pub(crate) mod reach;
pub(crate) mod registrations;
pub mod rules;
pub mod serv_infos;
pub mod subscriptions;
pub mod supp_feat;
pub(crate) mod surroundings;
pub(crate) mod uuid;
pub mod view;
