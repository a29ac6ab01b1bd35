//! The command line: nouns, verbs and global flags, and who does what they say. One file per command, with its flags; a noun with several verbs
//! has a folder.

pub(crate) mod apply;
pub(crate) mod audit;
pub(crate) mod cluster;
pub(crate) mod completion;
pub(crate) mod console;
pub(crate) mod cron;
pub(crate) mod dead;
pub(crate) mod dedup;
pub(crate) mod dev;
mod follow;
pub(crate) mod group;
pub(crate) mod import;
pub(crate) mod job;
pub(crate) mod limit;
pub(crate) mod overview;
pub(crate) mod quickstart;
pub(crate) mod run;
pub(crate) mod schema;
pub(crate) mod store;
pub(crate) mod submit;
pub(crate) mod tail;
pub(crate) mod token;
pub(crate) mod top;
pub(crate) mod tracker;
pub(crate) mod upcoming;
pub(crate) mod wheel;
pub(crate) mod worker;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::failure::Failure;
use crate::global::Global;

/// A distributed job scheduler whose timing wheel is shared data in Redis.
#[derive(Debug, Parser)]
#[command(
    name = "tickwheel",
    version,
    propagate_version = true,
    max_term_width = 110
)]
#[command(
    after_help = "Exit codes: 0 done, 1 a run failed or an import is not whole, 2 wrong usage or input, 3 not allowed, 4 not found, 5 unavailable, 6 a fault of the server or its store"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everything in one process, with a Redis of its own: to try, to develop, to test
    Dev(dev::DevArgs),
    /// As `dev`, and applies example jobs, shows them firing and counts what became of them
    Quickstart(quickstart::QuickstartArgs),
    /// Register or change jobs and limits from files; all mistakes are shown at once, and then nothing is sent
    Apply(apply::ApplyArgs),
    /// Print the JSON Schema of these files, for editors
    Schema,
    /// Jobs of other schedulers as such files: crontabs, Kubernetes CronJobs, xxl-job; with a report of what differs
    #[command(subcommand)]
    Import(import::ImportCommand),
    /// Jobs: list, pause, run, explain, export
    #[command(subcommand)]
    Job(job::JobCommand),
    /// Submit one context, now or for later; no job is needed
    Submit(submit::SubmitArgs),
    /// Runs: what became of the contexts
    #[command(subcommand)]
    Run(run::RunCommand),
    /// Runs that ended without success: list, run again, forget
    #[command(subcommand)]
    Dead(dead::DeadCommand),
    /// Run a worker with the built-in handlers (demo, http), or list the live workers
    Worker(worker::WorkerArgs),
    /// Groups: list, pause, resume
    #[command(subcommand)]
    Group(group::GroupCommand),
    /// Limits of groups: how many contexts run at once and start per time
    #[command(subcommand)]
    Limit(limit::LimitCommand),
    /// A link that logs a browser in as you, once and within five minutes
    Console(console::ConsoleArgs),
    /// Tokens: who may do what
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// What was done and refused, the newest first
    Audit(audit::AuditArgs),
    /// Cron expressions, explained without a server
    #[command(subcommand)]
    Cron(cron::CronCommand),
    /// The cluster: trackers, partitions, and what can be lost
    Cluster,
    /// How it is now, in numbers: what waits, runs, is late, is dead and ended in the last minute; workers by group
    Overview,
    /// How much is due when, counted in up to 60 spans of time from now on
    Wheel(wheel::WheelArgs),
    /// What comes next, the earliest first: firings of jobs, runs, further attempts, start deadlines
    Upcoming(upcoming::UpcomingArgs),
    /// The overview again and again, with the newest failures: on a terminal in place of the one before, until Ctrl-C
    Top(top::TopArgs),
    /// Runs as they end, one on a line, until Ctrl-C; goes on at another tracker when this one stops
    Tail(tail::TailArgs),
    /// What is in Redis: check, repair, rebuild; talks to Redis itself
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Run a tracker
    Tracker(tracker::TrackerArgs),
    /// Print a completion script for a shell
    Completion(completion::CompletionArgs),
}

/// Runs the command.
pub(crate) async fn run(cli: Cli) -> Result<(), Failure> {
    let global = cli.global;
    match cli.command {
        Command::Dev(args) => dev::run(args).await,
        Command::Quickstart(args) => quickstart::run(args).await,
        Command::Apply(args) => apply::run(&global, args).await,
        Command::Schema => schema::run(),
        Command::Import(command) => import::run(command),
        Command::Job(command) => Box::pin(job::run(&global, command)).await,
        Command::Submit(args) => submit::run(&global, args).await,
        Command::Run(command) => run::run(&global, command).await,
        Command::Dead(command) => dead::run(&global, command).await,
        Command::Worker(args) => worker::run(&global, args).await,
        Command::Cron(command) => cron::run(&global, command),
        Command::Group(command) => group::run(&global, command).await,
        Command::Limit(command) => limit::run(&global, command).await,
        Command::Console(args) => console::run(&global, args).await,
        Command::Token(command) => token::run(&global, command).await,
        Command::Audit(args) => audit::run(&global, args).await,
        Command::Cluster => cluster::run(&global).await,
        Command::Overview => overview::run(&global).await,
        Command::Wheel(args) => wheel::run(&global, args).await,
        Command::Upcoming(args) => upcoming::run(&global, args).await,
        Command::Top(args) => Box::pin(top::run(&global, args)).await,
        Command::Tail(args) => tail::run(&global, args).await,
        Command::Store(command) => Box::pin(store::run(&global, command)).await,
        Command::Tracker(args) => tracker::run(args).await,
        Command::Completion(args) => completion::run(&args, Cli::command()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Format;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn wrong_usage_ends_with_code_2() {
        for line in [
            &["tickwheel"][..],
            &["tickwheel", "jobs"],
            &["tickwheel", "submit"],
            &[
                "tickwheel",
                "submit",
                "x",
                "--delay",
                "1s",
                "--at",
                "2026-01-01T00:00:00Z",
            ],
            &["tickwheel", "submit", "x", "--body", "{not json"],
            &["tickwheel", "submit", "x", "--priority", "5"],
            &["tickwheel", "job", "explain", "x"],
        ] {
            let error = Cli::try_parse_from(line).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{line:?}");
        }
    }

    #[test]
    fn global_flags_may_stand_after_the_command() {
        let cli = Cli::try_parse_from([
            "tickwheel",
            "job",
            "list",
            "-o",
            "json",
            "--server",
            "http://h:1",
        ])
        .unwrap();
        assert_eq!(cli.global.output, Format::Json);
        assert_eq!(cli.global.server, "http://h:1");
    }
}
