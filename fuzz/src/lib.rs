//! The parsers of bytes from outside, with good inputs to start from.

pub mod mutate;

/// A parser of outside bytes.
pub struct Target {
    /// Name on the command line.
    pub name: &'static str,
    /// Must not panic, whatever the bytes.
    pub run: fn(&[u8]),
    /// Inputs that the parser accepts.
    pub seeds: &'static [&'static [u8]],
}

/// Every parser of outside bytes.
pub const TARGETS: &[Target] = &[];
