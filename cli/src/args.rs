//! The command line: nouns, verbs and global flags. The flags of a verb stand in the verb's file.

use std::time::Duration;

use clap::{Args, Parser, Subcommand};
use tickwheel_core::time::{parse_duration, parse_instant};
use tickwheel_core::{Durability, TimestampMs};

use crate::commands::{
    completion, cron, dead, dev, job, limit, quickstart, run, store, submit, tracker, worker,
};
use crate::output::Format;
use crate::zones;

/// A distributed job scheduler whose timing wheel is shared data in Redis.
#[derive(Debug, Parser)]
#[command(
    name = "tickwheel",
    version,
    propagate_version = true,
    max_term_width = 110
)]
#[command(
    after_help = "Exit codes: 0 done, 1 a run failed, 2 wrong usage or input, 3 not allowed, 4 not found, 5 unavailable"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every client command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Global {
    /// The URL of any tracker
    #[arg(
        long,
        global = true,
        env = "TICKWHEEL_SERVER",
        default_value = "http://127.0.0.1:7400",
        value_name = "URL"
    )]
    pub(crate) server: String,
    /// How results are printed
    #[arg(
        short,
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "FORMAT"
    )]
    pub(crate) output: Format,
    /// Longest time for a call, or for a wait [default: 10s for a call, none for a wait]
    #[arg(long, global = true, value_parser = duration, value_name = "DURATION")]
    pub(crate) timeout: Option<Duration>,
    /// How far a write has come when it is confirmed: async, replicated(N) or replicated:N, fsynced [default: as the
    /// tracker has it for the namespace]
    #[arg(long, global = true, value_name = "MODE")]
    pub(crate) durability: Option<Durability>,
    /// Which table of time zones due times are worked out by
    #[arg(
        long,
        global = true,
        env = zones::VARIABLE,
        value_enum,
        default_value_t,
        value_name = "TABLE"
    )]
    pub(crate) zone_table: zones::Choice,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Everything in one process, with a Redis of its own: to try, to develop, to test
    Dev(dev::DevArgs),
    /// As `dev`, and applies example jobs, shows them firing and counts what became of them
    Quickstart(quickstart::QuickstartArgs),
    /// Jobs: register, list, pause, run, explain
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
    /// Run a worker with the demo handlers, or list the live workers
    Worker(worker::WorkerArgs),
    /// Limits of groups: how many contexts run at once and start per time
    #[command(subcommand)]
    Limit(limit::LimitCommand),
    /// Cron expressions, explained without a server
    #[command(subcommand)]
    Cron(cron::CronCommand),
    /// The cluster: trackers, partitions, and what can be lost
    Cluster,
    /// What is in Redis: check, repair, rebuild; talks to Redis itself
    #[command(subcommand)]
    Store(store::StoreCommand),
    /// Run a tracker
    Tracker(tracker::TrackerArgs),
    /// Print a completion script for a shell
    Completion(completion::CompletionArgs),
}

/// A span on the command line, such as `90s`.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).map_err(|v| v.rule)
}

/// An instant on the command line: RFC 3339, or milliseconds since the epoch.
pub(crate) fn instant(text: &str) -> Result<TimestampMs, String> {
    parse_instant(text).map_err(|v| v.rule)
}

/// A JSON text; it is sent as it was written, so that its numbers stay exact.
pub(crate) fn json(text: &str) -> Result<String, String> {
    serde_json::from_str::<serde::de::IgnoredAny>(text)
        .map(|_| text.to_owned())
        .map_err(|e| format!("is not JSON: {e}"))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

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

    #[test]
    fn a_body_keeps_every_digit() {
        let body = json("{\"n\": 9007199254740993}").unwrap();
        assert_eq!(body, "{\"n\": 9007199254740993}");
    }
}
