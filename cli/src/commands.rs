//! One file per command; a noun with several verbs has a folder.

pub(crate) mod cluster;
pub(crate) mod completion;
pub(crate) mod cron;
pub(crate) mod dead;
pub(crate) mod dedup;
pub(crate) mod dev;
pub(crate) mod job;
pub(crate) mod limit;
pub(crate) mod quickstart;
pub(crate) mod run;
pub(crate) mod store;
pub(crate) mod submit;
pub(crate) mod tracker;
pub(crate) mod worker;

use tickwheel_client::Client;

use crate::args::{Cli, Command, Global};
use crate::client;
use crate::failure::Failure;

/// Runs the command.
pub(crate) async fn run(cli: Cli) -> Result<(), Failure> {
    let global = cli.global;
    match cli.command {
        Command::Dev(args) => dev::run(args).await,
        Command::Quickstart(args) => quickstart::run(args).await,
        Command::Job(command) => job::run(&global, command).await,
        Command::Submit(args) => submit::run(&global, args).await,
        Command::Run(command) => run::run(&global, command).await,
        Command::Dead(command) => dead::run(&global, command).await,
        Command::Worker(args) => worker::run(&global, args).await,
        Command::Cron(command) => cron::run(&global, command),
        Command::Limit(command) => limit::run(&global, command).await,
        Command::Cluster => cluster::run(&global).await,
        Command::Store(command) => Box::pin(store::run(&global, command)).await,
        Command::Tracker(args) => tracker::run(args).await,
        Command::Completion(args) => completion::run(&args),
    }
}

/// Connects to the tracker that the global flags name.
async fn connect(global: &Global) -> Result<Client, Failure> {
    let client = client::connect(&global.server, global.timeout).await?;
    Ok(match global.durability {
        Some(durability) => client.durable(durability),
        None => client,
    })
}
