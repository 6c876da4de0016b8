//! The SIM-S behind its two routers, over a SQLite store of the test's own: attacks and defences by the numbers of
//! RFC 9700 (B…) and of the attack catalogue (A…), each beside its good case.

mod admin;
mod authorize;
mod client_auth;
mod harness;
mod introspect;
mod keys;
mod login;
mod metadata;
mod partner;
mod passkey;
mod provisioning;
mod pushed;
mod refresh;
mod token;
mod userinfo;
