//! What the CAPIF core function keeps, on both engines.

use api_types::function::Function;
use store::{Migrations, Store};

use crate::bench::Bench;

const NOW: i64 = 1_800_000_000;

async fn open(bench: &Bench) -> Store {
    Store::open(&bench.cfg, Function::Ccf, Migrations::of(Function::Ccf)).await.unwrap()
}

/// A second node, where the engine can have one.
async fn another(bench: &Bench, store: &Store) -> Store {
    if bench.is_sqlite() { store.clone() } else { open(bench).await }
}

/// Runs statements in one job.
macro_rules! job {
    ($store:expr, |$tx:ident| $body:block) => {{
        let done: Result<_, store::StoreError> = $store
            .write(move |$tx| {
                Box::pin(async move {
                    let value = $body;
                    Ok(value)
                })
            })
            .await;
        done.unwrap()
    }};
}

fn strings(list: &[&str]) -> Vec<String> {
    list.iter().map(|text| (*text).to_owned()).collect()
}

mod invocations;
mod listed;
mod parties;
mod published;
mod resources;
mod tokens;
