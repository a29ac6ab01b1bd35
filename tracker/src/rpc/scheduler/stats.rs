//! How a job fared: its due times and runs in numbers, over time, from what its ledger and its list of runs keep.

use tickwheel_core::error::Violation;
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1;
use tickwheel_store::job::LedgerRange;
use tickwheel_store::record::{EndState, Settled};

use super::jobs::existing;
use super::ledger::span;
use crate::error::Error;
use crate::rpc::api::ApiContext;

const CELLS_MAX: u64 = 1_000;
/// What is shown to people who do not say how fine.
const CELLS_USUAL: u64 = 120;
const CELL_LEAST_MS: u64 = 1_000;
const CELL_MOST_MS: u64 = 31 * DAY_MS;
const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;
/// Widths that people think in.
const USUAL_WIDTHS: [u64; 15] = [
    CELL_LEAST_MS,
    5_000,
    15_000,
    MINUTE_MS,
    5 * MINUTE_MS,
    15 * MINUTE_MS,
    HOUR_MS,
    3 * HOUR_MS,
    6 * HOUR_MS,
    12 * HOUR_MS,
    DAY_MS,
    2 * DAY_MS,
    7 * DAY_MS,
    14 * DAY_MS,
    CELL_MOST_MS,
];

pub(super) async fn stats(
    api: &ApiContext,
    request: v1::GetJobStatsRequest,
) -> Result<v1::JobStats, Error> {
    let (from, to) = span(request.from_ms, request.to_ms)?;
    if request.cell_ms != 0 && !(CELL_LEAST_MS..=CELL_MOST_MS).contains(&request.cell_ms) {
        let rule = format!("is 0, or {CELL_LEAST_MS}..={CELL_MOST_MS}");
        return Err(Violation::new("cell_ms", rule, request.cell_ms).into());
    }
    let view = existing(api, &request.name).await?;
    let spec = &view.spec;
    let now = TimestampMs::new(api.store.time().await?.as_u64() + 1);
    let range = LedgerRange {
        from,
        to: to.or(Some(now)),
        limit: spec.ledger_limit,
        ..LedgerRange::default()
    };
    let records = api.store.ledger_page(&spec.name, &range).await?;
    let runs = api.store.runs(&spec.name, spec.runs_limit).await?;
    let unreadable = records.unreadable + runs.unreadable;
    let dues = records.iter().map(|record| record.from);
    let oldest = dues.chain(runs.iter().map(|run| run.id.due())).min();
    // Nothing was due behind now, but for what was decided ahead of it.
    let newest = records.iter().map(|record| record.to.as_u64()).max();
    let last = now.max(TimestampMs::new(
        newest.map_or(0, |newest| newest.saturating_add(1)),
    ));
    let until = to.unwrap_or(now).min(last);
    let from = from.or(oldest).unwrap_or(until).min(until);
    let cells = Cells::new(from.as_u64(), until.as_u64(), request.cell_ms)?;
    let mut counted = Counted::new(cells);
    records.iter().for_each(|record| counted.due(record));
    runs.iter().for_each(|run| counted.ended(run));
    Ok(counted.told(unreadable))
}

/// Spans of one width; they begin at whole multiples of it, and the first one and the last reach beyond what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cells {
    from: u64,
    to: u64,
    width: u64,
}

impl Cells {
    fn new(from: u64, to: u64, width: u64) -> Result<Self, Violation> {
        let number = |width: u64| (to.saturating_sub(1) / width + 1).saturating_sub(from / width);
        if width == 0 {
            let mut fitting = USUAL_WIDTHS.iter().copied();
            let width = fitting.find(|width| number(*width) <= CELLS_USUAL);
            // Of more than ten years, the last ten.
            let width = width.unwrap_or(CELL_MOST_MS);
            let from = from.max(to.saturating_sub(CELLS_USUAL * width));
            return Ok(Self { from, to, width });
        }
        if number(width) > CELLS_MAX {
            let rule = format!("is such that there are {CELLS_MAX} cells at most");
            return Err(Violation::new("cell_ms", rule, width));
        }
        Ok(Self { from, to, width })
    }

    fn contains(self, due: u64) -> bool {
        (self.from..self.to).contains(&due)
    }

    fn place(self, due: u64) -> usize {
        usize::try_from(due / self.width - self.from / self.width).unwrap_or(usize::MAX)
    }

    fn begins(self, place: usize) -> u64 {
        (self.from / self.width + place as u64) * self.width
    }
}

/// What was counted so far.
struct Counted {
    cells: Cells,
    told: Vec<v1::StatsCell>,
    runs: [u64; EndState::ALL.len()],
    decided: Vec<u64>,
    started: Vec<u64>,
    ran: Vec<u64>,
}

impl Counted {
    fn new(cells: Cells) -> Self {
        let last = cells.to.saturating_sub(1).max(cells.from);
        let told = (0..=cells.place(last)).map(|place| v1::StatsCell {
            from_ms: cells.begins(place),
            ..v1::StatsCell::default()
        });
        Self {
            told: told.collect(),
            cells,
            runs: [0; EndState::ALL.len()],
            decided: Vec::new(),
            started: Vec::new(),
            ran: Vec::new(),
        }
    }

    fn due(&mut self, record: &LedgerRecord) {
        let (from, to) = (record.from.as_u64(), record.to.as_u64());
        let (first, last) = (
            from.max(self.cells.from),
            to.min(self.cells.to.saturating_sub(1)),
        );
        if first > last {
            return;
        }
        if record.verdict == LedgerVerdict::Fired && record.context_id.is_none() {
            let decided = record.decided_ms.map(TimestampMs::as_u64);
            self.decided
                .extend(decided.map(|at| at.saturating_sub(from)));
        }
        for place in self.cells.place(first)..=self.cells.place(last) {
            let begins = self.cells.begins(place).max(first);
            let ends = self.cells.begins(place + 1).min(last + 1);
            let due = before(record, ends) - before(record, begins);
            let Some(cell) = self.told.get_mut(place) else {
                continue;
            };
            let count = match record.verdict {
                LedgerVerdict::Fired => &mut cell.fired,
                LedgerVerdict::Skipped => &mut cell.skipped,
                LedgerVerdict::Missed => &mut cell.missed,
                LedgerVerdict::Cancelled => &mut cell.cancelled,
                LedgerVerdict::Redefined => continue,
            };
            // A damaged record may say any number.
            *count = count.saturating_add(due);
        }
    }

    fn ended(&mut self, run: &Settled) {
        let due = run.id.due().as_u64();
        if !self.cells.contains(due) {
            return;
        }
        let state = EndState::ALL.iter().position(|state| *state == run.state);
        if let Some(count) = state.and_then(|state| self.runs.get_mut(state)) {
            *count += 1;
        }
        if let Some(claimed) = run.claimed.map(TimestampMs::as_u64) {
            self.started.push(claimed.saturating_sub(due));
            self.ran.push(run.ended.as_u64().saturating_sub(claimed));
        }
        let place = self.cells.place(due);
        if let Some(cell) = self.told.get_mut(place) {
            match run.state {
                EndState::Succeeded => cell.succeeded += 1,
                EndState::Failed | EndState::TimedOut | EndState::Expired => cell.failed += 1,
                EndState::Cancelled => {}
            }
        }
    }

    fn told(self, unreadable: u64) -> v1::JobStats {
        let sum = |of: fn(&v1::StatsCell) -> u64| {
            let counts = self.told.iter().map(of);
            counts.fold(0, u64::saturating_add)
        };
        let [succeeded, failed, timed_out, cancelled, expired] = self.runs;
        v1::JobStats {
            from_ms: self.cells.from,
            to_ms: self.cells.to,
            cell_ms: self.cells.width,
            fired: sum(|cell| cell.fired),
            skipped: sum(|cell| cell.skipped),
            missed: sum(|cell| cell.missed),
            cancelled: sum(|cell| cell.cancelled),
            runs_succeeded: succeeded,
            runs_failed: failed,
            runs_timed_out: timed_out,
            runs_cancelled: cancelled,
            runs_expired: expired,
            decided: spread(self.decided),
            started: spread(self.started),
            ran: spread(self.ran),
            unreadable,
            cells: self.told.into_iter().filter(has_any).collect(),
        }
    }
}

fn has_any(cell: &v1::StatsCell) -> bool {
    let nothing = v1::StatsCell {
        from_ms: cell.from_ms,
        ..v1::StatsCell::default()
    };
    *cell != nothing
}

/// How many due times of a record are before `at`: they are taken for evenly spread.
fn before(record: &LedgerRecord, at: u64) -> u64 {
    let (from, to) = (record.from.as_u64(), record.to.as_u64());
    if at <= from {
        return 0;
    }
    if at > to || record.count <= 1 {
        return record.count;
    }
    let passed = u128::from(at - 1 - from) * u128::from(record.count - 1) / u128::from(to - from);
    u64::try_from(passed).unwrap_or(u64::MAX) + 1
}

/// Nothing of none.
fn spread(mut spans: Vec<u64>) -> Option<v1::Spread> {
    spans.sort_unstable();
    if spans.is_empty() {
        return None;
    }
    // The least of them that so many of a hundred do not pass.
    let at = |percent: usize| {
        let rank = (spans.len() * percent).div_ceil(100).max(1);
        spans.get(rank - 1).copied().unwrap_or_default()
    };
    Some(v1::Spread {
        count: spans.len() as u64,
        least_ms: at(0),
        p50_ms: at(50),
        p90_ms: at(90),
        p99_ms: at(99),
        most_ms: at(100),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(from: u64, to: u64, width: u64, records: &[&str]) -> v1::JobStats {
        let mut counted = Counted::new(Cells::new(from, to, width).unwrap());
        for record in records {
            counted.due(&record.parse().unwrap());
        }
        counted.told(0)
    }

    #[test]
    fn each_due_time_is_in_one_cell() {
        let records = [
            "1000 F +3",
            "1999 F +5",
            "2000 S overlap_discard",
            "3000-5000x5 M misfire_skip",
            "9000 C deleted",
            "2500 R 2",
        ];
        let stats = counted(1_000, 9_001, 1_000, &records);
        assert_eq!(
            (stats.fired, stats.skipped, stats.missed, stats.cancelled),
            (2, 1, 5, 1)
        );
        let missed: Vec<_> = stats.cells.iter().map(|cell| cell.missed).collect();
        // 3000 and 3500, 4000 and 4500, 5000.
        assert_eq!(missed, [0, 0, 2, 2, 1, 0]);
        assert_eq!(stats.decided.unwrap().most_ms, 5);
        let part = counted(3_500, 4_000, 1_000, &records);
        assert_eq!((part.fired, part.missed, part.cancelled), (0, 1, 0));
    }

    #[test]
    fn a_row_of_due_times_is_counted_without_walking_it() {
        let row = "0-8639999999x1000000000 M catch_up_window";
        let stats = counted(0, 8_640_000_000, 0, &[row]);
        assert_eq!(stats.missed, 1_000_000_000);
        assert!(stats.cells.len() <= 120);
    }

    #[test]
    fn counts_without_end_are_the_most_that_can_be_told() {
        let most = format!("0-5000x{} M misfire_skip", u64::MAX);
        let stats = counted(0, 5_001, 1_000, &[&most, &most]);
        assert_eq!(stats.missed, u64::MAX);
    }

    #[test]
    fn cells_are_as_many_as_can_be_seen_unless_asked_for() {
        for (from, to) in [
            (0, 1),
            (5, 5),
            (0, 86_400_000),
            (7, 1_800_000_000_000),
            (0, u64::MAX),
        ] {
            let cells = Cells::new(from, to, 0).unwrap();
            assert!(Counted::new(cells).told.len() <= 121, "{from} to {to}");
        }
        assert!(Cells::new(0, 1_000_000, 1_000).is_ok());
        assert_eq!(
            Cells::new(0, 1_000_001, 1_000).unwrap_err().field,
            "cell_ms"
        );
    }

    #[test]
    fn spans_are_ranked() {
        let spread = spread((0..=100).rev().collect()).unwrap();
        let ranks = [
            spread.least_ms,
            spread.p50_ms,
            spread.p90_ms,
            spread.p99_ms,
            spread.most_ms,
        ];
        assert_eq!(ranks, [0, 50, 90, 99, 100]);
        assert_eq!(super::spread(Vec::new()), None);
        let few = super::spread(vec![1, 1, 1, 1, 1, 9]).unwrap();
        assert_eq!((few.p50_ms, few.p90_ms, few.p99_ms), (1, 9, 9));
    }
}
