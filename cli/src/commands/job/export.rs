//! `tickwheel job export`: registered jobs as documents.

use clap::Args;
use tickwheel_core::job::JobSpec;
use tickwheel_core::manifest::{Defaults, Written, write_job};
use tickwheel_proto::v1;

use super::list::{LabelArgs, each};
use crate::failure::Failure;
use crate::global::Global;

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Jobs; without any, all of them, or those of --prefix and --label
    #[arg(value_name = "JOB")]
    names: Vec<String>,
    /// Only names that start with this, say payments/
    #[arg(
        long,
        default_value = "",
        hide_default_value = true,
        conflicts_with = "names"
    )]
    prefix: String,
    #[command(flatten)]
    labels: LabelArgs,
    /// Also what is not said because it is the default
    #[arg(long)]
    defaults: bool,
}

pub(super) async fn run(global: &Global, args: ExportArgs) -> Result<(), Failure> {
    let client = global.connect().await?;
    let mut jobs: Vec<v1::Job> = Vec::new();
    if args.names.is_empty() {
        each(&client, &args.prefix, &args.labels, |job| jobs.push(job)).await?;
    }
    for name in args.names {
        jobs.push(client.get_job(&name).await?);
    }
    if jobs.is_empty() {
        return Err(Failure::usage("no job is registered under such a name"));
    }
    let defaults = if args.defaults {
        Defaults::Written
    } else {
        Defaults::LeftOut
    };
    let documents: Result<Vec<Written>, Failure> = jobs
        .into_iter()
        .map(|job| document(job, defaults))
        .collect();
    global.output.documents(&documents?)
}

fn document(job: v1::Job, defaults: Defaults) -> Result<Written, Failure> {
    let spec = job.spec.unwrap_or_default();
    let name = spec.name.clone();
    let spec = JobSpec::try_from(spec).map_err(|wrong| {
        Failure::broken(format!(
            "{name}: what the tracker says of it cannot be read: {wrong}"
        ))
    })?;
    Ok(write_job(&spec, defaults))
}
