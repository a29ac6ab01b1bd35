//! `tickwheel job stats NAME`

use std::time::Duration;

use clap::Args;
use tickwheel_api::answers::JobStats;
use tickwheel_core::TimestampMs;
use tickwheel_proto::v1;

use super::name::NameArgs;
use crate::failure::Failure;
use crate::global::{Global, duration, instant};
use crate::output::tell_unreadable;
use crate::views::print_job_stats;

#[derive(Debug, Args)]
pub(crate) struct StatsArgs {
    #[command(flatten)]
    name: NameArgs,
    /// Due times from this instant on [default: from the oldest that is kept]
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    from: Option<TimestampMs>,
    /// Due times before this instant [default: up to now]
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    to: Option<TimestampMs>,
    /// The span of time of a line, 1s to 31d [default: such that there are 120 at most]
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    cell: Option<Duration>,
}

pub(super) async fn run(global: &Global, args: StatsArgs) -> Result<(), Failure> {
    let cell = args.cell.map(|cell| cell.as_millis());
    let request = v1::GetJobStatsRequest {
        name: args.name.name,
        from_ms: args.from.map_or(0, TimestampMs::as_u64),
        to_ms: args.to.map_or(0, TimestampMs::as_u64),
        cell_ms: cell.map_or(0, |cell| u64::try_from(cell).unwrap_or(u64::MAX)),
    };
    let client = global.connect().await?;
    let stats = JobStats::from(client.job_stats(request).await?);
    tell_unreadable(stats.unreadable);
    print_job_stats(&stats, global.output)
}
