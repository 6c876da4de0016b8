//! What crosses the border of a function over real sockets on loopback: the revocation feed, and requests that leave.

#[allow(dead_code)] // of the edge's tests, which use all of it
#[path = "../edge/support/pki.rs"]
mod pki;
mod support;

mod callbacks;
mod egress;
mod feed;
mod hosts;
