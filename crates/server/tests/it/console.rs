//! The console: login, sessions, what it lets through and in whose name, and views in the eyes of somebody else.

mod acts;
mod sessions;
mod views;
