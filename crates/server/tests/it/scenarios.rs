//! End-to-end scenarios of the requirements sheet, section 4.

mod charging;
mod discovery;
mod embedding;
