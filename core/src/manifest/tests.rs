//! Whole manifests: what is read, and every mistake at once.

use serde_json::json;

use super::*;
use crate::job::{AfterOn, Backoff, Misfire, MisfirePolicy, Overlap, Priority, Trigger};
use crate::time::TimestampMs;

fn one(value: &Value) -> JobSpec {
    let mut jobs = parse_manifest(value).unwrap();
    assert_eq!(jobs.len(), 1);
    jobs.remove(0)
}

fn with_trigger(trigger: &Value) -> Value {
    json!({ "name": "x", "handler": "h", "trigger": trigger })
}

fn mistakes(value: &Value) -> Vec<String> {
    let wrong = parse_manifest(value).unwrap_err();
    wrong.iter().map(ToString::to_string).collect()
}

#[test]
fn a_full_job_is_read_key_by_key() {
    let spec = one(&json!({ "jobs": [{
        "namespace": "billing", "name": "nightly", "group": "heavy", "handler": "invoice/run",
        "body": { "b": 9_007_199_254_740_993_u64, "a": "ä" },
        "trigger": { "cron": "30 2 * * *", "zone": "Europe/Berlin" },
        "start_at": "2026-01-01T00:00:00Z", "end_at": 1_800_000_000_000_u64, "max_runs": 10, "jitter": "30s",
        "misfire": { "policy": "fire_all", "limit": 5, "tolerance": "1s", "catch_up_window": "1d" },
        "overlap": { "policy": "queue", "limit": 7 },
        "retries": { "max_attempts": 5, "backoff": "fixed", "delay": "2s", "jitter": "none" },
        "timeout": "10m", "cancel_grace": "1s", "start_deadline": "1h", "lease": "20s", "priority": "high",
        "on_lease_lost": "fail", "ledger_limit": 50, "runs_limit": 5, "note": "for people",
    }] }));
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
}

#[test]
fn every_kind_of_trigger_is_read() {
    let job = crate::id::JobName::new("up").unwrap();
    let table = [
        (
            json!({ "cron": "@daily" }),
            Trigger::Cron {
                expression: "@daily".into(),
                zone: "UTC".into(),
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
            json!({ "second_delay": 5 }),
            Trigger::SecondDelay { seconds: 5 },
        ),
        (
            json!({ "second_delay": "5s" }),
            Trigger::SecondDelay { seconds: 5 },
        ),
        (
            json!({ "once": "1970-01-01T00:00:01Z" }),
            Trigger::Once {
                at_ms: TimestampMs::new(1_000),
            },
        ),
        (json!({ "api": {} }), Trigger::Api),
        (json!({ "api": null }), Trigger::Api),
        (json!("api"), Trigger::Api),
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
fn a_file_is_a_map_a_list_or_one_job() {
    let job = with_trigger(&json!("api"));
    for value in [json!({ "jobs": [job] }), json!([job]), job] {
        assert_eq!(one(&value).name.as_str(), "default/x");
    }
    assert_eq!(parse_manifest(&json!({ "jobs": [] })), Ok(vec![]));
    assert_eq!(mistakes(&json!(5)).len(), 1);
}

#[test]
fn short_forms_of_policies_are_read() {
    let mut job = with_trigger(&json!("api"));
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
fn all_mistakes_of_a_file_are_reported_at_once_with_their_paths() {
    let value = json!({ "jobs": [
        { "name": "a", "handler": "h", "trigger": { "cron": "0 0 30 2 *", "zone": "UTC" }, "timout": "1s" },
        { "name": "b c", "trigger": { "cron": "* * * * *", "fixed_rate": "1s" }, "overlap": "queu(1)" },
        { "name": "default/a", "handler": "h", "trigger": { "fixed_rate": "1ms" }, "lease": 5,
          "retries": { "max_attempts": 0, "backoff": "expo" }, "priority": 9 },
    ], "job": 1 });
    let expected = [
        "job: is not a known key; did you mean `jobs`?",
        "jobs[0].timout: is not a known key; did you mean `timeout`?",
        "jobs[0].trigger.cron: never fires: no such day exists; a job that only runs when it is asked to has the trigger `api` (given: 0 0 30 2 *)",
        "jobs[1].name: consists of letters, digits and . _ / - (given: default/b c)",
        "jobs[1].handler: is missing",
        "jobs[1].trigger: has exactly one of cron, fixed_rate, fixed_delay, second_delay, once, api, after \
         (given: cron, fixed_rate)",
        "jobs[1].overlap: is parallel(n), queue(n), queue_one, discard or replace; did you mean `queue`? (given: queu)",
        "jobs[2].name: is used once in a file; jobs[0] has it already (given: default/a)",
        "jobs[2].retries.backoff: is fixed or exponential; did you mean `exponential`? (given: expo)",
        "jobs[2].priority: is 0 (lowest) ..= 4 (highest) (given: 9)",
        "jobs[2].lease: is a span with its unit, like 250ms, 10s or 1m30s (given: 5)",
        "jobs[2].trigger.fixed_rate: is at least 10 ms (given: 1)",
    ];
    assert_eq!(mistakes(&value), expected);
}

#[test]
fn values_out_of_range_are_named_in_the_words_of_the_file() {
    let mut job = with_trigger(&json!({ "second_delay": 61 }));
    job["retries"] = json!({ "max_attempts": 0 });
    job["lease"] = json!("1ms");
    job["misfire"] = json!({ "limit": 0 });
    let paths: Vec<String> = parse_manifest(&job)
        .unwrap_err()
        .into_iter()
        .map(|wrong| wrong.field)
        .collect();
    assert_eq!(
        paths,
        [
            "trigger.second_delay",
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
    let zoned = with_trigger(&json!({ "fixed_rate": "1s", "zone": "UTC" }));
    assert_eq!(
        mistakes(&zoned),
        ["trigger.zone: belongs to `cron` (given: UTC)"]
    );
    assert_eq!(mistakes(&with_trigger(&json!({}))).len(), 1);
}

#[test]
fn a_name_with_a_slash_and_a_namespace_contradict_each_other() {
    let value = json!({ "namespace": "n", "name": "a/b", "handler": "h", "trigger": "api" });
    assert_eq!(
        mistakes(&value),
        ["name: has no slash when there is a namespace (given: a/b)"]
    );
}
