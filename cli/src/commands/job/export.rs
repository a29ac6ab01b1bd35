//! `tickwheel job export`: a manifest of what is registered.

use clap::Args;
use serde_json::{Map, Value, json};
use tickwheel_proto::v1;

use super::list::each;
use crate::failure::Failure;
use crate::global::Global;
use crate::output::Format;
use crate::views::{full_spec_value, spec_value};

#[derive(Debug, Args)]
pub(crate) struct ExportArgs {
    /// Jobs; without any, all of them, or those of --prefix
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
    /// Also what is not said because it is the default
    #[arg(long)]
    defaults: bool,
}

pub(super) async fn run(global: &Global, args: ExportArgs) -> Result<(), Failure> {
    let client = global.connect().await?;
    let mut jobs: Vec<Value> = Vec::new();
    let mut keep = |job: v1::Job| {
        let spec = job.spec.unwrap_or_default();
        jobs.push(if args.defaults {
            full_spec_value(&spec)
        } else {
            spec_value(&spec)
        });
    };
    if args.names.is_empty() {
        each(&client, &args.prefix, &mut keep).await?;
    }
    for name in args.names {
        keep(client.get_job(&name).await?);
    }
    if jobs.is_empty() {
        return Err(Failure::usage("no job is registered under such a name"));
    }
    let manifest = Map::from_iter([("jobs".to_owned(), json!(jobs))]);
    // A manifest is for programs, also where people look at it.
    let format = match global.output {
        Format::Json => Format::Json,
        Format::Table | Format::Yaml => Format::Yaml,
    };
    format.thing(&manifest, String::new)
}
