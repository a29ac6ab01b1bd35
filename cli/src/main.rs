//! The `tickwheel` binary: a development cluster in one process, the tracker, the worker with the built-in handlers, and the client commands.
//!
//! `commands.rs` is the whole command line; each command has its file in `commands/`. Results go to standard output, everything
//! else to standard error, and `failure.rs` lists the exit codes.

mod client;
mod commands;
mod config;
mod dev;
mod failure;
mod flags;
mod global;
mod import;
mod instant;
mod manifest;
mod output;
mod printable;
mod quickstart;
mod shutdown;
mod telemetry;
mod views;
mod zones;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, FromArgMatches as _};

fn main() -> ExitCode {
    let matches = commands::Cli::command()
        .long_version(&*zones::version().leak())
        .get_matches();
    let cli = commands::Cli::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    let ran = flags::check(&matches)
        .and_then(|()| zones::install(cli.global.zone_table))
        .and_then(|()| runtime(&cli.command))
        .and_then(|runtime| runtime.block_on(commands::run(cli)));
    match ran {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to tell when standard error is gone.
            drop(writeln!(std::io::stderr(), "error: {failure}"));
            failure.exit().into()
        }
    }
}

/// A tracker, and a worker, does its work on one thread: that is more than one Redis can feed, and threads that wake each other cost a quarter of
/// it. `TOKIO_WORKER_THREADS` gives another number.
fn runtime(command: &commands::Command) -> Result<tokio::runtime::Runtime, failure::Failure> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let serves = matches!(
        command,
        commands::Command::Tracker(_) | commands::Command::Worker(_)
    );
    if serves && std::env::var_os("TOKIO_WORKER_THREADS").is_none() {
        builder.worker_threads(1);
    }
    builder
        .enable_all()
        .build()
        .map_err(|error| failure::Failure::broken(format!("the runtime does not start: {error}")))
}
