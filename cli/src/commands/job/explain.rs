//! `tickwheel job explain NAME --at T`

use clap::Args;
use tickwheel_api::answers::Explained;
use tickwheel_core::TimestampMs;

use super::name::NameArgs;
use crate::failure::Failure;
use crate::global::{Global, instant};

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    name: NameArgs,
    /// The instant: 2026-03-29T02:30:00Z, or milliseconds since 1970
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    at: TimestampMs,
}

pub(super) async fn run(global: &Global, args: ExplainArgs) -> Result<(), Failure> {
    let client = global.connect().await?;
    let answer = client.explain_job(&args.name.name, args.at).await?;
    global.output.detail(&Explained::from(answer))
}
