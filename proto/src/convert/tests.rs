//! Everything of core survives the wire, and everything wrong on the wire is named with its path.

use bytes::Bytes;
use proptest::option;
use proptest::prelude::*;
use tickwheel_core::error::{Violation, Violations};
use tickwheel_core::id::{ContextId, GroupName, HandlerName, JobName};
use tickwheel_core::job::{
    AfterOn, Backoff, ContextOptions, JobSpec, Misfire, MisfirePolicy, Overlap, Priority,
    RetryPolicy, Trigger,
};
use tickwheel_core::ledger::{LedgerRecord, LedgerVerdict, Reason};
use tickwheel_core::partition::PartitionCount;
use tickwheel_core::run::ContextState;
use tickwheel_core::time::TimestampMs;

use super::*;

mod model;

use model::fans;

fn instants() -> impl Strategy<Value = TimestampMs> {
    any::<u64>().prop_map(TimestampMs::new)
}

fn names() -> impl Strategy<Value = JobName> {
    "[a-z]{1,8}/[A-Za-z0-9_][A-Za-z0-9._-]{0,19}".prop_map(|name| JobName::new(name).unwrap())
}

fn triggers() -> impl Strategy<Value = Trigger> {
    let ons = proptest::sample::select(AfterOn::ALL.to_vec());
    prop_oneof![
        (".{0,20}", "[A-Za-z/_]{1,20}").prop_map(|(expression, zone)| Trigger::Cron {
            expression,
            time_zone: zone
        }),
        (any::<u64>(), option::of(instants())).prop_map(|(period_ms, anchor_ms)| {
            Trigger::FixedRate {
                period_ms,
                anchor_ms,
            }
        }),
        any::<u64>().prop_map(|delay_ms| Trigger::FixedDelay { delay_ms }),
        instants().prop_map(|at_ms| Trigger::Once { at_ms }),
        Just(Trigger::Manual),
        (names(), ons).prop_map(|(job, on)| Trigger::After { job, on }),
    ]
}

fn misfires() -> impl Strategy<Value = Misfire> {
    let policies = proptest::sample::select(MisfirePolicy::ALL.to_vec());
    (policies, 1_u32.., any::<u64>(), any::<Option<u64>>()).prop_map(
        |(policy, limit, tolerance_ms, catch_up_window_ms)| Misfire {
            policy,
            limit,
            tolerance_ms,
            catch_up_window_ms,
        },
    )
}

fn overlaps() -> impl Strategy<Value = Overlap> {
    prop_oneof![
        (1_u32..).prop_map(Overlap::Parallel),
        (1_u32..).prop_map(Overlap::Queue),
        Just(Overlap::QueueOne),
        Just(Overlap::Discard),
        Just(Overlap::Replace),
    ]
}

fn options() -> impl Strategy<Value = ContextOptions> {
    let backoffs = prop_oneof![
        any::<u64>().prop_map(|delay_ms| Backoff::Fixed { delay_ms }),
        any::<(u64, u64)>()
            .prop_map(|(delay_ms, cap_ms)| Backoff::Exponential { delay_ms, cap_ms }),
    ];
    let retries =
        (any::<u32>(), backoffs, any::<bool>()).prop_map(|(max_attempts, backoff, full_jitter)| {
            RetryPolicy {
                max_attempts,
                backoff,
                full_jitter,
            }
        });
    let spans = (
        any::<Option<u64>>(),
        any::<u64>(),
        any::<Option<u64>>(),
        any::<u64>(),
    );
    (0_u8..=4, retries, spans, any::<bool>()).prop_map(
        |(priority, retry, spans, fail_on_lease_lost)| {
            let (timeout_ms, cancel_grace_ms, start_deadline_ms, lease_ms) = spans;
            let priority = Priority::new(priority).unwrap();
            ContextOptions {
                priority,
                retry,
                timeout_ms,
                cancel_grace_ms,
                start_deadline_ms,
                lease_ms,
                fail_on_lease_lost,
            }
        },
    )
}

fn specs() -> impl Strategy<Value = JobSpec> {
    let bounds = (
        option::of(instants()),
        option::of(instants()),
        any::<Option<u64>>(),
        any::<u64>(),
    );
    let kept = (
        any::<u32>(),
        any::<u32>(),
        ".{0,40}",
        proptest::collection::vec(any::<u8>(), 0..40),
    );
    (
        (names(), triggers(), misfires(), overlaps(), options()),
        bounds,
        kept,
        fans(),
    )
        .prop_map(|(what, bounds, kept, fan)| {
            let (name, trigger, misfire, overlap, options) = what;
            let (start_at, end_at, max_runs, jitter_ms) = bounds;
            let (ledger_limit, runs_limit, description, body) = kept;
            let (group, handler) = (
                GroupName::new("orders").unwrap(),
                HandlerName::new("close").unwrap(),
            );
            let body = Bytes::from(body);
            let (model, reduce, reduce_on, subtask) = fan;
            let spec = JobSpec::new(name, group, handler, trigger);
            JobSpec {
                body,
                start_at,
                end_at,
                max_runs,
                jitter_ms,
                misfire,
                overlap,
                options,
                ledger_limit,
                runs_limit,
                description,
                labels: [("team".to_owned(), "billing".to_owned())].into(),
                followed_by: ["reports", "eu"].map(|one| one.parse().unwrap()).into(),
                model,
                reduce,
                reduce_on,
                subtask,
                ..spec
            }
        })
}

fn ledger_records() -> impl Strategy<Value = LedgerRecord> {
    let reasons = proptest::sample::select(Reason::ALL.to_vec());
    let decided = prop_oneof![
        any::<bool>().prop_map(|with_context| {
            let job = JobName::new("billing/nightly").unwrap();
            let id = ContextId::firing(&job, TimestampMs::new(7), PartitionCount::default());
            (LedgerVerdict::Fired, None, with_context.then_some(id), None)
        }),
        (
            proptest::sample::select(vec![
                LedgerVerdict::Skipped,
                LedgerVerdict::Missed,
                LedgerVerdict::Cancelled
            ]),
            reasons
        )
            .prop_map(|(verdict, reason)| (verdict, Some(reason), None, None)),
        any::<u64>().prop_map(|revision| (LedgerVerdict::Redefined, None, None, Some(revision))),
    ];
    (
        instants(),
        instants(),
        any::<u64>(),
        option::of(1_u64..),
        decided,
    )
        .prop_map(|(from, to, count, decided_ms, decided)| {
            let (verdict, reason, context_id, revision) = decided;
            let decided_ms = decided_ms.map(TimestampMs::new);
            LedgerRecord {
                from,
                to,
                count,
                verdict,
                reason,
                decided_ms,
                context_id,
                revision,
            }
        })
}

proptest! {
    #[test]
    fn a_spec_survives_the_wire(spec in specs()) {
        prop_assert_eq!(JobSpec::try_from(v1::JobSpec::from(&spec)).unwrap(), spec);
    }

    #[test]
    fn a_ledger_record_survives_the_wire(record in ledger_records()) {
        prop_assert_eq!(LedgerRecord::try_from(v1::LedgerRecord::from(&record)).unwrap(), record);
    }
}

#[test]
fn a_state_survives_the_wire() {
    for state in ContextState::ALL {
        assert_eq!(
            state_from_wire(state_to_wire(*state).into()),
            Ok(Some(*state))
        );
    }
    assert_eq!(state_from_wire(0), Ok(None));
    assert_eq!(state_from_wire(99).unwrap_err().field, "state");
}

#[test]
fn what_is_absent_has_the_defaults_of_core() {
    let trigger = Some((&Trigger::Manual).into());
    let wire = v1::JobSpec {
        name: "nightly".to_owned(),
        handler: "close".to_owned(),
        trigger,
        ..Default::default()
    };
    let spec = JobSpec::try_from(wire).unwrap();
    let name = JobName::new("default/nightly").unwrap();
    let group = GroupName::new(DEFAULT_GROUP).unwrap();
    assert_eq!(
        spec,
        JobSpec::new(
            name,
            group,
            HandlerName::new("close").unwrap(),
            Trigger::Manual
        )
    );
}

#[test]
fn a_cron_trigger_without_a_zone_is_in_utc_as_in_a_file() {
    let cron = v1::trigger::Cron {
        expression: "@daily".to_owned(),
        time_zone: String::new(),
    };
    let wire = v1::Trigger {
        kind: Some(v1::trigger::Kind::Cron(cron)),
    };
    let expected = Trigger::Cron {
        expression: "@daily".to_owned(),
        time_zone: "UTC".to_owned(),
    };
    assert_eq!(Trigger::try_from(wire).unwrap(), expected);
}

fn fields(violations: &Violations) -> Vec<&str> {
    violations
        .iter()
        .map(|violation| violation.field.as_str())
        .collect()
}

#[test]
fn a_part_that_cannot_be_read_does_not_hide_a_value_out_of_range() {
    let wire = v1::JobSpec {
        name: "a".to_owned(),
        handler: "b".to_owned(),
        trigger: Some(v1::Trigger {
            kind: Some(v1::trigger::Kind::Manual(v1::trigger::Manual {})),
        }),
        max_runs: Some(0),
        misfire: Some(v1::Misfire {
            policy: 9,
            ..Default::default()
        }),
        ..Default::default()
    };
    let violations = JobSpec::try_from(wire).unwrap_err();
    let fields: Vec<&str> = violations.iter().map(|one| one.field.as_str()).collect();
    assert_eq!(fields, ["misfire.policy", "max_runs"]);
}

#[test]
fn every_mistake_of_a_job_is_named_at_once() {
    let after = v1::trigger::After {
        job: "no spaces".to_owned(),
        on: 9,
    };
    let wire = v1::JobSpec {
        name: "ümlaut".to_owned(),
        group: "a b".to_owned(),
        trigger: Some(v1::Trigger {
            kind: Some(v1::trigger::Kind::After(after)),
        }),
        misfire: Some(v1::Misfire {
            policy: 9,
            ..Default::default()
        }),
        overlap: Some(v1::Overlap {
            policy: v1::overlap::Policy::Discard.into(),
            limit: 3,
        }),
        options: Some(v1::ContextOptions {
            priority: Some(5),
            retry: Some(v1::Retry {
                cap_ms: 5,
                ..Default::default()
            }),
            ..Default::default()
        }),
        ..Default::default()
    };
    let violations = JobSpec::try_from(wire).unwrap_err();
    let expected = [
        "name",
        "group",
        "handler",
        "trigger.after.job",
        "trigger.after.on",
        "misfire.policy",
        "overlap.limit",
        "options.priority",
        "options.retry.cap_ms",
    ];
    assert_eq!(fields(&violations), expected);
}

#[test]
fn a_job_without_a_trigger_is_told_the_kinds() {
    let wire = v1::JobSpec {
        name: "a".to_owned(),
        handler: "b".to_owned(),
        ..Default::default()
    };
    let violations = JobSpec::try_from(wire).unwrap_err();
    assert_eq!(fields(&violations), ["trigger"]);
    assert!(
        violations.to_string().contains("fixed_delay"),
        "{violations}"
    );
}

#[test]
fn paths_of_a_trigger_lie_below_its_kind() {
    let violations: Violations = [
        "trigger.period_ms",
        "trigger.fixed_rate.anchor_ms",
        "trigger",
        "options.lease_ms",
    ]
    .map(|path| Violation::new(path, "is wrong", 0))
    .into_iter()
    .collect();
    let trigger = Trigger::FixedRate {
        period_ms: 0,
        anchor_ms: None,
    };
    let expected = [
        "trigger.fixed_rate.period_ms",
        "trigger.fixed_rate.anchor_ms",
        "trigger",
        "options.lease_ms",
    ];
    assert_eq!(fields(&wire_paths(violations, &trigger)), expected);
}

#[test]
fn a_submission_keeps_what_it_says() {
    let wire = v1::Submission {
        handler: "mail".to_owned(),
        body: Bytes::from_static(b"{\"id\":9007199254740993}"),
        when: Some(v1::submission::When::DelayMs(1_500)),
        dedup_key: "order-7".to_owned(),
        dedup_keep_ms: Some(60_000),
        ..Default::default()
    };
    let submission = Submission::try_from(wire).unwrap();
    assert_eq!(submission.group.as_str(), DEFAULT_GROUP);
    assert_eq!(submission.when, When::DelayMs(1_500));
    assert_eq!(
        &submission.body[..],
        b"{\"id\":9007199254740993}",
        "integers above 2^53 stay exact"
    );
    assert_eq!(submission.dedup.unwrap().keep_ms, Some(60_000));
    let at_once = v1::Submission {
        handler: "mail".to_owned(),
        ..Default::default()
    };
    assert_eq!(
        Submission::try_from(at_once).unwrap().when,
        When::DelayMs(0)
    );
}

#[test]
fn every_mistake_of_a_submission_is_named_at_once() {
    let wire = v1::Submission {
        group: "ä".to_owned(),
        handler: "x".repeat(129),
        body: vec![0; 262_145].into(),
        when: Some(v1::submission::When::AtMs(u64::MAX)),
        options: Some(v1::ContextOptions {
            lease_ms: Some(1),
            timeout_ms: Some(0),
            ..Default::default()
        }),
        dedup_key: "no\nbreaks".to_owned(),
        ..Default::default()
    };
    let violations = Submission::try_from(wire).unwrap_err();
    let expected = [
        "group",
        "handler",
        "body",
        "at_ms",
        "options.timeout_ms",
        "options.lease_ms",
        "dedup_key",
    ];
    assert_eq!(fields(&violations), expected);
    let keep = v1::Submission {
        handler: "x".to_owned(),
        dedup_keep_ms: Some(5),
        ..Default::default()
    };
    assert_eq!(
        fields(&Submission::try_from(keep).unwrap_err()),
        ["dedup_keep_ms"]
    );
}
