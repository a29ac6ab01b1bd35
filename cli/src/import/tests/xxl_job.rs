//! Rows of xxl-job, rule by rule.

use super::*;

/// Rows in SQL, each with these columns in place of the usual ones.
fn rows(rows: &[&[(&str, &str)]]) -> String {
    let row = |changes: &&[(&str, &str)]| {
        let mut cells = vec![
            ("id", "7"),
            ("job_group", "1"),
            ("schedule_type", "CRON"),
            ("schedule_conf", "0 0 3 * * ?"),
            ("misfire_strategy", "DO_NOTHING"),
            ("executor_route_strategy", "ROUND"),
            ("executor_handler", "close"),
            ("executor_block_strategy", "COVER_EARLY"),
            ("glue_type", "BEAN"),
            ("trigger_status", "1"),
        ];
        for (column, value) in *changes {
            cells.retain(|(known, _)| known != column);
            cells.push((column, value));
        }
        let columns: Vec<&str> = cells.iter().map(|(column, _)| *column).collect();
        let values: Vec<String> = cells
            .iter()
            .map(|(_, value)| format!("'{value}'"))
            .collect();
        format!(
            "INSERT INTO `xxl_job_info` ({}) VALUES ({});\n",
            columns.join(","),
            values.join(",")
        )
    };
    rows.iter().map(row).collect()
}

fn document(changes: &[(&str, &str)]) -> serde_json::Value {
    let documents = documents(Kind::XxlJob, &rows(&[changes]));
    let mut all = crate::manifest::Source::new("x", documents)
        .documents()
        .unwrap();
    all.remove(0)
}

/// What differs beside what differs in each.
fn told(changes: &[(&str, &str)]) -> Vec<String> {
    let mut told = differences(Kind::XxlJob, &rows(&[changes]));
    for usual in [
        "job_group: 1 -> group: executor-1",
        "executor_block_strategy: for each executor -> for the whole cluster",
        "executor_handler: close -> handler: close",
    ] {
        told.retain(|one| one != usual);
    }
    told
}

#[test]
fn a_row_becomes_a_job() {
    let text = rows(&[&[
        ("author", "li"),
        ("job_desc", "Closes it"),
        ("executor_param", "a=\\'1\\'"),
        ("executor_timeout", "60"),
        ("executor_fail_retry_count", "3"),
    ]]);
    assert_eq!(
        documents(Kind::XxlJob, &text),
        "kind: Job
name: default/close-7
description: Closes it
labels:
  author: li
group: executor-1
handler: close
trigger:
  cron: 0 0 3 * * ?
  time_zone: Europe/Berlin
body: a='1'
misfire:
  policy: skip
overlap:
  policy: replace
retries:
  backoff: fixed
  delay: 10s
  max_attempts: 4
timeout: 1m
routing:
  policy: round_robin
"
    );
    assert_eq!(told(&[]), [] as [&str; 0]);
}

#[test]
fn strategies_are_in_our_words() {
    for (word, policy) in [
        ("FIRST", "failover"),
        ("LAST", "failover"),
        ("RANDOM", "random"),
        ("CONSISTENT_HASH", "consistent_hash"),
        ("LEAST_FREQUENTLY_USED", "least_frequently_used"),
        ("LEAST_RECENTLY_USED", "least_recently_used"),
        ("FAILOVER", "failover"),
        ("BUSYOVER", "busy_transfer"),
    ] {
        let made = document(&[("executor_route_strategy", word)]);
        assert_eq!(made["routing"]["policy"], policy, "{word}");
    }
    let broadcast = document(&[
        ("executor_route_strategy", "SHARDING_BROADCAST"),
        ("executor_fail_retry_count", "4"),
    ]);
    assert_eq!(broadcast["model"]["broadcast"], serde_json::json!({}));
    assert_eq!(broadcast["model"]["subtask"]["retries"]["max_attempts"], 5);
    assert_eq!(broadcast["retries"]["max_attempts"], 1);
    assert_eq!(broadcast.get("routing"), None);
    let overlap = |word| document(&[("executor_block_strategy", word)])["overlap"].clone();
    assert_eq!(
        overlap("SERIAL_EXECUTION"),
        serde_json::json!({ "policy": "queue", "limit": 1_000 })
    );
    assert_eq!(
        document(&[("misfire_strategy", "FIRE_ONCE_NOW")]).get("misfire"),
        None
    );
    let none = document(&[]);
    assert_eq!(
        (&none["retries"]["max_attempts"], &none["on_lease_lost"]),
        (&1.into(), &"fail".into())
    );
}

#[test]
fn times_are_those_of_the_row() {
    let trigger = |changes: &[(&str, &str)]| document(changes)["trigger"].clone();
    let rate = [("schedule_type", "FIX_RATE"), ("schedule_conf", "90")];
    assert_eq!(trigger(&rate)["fixed_rate"]["every"], "1m30s");
    assert_eq!(
        trigger(&[("job_cron", "0/5 * * * * ?")])["cron"],
        "0/5 * * * * ?"
    );
    assert_eq!(
        trigger(&[("schedule_timezone", "Asia/Tokyo")])["time_zone"],
        "Asia/Tokyo"
    );
    let manual = serde_json::json!({ "manual": {} });
    assert_eq!(trigger(&[("schedule_type", "NONE")]), manual);
    assert_eq!(trigger(&[("trigger_status", "0")]), manual);
    assert_eq!(
        told(&[("trigger_status", "0")]),
        [
            "trigger_status: stopped, with {\"cron\":\"0 0 3 * * ?\",\"time_zone\":\"Europe/Berlin\"} -> trigger: manual"
        ]
    );
}

#[test]
fn what_differs_is_told_with_each_row() {
    for (changes, difference) in [
        (
            ("executor_route_strategy", "LAST"),
            "executor_route_strategy: LAST -> routing: failover",
        ),
        (("alarm_email", "a@b.c"), "alarm_email: a@b.c -> nothing"),
        (("author", "王 五"), "author: 王 五 -> description"),
        (("tenant", "acme"), "tenant: acme -> nothing"),
        (
            ("executor_handler", "send it"),
            "executor_handler: send it -> handler: send-it",
        ),
        (("child_jobid", "99"), "child_jobid: 99 -> nothing"),
        (
            ("executor_fail_retry_count", "5000"),
            "executor_fail_retry_count: 5000 -> max_attempts: 1000",
        ),
    ] {
        assert!(
            told(&[changes]).contains(&difference.to_owned()),
            "{changes:?}: {:?}",
            told(&[changes])
        );
    }
}

#[test]
fn children_follow_their_parents_unless_they_have_times() {
    let text = rows(&[
        &[("id", "1"), ("child_jobid", "2, 3,1,2")],
        &[
            ("id", "2"),
            ("schedule_type", "NONE"),
            ("child_jobid", "3,4"),
        ],
        &[("id", "3"), ("child_jobid", "2")],
        &[("id", "4"), ("trigger_status", "0"), ("child_jobid", "2")],
    ]);
    let documents = documents(Kind::XxlJob, &text);
    let all = crate::manifest::Source::new("x", documents)
        .documents()
        .unwrap();
    let upstream = |place: usize| all[place]["trigger"]["after"]["job"].as_str();
    assert_eq!(
        [0, 1, 2, 3].map(upstream),
        [None, Some("default/close-1"), None, Some("default/close-2")]
    );
    let imported = import(Kind::XxlJob, &text, &settings()).unwrap();
    let about = |place: usize| -> Vec<(String, &str)> {
        let entry = &imported.report.entries[place];
        let children = entry
            .differences
            .iter()
            .filter(|one| one.about == "child_jobid");
        children
            .map(|one| (one.was.clone(), one.reason.why))
            .collect()
    };
    assert_eq!(about(0), []);
    // From job 1 once more, from 3, and from 4.
    assert_eq!(about(1).len(), 3, "{:?}", about(1));
    assert_eq!(about(2).len(), 2, "{:?}", about(2));
}

#[test]
fn jobs_in_a_circle_are_taken_out_of_it() {
    let text = rows(&[
        &[("id", "1"), ("schedule_type", "NONE"), ("child_jobid", "2")],
        &[("id", "2"), ("schedule_type", "NONE"), ("child_jobid", "1")],
    ]);
    let imported = import(Kind::XxlJob, &text, &settings()).unwrap();
    assert_eq!(imported.report.missing(), None);
    assert_eq!(imported.documents.matches("after:").count(), 1);
    assert!(
        imported
            .report
            .text()
            .contains("jobs that follow each other in a circle never end")
    );
}

#[test]
fn nobody_follows_what_is_not_imported() {
    let text = rows(&[
        &[
            ("id", "1"),
            ("glue_type", "GLUE_PYTHON"),
            ("child_jobid", "2"),
        ],
        &[("id", "2"), ("schedule_type", "NONE"), ("child_jobid", "1")],
    ]);
    let imported = import(Kind::XxlJob, &text, &settings()).unwrap();
    assert_eq!(imported.report.missing(), Some((1, 2)));
    assert!(!imported.documents.contains("after:"));
    assert!(imported.report.text().contains("child_jobid: 1 -> nothing"));
}

#[test]
fn what_cannot_be_a_job_says_why() {
    for (changes, why) in [
        (
            ("glue_type", "GLUE_SHELL"),
            "its code is a script in the database",
        ),
        (
            ("schedule_conf", "0 3 * * *"),
            "schedule_conf has six or seven fields, as Quartz has, not 0 3 * * *",
        ),
        (
            ("schedule_conf", "0 0 25 * * ?"),
            "trigger.cron: hour is 0..=23, not 25",
        ),
        (
            ("schedule_conf", "0 0 0 1 1 ? 2020"),
            "never fires: no due time lies ahead",
        ),
        (
            ("schedule_type", "FIX_DELAY"),
            "schedule_type is NONE, CRON or FIX_RATE, not FIX_DELAY",
        ),
        (
            ("executor_handler", "任务"),
            "has no executor_handler that a name can be made of",
        ),
        (
            ("executor_timeout", "long"),
            "executor_timeout is a number, not long",
        ),
        (
            ("executor_route_strategy", "NEAREST"),
            "executor_route_strategy is no word of xxl-job: NEAREST",
        ),
        (("trigger_status", "2"), "trigger_status is 0 or 1, not 2"),
        (("id", "x"), "id is a number, not x"),
    ] {
        let told = refusals(Kind::XxlJob, &rows(&[&[changes]]));
        assert!(told.contains(why), "{changes:?}: {told}");
    }
}

#[test]
fn a_broken_statement_fails_no_other_one() {
    let good = rows(&[&[]]);
    for broken in [
        "INSERT INTO xxl_job_info VALUES (1,2;\n",
        "INSERT INTO xxl_job_info VALUES (1 2);\n",
        "INSERT INTO xxl_job_info (id VALUES (1);\n",
        "INSERT INTO xxl_job_info SELECT * FROM x;\n",
        "INSERT INTO xxl_job_info VALUES (1,2),;\n",
        "INSERT INTO xxl_job_info VALUES (1,2,3);\n",
    ] {
        let imported = import(Kind::XxlJob, &format!("{broken}{good}"), &settings()).unwrap();
        let last = imported.report.entries.last().unwrap();
        assert_eq!(last.name.as_deref(), Some("default/close-7"), "{broken}");
        assert!(imported.report.missing().is_some(), "{broken}");
    }
    let endless = import(
        Kind::XxlJob,
        &format!("{good}INSERT INTO x VALUES ('"),
        &settings(),
    )
    .unwrap();
    assert_eq!(endless.report.missing(), Some((1, 2)));
}

#[test]
fn columns_come_from_the_list_the_table_or_the_order_of_the_version() {
    let values: Vec<String> = (1..=24).map(|number| format!("'{number}'")).collect();
    let bare = format!("INSERT INTO xxl_job_info VALUES ({});", values.join(","));
    let told = refusals(Kind::XxlJob, &bare);
    assert!(told.contains("glue_type is 17"), "{told}");
    let table = "CREATE TABLE IF NOT EXISTS `xxl_job_info` (`id` int(11), `glue_type` varchar(9) DEFAULT 'x,y', PRIMARY KEY (`id`));\n";
    let told = refusals(
        Kind::XxlJob,
        &format!("{table}INSERT INTO xxl_job_info VALUES (1, 'GLUE_PHP');"),
    );
    assert!(told.contains("glue_type is GLUE_PHP"), "{told}");
}
