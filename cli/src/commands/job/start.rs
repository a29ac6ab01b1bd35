//! `tickwheel job run`: a run on demand.

use clap::Args;
use tickwheel_api::answers::Submitted;
use tickwheel_proto::v1;

use super::name::NameArgs;
use crate::commands::dedup::{DedupArgs, rejection};
use crate::commands::run::show_end;
use crate::failure::Failure;
use crate::global::{Global, json};

#[derive(Debug, Args)]
pub(crate) struct StartArgs {
    #[command(flatten)]
    name: NameArgs,
    /// The body of this run instead of the job's own
    #[arg(long, value_parser = json, value_name = "JSON")]
    body: Option<String>,
    #[command(flatten)]
    dedup: DedupArgs,
    /// Wait until it has ended; exit code 1 if it did not succeed
    #[arg(long)]
    wait: bool,
}

pub(super) async fn run(global: &Global, args: StartArgs) -> Result<(), Failure> {
    let client = global.connect().await?;
    let request = v1::RunJobRequest {
        name: args.name.name,
        body: args.body.map(Into::into),
        dedup_keep_ms: args.dedup.keep_ms(),
        dedup_reuse: args.dedup.reuse(),
        dedup_key: args.dedup.dedup_key,
    };
    let submitted = client.run_job(request).await?;
    let skipped = !submitted.skipped_reason.is_empty();
    let rejected = rejection(&submitted);
    if args.wait && !skipped && rejected.is_none() {
        return show_end(global, &client, &submitted.id).await;
    }
    let view = Submitted::from(submitted);
    global.output.detail(&view)?;
    if skipped {
        return Err(Failure::failed(format!("not run: {}", view.skipped_reason)));
    }
    rejected.map_or(Ok(()), Err)
}
