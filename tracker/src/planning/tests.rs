//! Plans follow the calendar without a gap, fit into a job, and decide an outage as the misfire policy says.

use tickwheel_core::catch_up::{Verdict, decide};
use tickwheel_core::id::{GroupName, HandlerName, JobName};
use tickwheel_core::job::{JobSpec, Misfire, MisfirePolicy, Trigger};
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict, Reason};
use tickwheel_core::time::TimestampMs;
use tickwheel_store::job::{JobState, JobView};

use super::calendar::{PLAN_AHEAD, PLAN_MAX};
use super::catch_up::{LATE_MAX, Refill, refill_within};
use super::{plan_for, skipped_in_pause};

/// 2026-01-01T00:00:00Z.
const START: u64 = 1_767_225_600_000;
const WALK_MAX: usize = 5_000;

fn at(seconds: u64) -> TimestampMs {
    TimestampMs::new(START + seconds * 1_000)
}

fn spec(trigger: Trigger) -> JobSpec {
    let name = JobName::new("billing/nightly").unwrap();
    let group = GroupName::new("default").unwrap();
    JobSpec::new(name, group, HandlerName::new("close").unwrap(), trigger)
}

fn every_second() -> JobSpec {
    let (expression, zone) = ("* * * * * *".to_owned(), String::new());
    spec(Trigger::Cron {
        expression,
        time_zone: zone,
    })
}

/// The job as it is after its due time `last`, with the due times of `planned` laid in.
fn view(spec: JobSpec, last: Option<u64>, planned: impl IntoIterator<Item = u64>) -> JobView {
    let mut planned: Vec<TimestampMs> = planned.into_iter().map(at).collect();
    let next_due = (!planned.is_empty()).then(|| planned.remove(0));
    JobView {
        spec,
        revision: 1,
        state: JobState::Active,
        note: String::new(),
        created: at(0),
        updated: at(0),
        next_due,
        last_due: last.map(at),
        fired: 0,
        manual: 0,
        planned,
        plan_end: false,
        zones: String::new(),
        active: Vec::new(),
        queued: 0,
        followers: Vec::new(),
    }
}

/// The due times a job has after its refill, as the script lays them in; what the script would refuse fails the test.
fn laid(view: &JobView, refill: &Refill) -> Vec<TimestampMs> {
    let known: Vec<TimestampMs> = view
        .next_due
        .into_iter()
        .chain(view.planned.iter().copied())
        .collect();
    let decided = refill.missed.last().map(|record| record.to);
    let decided = decided.max(view.last_due).unwrap_or_default();
    let all = known.iter().chain(&refill.plan.dues).copied();
    let all: Vec<TimestampMs> = all.filter(|due| *due > decided).collect();
    assert!(all.is_sorted_by(|a, b| a < b), "{all:?}");
    assert!(all.len() <= PLAN_MAX, "{} due times", all.len());
    all
}

fn seconds_of(dues: &[TimestampMs]) -> Vec<u64> {
    dues.iter().map(|due| due.ms_since(at(0)) / 1_000).collect()
}

fn misfire(policy: MisfirePolicy, limit: u32, catch_up_window_ms: Option<u64>) -> Misfire {
    Misfire {
        policy,
        limit,
        catch_up_window_ms,
        ..Misfire::default()
    }
}

#[test]
fn a_plan_that_runs_low_goes_on_where_it_ends() {
    let view = view(every_second(), Some(9), 10..14);
    let refill = refill_within(&view, at(10), WALK_MAX).unwrap();
    assert!(refill.missed.is_empty() && !refill.plan.end);
    assert_eq!(
        seconds_of(&laid(&view, &refill)),
        (10..42).collect::<Vec<_>>()
    );
}

#[test]
fn the_end_of_the_calendar_is_said() {
    let mut job = every_second();
    job.end_at = Some(at(20));
    let view = view(job, Some(9), 10..14);
    let refill = refill_within(&view, at(10), WALK_MAX).unwrap();
    assert!(refill.plan.end);
    assert_eq!(seconds_of(&refill.plan.dues), (14..=20).collect::<Vec<_>>());
}

/// Outages of every length and each policy: the records and the plan together are the verdicts of core, without a gap, and the plan
/// reaches beyond now, since a turn that sees only past due times asks for another plan.
#[test]
fn an_outage_is_decided_as_core_decides_it() {
    let policies = [
        misfire(MisfirePolicy::Skip, 1, None),
        misfire(MisfirePolicy::FireOnce, 1, None),
        misfire(MisfirePolicy::FireAll, 3, None),
        misfire(MisfirePolicy::FireAll, 100, Some(60_000)),
        misfire(MisfirePolicy::FireAll, 900, None),
    ];
    for policy in policies {
        for known in [0, 1, 7, 32] {
            for now in [1, 4, 6, 31, 32, 33, 200, 1_000, 1_100, 4_000] {
                let mut job = every_second();
                job.misfire = policy;
                let view = view(job, Some(0), 1..=known);
                let refill = refill_within(&view, at(now), WALK_MAX).unwrap();
                let case = format!("{policy:?}, {known} known, {now} s later");

                let all: Vec<TimestampMs> = (1..=now.max(known)).map(at).collect();
                let past: Vec<TimestampMs> =
                    all.iter().copied().filter(|due| *due <= at(now)).collect();
                let fires = decide(&past, at(now), &policy)
                    .into_iter()
                    .filter(|(_, verdict)| *verdict == Verdict::Fire);
                let fires: Vec<TimestampMs> = fires.map(|(due, _)| due).collect();
                let laid = laid(&view, &refill);
                let missed: u64 = refill.missed.iter().map(|record| record.count).sum();

                // Known due times that reach beyond now are left to the turn, which sees all of them.
                if known > now {
                    assert_eq!(missed, 0, "{case}");
                    continue;
                }
                let come = laid.iter().filter(|due| **due <= at(now)).copied();
                assert_eq!(come.collect::<Vec<_>>(), fires, "{case}");
                assert_eq!(missed, past.len() as u64 - fires.len() as u64, "{case}");
                assert!(laid.last().is_some_and(|due| *due > at(now)), "{case}");
                let first = now + 1 - fires.len() as u64;
                let expected: Vec<u64> = (first..first + laid.len() as u64).collect();
                assert_eq!(seconds_of(&laid), expected, "{case}");
            }
        }
    }
}

#[test]
fn the_records_of_an_outage_are_one_for_each_reason() {
    let mut job = every_second();
    job.misfire = misfire(MisfirePolicy::FireAll, 10, Some(60_000));
    let view = view(job, Some(0), []);
    let refill = refill_within(&view, at(100), WALK_MAX).unwrap();
    let records: Vec<_> = refill
        .missed
        .iter()
        .map(|record| (record.from, record.to, record.count, record.reason))
        .collect();
    let expected = [
        (at(1), at(39), 39, Some(Reason::CatchUpWindow)),
        (at(40), at(84), 45, Some(Reason::MisfireLimit)),
    ];
    assert_eq!(records, expected);
}

#[test]
fn the_greatest_limit_still_leaves_room_for_a_due_time_to_come() {
    for known in [0, 1, 32] {
        let mut job = every_second();
        job.misfire = misfire(MisfirePolicy::FireAll, 1_000, None);
        let view = view(job, Some(0), 1..=known);
        for now in [990, 1_000, 1_020, 1_040, 3_000] {
            let refill = refill_within(&view, at(now), WALK_MAX).unwrap();
            let laid = laid(&view, &refill);
            assert!(
                laid.last().is_some_and(|due| *due > at(now)),
                "{known} known, {now} s later"
            );
        }
    }
}

#[test]
fn what_may_fire_late_is_the_plan_without_what_is_ahead() {
    assert_eq!(usize::try_from(LATE_MAX), Ok(PLAN_MAX - PLAN_AHEAD));
}

#[test]
fn jitter_is_no_lateness() {
    let mut job = every_second();
    job.jitter_ms = 20_000;
    let view = view(job, Some(0), []);
    let refill = refill_within(&view, at(25), WALK_MAX).unwrap();
    assert!(refill.missed.is_empty(), "{:?}", refill.missed);
}

/// A walk that is cut off decides only what the due times behind it cannot change, and the next one goes on there.
#[test]
fn an_outage_longer_than_one_walk_is_decided_over_several() {
    let policies = [
        misfire(MisfirePolicy::Skip, 1, None),
        misfire(MisfirePolicy::FireOnce, 1, None),
        misfire(MisfirePolicy::FireAll, 50, None),
    ];
    for policy in policies {
        let mut job = every_second();
        job.misfire = policy;
        let mut view = view(job, Some(0), []);
        let (now, mut missed, mut rounds) = (at(1_010), Vec::new(), 0);
        loop {
            let refill = refill_within(&view, now, 100).unwrap();
            let laid = laid(&view, &refill);
            let decided = refill.missed.last().map(|record| record.to);
            view.last_due = decided.max(view.last_due);
            missed.extend(refill.missed);
            view.next_due = laid.first().copied();
            view.planned = laid.into_iter().skip(1).collect();
            rounds += 1;
            assert!(rounds < 30, "{policy:?}");
            if view.planned.last().is_some_and(|due| *due > now) {
                break;
            }
        }
        let past: Vec<TimestampMs> = (1..=1_010).map(at).collect();
        let verdicts = decide(&past, now, &policy);
        let (mut count, mut reason) = (0, None);
        for (_, verdict) in &verdicts {
            if let Verdict::Missed(why) = verdict {
                (count, reason) = (count + 1, Some(*why));
            }
        }
        assert_eq!(missed.iter().map(|record| record.count).sum::<u64>(), count);
        assert!(missed.iter().all(|record| record.reason == reason));
        assert_eq!(view.next_due, Some(at(count + 1)), "{policy:?}");
    }
}

#[test]
fn a_pause_skips_every_due_time_it_covers() {
    let skipped = |view: &JobView| skipped_in_pause(view, at(100)).unwrap();
    let run = |record: &LedgerRecord| {
        assert_eq!(record.verdict, LedgerVerdict::Skipped);
        assert_eq!(record.reason, Some(Reason::Paused));
        (record.from, record.to, record.count)
    };
    let cron = view(every_second(), Some(9), 10..42);
    assert_eq!(
        skipped(&cron).iter().map(run).collect::<Vec<_>>(),
        [(at(10), at(100), 91)]
    );
    // Paused while no tracker had planned it.
    let unplanned = view(every_second(), Some(9), []);
    assert_eq!(
        skipped(&unplanned).iter().map(run).collect::<Vec<_>>(),
        [(at(10), at(100), 91)]
    );
    let grid = Trigger::FixedRate {
        period_ms: 7_000,
        anchor_ms: None,
    };
    assert_eq!(
        skipped(&view(spec(grid), Some(7), [14]))
            .iter()
            .map(run)
            .collect::<Vec<_>>(),
        [(at(14), at(98), 13)]
    );
    let delay = Trigger::FixedDelay { delay_ms: 1_000 };
    assert!(skipped(&view(spec(delay), Some(9), [10])).is_empty());
    let later = view(every_second(), Some(100), 101..110);
    assert!(skipped(&later).is_empty());
}

#[test]
fn the_first_plan_of_each_trigger_starts_at_its_first_due_time() {
    let plan = |trigger| plan_for(&spec(trigger), None, at(0)).unwrap();
    let cron = plan_for(&every_second(), None, at(0)).unwrap();
    assert_eq!(seconds_of(&cron.dues), (1..=32).collect::<Vec<_>>());
    let grid = plan(Trigger::FixedRate {
        period_ms: 5_000,
        anchor_ms: None,
    });
    assert_eq!((seconds_of(&grid.dues), grid.end), (vec![5], false));
    let delay = plan(Trigger::FixedDelay { delay_ms: 5_000 });
    assert_eq!((seconds_of(&delay.dues), delay.end), (vec![0], false));
    let past = plan(Trigger::Once {
        at_ms: TimestampMs::new(1_000),
    });
    assert_eq!(
        (past.dues.len(), past.end),
        (1, true),
        "the misfire policy decides"
    );
    let api = plan(Trigger::Manual);
    assert_eq!((api.dues.len(), api.end), (0, false));
}

#[test]
fn a_changed_job_keeps_what_was_decided() {
    let planned = |spec: &JobSpec, known: &JobView| plan_for(spec, Some(known), at(50)).unwrap();
    let cron = view(every_second(), Some(60), 61..80);
    assert_eq!(
        seconds_of(&planned(&cron.spec, &cron).dues)[0],
        61,
        "decided ahead of the clock"
    );
    let behind = view(every_second(), Some(10), 11..20);
    assert_eq!(seconds_of(&planned(&behind.spec, &behind).dues)[0], 50);
    let once = spec(Trigger::Once { at_ms: at(30) });
    let fired = view(once.clone(), Some(30), []);
    assert!(planned(&once, &fired).dues.is_empty());
    let waiting = view(once.clone(), None, [30]);
    assert_eq!(planned(&once, &waiting).dues, [at(30)]);
}
