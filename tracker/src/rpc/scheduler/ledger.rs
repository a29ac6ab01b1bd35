//! The ledger of a job: what became of its due times.

use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::ContextId;
use tickwheel_core::ledger::LedgerVerdict;
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1;
use tickwheel_proto::v1::ledger_record::Verdict;
use tickwheel_store::job::LedgerRange;

use super::given::Count;
use super::jobs::existing;
use crate::error::Error;
use crate::rpc::api::ApiContext;

const LIMIT: Count = Count {
    default: 100,
    most: 100_000,
};

pub(super) async fn page(
    api: &ApiContext,
    request: v1::GetLedgerRequest,
) -> Result<v1::GetLedgerResponse, Error> {
    let (from, to) = span(request.from_ms, request.to_ms)?;
    let range = LedgerRange {
        from,
        to,
        verdicts: verdicts(&request)?,
        limit: LIMIT.read("limit", request.limit)?,
        cursor: request.cursor,
    };
    let view = existing(api, &request.name).await?;
    let mut page = api.store.ledger_page(&view.spec.name, &range).await?;
    for record in &mut page.items {
        if record.verdict == LedgerVerdict::Fired && record.context_id.is_none() {
            let partitions = api.store.partitions();
            record.context_id = Some(ContextId::firing(&view.spec.name, record.from, partitions));
        }
    }
    Ok(v1::GetLedgerResponse {
        records: page.items.iter().map(v1::LedgerRecord::from).collect(),
        unreadable: page.unreadable,
        next_cursor: page.next,
    })
}

/// Both ends of a span of due times; 0: open.
pub(super) fn span(
    from_ms: u64,
    to_ms: u64,
) -> Result<(Option<TimestampMs>, Option<TimestampMs>), Violation> {
    if to_ms != 0 && to_ms <= from_ms {
        return Err(Violation::new("to_ms", "is later than from_ms", to_ms));
    }
    let end = |given: u64| (given != 0).then(|| TimestampMs::new(given));
    Ok((end(from_ms), end(to_ms)))
}

fn verdicts(request: &v1::GetLedgerRequest) -> Result<Vec<LedgerVerdict>, Violations> {
    let mut found = Violations::new();
    let mut verdicts = Vec::new();
    for (at, given) in request.verdicts.iter().enumerate() {
        match Verdict::try_from(*given) {
            Ok(Verdict::Fired) => verdicts.push(LedgerVerdict::Fired),
            Ok(Verdict::Skipped) => verdicts.push(LedgerVerdict::Skipped),
            Ok(Verdict::Missed) => verdicts.push(LedgerVerdict::Missed),
            Ok(Verdict::Cancelled) => verdicts.push(LedgerVerdict::Cancelled),
            Ok(Verdict::Unspecified) => verdicts.push(LedgerVerdict::Redefined),
            Err(_) => found.add(format!("verdicts[{at}]"), "is a verdict", given),
        }
    }
    found.into_result().map(|()| verdicts)
}
