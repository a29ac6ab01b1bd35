//! `tickwheel quickstart`: a development cluster with example jobs, shown live and counted at the end.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::apply::send;
use super::dev::{ClusterArgs, start, welcome};

use crate::client::{self, Showing};
use crate::dev::DevCluster;
use crate::failure::Failure;
use crate::global::duration;
use crate::manifest::Manifest;
use crate::output::put;
use crate::quickstart::{LOOK_EVERY, News, Summary, Watch, line, redis_time};
use crate::shutdown::Shutdown;
use crate::telemetry;

#[derive(Debug, Args)]
pub(crate) struct QuickstartArgs {
    /// Files of the jobs to show
    #[arg(short, long = "file", value_name = "FILE|DIR", required = true)]
    files: Vec<PathBuf>,
    /// End after this long with a summary, whose last line is one JSON object [default: at Ctrl-C]
    #[arg(long = "for", value_parser = duration, value_name = "DURATION")]
    length: Option<Duration>,
    #[command(flatten)]
    cluster: ClusterArgs,
}

/// Far enough away to mean "until a signal comes".
const NEVER: Duration = Duration::from_secs(365 * 86_400);

pub(crate) async fn run(args: QuickstartArgs) -> Result<(), Failure> {
    let config = args.cluster.load()?;
    let manifest = Manifest::read(&args.files)?.of_jobs()?;
    telemetry::start(&config.log)?;
    let mut shutdown = Shutdown::listen()?;
    let cluster = start(args.cluster.options(config), &mut shutdown).await?;
    let shown = show(&cluster, &manifest, args.length, &mut shutdown).await;
    cluster.stop_unless(&mut shutdown).await;
    let summary = shown?;
    put(&summary.text())?;
    put(&summary.json_line())?;
    if summary.lost > 0 {
        return Err(Failure::failed(format!("{} lost", summary.lost)));
    }
    Ok(())
}

async fn show(
    cluster: &DevCluster,
    manifest: &Manifest,
    length: Option<Duration>,
    shutdown: &mut Shutdown,
) -> Result<Summary, Failure> {
    put(&welcome(cluster))?;
    let showing = Showing {
        trust: cluster.trust(),
        ..Showing::default()
    };
    let client = client::connect(&cluster.server(), None, showing).await?;
    let since_ms = redis_time(&client).await?;
    cluster.lateness.restart(since_ms);
    let applied = send(&client, manifest, false).await?;
    let mut watch = Watch::begin(client, &manifest.jobs, since_ms).await?;
    put(&format!(
        "\n{} jobs are registered; this is what becomes of their due times (UTC):\n\n",
        applied.len()
    ))?;

    let end = Instant::now() + length.unwrap_or(NEVER);
    let mut looks = interval(LOOK_EVERY);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = looks.tick() => print_news(&watch.look().await?),
            () = sleep_until(end) => break,
            () = shutdown.requested() => break,
        }
    }
    let mut summary = tokio::select! {
        summary = watch.end(|news| print_news(&news)) => summary?,
        () = shutdown.requested() => return Err(Failure::failed("stopped before the summary")),
    };
    summary.p99_lateness_ms = cluster.lateness.p99_ms();
    Ok(summary)
}

/// A terminal that has gone is no reason to stop counting.
fn print_news(news: &[News]) {
    let lines: String = news.iter().map(line).collect();
    if let Err(e) = put(&lines) {
        tracing::debug!(error = %e, "the news could not be printed");
    }
}
