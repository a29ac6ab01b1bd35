//! `tickwheel store …`: looks after what is in Redis, without a tracker.
//!
//! Exit codes of these commands: 0 nothing is wrong, 1 something is, 2 it could not be checked.

mod adopt;
mod check;
mod open;
mod rebuild;
mod repair;
mod report;

use clap::Subcommand;

use crate::failure::Failure;
use crate::global::Global;

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

pub(crate) async fn run(global: &Global, command: StoreCommand) -> Result<(), Failure> {
    match command {
        StoreCommand::Check(args) => Box::pin(check::run(global, args)).await,
        StoreCommand::Repair(args) => Box::pin(repair::run(global, args)).await,
        StoreCommand::Rebuild(args) => Box::pin(rebuild::run(global, args)).await,
        StoreCommand::Adopt(args) => Box::pin(adopt::run(global, args)).await,
    }
}
