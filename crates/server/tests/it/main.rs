//! The program as others meet it: a child process, its ready file, its sockets, its files.

mod harness;

mod admin;
mod capif;
mod cli;
mod console;
mod crash;
mod every_route;
mod facade;
mod hidden;
mod hostile;
mod input;
mod opencapif;
mod partner;
mod peers;
mod postgres;
mod privacy;
mod scenarios;
mod spatial;
mod udm;
