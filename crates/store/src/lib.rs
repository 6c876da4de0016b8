//! What a function of metaseal keeps: SQLite by default, PostgreSQL when one machine is outgrown, behind one
//! portable SQL text. One file per record; no decisions, no clock, no randomness of its own.
//!
//! * [`Store::read`] sees one snapshot. On SQLite it runs inline on the calling thread.
//! * [`Store::write`] hands a job to the one writer of the function. Each job runs in a savepoint of its own, many jobs
//!   share one commit (and one fsync), and no job is answered before that commit. An `Err` undoes that job alone.
//! * A record file is a set of free functions over `&mut dyn Sql`, so that several records change in one job.
//!
//! SQL is written once: parameters are `$1`, `$2` …, integers are `BIGINT`, booleans are integers, times are integers in
//! seconds (`_s`) or milliseconds (`_ms`). The few differences of the engines are fragments of [`Dialect`].

mod batch;
mod chain;
mod dialect;
mod documents;
mod error;
mod json;
mod postgres;
mod search;
mod settled;
mod sql;
mod sqlite;
mod store;
mod tail;
mod value;

pub mod migrations;

pub mod acts;
pub mod aef;
pub mod anchors;
pub mod audit;
pub mod blobs;
pub mod capif;
pub mod charging;
pub mod clients;
pub mod echoed_policies;
pub mod grants;
pub mod happenings;
pub mod held_reports;
pub mod keys;
pub mod leases;
pub mod maps;
pub mod meta;
pub mod once;
pub mod outbox;
pub mod passkeys;
pub mod policies;
pub mod principals;
pub mod publications;
pub mod reach;
pub mod registrations;
pub mod revocations;
pub mod services;
pub mod sessions;
pub mod spatial_index;
pub mod subscriptions;
pub mod traces;
pub mod udm;
pub mod users;
pub mod val_services;
pub mod world_links;

#[doc(hidden)]
pub mod testkit;

pub use dialect::Dialect;
pub use documents::{Document, MOST_DOCUMENTS, Put};
pub use error::StoreError;
pub use futures::future::BoxFuture;
pub use migrations::{Migration, Migrations};
pub use search::Bounds;
pub use sql::{Row, Sql};
pub use store::{Limits, Store, StoreConfig};
pub use tail::Tail;
pub use value::{FromValue, Value};
