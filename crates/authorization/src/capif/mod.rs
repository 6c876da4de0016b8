//! Decisions of CAPIF (TS 29.222, TS 33.122; TR 33.721 6.2 and 6.3), pure like all of this crate.
//!
//! At the CAPIF core function: [`scope`] and [`details`] read what is asked for, [`negotiation`] selects the security
//! method, [`owner_policy`] decides in the name of a resource's owner, [`grant`] puts the verdicts together. At an API
//! exposing function: [`invocation`] holds a request against what the token grants, [`access_control`] counts.
//! [`aef_psk`] is a derivation that nothing here negotiates.

pub mod access_control;
pub mod aef_psk;
pub mod details;
pub mod grant;
pub mod invocation;
pub mod negotiation;
pub mod owner_policy;
pub mod scope;
