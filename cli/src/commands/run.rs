//! `tickwheel run …`: what became of the contexts.

mod list;
mod logs;
mod subtasks;

use clap::{Args, Subcommand};
use tickwheel_api::answers::{Run, RunExplained};
use tickwheel_client::{Client, KeyOf};
use tickwheel_proto::v1;

use crate::failure::Failure;
use crate::global::Global;

#[derive(Debug, Subcommand)]
pub(crate) enum RunCommand {
    /// List runs: what runs and waits, and behind it what has ended, the newest end first
    List(list::ListArgs),
    /// Show one run with its body, log and result
    Get(NamedArgs),
    /// Say in words where a run stands and why: what it waits for, where it runs, how it ended
    Explain(NamedArgs),
    /// Cancel a run; one that runs is told, and has its grace to clean up
    Cancel(NamedArgs),
    /// Run again what ended without success
    Retry(NamedArgs),
    /// List the subtasks of a run that is split, under how far they are
    Subtasks(subtasks::SubtasksArgs),
    /// Print what a run said: its log with times, attempts and levels
    Logs(logs::LogsArgs),
    /// Wait until a run has ended; exit code 1 if it did not succeed
    Wait(NamedArgs),
}

/// A run by its id, or by the key it was submitted with.
#[derive(Debug, Args)]
pub(crate) struct NamedArgs {
    /// The id, as `submit`, `job run` and the lists print it
    #[arg(required_unless_present = "key")]
    id: Option<String>,
    /// The dedup key it was submitted with, in place of its id
    #[arg(long, value_name = "KEY", conflicts_with = "id")]
    key: Option<String>,
    /// With --key: the job whose run was asked for with the key
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "JOB",
        requires = "key"
    )]
    job: String,
    /// With --key: the namespace it was submitted into
    #[arg(
        long,
        default_value = "default",
        value_name = "NAMESPACE",
        requires = "key",
        conflicts_with = "job"
    )]
    namespace: String,
}

impl NamedArgs {
    async fn id(self, client: &Client) -> Result<String, Failure> {
        let Some(dedup_key) = self.key else {
            return Ok(self.id.unwrap_or_default());
        };
        let of = match self.job.as_str() {
            "" => KeyOf::SubmittedTo(&self.namespace),
            job => KeyOf::Job(job),
        };
        let found = client.find(&dedup_key, of).await?;
        Ok(found.id)
    }
}

pub(crate) async fn run(global: &Global, command: RunCommand) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        RunCommand::List(args) => list::run(global, &client, args).await,
        RunCommand::Get(args) => {
            let context = client.get(&args.id(&client).await?).await?;
            global.output.detail(&Run::from(context))
        }
        RunCommand::Explain(args) => {
            let answer = client.explain(&args.id(&client).await?).await?;
            global.output.detail(&RunExplained::from(answer))
        }
        RunCommand::Cancel(args) => {
            let context = client.cancel(&args.id(&client).await?).await?;
            global.output.detail(&Run::from(context))
        }
        RunCommand::Retry(args) => {
            let context = client.retry(&args.id(&client).await?).await?;
            global.output.detail(&Run::from(context))
        }
        RunCommand::Logs(args) => logs::run(global, &client, args).await,
        RunCommand::Subtasks(args) => subtasks::run(global, &client, args).await,
        RunCommand::Wait(args) => {
            let id = args.id(&client).await?;
            show_end(global, &client, &id).await
        }
    }
}

/// Waits for the end of a context and shows it; anything but success is a failure of the command.
pub(crate) async fn show_end(global: &Global, client: &Client, id: &str) -> Result<(), Failure> {
    let context = client.wait(id, global.timeout).await?;
    let succeeded = context.state() == v1::ContextState::Succeeded;
    let view = Run::from(context);
    global.output.detail(&view)?;
    if succeeded {
        Ok(())
    } else {
        Err(Failure::failed(format!("{id} ended as {}", view.state)))
    }
}
