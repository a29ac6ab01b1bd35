//! Due times of each kind of trigger, within start and end.

use proptest::prelude::*;

use super::*;
use crate::id::{GroupName, HandlerName, JobName};
use crate::job::AfterOn;

const REGISTERED: TimestampMs = TimestampMs::new(1_767_225_600_000); // 2026-01-01T00:00:00Z

fn spec(trigger: Trigger) -> JobSpec {
    let handler = HandlerName::new("h").unwrap();
    JobSpec::new(
        JobName::new("x").unwrap(),
        GroupName::default(),
        handler,
        trigger,
    )
}

fn daily() -> Trigger {
    Trigger::Cron {
        expression: "0 0 * * *".into(),
        time_zone: String::new(),
    }
}

fn every(period_ms: u64, anchor: Option<u64>) -> Trigger {
    Trigger::FixedRate {
        period_ms,
        anchor_ms: anchor.map(TimestampMs::new),
    }
}

fn calendar(spec: &JobSpec) -> Calendar {
    Calendar::new(spec, REGISTERED).unwrap()
}

fn after_registration(ms: u64) -> TimestampMs {
    REGISTERED.plus_ms(ms)
}

const DAY: u64 = 86_400_000;

#[test]
fn cron_begins_after_the_registration_and_includes_its_start() {
    let mut job = spec(daily());
    assert_eq!(calendar(&job).first(), Some(after_registration(DAY)));
    job.start_at = Some(after_registration(5 * DAY));
    assert_eq!(calendar(&job).first(), Some(after_registration(5 * DAY)));
    assert_eq!(
        calendar(&job).next_after(REGISTERED),
        Some(after_registration(5 * DAY))
    );
}

#[test]
fn the_end_itself_still_counts() {
    let mut job = spec(daily());
    job.end_at = Some(after_registration(2 * DAY));
    let dues = [after_registration(DAY), after_registration(2 * DAY)];
    assert_eq!(calendar(&job).upcoming(REGISTERED, 10), dues);
    job.end_at = Some(after_registration(DAY - 1));
    assert_eq!(calendar(&job).first(), None);
}

#[test]
fn a_fixed_rate_keeps_the_phase_of_its_anchor_or_start_or_registration() {
    assert_eq!(
        calendar(&spec(every(700, None))).first(),
        Some(after_registration(700))
    );

    let anchored = spec(every(1_000, Some(REGISTERED.as_u64() + 5_250)));
    assert_eq!(calendar(&anchored).first(), Some(after_registration(250)));
    assert_eq!(
        calendar(&anchored).next_after(after_registration(7_250)),
        Some(after_registration(8_250))
    );

    let mut started = spec(every(1_000, None));
    started.start_at = Some(after_registration(300));
    assert_eq!(calendar(&started).first(), Some(after_registration(300)));
    assert_eq!(
        calendar(&started).next_after(after_registration(300)),
        Some(after_registration(1_300))
    );

    started.start_at = Some(REGISTERED.minus_ms(2_300));
    assert_eq!(calendar(&started).first(), Some(after_registration(700)));
}

#[test]
fn a_delay_has_one_due_time_and_waits_for_completions() {
    let mut job = spec(Trigger::FixedDelay { delay_ms: 10 });
    assert_eq!(calendar(&job).first(), Some(REGISTERED));
    assert_eq!(calendar(&job).next_after(REGISTERED), None);
    job.start_at = Some(after_registration(9));
    assert_eq!(calendar(&job).first(), Some(after_registration(9)));
}

#[test]
fn once_is_due_at_its_instant_even_when_it_has_passed() {
    let past = REGISTERED.minus_ms(1);
    let job = spec(Trigger::Once { at_ms: past });
    assert_eq!(calendar(&job).first(), Some(past));
    assert_eq!(calendar(&job).next_after(past), None);
}

#[test]
fn what_others_ask_for_has_no_due_time() {
    let after = Trigger::After {
        job: JobName::new("up").unwrap(),
        on: AfterOn::Ended,
    };
    for trigger in [Trigger::Manual, after] {
        assert_eq!(calendar(&spec(trigger)).first(), None);
    }
}

proptest! {
    #[test]
    fn grid_instants_are_a_period_apart_and_strictly_after(
        anchor in 0_u64..1 << 44, period_ms in 1_u64..1 << 36, eve in 0_u64..1 << 44,
    ) {
        let due = grid_after(TimestampMs::new(anchor), period_ms, TimestampMs::new(eve)).unwrap().as_u64();
        prop_assert!(due > eve && due <= eve.max(anchor) + period_ms);
        prop_assert_eq!(due.abs_diff(anchor) % period_ms, 0);
        prop_assert!(due < period_ms || due - period_ms <= eve);
    }
}
