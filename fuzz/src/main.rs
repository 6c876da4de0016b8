//! Runs every fuzz target over mutated inputs for some seconds: `fuzz [SECONDS] [TARGET…]`.
//!
//! A target is a `fn(&[u8])` that must not panic. The mutations are drawn from a fixed seed, so that a failure is
//! found again. With a nightly compiler the same targets run under coverage (`fuzz/coverage`).

use std::num::NonZero;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use fuzz::{TARGETS, Target, mutate::Mutator};

/// Seconds for each target when none are given.
const DEFAULT_S: u64 = 2;
/// Longest that one input may take: more would be an effort that a sender can cause at will. Own value, for a build
/// without optimisation on a busy machine.
const SLOWEST: Duration = Duration::from_secs(5);

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1).peekable();
    let seconds = arguments.peek().and_then(|a| a.parse().ok()).inspect(|_| drop(arguments.next()));
    let limit = Duration::from_secs(seconds.unwrap_or(DEFAULT_S));
    let wanted: Vec<String> = arguments.collect();
    if let Some(unknown) = wanted.iter().find(|w| TARGETS.iter().all(|target| target.name != **w)) {
        eprintln!("fuzz: there is no target {unknown}");
        return ExitCode::FAILURE;
    }
    let chosen: Vec<&Target> =
        TARGETS.iter().filter(|t| wanted.is_empty() || wanted.iter().any(|w| w == t.name)).collect();
    let failed = run_all(&chosen, limit);
    println!("{} passed, {failed} failed", chosen.len() - failed);
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs the targets, as many at a time as there are processors, and returns how many failed.
fn run_all(targets: &[&Target], limit: Duration) -> usize {
    let (next, failed, out) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(()));
    let workers = thread::available_parallelism().map_or(1, NonZero::get);
    thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(target) = targets.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = run(target, limit);
                    let _one_at_a_time = out.lock();
                    match outcome {
                        Ok((inputs, slowest)) => {
                            println!("{:<20} {inputs:>9} inputs, slowest {slowest:?}", target.name);
                        }
                        Err(fault) => {
                            failed.fetch_add(1, Ordering::Relaxed);
                            println!("{:<20} {fault}", target.name);
                        }
                    }
                }
            });
        }
    });
    failed.into_inner()
}

/// Returns how many inputs were tried and the longest that one took, or what went wrong with which input.
#[allow(clippy::disallowed_methods)] // the runner is bounded by the clock; no target sees it
fn run(target: &Target, limit: Duration) -> Result<(u64, Duration), String> {
    let seeds = target.seeds().map_err(|error| format!("{}: {error}", target.corpus().display()))?;
    let mut mutator = Mutator::new(seeds);
    let (began, mut inputs, mut slowest) = (Instant::now(), 0, Duration::ZERO);
    while began.elapsed() < limit {
        let input = mutator.next_input();
        let one = Instant::now();
        if catch_unwind(AssertUnwindSafe(|| (target.run)(&input))).is_err() {
            return Err(format!("PANIC on b\"{}\"", input.escape_ascii()));
        }
        let took = one.elapsed();
        if took > SLOWEST {
            return Err(format!("{took:?} for b\"{}\"", input.escape_ascii()));
        }
        slowest = slowest.max(took);
        inputs += 1;
    }
    Ok((inputs, slowest))
}
