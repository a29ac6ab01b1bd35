//! Due times that passed while nobody could fire them: which still fire, and which become records of what was missed. The misfire policy of
//! what is due in a turn is applied by `lua/lib/jobs/misfire.lua`.

use tickwheel_core::calendar::Calendar;
use tickwheel_core::catch_up::{Verdict, decide};
use tickwheel_core::error::Violation;
use tickwheel_core::job::Misfire;
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict, Reason};
use tickwheel_core::time::TimestampMs;
use tickwheel_store::job::{JobView, Plan};

use super::calendar::{PLAN_AHEAD, PLAN_MAX, calendar_of};

/// Due times walked in one go; what lies beyond is walked by the next planning, a second later.
const WALK_MAX: usize = 1_000_000;
/// Late due times that fire after an outage at most, whatever limit a job names: the plan's bound without [`PLAN_AHEAD`].
pub(super) const LATE_MAX: u32 = 968;

/// What to lay into a job.
#[derive(Debug)]
pub(super) struct Refill {
    pub(super) plan: Plan,
    pub(super) missed: Vec<LedgerRecord>,
}

/// The refill of a cron job at `now`.
pub(super) fn refill(view: &JobView, now: TimestampMs) -> Result<Refill, Violation> {
    refill_within(view, now, WALK_MAX)
}

/// The same, walking over `walk_max` due times at most.
pub(super) fn refill_within(
    view: &JobView,
    now: TimestampMs,
    walk_max: usize,
) -> Result<Refill, Violation> {
    let calendar = calendar_of(view)?;
    let known: Vec<TimestampMs> = view
        .next_due
        .into_iter()
        .chain(view.planned.iter().copied())
        .collect();
    // Behind the known ones; without any, behind the last decided one, or from the beginning.
    let from = known.last().copied().or(view.last_due);
    if from.is_some_and(|from| from > now) {
        let ahead = PLAN_AHEAD.saturating_sub(known.len());
        let plan = plan_behind(&calendar, from, ahead);
        let missed = Vec::new();
        return Ok(Refill { plan, missed });
    }
    let walked = walk(&calendar, from, now, walk_max);
    let cut = walked.len() == walk_max;
    let overdue: Vec<TimestampMs> = known.iter().chain(&walked).copied().collect();
    let missed = records(&decide(&overdue, now, &misfire_of(view)));
    let decided = missed.last().map(|record| record.to);
    let left =
        |dues: &[TimestampMs]| dues.len() - dues.partition_point(|due| Some(*due) <= decided);
    let (known, walked) = (left(&known), left(&walked));
    // With more behind the walk, the newest walked ones are not decided: the next planning starts with them.
    let wanted = if cut { walked } else { walked + PLAN_AHEAD };
    let wanted = wanted.min(PLAN_MAX.saturating_sub(known));
    let plan = plan_behind(&calendar, from.max(decided), wanted);
    Ok(Refill { plan, missed })
}

/// The first `count` due times behind `from`.
fn plan_behind(calendar: &Calendar, from: Option<TimestampMs>, count: usize) -> Plan {
    let dues: Vec<TimestampMs> = following(calendar, from).take(count).collect();
    let end = dues.len() < count;
    Plan { dues, end }
}

/// The job's misfire policy as it holds for a plan.
fn misfire_of(view: &JobView) -> Misfire {
    let (misfire, jitter_ms) = (view.spec.misfire, view.spec.jitter_ms);
    Misfire {
        // Jitter delays a due time on purpose; that is no lateness.
        tolerance_ms: misfire.tolerance_ms.saturating_add(jitter_ms),
        catch_up_window_ms: misfire
            .catch_up_window_ms
            .map(|window| window.saturating_add(jitter_ms)),
        // What fires late stands in one plan with due times to come: only beside those is a turn sure to see the newest missed one.
        limit: misfire.limit.min(LATE_MAX),
        ..misfire
    }
}

/// Due times after `from` up to `to`, the oldest `walk_max` of them.
fn walk(
    calendar: &Calendar,
    from: Option<TimestampMs>,
    to: TimestampMs,
    walk_max: usize,
) -> Vec<TimestampMs> {
    following(calendar, from)
        .take_while(|due| *due <= to)
        .take(walk_max)
        .collect()
}

/// The due times after `from`; all of them when there is no `from`.
fn following(
    calendar: &Calendar,
    from: Option<TimestampMs>,
) -> impl Iterator<Item = TimestampMs> + '_ {
    let first = match from {
        Some(from) => calendar.next_after(from),
        None => calendar.first(),
    };
    std::iter::successors(first, |due| calendar.next_after(*due))
}

/// One record for each run of missed due times with the same reason.
fn records(verdicts: &[(TimestampMs, Verdict)]) -> Vec<LedgerRecord> {
    let mut records: Vec<LedgerRecord> = Vec::new();
    for (due, verdict) in verdicts {
        let Verdict::Missed(reason) = verdict else {
            continue;
        };
        match records.last_mut() {
            Some(last) if last.reason == Some(*reason) => {
                last.to = *due;
                last.count += 1;
            }
            Some(_) | None => {
                records.push(LedgerRecord::passed(*due, LedgerVerdict::Missed, *reason));
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

/// The due times after `from` up to `now`, skipped by a pause; at most [`WALK_MAX`], of which the redefinition that follows in the ledger
/// marks the end.
pub(super) fn paused(
    calendar: &Calendar,
    from: Option<TimestampMs>,
    now: TimestampMs,
) -> Vec<LedgerRecord> {
    let dues = walk(calendar, from, now, WALK_MAX);
    let record = dues.first().zip(dues.last()).map(|(first, last)| {
        let record = LedgerRecord::passed(*first, LedgerVerdict::Skipped, Reason::Paused);
        LedgerRecord {
            to: *last,
            count: dues.len() as u64,
            ..record
        }
    });
    record.into_iter().collect()
}
