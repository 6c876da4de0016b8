//! The servers of spatial localization (TS 23.437, TS 29.437): spatial anchors (`san`) and spatial maps (`sm`).
//!
//! A request has passed the guard of `service-http` up to the operation; here follow resource, parts, place and time,
//! and the rules of the operator (design, section 2). What decides is in `authorization`.

pub mod lm;
pub mod san;
pub mod shared;
pub mod sm;
