//! `tickwheel run …`: what became of the contexts.

mod logs;
mod subtasks;

use clap::{Args, Subcommand, ValueEnum};
use tickwheel_client::{Client, KeyOf};
use tickwheel_proto::v1;

use crate::failure::Failure;
use crate::global::Global;
use crate::output::tell_unreadable;
use crate::views::ContextView;

const PAGE: u32 = 100;

#[derive(Debug, Subcommand)]
pub(crate) enum RunCommand {
    /// List runs: waiting, running or ended
    List(ListArgs),
    /// Show one run with its body, log and result
    Get(NamedArgs),
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

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// Only those of this job
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "JOB"
    )]
    job: String,
    /// Only those in this state
    #[arg(long, value_enum)]
    state: Option<StateArg>,
    /// Only those of this group
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "GROUP"
    )]
    group: String,
    /// At most this many
    #[arg(short = 'n', long, default_value_t = 50, value_name = "N")]
    limit: usize,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StateArg {
    Scheduled,
    Retrying,
    Ready,
    Queued,
    Running,
    Fanned,
    Succeeded,
    Failed,
    #[value(name = "timed_out")]
    TimedOut,
    Cancelled,
    Expired,
}

impl From<StateArg> for v1::ContextState {
    fn from(state: StateArg) -> Self {
        match state {
            StateArg::Scheduled => Self::Scheduled,
            StateArg::Retrying => Self::Retrying,
            StateArg::Ready => Self::Ready,
            StateArg::Queued => Self::Queued,
            StateArg::Running => Self::Running,
            StateArg::Fanned => Self::Fanned,
            StateArg::Succeeded => Self::Succeeded,
            StateArg::Failed => Self::Failed,
            StateArg::TimedOut => Self::TimedOut,
            StateArg::Cancelled => Self::Cancelled,
            StateArg::Expired => Self::Expired,
        }
    }
}

pub(crate) async fn run(global: &Global, command: RunCommand) -> Result<(), Failure> {
    let client = global.connect().await?;
    match command {
        RunCommand::List(args) => list(global, &client, args).await,
        RunCommand::Get(args) => {
            let context = client.get(&args.id(&client).await?).await?;
            global.output.detail(&ContextView::from(context))
        }
        RunCommand::Cancel(args) => {
            let context = client.cancel(&args.id(&client).await?).await?;
            global.output.detail(&ContextView::from(context))
        }
        RunCommand::Retry(args) => {
            let context = client.retry(&args.id(&client).await?).await?;
            global.output.detail(&ContextView::from(context))
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
    let view = ContextView::from(context);
    global.output.detail(&view)?;
    if succeeded {
        Ok(())
    } else {
        Err(Failure::failed(format!("{id} ended as {}", view.state)))
    }
}

async fn list(global: &Global, client: &Client, args: ListArgs) -> Result<(), Failure> {
    let state = args.state.map_or(v1::ContextState::Unspecified, Into::into);
    let (mut contexts, mut unreadable) = (Vec::new(), 0);
    let mut cursor = String::new();
    loop {
        let request = v1::ListContextsRequest {
            state: state.into(),
            job: args.job.clone(),
            group: args.group.clone(),
            page_size: PAGE,
            cursor,
        };
        let page = client.list(request).await?;
        unreadable += page.unreadable;
        contexts.extend(page.contexts.into_iter().map(ContextView::from));
        cursor = page.next_cursor;
        if cursor.is_empty() || contexts.len() >= args.limit {
            break;
        }
    }
    contexts.truncate(args.limit);
    tell_unreadable(unreadable);
    global.output.list(&contexts)
}
