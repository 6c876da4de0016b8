//! The `metaseal` program: configuration, certificates, wiring, the admin API and the demo.

pub mod admin;
pub mod ambient;
pub mod backup;
pub mod cli;
pub mod config;
pub mod data_dir;
pub mod demo;
pub mod fuzz;
pub mod openapi;
pub mod pki;
pub mod ready;
pub mod wiring;
