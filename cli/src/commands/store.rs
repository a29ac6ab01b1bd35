//! `tickwheel store …`: looks after what is in Redis, without a tracker.
//!
//! Exit codes of these commands: 0 nothing is wrong, 1 something is, 2 it could not be checked.

mod adopt;
mod check;
mod rebuild;
mod repair;
mod report;

use clap::{Args, Subcommand};
use tickwheel_store::check::{History, Pace};
use tickwheel_store::{Redis, Store};

use crate::args::Global;
use crate::config::{self, Config, ConfigArgs, Environment, Override};
use crate::failure::Failure;
use crate::output::Format;

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Look whether what is in Redis is consistent; safe while everything runs, nothing is written
    Check(check::CheckArgs),
    /// Repair what a check finds, each thing by one script that looks again before it writes
    Repair(repair::RepairArgs),
    /// Put every job into the wheel again, from its definition and its ledger, then repair the rest
    Rebuild(rebuild::RebuildArgs),
    /// Go on with what Redis holds now, where the trackers refuse it: an emptied store, an older copy
    Adopt(adopt::AdoptArgs),
}

/// Where Redis is, how gently to walk, and how to print.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    #[command(flatten)]
    config: ConfigArgs,
    /// Redis, where everything is kept
    #[arg(long, value_name = "URL")]
    redis: Option<String>,
    /// Begins every key
    #[arg(long, value_name = "PREFIX")]
    prefix: Option<String>,
    /// Rest after each call for this share of its time; 0: never
    #[arg(long, default_value_t = 1.0, value_name = "SHARE", value_parser = share)]
    rest: f64,
    /// The same as --output json
    #[arg(long)]
    json: bool,
}

/// How much of the history a check looks at.
#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    /// Look at all of the history (ends, the dead, logs, results, dedup keys), and not only at a sample of it
    #[arg(long)]
    history: bool,
}

impl HistoryArgs {
    fn scope(&self) -> History {
        if self.history {
            History::All
        } else {
            History::Sample
        }
    }
}

/// A share on the command line.
fn share(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|share: &f64| (0.0..=100.0).contains(share))
        .ok_or_else(|| "must be a number from 0 to 100".to_owned())
}

impl StoreArgs {
    fn pace(&self) -> Pace {
        Pace { rest: self.rest }
    }

    fn output(&self, global: &Global) -> Format {
        if self.json {
            Format::Json
        } else {
            global.output
        }
    }

    async fn open(&self) -> Result<Store, Failure> {
        let (redis, config) = self.connect().await?;
        Store::attach(redis, &config.redis.prefix)
            .await
            .map_err(|error| failure(&error))
    }

    async fn connect(&self) -> Result<(Redis, Config), Failure> {
        let flags = [
            Override::flag("--redis", "redis.url", self.redis.as_ref()),
            Override::flag("--prefix", "redis.prefix", self.prefix.as_ref()),
        ];
        let flags = flags.into_iter().flatten().collect();
        let config = config::load(&self.config, &Environment::of_process(), flags)?;
        let redis = Redis::connect(&config.redis.url.0)
            .await
            .map_err(|error| failure(&error))?;
        Ok((redis, config))
    }
}

/// Whatever keeps a check from its end has one exit code, so that it is not mistaken for a finding.
fn failure(error: &tickwheel_store::Error) -> Failure {
    Failure::usage(format!("could not check: {error}"))
}

pub(crate) async fn run(global: &Global, command: StoreCommand) -> Result<(), Failure> {
    match command {
        StoreCommand::Check(args) => Box::pin(check::run(global, args)).await,
        StoreCommand::Repair(args) => Box::pin(repair::run(global, args)).await,
        StoreCommand::Rebuild(args) => Box::pin(rebuild::run(global, args)).await,
        StoreCommand::Adopt(args) => Box::pin(adopt::run(global, args)).await,
    }
}
