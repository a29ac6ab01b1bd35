//! The `tickwheel` binary: a development cluster in one process, the tracker, the demo worker, and the client commands.
//!
//! `args.rs` is the whole command line; each command has its file in `commands/`. Results go to standard output, everything
//! else to standard error, and `failure.rs` lists the exit codes.

mod args;
mod client;
mod commands;
mod config;
mod dev;
mod failure;
mod instant;
mod manifest;
mod output;
mod quickstart;
mod shutdown;
mod telemetry;
mod views;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = args::Cli::parse();
    match Box::pin(commands::run(cli)).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            // Nobody is left to tell when standard error is gone.
            drop(writeln!(std::io::stderr(), "error: {failure}"));
            failure.exit().into()
        }
    }
}
