//! `tickwheel store adopt`

use clap::Args;
use tickwheel_core::partition::PartitionCount;
use tickwheel_store::Store;

use super::open::StoreArgs;
use crate::failure::Failure;
use crate::global::Global;
use crate::output::{Format, put};

#[derive(Debug, Args)]
pub(crate) struct AdoptArgs {
    #[command(flatten)]
    store: StoreArgs,
    /// Partitions of an emptied store, as its trackers have them; as configured unless given
    #[arg(long, value_name = "COUNT")]
    partitions: Option<u16>,
    /// Do it
    #[arg(long)]
    yes: bool,
}

pub(super) async fn run(global: &Global, args: AdoptArgs) -> Result<(), Failure> {
    if !args.yes {
        return Err(Failure::usage(
            "adopt decides that every tracker goes on with what this redis holds now; what it lacks (jobs, waiting contexts, results) is \
             lost for good, and an empty one becomes a new cluster. Add --yes to do it",
        ));
    }
    let (redis, config) = args.store.connect().await?;
    let count = args.partitions.unwrap_or(config.tracker.partitions);
    let partitions =
        PartitionCount::new(count).map_err(|wrong| Failure::usage(wrong.to_string()))?;
    let adopted = Store::adopt(redis, &config.redis.prefix, partitions)
        .await
        .map_err(|error| Failure::usage(format!("could not adopt: {error}")))?;
    if args.store.output(global) == Format::Json {
        let adopted = serde_json::json!({ "adopted_ms": adopted.as_u64(), "partitions": count });
        return put(&format!("{adopted}\n"));
    }
    put("adopted: trackers that refused it go on within a second\n")
}
