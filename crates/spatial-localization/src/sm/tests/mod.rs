//! The spatial map server behind its own router: requests with tokens in, answers and records out.

mod bench;
mod building;
mod content;
mod discovery;
mod embedding;
mod fuzzing;
mod lifecycle;
mod providers;
mod refusals;
mod registries;
mod service_records;
mod subscriptions;
mod world_storage;
