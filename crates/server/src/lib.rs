//! The `metaseal` program: configuration, certificates, wiring, the admin API and the demo.

/// Prints a line to standard output. A reader that has gone away (`| head`) is no fault, unlike for `println!`.
#[macro_export]
macro_rules! out {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($text)*);
    }};
}

pub mod admin;
pub mod ambient;
pub mod backup;
pub mod bench;
pub mod cli;
pub mod config;
pub mod console;
pub mod data_dir;
pub mod demo;
pub mod fuzz;
pub mod openapi;
pub mod pki;
pub mod ready;
pub mod wiring;
