//! `tickwheel dead …`: contexts whose attempts are used up.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;
use tickwheel_client::Client;
use tickwheel_proto::v1;

use crate::failure::Failure;
use crate::global::{Global, duration};
use crate::output::tell_unreadable;
use crate::views::{ContextView, DeadListView};

const PAGE: u32 = 200;

#[derive(Debug, Subcommand)]
pub(crate) enum DeadCommand {
    /// List them, the newest of each partition first, with how each ended
    List(ListArgs),
    /// Show one with its body, log and result
    Show(ShowArgs),
    /// Run them again: attempts counted on, failures forgotten
    Requeue(ChangeArgs),
    /// Forget them, with their logs and results
    Purge(ChangeArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// The id, as the lists print it
    id: String,
}

/// Which of them; all that is given must hold.
#[derive(Debug, Clone, Args)]
struct FilterArgs {
    /// Only those of this group
    #[arg(long, value_name = "GROUP")]
    group: Option<String>,
    /// Only those of this handler
    #[arg(long, value_name = "HANDLER")]
    handler: Option<String>,
    /// Only those of this job
    #[arg(long, value_name = "JOB")]
    job: Option<String>,
    /// Only those that ended so
    #[arg(long, value_enum)]
    state: Option<DeadState>,
    /// Only those whose message has this in it
    #[arg(long, value_name = "TEXT")]
    error: Option<String>,
    /// Only those that ended at least so long ago
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    older_than: Option<Duration>,
    /// Only those that ended less than so long ago
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    newer_than: Option<Duration>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum DeadState {
    Failed,
    #[value(name = "timed_out")]
    TimedOut,
    Expired,
}

#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    filter: FilterArgs,
    /// At most this many
    #[arg(short = 'n', long, default_value_t = 50, value_name = "N")]
    limit: usize,
    /// Go on where an earlier list ended
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "CURSOR"
    )]
    cursor: String,
}

#[derive(Debug, Args)]
pub(crate) struct ChangeArgs {
    /// Only these ids
    ids: Vec<String>,
    #[command(flatten)]
    filter: FilterArgs,
    /// All of them
    #[arg(long)]
    all: bool,
    /// Only count
    #[arg(long)]
    dry_run: bool,
    /// Go on where an interrupted call ended
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "CURSOR"
    )]
    cursor: String,
}

/// What a change of many came to.
#[derive(Debug, Default, Serialize)]
struct Changed {
    looked: u64,
    matched: u64,
    changed: u64,
    busy: u64,
    bodiless: u64,
    gone: u64,
    dry_run: bool,
}

impl FilterArgs {
    fn wire(&self) -> v1::DeadFilter {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let millis = |age: Option<Duration>| {
            age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
        };
        let state = self
            .state
            .map_or(v1::ContextState::Unspecified, |state| match state {
                DeadState::Failed => v1::ContextState::Failed,
                DeadState::TimedOut => v1::ContextState::TimedOut,
                DeadState::Expired => v1::ContextState::Expired,
            });
        v1::DeadFilter {
            group: text(&self.group),
            handler: text(&self.handler),
            job: text(&self.job),
            state: state.into(),
            error: text(&self.error),
            older_than_ms: millis(self.older_than),
            newer_than_ms: millis(self.newer_than),
        }
    }
}

pub(crate) async fn run(global: &Global, command: DeadCommand) -> Result<(), Failure> {
    if let DeadCommand::Requeue(args) | DeadCommand::Purge(args) = &command {
        check(args)?;
    }
    let client = global.connect().await?;
    match command {
        DeadCommand::List(args) => list(global, &client, args).await,
        DeadCommand::Show(args) => {
            let context = client.get(&args.id).await?;
            global.output.detail(&ContextView::from(context))
        }
        DeadCommand::Requeue(args) => change(global, &client, args, "run again").await,
        DeadCommand::Purge(args) => change(global, &client, args, "forgotten").await,
    }
}

/// Nothing is changed for want of a filter.
fn check(args: &ChangeArgs) -> Result<(), Failure> {
    let filtered = args.filter.wire() != v1::DeadFilter::default();
    let given = [!args.ids.is_empty(), filtered, args.all];
    if given.iter().filter(|given| **given).count() == 1 {
        return Ok(());
    }
    Err(Failure::usage(
        "which ones? Give ids, or a filter (--group, --handler, --job, --state, --error, --older-than, --newer-than), or --all: \
         exactly one of the three",
    ))
}

async fn list(global: &Global, client: &Client, args: ListArgs) -> Result<(), Failure> {
    let mut view = DeadListView::default();
    let mut cursor = args.cursor;
    loop {
        let missing = args.limit.saturating_sub(view.contexts.len());
        let request = v1::ListDeadRequest {
            filter: Some(args.filter.wire()),
            page_size: u32::try_from(missing).unwrap_or(PAGE).clamp(1, PAGE),
            cursor,
        };
        let page = client.list_dead(request).await?;
        tell_unreadable(page.unreadable);
        view.add(page);
        cursor = view.next_cursor.clone();
        if cursor.is_empty() || view.contexts.len() >= args.limit {
            break;
        }
    }
    view.print(global.output)
}

/// Step by step until all were looked at. When a step fails, says where to go on.
async fn change(
    global: &Global,
    client: &Client,
    args: ChangeArgs,
    done: &str,
) -> Result<(), Failure> {
    let mut sum = Changed {
        dry_run: args.dry_run,
        ..Changed::default()
    };
    let mut cursor = args.cursor;
    loop {
        let filtered = args.ids.is_empty() && !args.all;
        let request = v1::ChangeDeadRequest {
            filter: filtered.then(|| args.filter.wire()),
            ids: args.ids.clone(),
            all: args.all,
            dry_run: args.dry_run,
            cursor: cursor.clone(),
        };
        let step = if done == "run again" {
            client.requeue_dead(request).await
        } else {
            client.purge_dead(request).await
        };
        let step =
            step.map_err(|error| Failure::from(error).after(&sum.progress(done, &cursor)))?;
        sum.looked += step.looked;
        sum.matched += step.matched;
        sum.changed += step.changed;
        sum.busy += step.busy;
        sum.bodiless += step.bodiless;
        sum.gone += step.gone;
        cursor = step.next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    global.output.thing(&sum, || sum.text(done))
}

impl Changed {
    fn text(&self, done: &str) -> String {
        if self.dry_run {
            return format!(
                "{} of {} looked at would be {done}; nothing was changed\n",
                self.matched, self.looked
            );
        }
        let mut text = format!("{} {done}, {} looked at\n", self.changed, self.looked);
        if self.bodiless > 0 {
            text += &format!(
                "{} stay: their bodies were too great to be kept, submit them again\n",
                self.bodiless
            );
        }
        if self.busy > 0 {
            text += &format!("{} stay: their jobs have no room for them now\n", self.busy);
        }
        if self.gone > 0 {
            text += &format!("{} are not among the dead (any more)\n", self.gone);
        }
        text
    }

    /// What was done before a step failed; empty before the first.
    fn progress(&self, done: &str, cursor: &str) -> String {
        if self.looked == 0 {
            return String::new();
        }
        format!(
            "{} {done} so far; go on with --cursor {cursor}",
            self.changed
        )
    }
}
