//! Documents with their kinds, and the words that are none.

use serde_json::{Value, json};

use crate::manifest::{Document, Kind, parse_documents};

fn mistakes(value: &Value) -> Vec<String> {
    let wrong = parse_documents(value).unwrap_err();
    wrong.iter().map(ToString::to_string).collect()
}

fn job() -> Value {
    json!({ "kind": "Job", "name": "x", "handler": "h", "trigger": "manual" })
}

#[test]
fn a_file_is_a_document_or_a_list_of_them() {
    let limits = json!({ "kind": "Limits", "group": "x", "concurrency": 1 });
    for (value, expected) in [
        (job(), vec![(Kind::Job, "default/x")]),
        (limits.clone(), vec![(Kind::Limits, "x")]),
        (
            json!([job(), limits]),
            vec![(Kind::Job, "default/x"), (Kind::Limits, "x")],
        ),
        (json!([]), vec![]),
    ] {
        let read = parse_documents(&value).unwrap();
        let found: Vec<_> = read.iter().map(|one| (one.kind(), one.name())).collect();
        assert_eq!(found, expected);
    }
    assert!(matches!(
        &parse_documents(&job()).unwrap()[..],
        [Document::Job(_)]
    ));
}

#[test]
fn a_document_says_what_it_is() {
    let mut job = job();
    job["kind"] = json!("Jop");
    job["timout"] = json!("1s");
    let expected = [
        "kind: is Job or Limits; did you mean `Job`? (given: Jop)",
        "timout: is not a known key; did you mean `timeout`?",
    ];
    assert_eq!(mistakes(&job), expected);
    job["kind"] = json!(null);
    assert_eq!(mistakes(&job)[0], "kind: is missing; it is Job or Limits");
    let limits = json!({ "group": "a b", "concurrency": 1 });
    let expected = [
        "kind: is missing; it is Job or Limits",
        "group: consists of letters, digits and . _ / - (given: a b)",
    ];
    assert_eq!(mistakes(&limits), expected);
    assert_eq!(
        mistakes(&json!({ "jobs": [job] })),
        ["jobs: is no document: each job is one, with `kind: Job`, and `---` stands between them"]
    );
    assert_eq!(
        mistakes(&json!(5)),
        ["is a map with a `kind`, or a list of such maps (given: 5)"]
    );
}

#[test]
fn words_that_are_none_are_told_the_right_one() {
    let value = json!({
        "kind": "Job", "name": "x", "handler": "h", "note": "for people", "requires": { "gpu": 1 },
        "trigger": { "cron": "@daily", "zone": "UTC" },
    });
    let expected = [
        "trigger.zone: is called `time_zone`",
        "note: is called `description`",
        "requires: is called `resources`",
    ];
    assert_eq!(mistakes(&value), expected);
    let delay = "is no trigger; `fixed_delay` waits a span after the end, like fixed_delay: 5s";
    for (trigger, expected) in [
        (
            json!("api"),
            "trigger: is called `manual` (given: api)".to_owned(),
        ),
        (
            json!({ "api": {} }),
            "trigger.api: is called `manual`".to_owned(),
        ),
        (
            json!("second_delay"),
            format!("trigger: {delay} (given: second_delay)"),
        ),
        (
            json!({ "second_delay": 5 }),
            format!("trigger.second_delay: {delay}"),
        ),
    ] {
        let mut job = job();
        job["trigger"] = trigger;
        assert_eq!(mistakes(&job), [expected]);
    }
}

#[test]
fn labels_are_text_and_bounded() {
    let mut job = job();
    job["labels"] = json!({ "tier": 1, "team": "billing" });
    assert_eq!(mistakes(&job), ["labels.tier: is text (given: 1)"]);
    job["labels"] = json!({ "a b": "x", "team": "two words" });
    let found = mistakes(&job);
    assert!(
        found[0].starts_with("labels.a b: is 1 to 63 of"),
        "{found:?}"
    );
    assert!(
        found[1].starts_with("labels.team: has a value of at most 63"),
        "{found:?}"
    );
}

#[test]
fn all_mistakes_of_a_file_are_reported_at_once_with_their_paths() {
    let value = json!([
        { "kind": "Job", "name": "a", "handler": "h", "trigger": { "cron": "0 0 30 2 *", "time_zone": "UTC" }, "timout": "1s" },
        { "kind": "Job", "name": "b c", "trigger": { "cron": "* * * * *", "fixed_rate": "1s" }, "overlap": "queu(1)" },
        { "kind": "Job", "name": "default/c", "handler": "h", "trigger": { "fixed_rate": "1ms" }, "lease": 5,
          "retries": { "max_attempts": 0, "backoff": "expo" }, "priority": 9 },
    ]);
    let expected = [
        "[0].timout: is not a known key; did you mean `timeout`?",
        "[0].trigger.cron: never fires: no such day exists; a job that only runs when it is asked to has the trigger `manual` (given: 0 0 30 2 *)",
        "[1].name: consists of letters, digits and . _ / - (given: default/b c)",
        "[1].handler: is missing",
        "[1].trigger: has exactly one of cron, fixed_rate, fixed_delay, once, manual, after (given: cron, fixed_rate)",
        "[1].overlap: is parallel(n), queue(n), queue_one, discard or replace; did you mean `queue`? (given: queu)",
        "[2].retries.backoff: is fixed or exponential; did you mean `exponential`? (given: expo)",
        "[2].priority: is 0 (lowest) ..= 4 (highest) (given: 9)",
        "[2].lease: is a span with its unit, like 250ms, 10s or 1m30s (given: 5)",
        "[2].trigger.fixed_rate: is at least 10 ms (given: 1)",
    ];
    assert_eq!(mistakes(&value), expected);
}

#[test]
fn a_name_is_used_once() {
    let limits = json!({ "kind": "Limits", "group": "x", "rate": "5/s" });
    let expected = [
        "[1].name: is used once; [0] has it already (given: default/x)",
        "[3].group: is used once; [2] has it already (given: x)",
    ];
    assert_eq!(mistakes(&json!([job(), job(), limits, limits])), expected);
}
