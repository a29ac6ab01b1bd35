//! `tickwheel dead …`: contexts whose attempts are used up.

use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};
use tickwheel_api::answers::{DeadChanged, DeadPage, Run};
use tickwheel_client::Client;
use tickwheel_core::TimestampMs;
use tickwheel_proto::v1;

use crate::failure::Failure;
use crate::global::{Global, duration, instant};
use crate::output::tell_unreadable;
use crate::views::{next_look, print_dead, tell_cut, tell_horizon};

const PAGE: u32 = 200;

#[derive(Debug, Subcommand)]
pub(crate) enum DeadCommand {
    /// List them, the newest end first, with how each ended
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
    /// Only those whose message has this in it, in any case of letters
    #[arg(long, value_name = "TEXT")]
    error: Option<String>,
    /// Only those that this worker ran last
    #[arg(long, value_name = "WORKER")]
    worker: Option<String>,
    /// Only those that were due first at this or later: RFC 3339, or milliseconds since 1970
    #[arg(long, value_name = "TIME", value_parser = instant)]
    due_from: Option<TimestampMs>,
    /// Only those that were due first before this
    #[arg(long, value_name = "TIME", value_parser = instant)]
    due_to: Option<TimestampMs>,
    /// Only those that ended at this or later
    #[arg(long, value_name = "TIME", value_parser = instant)]
    ended_from: Option<TimestampMs>,
    /// Only those that ended before this
    #[arg(long, value_name = "TIME", value_parser = instant)]
    ended_to: Option<TimestampMs>,
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
    /// Look at this many entries at most, and then say how many there are
    #[arg(long, default_value_t = 100_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_look: u64,
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

impl FilterArgs {
    fn wire(&self) -> v1::DeadFilter {
        let text = |text: &Option<String>| text.clone().unwrap_or_default();
        let millis = |age: Option<Duration>| {
            age.map(|age| u64::try_from(age.as_millis()).unwrap_or(u64::MAX))
        };
        let at = |at: Option<TimestampMs>| at.map(TimestampMs::as_u64);
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
            worker: text(&self.worker),
            due_from_ms: at(self.due_from),
            due_to_ms: at(self.due_to),
            ended_from_ms: at(self.ended_from),
            ended_to_ms: at(self.ended_to),
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
            global.output.detail(&Run::from(context))
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
        "which ones? Give ids, or a filter (--group, --handler, --job, --state, --error, --worker, --older-than, --newer-than, \
         --due-from, --due-to, --ended-from, --ended-to), or --all: exactly one of the three",
    ))
}

async fn list(global: &Global, client: &Client, args: ListArgs) -> Result<(), Failure> {
    let mut view = DeadPage::default();
    let mut cursor = args.cursor;
    loop {
        let missing = args.limit.saturating_sub(view.items.len());
        let request = v1::ListDeadRequest {
            filter: Some(args.filter.wire()),
            page_size: u32::try_from(missing).unwrap_or(PAGE).clamp(1, PAGE),
            cursor,
            max_look: next_look(&view.looked, args.max_look),
        };
        let page = client.list_dead(request).await?;
        view.add(page);
        cursor = view.next_cursor.clone();
        let is_enough = view.items.len() >= args.limit;
        if cursor.is_empty() || is_enough || view.looked.entries >= args.max_look {
            break;
        }
    }
    tell_unreadable(view.unreadable);
    print_dead(&view, global.output)?;
    if view.items.len() < args.limit {
        if !cursor.is_empty() {
            tell_cut(&view.looked, view.items.len());
        }
        tell_horizon(&view.looked);
    }
    Ok(())
}

/// Step by step until all were looked at. When a step fails, says where to go on.
async fn change(
    global: &Global,
    client: &Client,
    args: ChangeArgs,
    done: &str,
) -> Result<(), Failure> {
    let mut sum = DeadChanged {
        dry_run: args.dry_run,
        ..DeadChanged::default()
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
            step.map_err(|error| Failure::from(error).after(&progress(&sum, done, &cursor)))?;
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
    global.output.thing(&sum, || text(&sum, done))
}

fn text(sum: &DeadChanged, done: &str) -> String {
    if sum.dry_run {
        return format!(
            "{} of {} looked at would be {done}; nothing was changed\n",
            sum.matched, sum.looked
        );
    }
    let mut text = format!("{} {done}, {} looked at\n", sum.changed, sum.looked);
    if sum.bodiless > 0 {
        text += &format!(
            "{} stay: their bodies were too great to be kept, submit them again\n",
            sum.bodiless
        );
    }
    if sum.busy > 0 {
        text += &format!("{} stay: their jobs have no room for them now\n", sum.busy);
    }
    if sum.gone > 0 {
        text += &format!("{} are not among the dead (any more)\n", sum.gone);
    }
    text
}

/// What was done before a step failed; empty before the first.
fn progress(sum: &DeadChanged, done: &str, cursor: &str) -> String {
    if sum.looked == 0 {
        return String::new();
    }
    format!(
        "{} {done} so far; go on with --cursor {cursor}",
        sum.changed
    )
}
