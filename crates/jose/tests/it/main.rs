//! `jose` from outside: attacks, vectors of the RFCs, another implementation.

mod attacks;
mod dpop;
mod interop;
mod keys;
mod support;
mod vectors;
