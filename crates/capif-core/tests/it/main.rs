//! The CAPIF core function behind its router, over a SQLite store of the test's own: each refusal beside its good case.

mod discover;
mod harness;
mod open_discover;
mod publish;
