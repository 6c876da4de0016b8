//! The edge over real sockets on loopback, with limits small enough to be hit at once.

mod support;

mod connections;
mod drain;
mod handshake;
mod http1;
mod http2;
mod peer;
mod routing;
