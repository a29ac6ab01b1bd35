//! `tickwheel job ledger NAME`

use clap::Args;
use tickwheel_api::answers::LedgerRecord;

use super::name::NameArgs;
use crate::failure::Failure;
use crate::global::Global;
use crate::output::tell_unreadable;

#[derive(Debug, Args)]
pub(crate) struct LedgerArgs {
    #[command(flatten)]
    name: NameArgs,
    /// At most this many records, the newest
    #[arg(short = 'n', long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
}

pub(super) async fn run(global: &Global, args: LedgerArgs) -> Result<(), Failure> {
    let client = global.connect().await?;
    let answer = client.ledger(&args.name.name, args.limit).await?;
    tell_unreadable(answer.unreadable);
    let records: Vec<_> = answer.records.into_iter().map(LedgerRecord::from).collect();
    global.output.list(&records)
}
