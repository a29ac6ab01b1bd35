//! Whole documents: what is read, and every mistake at once.

mod documents;
mod limits;
mod model;
mod round_trip;
mod schema;

use serde_json::{Value, json};

use super::*;
use crate::job::{AfterOn, Backoff, JobSpec, Misfire, MisfirePolicy, Overlap, Priority, Trigger};
use crate::time::TimestampMs;

fn one(value: &Value) -> JobSpec {
    read_job(value).unwrap()
}

fn with_trigger(trigger: &Value) -> Value {
    json!({ "name": "x", "handler": "h", "trigger": trigger })
}

fn mistakes(value: &Value) -> Vec<String> {
    let wrong = read_job(value).unwrap_err();
    wrong.iter().map(ToString::to_string).collect()
}

#[test]
fn a_full_job_is_read_key_by_key() {
    let spec = one(&json!({ "kind": "Job",
        "namespace": "billing", "name": "nightly", "group": "heavy", "handler": "invoice/run",
        "body": { "b": 9_007_199_254_740_993_u64, "a": "ä" },
        "trigger": { "cron": "30 2 * * *", "time_zone": "Europe/Berlin" },
        "start_at": "2026-01-01T00:00:00Z", "end_at": 1_800_000_000_000_u64, "max_runs": 10, "jitter": "30s",
        "misfire": { "policy": "fire_all", "limit": 5, "tolerance": "1s", "catch_up_window": "1d" },
        "overlap": { "policy": "queue", "limit": 7 },
        "retries": { "max_attempts": 5, "backoff": "fixed", "delay": "2s", "jitter": "none" },
        "timeout": "10m", "cancel_grace": "1s", "start_deadline": "1h", "lease": "20s", "priority": "high",
        "on_lease_lost": "fail", "ledger_limit": 50, "runs_limit": 5, "description": "for people",
        "labels": { "team": "billing", "app/tier": "1" },
    }));
    assert_eq!(spec.name.as_str(), "billing/nightly");
    assert_eq!(
        spec.body.as_ref(),
        r#"{"a":"ä","b":9007199254740993}"#.as_bytes()
    );
    assert_eq!(spec.start_at, Some(TimestampMs::new(1_767_225_600_000)));
    assert_eq!(spec.jitter_ms, 30_000);
    let (policy, limit) = (MisfirePolicy::FireAll, 5);
    let misfire = Misfire {
        policy,
        limit,
        tolerance_ms: 1_000,
        catch_up_window_ms: Some(86_400_000),
    };
    assert_eq!(spec.misfire, misfire);
    assert_eq!(spec.overlap, Overlap::Queue(7));
    assert_eq!(
        spec.options.retry.backoff,
        Backoff::Fixed { delay_ms: 2_000 }
    );
    assert!(!spec.options.retry.full_jitter);
    assert!(spec.options.fail_on_lease_lost);
    assert_eq!(spec.options.priority, Priority::HIGH);
    assert_eq!(
        (spec.options.timeout_ms, spec.options.lease_ms),
        (Some(600_000), 20_000)
    );
    assert_eq!((spec.ledger_limit, spec.runs_limit), (50, 5));
    assert_eq!(spec.description, "for people");
    assert_eq!(spec.labels.get("app/tier").map(String::as_str), Some("1"));
}

#[test]
fn every_kind_of_trigger_is_read() {
    let job = crate::id::JobName::new("up").unwrap();
    let table = [
        (
            json!({ "cron": "@daily" }),
            Trigger::Cron {
                expression: "@daily".into(),
                time_zone: "UTC".into(),
            },
        ),
        (
            json!({ "fixed_rate": "10s" }),
            Trigger::FixedRate {
                period_ms: 10_000,
                anchor_ms: None,
            },
        ),
        (
            json!({ "fixed_rate": { "every": "1m", "anchor": 5_000 } }),
            Trigger::FixedRate {
                period_ms: 60_000,
                anchor_ms: Some(TimestampMs::new(5_000)),
            },
        ),
        (
            json!({ "fixed_delay": "5s" }),
            Trigger::FixedDelay { delay_ms: 5_000 },
        ),
        (
            json!({ "once": "1970-01-01T00:00:01Z" }),
            Trigger::Once {
                at_ms: TimestampMs::new(1_000),
            },
        ),
        (json!({ "manual": {} }), Trigger::Manual),
        (json!({ "manual": null }), Trigger::Manual),
        (json!("manual"), Trigger::Manual),
        (
            json!({ "after": "up" }),
            Trigger::After {
                job: job.clone(),
                on: AfterOn::Succeeded,
            },
        ),
        (
            json!({ "after": { "job": "up", "on": "ended" } }),
            Trigger::After {
                job,
                on: AfterOn::Ended,
            },
        ),
    ];
    for (given, expected) in table {
        assert_eq!(one(&with_trigger(&given)).trigger, expected);
    }
}

#[test]
fn short_forms_of_policies_are_read() {
    let mut job = with_trigger(&json!("manual"));
    job["misfire"] = json!("skip");
    job["overlap"] = json!("parallel(4)");
    job["priority"] = json!(4);
    job["body"] = json!("text");
    let spec = one(&job);
    assert_eq!(spec.misfire.policy, MisfirePolicy::Skip);
    assert_eq!(spec.overlap, Overlap::Parallel(4));
    assert_eq!(spec.options.priority, Priority::HIGHEST);
    assert_eq!(spec.body.as_ref(), br#""text""#);
}

#[test]
fn values_out_of_range_are_named_in_the_words_of_the_file() {
    let mut job = with_trigger(&json!({ "fixed_delay": "0ms" }));
    job["retries"] = json!({ "max_attempts": 0 });
    job["lease"] = json!("1ms");
    job["misfire"] = json!({ "limit": 0 });
    let paths: Vec<String> = read_job(&job)
        .unwrap_err()
        .into_iter()
        .map(|wrong| wrong.field)
        .collect();
    assert_eq!(
        paths,
        [
            "trigger.fixed_delay",
            "misfire.limit",
            "retries.max_attempts",
            "lease"
        ]
    );
}

#[test]
fn a_trigger_without_a_value_or_a_zone_without_cron_is_a_mistake() {
    assert_eq!(
        mistakes(&with_trigger(&json!({ "cron": null }))),
        ["trigger.cron: is missing"]
    );
    let zoned = with_trigger(&json!({ "fixed_rate": "1s", "time_zone": "UTC" }));
    assert_eq!(
        mistakes(&zoned),
        ["trigger.time_zone: belongs to `cron` (given: UTC)"]
    );
    assert_eq!(mistakes(&with_trigger(&json!({}))).len(), 1);
}

#[test]
fn a_name_with_a_slash_and_a_namespace_contradict_each_other() {
    let value = json!({ "namespace": "n", "name": "a/b", "handler": "h", "trigger": "manual" });
    assert_eq!(
        mistakes(&value),
        ["name: has no slash when there is a namespace (given: a/b)"]
    );
}
