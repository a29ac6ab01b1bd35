//! `tickwheel job ledger NAME`

use clap::Args;
use clap::builder::PossibleValuesParser;
use tickwheel_api::answers::{LedgerRecord, verdict_word};
use tickwheel_core::TimestampMs;
use tickwheel_proto::v1;
use tickwheel_proto::v1::ledger_record::Verdict;

use super::name::NameArgs;
use crate::failure::Failure;
use crate::global::{Global, instant};
use crate::output::tell_unreadable;

const VERDICTS: [Verdict; 5] = [
    Verdict::Fired,
    Verdict::Skipped,
    Verdict::Missed,
    Verdict::Cancelled,
    Verdict::Unspecified,
];

#[derive(Debug, Args)]
pub(crate) struct LedgerArgs {
    #[command(flatten)]
    name: NameArgs,
    /// At most this many records, the newest
    #[arg(short = 'n', long, default_value_t = 20, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Only due times from this instant on
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    from: Option<TimestampMs>,
    /// Only due times before this instant
    #[arg(long, value_parser = instant, value_name = "INSTANT")]
    to: Option<TimestampMs>,
    /// Only those with this verdict (repeatable)
    #[arg(long = "verdict", value_name = "VERDICT", value_parser = PossibleValuesParser::new(VERDICTS.map(verdict_word)))]
    verdicts: Vec<String>,
}

pub(super) async fn run(global: &Global, args: LedgerArgs) -> Result<(), Failure> {
    let wanted = VERDICTS.into_iter();
    let wanted = wanted.filter(|one| args.verdicts.iter().any(|word| word == verdict_word(*one)));
    let request = v1::GetLedgerRequest {
        name: args.name.name,
        limit: args.limit,
        from_ms: args.from.map_or(0, TimestampMs::as_u64),
        to_ms: args.to.map_or(0, TimestampMs::as_u64),
        verdicts: wanted.map(i32::from).collect(),
        cursor: String::new(),
    };
    let client = global.connect().await?;
    let answer = client.ledger_page(request).await?;
    tell_unreadable(answer.unreadable);
    let records: Vec<_> = answer.records.into_iter().map(LedgerRecord::from).collect();
    global.output.list(&records)
}
