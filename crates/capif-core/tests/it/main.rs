//! The CAPIF core function behind its router, over a SQLite store of the test's own: each refusal beside its good case.

mod access_control;
mod asking;
mod discover;
mod events;
mod explained;
mod federation;
mod harness;
mod logs;
mod notices;
mod onboarding;
mod open_discover;
mod opencapif;
mod publish;
mod receiver;
mod registering;
mod resource_auth;
mod routing;
mod security;
mod token;
