//! `tickwheel job preview`: the next due times of a registered job, or of the jobs of a manifest.

use std::path::PathBuf;

use clap::Args;
use tickwheel_api::answers::Preview;
use tickwheel_core::TimestampMs;
use tickwheel_proto::v1;

use crate::failure::Failure;
use crate::global::{Global, instant};
use crate::manifest::Manifest;
use crate::views::print_previews;

#[derive(Debug, Args)]
pub(crate) struct PreviewArgs {
    /// A registered job
    #[arg(
        value_name = "JOB",
        required_unless_present = "files",
        conflicts_with = "files"
    )]
    name: Option<String>,
    /// A file of jobs that need not be registered (repeatable)
    #[arg(short, long = "file", value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    /// How many due times
    #[arg(short = 'n', long, default_value_t = 5, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    count: u32,
    /// Due times after this instant instead of after now
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    after: Option<TimestampMs>,
}

pub(super) async fn run(global: &Global, args: PreviewArgs) -> Result<(), Failure> {
    let requests = requests(&args)?;
    let client = global.connect().await?;
    let mut previews: Vec<Preview> = Vec::new();
    for (name, request) in requests {
        let answer = client.preview_job(request).await?;
        previews.push(Preview::new(name, answer));
    }
    print_previews(&previews, global.output)
}

fn requests(args: &PreviewArgs) -> Result<Vec<(String, v1::PreviewJobRequest)>, Failure> {
    let request = |name: String, spec| v1::PreviewJobRequest {
        name,
        spec,
        count: args.count,
        after_ms: args.after.map(TimestampMs::as_u64),
    };
    if let Some(name) = &args.name {
        return Ok(vec![(name.clone(), request(name.clone(), None))]);
    }
    let manifest = Manifest::read(&args.files)?.of_jobs()?;
    Ok(manifest
        .jobs
        .iter()
        .map(|job| {
            let spec = v1::JobSpec::from(job);
            (spec.name.clone(), request(String::new(), Some(spec)))
        })
        .collect())
}
