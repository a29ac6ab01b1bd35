//! `tickwheel job explain NAME --at T`

use clap::Args;
use tickwheel_core::TimestampMs;
use tickwheel_proto::v1;

use super::NameArgs;
use crate::args::{Global, instant};
use crate::failure::Failure;
use crate::views::ExplainView;

#[derive(Debug, Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    name: NameArgs,
    /// The instant: 2026-03-29T02:30:00Z, or milliseconds since 1970
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    at: TimestampMs,
}

pub(super) async fn run(global: &Global, args: ExplainArgs) -> Result<(), Failure> {
    let client = crate::commands::connect(global).await?;
    let request = v1::ExplainJobRequest {
        name: args.name.name,
        at_ms: args.at.as_u64(),
    };
    let answer = client
        .call(request, async |mut api, r| api.explain_job(r).await)
        .await?;
    global.output.detail(&ExplainView::from(answer))
}
