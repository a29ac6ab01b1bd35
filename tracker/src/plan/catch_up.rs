//! Due times that passed while nobody could fire them: which still fire, and which become records of what was missed.

use tickwheel_core::calendar::Calendar;
use tickwheel_core::error::Violation;
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict, Reason};
use tickwheel_core::misfire::{Verdict, decide};
use tickwheel_core::time::TimestampMs;
use tickwheel_store::job::{JobView, Plan};

use super::{PLAN_AHEAD, PLAN_MAX, calendar_of};

/// Due times walked in one go; what lies beyond is walked by the next planning, a second later.
const WALK_MAX: usize = 1_000_000;

/// What to lay into a job.
#[derive(Debug)]
pub(super) struct Refill {
    pub(super) plan: Plan,
    pub(super) missed: Vec<LedgerRecord>,
}

/// The refill of a cron job at `now`.
pub(super) fn refill(view: &JobView, now: TimestampMs) -> Result<Refill, Violation> {
    let calendar = calendar_of(view)?;
    let known: Vec<TimestampMs> = view
        .next_due
        .into_iter()
        .chain(view.planned.iter().copied())
        .collect();
    // Behind the known ones; without any, behind the last decided one, or from the beginning.
    let from = known.last().copied().or(view.last_due);
    let behind = from.is_none_or(|from| from <= now);
    let mut walked = if behind {
        walk(&calendar, from, now)
    } else {
        Vec::new()
    };
    let cut = walked.len() == WALK_MAX;
    let mut missed = Vec::new();
    if behind {
        let overdue: Vec<TimestampMs> = known.iter().chain(&walked).copied().collect();
        let mut misfire = view.spec.misfire;
        // Jitter delays a due time on purpose; that is no lateness.
        misfire.tolerance_ms = misfire.tolerance_ms.saturating_add(view.spec.jitter_ms);
        misfire.catch_up_window_ms = misfire
            .catch_up_window_ms
            .map(|window| window.saturating_add(view.spec.jitter_ms));
        let verdicts = decide(&overdue, now, &misfire);
        missed = records(verdicts.iter().filter_map(|(due, verdict)| match verdict {
            // With more behind the walk, even the newest walked one is not the newest.
            Verdict::Fire if cut => Some((*due, Reason::MisfireCollapsed)),
            Verdict::Fire => None,
            Verdict::Missed(reason) => Some((*due, *reason)),
        }));
        let newest = missed.last().map(|record| record.to);
        walked.retain(|due| newest.is_none_or(|newest| *due > newest));
    }
    walked.truncate(PLAN_MAX - PLAN_AHEAD);
    let mut dues = walked;
    let after = dues.last().copied().or(from).unwrap_or_default();
    let ahead = if behind {
        PLAN_AHEAD
    } else {
        PLAN_AHEAD.saturating_sub(known.len())
    };
    let mut end = false;
    if !cut {
        let upcoming = match dues.last().copied().or(from) {
            Some(_) => calendar.upcoming(after, ahead),
            None => calendar.first().into_iter().collect(),
        };
        end = upcoming.len() < ahead.min(1);
        dues.extend(upcoming);
    }
    Ok(Refill {
        plan: Plan { dues, end },
        missed,
    })
}

/// Due times after `from` up to `to`, the oldest [`WALK_MAX`] of them.
fn walk(calendar: &Calendar, from: Option<TimestampMs>, to: TimestampMs) -> Vec<TimestampMs> {
    let first = match from {
        Some(from) => calendar.next_after(from),
        None => calendar.first(),
    };
    std::iter::successors(first, |due| calendar.next_after(*due))
        .take_while(|due| *due <= to)
        .take(WALK_MAX)
        .collect()
}

/// One record for each run of due times with the same reason.
fn records(missed: impl Iterator<Item = (TimestampMs, Reason)>) -> Vec<LedgerRecord> {
    let mut records: Vec<LedgerRecord> = Vec::new();
    for (due, reason) in missed {
        match records.last_mut() {
            Some(last) if last.reason == Some(reason) => {
                last.to = due;
                last.count += 1;
            }
            Some(_) | None => {
                records.push(LedgerRecord::passed(due, LedgerVerdict::Missed, reason));
            }
        }
    }
    records
}

/// The due times of a grid from `next` to `now`, skipped by a pause.
pub(super) fn paused_grid(next: TimestampMs, period_ms: u64, now: TimestampMs) -> LedgerRecord {
    let steps = now.ms_since(next) / period_ms.max(1);
    let mut record = LedgerRecord::passed(next, LedgerVerdict::Skipped, Reason::Paused);
    record.to = next.plus_ms(steps * period_ms);
    record.count = steps + 1;
    record
}

/// The due times from `next` to `now`, skipped by a pause; at most [`WALK_MAX`] are told one by one in its count.
pub(super) fn paused(
    calendar: &Calendar,
    next: TimestampMs,
    now: TimestampMs,
) -> Vec<LedgerRecord> {
    let mut dues = walk(calendar, Some(next), now);
    dues.insert(0, next);
    let mut record = LedgerRecord::passed(next, LedgerVerdict::Skipped, Reason::Paused);
    record.to = dues.last().copied().unwrap_or(next);
    record.count = dues.len() as u64;
    vec![record]
}
