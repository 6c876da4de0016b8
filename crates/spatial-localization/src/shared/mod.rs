//! What the spatial anchor server and the spatial map server do alike.

pub mod cursor;
pub mod cursor_secret;
pub mod etag;
pub mod geometry;
pub mod operator_rules;
pub mod paging;
pub mod rules;
pub mod serv_infos;
pub mod supp_feat;
