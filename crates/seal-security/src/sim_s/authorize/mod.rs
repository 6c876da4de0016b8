//! The authorization endpoint and its pushed requests (TS 33.434 A.4, TS 24.547 6.2.2, RFC 9126).

pub mod answer;
pub mod begin;
pub mod browser;
pub mod grant;
pub mod login;
pub mod page;
pub mod pushed;
pub mod request;
