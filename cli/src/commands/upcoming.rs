//! `tickwheel upcoming`: what comes next, page after page, within a bound of what is looked at.

use clap::{Args, ValueEnum};
use tickwheel_api::answers::{Looked, Upcoming};
use tickwheel_core::TimestampMs;
use tickwheel_proto::v1;

use crate::failure::Failure;
use crate::global::{Global, instant};
use crate::output::tell_unreadable;
use crate::views::{next_look, tell_cut};

const PAGE: usize = 1_000;

#[derive(Debug, Args)]
pub(crate) struct UpcomingArgs {
    /// Only these; may be given several times
    #[arg(long, value_enum)]
    kind: Vec<KindArg>,
    /// Only what belongs to a job whose name starts with this; payments/ is a namespace, and has also its runs without a job
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "PREFIX"
    )]
    prefix: String,
    /// Only what is for this group
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "GROUP"
    )]
    group: String,
    /// Only what is for this handler
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        value_name = "HANDLER"
    )]
    handler: String,
    /// Only what comes before this: RFC 3339, or milliseconds since 1970
    #[arg(long, value_name = "TIME", value_parser = instant)]
    until: Option<TimestampMs>,
    /// At most this many
    #[arg(short = 'n', long, default_value_t = 50, value_name = "N")]
    limit: usize,
    /// Look at this many entries at most, and then say how many there are
    #[arg(long, default_value_t = 100_000, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_look: u64,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum KindArg {
    Run,
    Retry,
    Job,
    Deadline,
}

impl From<KindArg> for v1::UpcomingKind {
    fn from(kind: KindArg) -> Self {
        match kind {
            KindArg::Run => Self::Run,
            KindArg::Retry => Self::Retry,
            KindArg::Job => Self::Job,
            KindArg::Deadline => Self::Deadline,
        }
    }
}

pub(crate) async fn run(global: &Global, args: UpcomingArgs) -> Result<(), Failure> {
    let client = global.connect().await?;
    let mut kinds: Vec<i32> = Vec::new();
    for kind in args.kind.iter().copied().map(v1::UpcomingKind::from) {
        if !kinds.contains(&kind.into()) {
            kinds.push(kind.into());
        }
    }
    let (mut items, mut looked) = (Vec::new(), Looked::default());
    let (mut unreadable, mut cursor) = (0, String::new());
    loop {
        let missing = args.limit.saturating_sub(items.len());
        let request = v1::ListUpcomingRequest {
            kinds: kinds.clone(),
            prefix: args.prefix.clone(),
            group: args.group.clone(),
            handler: args.handler.clone(),
            until_ms: args.until.map(TimestampMs::as_u64),
            page_size: u32::try_from(missing.clamp(1, PAGE)).unwrap_or(1),
            max_look: next_look(&looked, args.max_look),
            cursor,
        };
        let page = client.upcoming(request).await?;
        unreadable += page.unreadable;
        items.extend(page.items.into_iter().map(Upcoming::from));
        looked.add(page.looked, None);
        cursor = page.next_cursor;
        if cursor.is_empty() || items.len() >= args.limit || looked.entries >= args.max_look {
            break;
        }
    }
    let is_cut = !cursor.is_empty() && items.len() < args.limit;
    items.truncate(args.limit);
    tell_unreadable(unreadable);
    global.output.list(&items)?;
    if is_cut {
        tell_cut(&looked, items.len());
    }
    Ok(())
}
