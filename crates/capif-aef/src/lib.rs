//! An API exposing function of CAPIF (TS 23.222 8.16 to 8.24, TS 29.222): what stands between a service API and the core
//! function that authorizes its API invokers.
//!
//! [`Aef`] decides by the access control policies of the core function and counts what it admits, reports every invocation,
//! and takes withdrawn authorizations and announcements of API invokers (`AEF_Security`). There are two ways to use it:
//!
//! * A function of this system has a guard that verifies tokens. It is given the [`Aef`] as its exposure
//!   (`kit.exposed.set`) and mounts [`security_api`].
//! * Anybody else connects to a core function ([`Aef::connect`]) and puts [`Aef::protect`] around the router of a service
//!   API. `examples/third_party.rs` is a whole one.
//!
//! Where invocations are counted and logs wait is [`Records`]; who is asked is [`CoreFunction`]. Both can be something else.

mod aef;
mod connect;
mod context;
mod control;
mod core_function;
mod hosts;
mod logs;
mod protect;
mod records;
pub mod security_api;

pub use aef::{Aef, AefConfig, OverLimitUsage, ServiceApi};
pub use connect::{Connect, ConnectError};
pub use context::{InvokerContext, fuzz};
pub use core_function::{CoreFunction, NotTaken, Unavailable};
pub use hosts::{HostsOfBoth, InvokerHosts};
pub use protect::Grant;
pub use records::{Records, StoreRecords};
