//! The clients against a server that plays a script over real TLS on the loopback.

mod flow;
mod scripted;
mod transport;
