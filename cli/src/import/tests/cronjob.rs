//! CronJobs, rule by rule.

use super::*;

/// A CronJob with these lines in its `spec`, and these in that of its Job.
fn cronjob(spec: &str, job: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: CronJob\nmetadata: {{ name: nightly, namespace: ops }}\nspec:\n  schedule: '0 3 * * *'\n{spec}\n  \
         jobTemplate:\n    spec:\n      template: {{ spec: {{ containers: [{{ image: 'a:1', command: [run] }}] }} }}\n{job}\n"
    )
}

fn told(spec: &str, job: &str) -> Vec<String> {
    let mut told = differences(Kind::Cronjob, &cronjob(spec, job));
    let pod = "Pod: a:1 run -> body.pod, for the handler run-container";
    assert_eq!(told.pop().as_deref(), Some(pod));
    told
}

/// The document without what every one has.
fn document(spec: &str, job: &str) -> serde_json::Value {
    let documents = documents(Kind::Cronjob, &cronjob(spec, job));
    let mut all = crate::manifest::Source::new("x", documents)
        .documents()
        .unwrap();
    all.remove(0)
}

const ALLOW: &str = "concurrencyPolicy: Allow -> overlap: parallel, limit 1000";

#[test]
fn a_cronjob_becomes_a_job_of_its_namespace() {
    let text = cronjob("  concurrencyPolicy: Replace", "      backoffLimit: 1");
    assert_eq!(
        documents(Kind::Cronjob, &text),
        "kind: Job
name: ops/nightly
group: default
handler: run-container
trigger:
  cron: 0 3 * * *
  time_zone: Europe/Berlin
body:
  pod:
    containers:
    - command:
      - run
      image: a:1
overlap:
  policy: replace
retries:
  cap: 6m
  delay: 10s
  jitter: none
  max_attempts: 2
"
    );
    assert_eq!(told("  concurrencyPolicy: Replace", ""), [] as [&str; 0]);
}

#[test]
fn policies_are_in_our_words() {
    let spec = |spec: &str| document(spec, "");
    assert_eq!(spec("")["overlap"]["policy"], "parallel");
    // That is what holds when nobody says.
    assert_eq!(spec("  concurrencyPolicy: Forbid").get("overlap"), None);
    assert_eq!(
        spec("  timeZone: Asia/Tokyo")["trigger"]["time_zone"],
        "Asia/Tokyo"
    );
    assert_eq!(
        spec("  successfulJobsHistoryLimit: 0\n  failedJobsHistoryLimit: 0")["runs_limit"],
        1
    );
    assert_eq!(spec("  failedJobsHistoryLimit: 9")["runs_limit"], 12);
    let misfire = spec("  startingDeadlineSeconds: 200")["misfire"].clone();
    assert_eq!(misfire, serde_json::json!({ "catch_up_window": "3m20s" }));
    let misfire = spec("  startingDeadlineSeconds: 1")["misfire"].clone();
    let near = serde_json::json!({ "tolerance": "1s", "catch_up_window": "1s" });
    assert_eq!(misfire, near);
    assert_eq!(
        spec("  suspend: true")["trigger"],
        serde_json::json!({ "manual": {} })
    );
    assert_eq!(
        told("  suspend: true", ""),
        [
            "suspend: suspended, with {\"cron\":\"0 3 * * *\",\"time_zone\":\"Europe/Berlin\"} -> trigger: manual",
            ALLOW
        ]
    );
    assert_eq!(
        told("  failedJobsHistoryLimit: 2", ""),
        [
            ALLOW,
            "history: 3 that succeeded, 2 that failed -> runs_limit: 5"
        ]
    );
}

#[test]
fn attempts_and_deadlines_are_those_of_the_job() {
    let job = |job: &str| document("", job);
    assert_eq!(job("")["retries"]["max_attempts"], 7);
    let none = job("      backoffLimit: 0\n      activeDeadlineSeconds: 90");
    assert_eq!(none["retries"]["max_attempts"], 1);
    assert_eq!(
        (&none["on_lease_lost"], &none["timeout"]),
        (&"fail".into(), &"1m30s".into())
    );
    assert_eq!(
        job("      backoffLimit: 5000")["retries"]["max_attempts"],
        1_000
    );
    assert_eq!(
        told(
            "",
            "      activeDeadlineSeconds: 90\n      ttlSecondsAfterFinished: 5"
        ),
        [
            ALLOW,
            "spec.jobTemplate.spec.ttlSecondsAfterFinished: 5 -> nothing",
            "activeDeadlineSeconds: 90 s in all -> timeout: 90s for each attempt"
        ]
    );
}

#[test]
fn indexes_are_an_indexed_model() {
    let indexed = "      completionMode: Indexed\n      completions: 9\n      parallelism: 3\n";
    let own = document(
        "",
        &format!("{indexed}      backoffLimitPerIndex: 1\n      maxFailedIndexes: 2"),
    );
    let model = serde_json::json!({ "completions": 9, "parallelism": 3, "max_failed": 2 });
    assert_eq!(own["model"]["indexed"], model);
    assert_eq!(own["model"]["subtask"]["retries"]["max_attempts"], 2);
    assert_eq!(own["retries"], serde_json::json!({ "max_attempts": 1 }));
    let counted = document("", indexed);
    assert_eq!(counted["model"]["indexed"]["max_failed"], 0);
    assert_eq!(
        told("", indexed),
        [
            ALLOW,
            "backoffLimit: backoffLimit: 6 -> model.subtask.retries.max_attempts: 7"
        ]
    );
    let plain = told("", "      completions: 2\n      backoffLimit: 0");
    assert_eq!(
        plain,
        [
            ALLOW,
            "completions: 2 Pods without an index -> model.indexed"
        ]
    );
    assert_eq!(
        told("", "      parallelism: 4"),
        [ALLOW, "parallelism: 4 Pods -> one run"]
    );
}

#[test]
fn every_object_of_every_document_is_told_of() {
    let text = format!("{}---\n{}", cronjob("", ""), cronjob("", ""));
    let names: Vec<String> = documents(Kind::Cronjob, &text)
        .lines()
        .filter(|line| line.starts_with("name: "))
        .map(str::to_owned)
        .collect();
    assert_eq!(names, ["name: ops/nightly", "name: ops/nightly-2"]);
    let json = r#"{"kind": "List", "items": [{"apiVersion": "batch/v1", "kind": "CronJob"}, {"kind": "Service"}, 7]}"#;
    let imported = import(Kind::Cronjob, json, &settings()).unwrap();
    assert_eq!(imported.report.missing(), Some((3, 3)));
}

#[test]
fn what_cannot_be_a_job_says_why() {
    for (text, why) in [
        ("kind: Job\n".to_owned(), "is a Job, which runs once"),
        ("a: 1\n".to_owned(), "it has no `kind`"),
        ("a: [\n".to_owned(), "is not YAML"),
        (
            "kind: CronJob\napiVersion: v2\n".to_owned(),
            "is of the version `v2`",
        ),
        (
            cronjob("  suspend: perhaps", ""),
            "spec.suspend is true or false",
        ),
        (
            cronjob("  concurrencyPolicy: Never", ""),
            "spec.concurrencyPolicy is Allow, Forbid or Replace, not Never",
        ),
        (cronjob("  timeZone: Local", ""), "trigger.time_zone"),
        (cronjob("", "      completions: 0"), "runs no Pod at all"),
        (
            cronjob("", "      completionMode: Indexed"),
            "is Indexed and has no completions",
        ),
        (
            cronjob("", "      backoffLimit: -1"),
            "spec.jobTemplate.spec.backoffLimit is a whole number from 0 on",
        ),
        (
            cronjob("", "")
                .replace("image", "x")
                .replace("[{ x: 'a:1', command: [run] }]", "[]"),
            "has no container",
        ),
        (
            cronjob("", "").replace("name: nightly, ", ""),
            "has no metadata.name",
        ),
        (
            cronjob("", "").replace("0 3 *", "0 3 L-40"),
            "trigger.cron: ",
        ),
    ] {
        let told = refusals(Kind::Cronjob, &text);
        assert!(told.contains(why), "{text}: {told}");
    }
}
