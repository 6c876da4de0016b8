//! `metaseal demo`: a sample campus, the procedures of the sources over real sockets, and the attacks on them.

mod attacks;
mod campus;
mod capif;
mod glb;
mod invoker;
mod observe;
mod owner;
mod p1;
mod p2;
mod p3;
mod p4;
mod play;
mod recording;
mod report;
mod sample;
mod seed;
mod svg;
mod table;

pub use play::{play, write_pictures};
pub use recording::Recording;
pub use report::{Attack, Procedure, Report, Step, Verdict};
pub use sample::Sample;
pub use seed::seed;
pub use table::Table;
