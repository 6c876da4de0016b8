//! Runs every fuzz target over mutated inputs for some seconds: `fuzz [SECONDS] [TARGET…]`.
//!
//! A target is a `fn(&[u8])` that must not panic. The mutations are drawn from a fixed seed, so that a failure is
//! found again. With a nightly compiler the same targets run under coverage (`fuzz/coverage`).

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use fuzz::{TARGETS, Target, mutate::Mutator};

/// Seconds for each target when none are given.
const DEFAULT_S: u64 = 2;

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    let seconds = arguments.peek().and_then(|a| a.parse().ok()).inspect(|_| drop(arguments.next()));
    let limit = Duration::from_secs(seconds.unwrap_or(DEFAULT_S));
    let wanted: Vec<String> = arguments.collect();
    let mut failed = 0;
    let mut ran = 0;
    for target in TARGETS.iter().filter(|t| wanted.is_empty() || wanted.iter().any(|w| w == t.name)) {
        ran += 1;
        match run(target, limit) {
            Ok((inputs, slowest)) => println!("{:<28} {inputs:>9} inputs, slowest {slowest:?}", target.name),
            Err(input) => {
                failed += 1;
                println!("{:<28} PANIC on {}", target.name, input.escape_ascii());
            }
        }
    }
    println!("{} passed, {failed} failed", ran - failed);
    if failed == 0 && ran > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Returns how many inputs were tried and the longest that one took, or the input that panicked.
#[allow(clippy::disallowed_methods)] // the runner is bounded by the clock; no target sees it
fn run(target: &Target, limit: Duration) -> Result<(u64, Duration), Vec<u8>> {
    let mut mutator = Mutator::new(target.seeds);
    let (began, mut inputs, mut slowest) = (Instant::now(), 0, Duration::ZERO);
    while began.elapsed() < limit {
        let input = mutator.next_input();
        let one = Instant::now();
        if catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
            return Err(input);
        }
        slowest = slowest.max(one.elapsed());
        inputs += 1;
    }
    Ok((inputs, slowest))
}
