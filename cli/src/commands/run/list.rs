//! `tickwheel run list`: runs of all partitions, page after page, within a bound of what is looked at.

use clap::{Args, ValueEnum};
use tickwheel_api::answers::{Looked, Run};
use tickwheel_client::Client;
use tickwheel_core::TimestampMs;
use tickwheel_proto::v1;

use crate::failure::Failure;
use crate::global::{Global, instant};
use crate::output::tell_unreadable;
use crate::views::{next_look, tell_cut, tell_horizon};

const PAGE: usize = 200;

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
    /// Only those in this state; may be given several times
    #[arg(long, value_enum)]
    state: Vec<StateArg>,
    /// Only those of this group
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "GROUP"
    )]
    group: String,
    /// Only those of this handler
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "HANDLER"
    )]
    handler: String,
    /// Only those that this worker runs, or ran last
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "WORKER"
    )]
    worker: String,
    /// Only those whose message has this in it, in any case of letters
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "TEXT"
    )]
    error: String,
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
    /// Only what has ended, the newest end first, or only what has not, the earliest first; else what has not, and behind it what has
    #[arg(long, value_enum)]
    order: Option<OrderArg>,
    /// At most this many
    #[arg(short = 'n', long, default_value_t = 50, value_name = "N")]
    limit: usize,
    /// Look at this many entries at most, and then say how many there are
    #[arg(long, default_value_t = 100_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_look: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum OrderArg {
    Ended,
    Due,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum StateArg {
    Scheduled,
    Retrying,
    Ready,
    Queued,
    Running,
    #[value(name = "waiting_for_subtasks")]
    WaitingForSubtasks,
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
            StateArg::WaitingForSubtasks => Self::WaitingForSubtasks,
            StateArg::Succeeded => Self::Succeeded,
            StateArg::Failed => Self::Failed,
            StateArg::TimedOut => Self::TimedOut,
            StateArg::Cancelled => Self::Cancelled,
            StateArg::Expired => Self::Expired,
        }
    }
}

impl ListArgs {
    /// What is chosen, without the bounds of a page.
    fn request(&self) -> v1::ListContextsRequest {
        let mut states: Vec<i32> = Vec::new();
        for state in &self.state {
            let state = v1::ContextState::from(*state).into();
            if !states.contains(&state) {
                states.push(state);
            }
        }
        let millis = |at: Option<TimestampMs>| at.map(TimestampMs::as_u64);
        let order = self
            .order
            .map_or(v1::ListOrder::Unspecified, |order| match order {
                OrderArg::Ended => v1::ListOrder::Ended,
                OrderArg::Due => v1::ListOrder::Due,
            });
        v1::ListContextsRequest {
            states,
            job: self.job.clone(),
            group: self.group.clone(),
            handler: self.handler.clone(),
            worker: self.worker.clone(),
            error: self.error.clone(),
            due_from_ms: millis(self.due_from),
            due_to_ms: millis(self.due_to),
            ended_from_ms: millis(self.ended_from),
            ended_to_ms: millis(self.ended_to),
            order: order.into(),
            ..v1::ListContextsRequest::default()
        }
    }
}

pub(super) async fn run(global: &Global, client: &Client, args: ListArgs) -> Result<(), Failure> {
    let mut contexts: Vec<Run> = Vec::new();
    let mut looked = Looked::default();
    let mut unreadable = 0;
    let mut cursor = String::new();
    loop {
        let missing = args.limit.saturating_sub(contexts.len());
        let request = v1::ListContextsRequest {
            page_size: u32::try_from(missing.clamp(1, PAGE)).unwrap_or(1),
            max_look: next_look(&looked, args.max_look),
            cursor,
            ..args.request()
        };
        let page = client.list(request).await?;
        unreadable += page.unreadable;
        contexts.extend(page.contexts.into_iter().map(Run::from));
        looked.add(page.looked, page.horizon);
        cursor = page.next_cursor;
        if cursor.is_empty() || contexts.len() >= args.limit || looked.entries >= args.max_look {
            break;
        }
    }
    let is_cut = !cursor.is_empty() && contexts.len() < args.limit;
    let is_short = contexts.len() < args.limit;
    contexts.truncate(args.limit);
    tell_unreadable(unreadable);
    global.output.list(&contexts)?;
    if is_cut {
        tell_cut(&looked, contexts.len());
    }
    if is_short {
        tell_horizon(&looked);
    }
    Ok(())
}
