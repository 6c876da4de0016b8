//! The command line (contract section 1).

mod admin_link;
mod arguments;
mod backup;
mod bench;
mod config;
mod doctor;
mod export;
mod import;
mod progress;
mod rotate;
mod run;
mod why;

pub use admin_link::AdminLink;
pub use arguments::{Arguments, Command, Common};
pub use config::redacted;

use std::process::ExitCode;

use clap::Parser as _;

/// Runs the program. Returns what the shell sees: 0 done, 1 failed or refused, 2 wrong arguments.
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("metaseal: {error}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(dispatch(arguments)) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("metaseal: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn dispatch(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let common = arguments.common;
    match arguments.command {
        Command::Demo(demo) => run::demo(common, demo).await,
        Command::Serve(serve) => run::serve(common, serve).await,
        Command::Why(why) => why::run(common, why).await,
        Command::Doctor => doctor::run(common).await,
        Command::Rotate(rotate) => rotate::run(common, rotate).await,
        Command::Backup(backup) => backup::backup(common, backup).await,
        Command::Restore(restore) => backup::restore(common, restore).await,
        Command::Export(export) => export::run(common, export).await,
        Command::Import(import) => import::run(common, import).await,
        Command::Config(config) => config::run(&common, &config),
        Command::Bench(options) => bench::run(common, options).await,
        Command::BenchFloor(options) => bench::floor(options).await,
        Command::Openapi(openapi) => crate::openapi::write(&openapi.dir).map(|()| ExitCode::SUCCESS),
    }
}
