//! Crontabs, rule by rule.

use super::*;

const USER: Kind = Kind::Crontab { system: false };
const SYSTEM: Kind = Kind::Crontab { system: true };

#[test]
fn a_line_becomes_a_job_that_does_what_a_cron_does() {
    assert_eq!(
        documents(USER, "# Says hello\n0 3 * * mon /bin/echo hello\n"),
        "kind: Job
name: default/echo
description: Says hello
group: default
handler: run-command
trigger:
  cron: 0 3 * * mon
  time_zone: Europe/Berlin
body:
  command: /bin/echo hello
misfire:
  policy: skip
overlap:
  limit: 1000
  policy: parallel
retries:
  max_attempts: 1
on_lease_lost: fail
"
    );
}

/// The lines of the documents that begin with one of these keys.
fn lines(text: &str, keys: &[&str]) -> Vec<String> {
    let documents = documents(USER, text);
    let lines = documents.lines().map(str::trim);
    let found = lines.filter(|line| {
        keys.iter().any(|key| {
            line.strip_prefix(key)
                .is_some_and(|rest| rest.starts_with(':'))
        })
    });
    found.map(str::to_owned).collect()
}

#[test]
fn times_are_those_of_the_line() {
    for (line, trigger) in [
        ("@daily x", "cron: '@daily'"),
        ("@annually x", "cron: '@annually'"),
        ("@every_minute x", "cron: '* * * * *'"),
        ("*/5 1,2 * feb 7 x", "cron: '*/5 1,2 * feb 7'"),
        ("0 0 13 * fri x", "cron: 0 0 13 * fri"),
        ("@every_second x", "every: 1s"),
        ("@600 x", "fixed_delay: 10m"),
    ] {
        let found = lines(line, &["cron", "every", "fixed_delay"]);
        assert_eq!(found.join("\n").replace('"', "'"), trigger, "{line}");
    }
}

#[test]
fn a_zone_of_the_crontab_wins_and_holds_for_the_lines_behind_it() {
    let text =
        "0 1 * * * a\nCRON_TZ=Asia/Tokyo\n0 1 * * * b\nCRON_TZ=\nTZ=:Asia/Seoul\n0 1 * * * c\n";
    assert_eq!(
        lines(text, &["time_zone"]),
        [
            "time_zone: Europe/Berlin",
            "time_zone: Asia/Tokyo",
            "time_zone: Asia/Seoul"
        ]
    );
    assert!(
        differences(USER, text)
            .contains(&"time zone: TZ=Asia/Seoul -> time_zone: Asia/Seoul".to_owned())
    );
    let nowhere = Settings {
        time_zone: None,
        ..settings()
    };
    let imported = import(USER, "@daily x", &nowhere).unwrap();
    assert!(imported.documents.contains("time_zone: UTC\n"));
    assert!(
        imported
            .report
            .text()
            .contains("time zone: that of the machine -> UTC")
    );
}

#[test]
fn what_differs_is_told_with_each_line() {
    let command =
        |text: &str| format!("command: {text} -> body.command, for the handler run-command");
    let overlap = "overlap: runs overlap without a bound -> parallel, limit 1000".to_owned();
    let differs = |line: &str| differences(USER, line);
    assert_eq!(differs("@daily x"), [overlap.clone(), command("x")]);
    assert_eq!(differs("@daily -s x"), [command("x")]);
    let quiet = "options: -n -> nothing".to_owned();
    assert_eq!(
        differs("@daily -n x"),
        [overlap.clone(), quiet, command("x")]
    );
    let told = differs("A=1\nMAILTO=me\nRANDOM_DELAY=5\n@daily x");
    assert_eq!(told[1], "RANDOM_DELAY: 5 -> jitter: 5m");
    assert_eq!(told[2], "MAILTO: me -> nothing");
    assert_eq!(told[3], "environment: A -> body.environment");
    let told = differences(SYSTEM, "@daily www x");
    assert_eq!(
        told,
        [overlap, command("x"), "user: www -> body.user".to_owned()]
    );
    assert!(
        differs("@daily root x")
            .iter()
            .any(|told| told.starts_with("user: root, perhaps"))
    );
    assert!(
        differs("5/15 * * * * x")
            .iter()
            .any(|told| told == "time: 5/15 * * * * -> 5/15 * * * *")
    );
}

#[test]
fn a_command_is_data_and_its_input_too() {
    let text = "A=1\n0 1 * * * cat \\% -%one%two\n";
    let documents = documents(USER, text);
    let value = &crate::manifest::Source::new("x", documents)
        .documents()
        .unwrap()[0];
    let body = serde_json::json!({ "command": "cat % -", "input": "one\ntwo", "environment": { "A": "1" } });
    assert_eq!(value["body"], body);
}

#[test]
fn what_cannot_be_a_job_says_why() {
    for (line, why) in [
        (
            "@reboot x",
            "@reboot has no due time, and no machine that boots",
        ),
        (
            "@fortnightly x",
            "is @yearly, @monthly, @weekly, @daily or @hourly",
        ),
        (
            "60 * * * * x",
            "trigger.cron: minute is 0..=59, not 60 (given: 60 * * * *)",
        ),
        ("0 0 31 2 * x", "never fires: no such day exists"),
        (
            "9~3 * * * * x",
            "has a range of 9~3 that a time cannot be drawn from",
        ),
        ("0 1 * * *", "has no command behind its time"),
        ("0 1 * *", "has no five fields of time"),
        ("CRON_TZ=Mars/Olympus\n@daily x", "trigger.time_zone: "),
        (
            "RANDOM_DELAY=soon\n@daily x",
            "RANDOM_DELAY is a number of minutes, not soon",
        ),
    ] {
        let told = refusals(USER, line);
        assert!(told.contains(why), "{line}: {told}");
    }
    assert!(refusals(SYSTEM, "@daily root").contains("has no user and command"));
}

#[test]
fn a_comment_is_a_description_unless_it_is_a_line_out_of_use() {
    for (text, described) in [
        ("# why\n@daily x", true),
        ("# why\n\n@daily x", false),
        ("#0 1 * * * y\n@daily x", false),
        ("#@daily y\n@daily x", false),
        ("# why\nA=1\n@daily x", false),
    ] {
        assert_eq!(
            documents(USER, text).contains("description: why"),
            described,
            "{text}"
        );
    }
}

#[test]
fn too_many_variables_are_copied_into_no_job() {
    let many: String = (0..100).map(|number| format!("V{number}=x\n")).collect();
    assert!(refusals(USER, &(many + "@daily x")).contains("has more than 64 variables"));
    let large = format!("V={}\n@daily x", "x".repeat(10_000));
    assert!(refusals(USER, &large).contains("8192 bytes"));
}
