//! Load generators for Tickwheel: real processes, work that is checked, and one JSON line at the end.
//!
//! `cargo run --release -p tickwheel-bench -- drain --json`. The bench starts a Redis, trackers and workers of its own (tracker and
//! worker are this same program, started again), runs one scenario, checks that nothing was lost or doubled, and reports rates and what
//! each job cost. docs/benchmarks.md says how to read the figures.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a command-line program"
)]

mod args;
mod caller;
mod chart;
mod children;
mod compare;
mod floor;
mod redis;
mod report;
mod rig;
mod scenario;
mod web;
mod wire;

use std::process::ExitCode;

use clap::Parser;
use serde_json::Value;

use crate::args::{Args, Scenario};

fn main() -> anyhow::Result<ExitCode> {
    let args = Args::parse();
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    // As the `tickwheel` binary does it for trackers and workers.
    let serves = matches!(args.scenario, Scenario::Tracker(_) | Scenario::Worker(_));
    if serves && std::env::var_os("TOKIO_WORKER_THREADS").is_none() {
        builder.worker_threads(1);
    }
    builder.enable_all().build()?.block_on(run(args))
}

async fn run(args: Args) -> anyhow::Result<ExitCode> {
    let line = match &args.scenario {
        Scenario::Tracker(options) => {
            children::tracker(options).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Scenario::Worker(options) => {
            children::worker(options).await?;
            return Ok(ExitCode::SUCCESS);
        }
        Scenario::Chart(options) => {
            chart::draw(options)?;
            return Ok(ExitCode::SUCCESS);
        }
        Scenario::Compare(options) => match compare::run(options).await {
            Err(error) if error.is::<compare::Missing>() => {
                eprintln!("{error}");
                return Ok(ExitCode::from(2));
            }
            compared => compared?,
        },
        Scenario::Submit(options) => scenario::submit::run(options).await?,
        Scenario::Drain(options) => scenario::drain::run(options).await?,
        Scenario::Burst(options) => scenario::burst::run(options).await?,
        Scenario::Precision(options) => scenario::precision::run(options).await?,
        Scenario::Recurring(options) => scenario::recurring::run(options).await?,
        Scenario::Mapreduce(options) => scenario::mapreduce::run(options).await?,
        Scenario::Sustain(options) => scenario::sustain::run(options).await?,
        Scenario::Memory(options) => scenario::memory::run(options).await?,
        Scenario::Idle(options) => scenario::idle::run(options).await?,
        Scenario::Scale(options) => scenario::scale::run(options).await?,
        Scenario::Floor(options) => scenario::floor::run(options).await?,
    };
    println!("{line}");
    let bad = |field: &str| line.get(field).and_then(Value::as_i64).unwrap_or(0) != 0;
    anyhow::ensure!(
        !bad("lost") && !bad("duplicates") && !bad("missed"),
        "jobs were lost, missed or doubled"
    );
    Ok(ExitCode::SUCCESS)
}
