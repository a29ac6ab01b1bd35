//! `tickwheel job apply -f FILE|DIR`

use std::path::PathBuf;

use clap::Args;
use tickwheel_proto::v1;

use crate::args::Global;
use crate::client::Client;
use crate::failure::Failure;
use crate::manifest::Manifest;
use crate::output::warn;
use crate::views::AppliedView;

#[derive(Debug, Args)]
pub(crate) struct ApplyArgs {
    /// A manifest, a directory of manifests, or - for standard input (repeatable)
    #[arg(short, long = "file", value_name = "FILE|DIR", required = true)]
    files: Vec<PathBuf>,
    /// Check everything and show what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
}

pub(super) async fn run(global: &Global, args: ApplyArgs) -> Result<(), Failure> {
    let manifest = Manifest::read(&args.files)?;
    let client = crate::commands::connect(global).await?;
    let applied = send(&client, &manifest, args.dry_run).await?;
    for job in applied.iter().filter(|job| !job.warning.is_empty()) {
        warn(&format!("{}: {}", job.name, job.warning));
    }
    global.output.list(&applied)
}

/// Sends the jobs of a manifest; mistakes that only the tracker can see come back with their place in the files.
pub(crate) async fn send(
    client: &Client,
    manifest: &Manifest,
    dry_run: bool,
) -> Result<Vec<AppliedView>, Failure> {
    let request = v1::ApplyJobsRequest {
        jobs: manifest.jobs.iter().map(v1::JobSpec::from).collect(),
        dry_run,
    };
    let answer = client
        .call(request, async |mut api, r| api.apply_jobs(r).await)
        .await
        .map_err(|failure| failure.map_places(|field| manifest.place_of(field)))?;
    Ok(answer.jobs.into_iter().map(AppliedView::from).collect())
}
