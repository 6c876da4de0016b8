//! One suite for both engines: each case is a function over a [`bench::Bench`], run once on SQLite and once on PostgreSQL.

#[macro_use]
mod bench;

mod acts;
mod aef;
mod anchors;
mod backup;
mod blobs;
mod capif;
mod chains;
mod documents;
mod held_reports;
mod imports;
mod kill;
mod maps;
mod messages;
mod migrations;
mod once;
mod publications;
mod sim_records;
mod sql;
mod subscriptions;
mod transactions;
mod udm;
mod val_services;
mod world_links;
