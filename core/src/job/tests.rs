//! Specs round-trip through msgpack, their digests are stable, and every broken range is reported.

use proptest::prelude::*;

use super::*;
use crate::error::Violations;
use crate::model::{Allocation, Broadcast, Indexed, Sharding, Success};

const NOW: TimestampMs = TimestampMs::new(1_772_000_000_000);

fn spec(trigger: Trigger) -> JobSpec {
    let name = JobName::new("billing/nightly").unwrap();
    JobSpec::new(
        name,
        GroupName::default(),
        HandlerName::new("invoice").unwrap(),
        trigger,
    )
}

fn fields(wrong: &Violations) -> Vec<&str> {
    wrong
        .iter()
        .map(|violation| violation.field.as_str())
        .collect()
}

#[test]
fn a_wrong_zone_hides_no_wrong_expression() {
    let trigger = Trigger::Cron {
        expression: "* * * *".to_owned(),
        time_zone: "Mars".to_owned(),
    };
    let wrong = spec(trigger).validate(NOW).unwrap_err();
    let fields: Vec<&str> = wrong.iter().map(|wrong| wrong.field.as_str()).collect();
    assert_eq!(fields, ["trigger.time_zone", "trigger.cron"]);
}

#[test]
fn the_defaults_are_those_of_the_documents() {
    let spec = spec(Trigger::Manual);
    assert_eq!(spec.overlap, Overlap::Discard);
    assert_eq!(spec.misfire.policy, MisfirePolicy::FireOnce);
    assert_eq!(spec.misfire.tolerance_ms, 5_000);
    let options = spec.options;
    assert_eq!(
        (
            options.lease_ms,
            options.cancel_grace_ms,
            options.timeout_ms
        ),
        (10_000, 5_000, None)
    );
    assert_eq!(options.retry.max_attempts, 3);
    assert_eq!(
        options.retry.backoff,
        Backoff::Exponential {
            delay_ms: 1_000,
            cap_ms: 60_000
        }
    );
    assert!(options.retry.full_jitter);
    assert_eq!((spec.ledger_limit, spec.runs_limit), (1_000, 100));
    assert_eq!(spec.validate(NOW), Ok(()));
}

#[test]
fn a_record_with_only_the_needed_fields_decodes_to_the_defaults() {
    let least = serde_json::json!({
        "name": "billing/nightly", "group": "default", "handler": "invoice", "trigger": "manual",
    });
    let bytes = rmp_serde::to_vec_named(&least).unwrap();
    assert_eq!(JobSpec::decode(&bytes), Ok(spec(Trigger::Manual)));
    assert!(JobSpec::decode(b"nonsense").is_err());
}

#[test]
fn the_digest_is_stable_and_sees_every_change() {
    let one = spec(Trigger::FixedDelay { delay_ms: 5 });
    assert_eq!(one.digest(), "eb5e3842019f3e9c6001d8f2327d2995ac2d9e69");
    let other = JobSpec {
        description: "changed".into(),
        ..one.clone()
    };
    assert_ne!(one.digest(), other.digest());
}

#[test]
fn every_broken_range_is_reported_at_once() {
    let mut wrong = spec(Trigger::FixedRate {
        period_ms: 9,
        anchor_ms: Some(TimestampMs::new(1 << 44)),
    });
    wrong.body = vec![0; 262_145].into();
    wrong.description = "x".repeat(1_025);
    wrong.start_at = Some(TimestampMs::new(2));
    wrong.end_at = Some(TimestampMs::new(1));
    wrong.max_runs = Some(0);
    wrong.jitter_ms = u64::MAX;
    wrong.ledger_limit = 0;
    wrong.runs_limit = 10_001;
    wrong.misfire = Misfire {
        limit: 1_001,
        catch_up_window_ms: Some(u64::MAX),
        ..Misfire::default()
    };
    wrong.overlap = Overlap::Parallel(0);
    wrong.options.lease_ms = 1;
    wrong.options.timeout_ms = Some(0);
    wrong.options.start_deadline_ms = Some(0);
    wrong.options.retry.max_attempts = 1_001;
    wrong.options.retry.backoff = Backoff::Exponential {
        delay_ms: 2,
        cap_ms: 1,
    };
    let expected = [
        "description",
        "max_runs",
        "ledger_limit",
        "runs_limit",
        "trigger.period_ms",
        "trigger.anchor_ms",
        "body",
        "end_at",
        "jitter_ms",
        "misfire.limit",
        "misfire.catch_up_window_ms",
        "overlap.limit",
        "options.retry.max_attempts",
        "options.retry.cap_ms",
        "options.timeout_ms",
        "options.start_deadline_ms",
        "options.lease_ms",
    ];
    assert_eq!(fields(&wrong.validate(NOW).unwrap_err()), expected);
}

#[test]
fn a_trigger_that_never_fires_again_is_refused() {
    let cron = |expression: &str| Trigger::Cron {
        expression: expression.into(),
        time_zone: "UTC".into(),
    };
    let refused = |trigger| fields(&spec(trigger).validate(NOW).unwrap_err()).join(" ");
    assert_eq!(refused(cron("0 0 0 1 1 ? 2020")), "trigger");
    assert_eq!(refused(cron("0 0 30 2 *")), "trigger.cron");
    assert_eq!(
        refused(Trigger::Cron {
            expression: "@daily".into(),
            time_zone: "X/Y".into()
        }),
        "trigger.time_zone"
    );
    assert_eq!(
        refused(Trigger::FixedDelay { delay_ms: 0 }),
        "trigger.delay_ms"
    );
    let mut over = spec(cron("@daily"));
    over.end_at = Some(NOW);
    assert_eq!(fields(&over.validate(NOW).unwrap_err()), ["trigger"]);
}

#[test]
fn overlap_and_priority_are_words() {
    for text in [
        "parallel(4)",
        "queue(10)",
        "queue_one",
        "discard",
        "replace",
    ] {
        assert_eq!(text.parse::<Overlap>().unwrap().to_string(), text);
    }
    assert_eq!("queue".parse(), Ok(Overlap::Queue(1_000)));
    for wrong in [
        "parallel",
        "parallel()",
        "queue(x)",
        "queue(1",
        "discard(1)",
        "other",
    ] {
        assert!(wrong.parse::<Overlap>().is_err(), "{wrong}");
    }
    for (level, word) in Priority::WORDS.iter().enumerate() {
        let priority: Priority = word.parse().unwrap();
        assert_eq!(usize::from(priority.as_u8()), level);
        assert_eq!(level.to_string().parse(), Ok(priority));
        assert_eq!(priority.to_string(), *word);
    }
    assert!("5".parse::<Priority>().is_err());
    assert!(Priority::try_from(260_u32).is_err());
}

fn any_trigger() -> impl Strategy<Value = Trigger> {
    let instant = (0_u64..1 << 44).prop_map(TimestampMs::new);
    prop_oneof![
        ("[0-9* /]{1,20}", "[A-Za-z/]{0,20}").prop_map(|(expression, zone)| Trigger::Cron {
            expression,
            time_zone: zone
        }),
        (any::<u64>(), proptest::option::of(instant.clone())).prop_map(|(period_ms, anchor_ms)| {
            Trigger::FixedRate {
                period_ms,
                anchor_ms,
            }
        }),
        any::<u64>().prop_map(|delay_ms| Trigger::FixedDelay { delay_ms }),
        instant.prop_map(|at_ms| Trigger::Once { at_ms }),
        Just(Trigger::Manual),
        (0..AfterOn::ALL.len()).prop_map(|on| {
            Trigger::After {
                job: JobName::new("a/b").unwrap(),
                on: AfterOn::ALL[on],
            }
        }),
    ]
}

fn any_overlap() -> impl Strategy<Value = Overlap> {
    prop_oneof![
        any::<u32>().prop_map(Overlap::Parallel),
        any::<u32>().prop_map(Overlap::Queue),
        Just(Overlap::QueueOne),
        Just(Overlap::Discard),
        Just(Overlap::Replace),
    ]
}

proptest! {
    #[test]
    fn a_spec_round_trips_through_msgpack(
        trigger in any_trigger(), overlap in any_overlap(), body: Vec<u8>, max_runs: Option<u64>, fixed: bool, level in 0_u8..=4,
    ) {
        let mut spec = spec(trigger);
        spec.overlap = overlap;
        spec.body = body.into();
        spec.max_runs = max_runs;
        spec.options.priority = Priority::new(level).unwrap();
        if fixed {
            spec.options.retry.backoff = Backoff::Fixed { delay_ms: 7 };
        }
        prop_assert_eq!(JobSpec::decode(&spec.encode()), Ok(spec));
    }
}

/// Records and digests from before there were models stay what they were, and each new field makes another job.
#[test]
fn a_model_is_written_only_where_there_is_one() {
    let plain = spec(Trigger::Manual);
    let text = String::from_utf8_lossy(&plain.encode()).into_owned();
    for key in ["model", "reduce", "subtask"] {
        assert!(!text.contains(key), "{key} is in {text}");
    }
    let sharding = Sharding {
        items: vec!["0=a".parse().unwrap(), "1=b".parse().unwrap()],
        allocation: Allocation::Odevity,
    };
    let indexed = Indexed {
        completions: 10_000_000,
        parallelism: 3,
        max_failed: Some(2),
        success: Some(Success {
            indexes: vec![1, 2],
            count: Some(1),
        }),
    };
    let broadcast = Model::Broadcast(Broadcast { quorum: Some(3) });
    let with = |model: Model| JobSpec {
        model,
        ..plain.clone()
    };
    let mut subtask = plain.subtask;
    subtask.retry.max_attempts = 7;
    let several = [
        with(broadcast.clone()),
        with(Model::Broadcast(Broadcast::default())),
        with(Model::Sharding(sharding)),
        with(Model::Indexed(indexed)),
        JobSpec {
            reduce: Some(HandlerName::new("sum").unwrap()),
            ..with(broadcast.clone())
        },
        JobSpec {
            reduce: Some(HandlerName::new("sum").unwrap()),
            reduce_on: ReduceOn::Succeeded,
            ..with(broadcast)
        },
        JobSpec {
            subtask,
            ..plain.clone()
        },
    ];
    let mut digests = vec![plain.digest()];
    for spec in several {
        assert_eq!(JobSpec::decode(&spec.encode()), Ok(spec.clone()));
        assert_eq!(spec.validate(NOW), Ok(()));
        assert!(!digests.contains(&spec.digest()), "{spec:?}");
        digests.push(spec.digest());
    }
}

#[test]
fn mistakes_of_a_model_stand_beside_those_of_the_rest() {
    let mut wrong = spec(Trigger::Manual);
    wrong.max_runs = Some(0);
    wrong.model = Model::Broadcast(Broadcast { quorum: Some(0) });
    wrong.reduce_on = ReduceOn::Succeeded;
    wrong.subtask.lease_ms = 1;
    let expected = [
        "max_runs",
        "model.broadcast.quorum",
        "reduce_on",
        "subtask.lease_ms",
    ];
    assert_eq!(fields(&wrong.check().unwrap_err()), expected);
}
