//! The binary itself where no tracker is needed: exit codes, and what goes to standard output and what to standard error.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::process::{Command, Output};

fn tickwheel(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_tickwheel"))
        .args(args)
        .env_remove("TICKWHEEL_SERVER")
        .env_remove("RUST_LOG")
        .output()
        .unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// An address at which nobody listens.
fn nowhere() -> String {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[test]
fn wrong_usage_and_invalid_input_end_with_2_and_leave_standard_output_empty() {
    for args in [
        &["jobs"][..],
        &["cron", "explain", "0 0 30 2 *"],
        &["cron", "explain", "* * * * *", "--tz", "Mars/Olympus"],
        &["tracker", "--print-config", "--set", "tracker.colour=red"],
        &["apply", "-f", "/nowhere/at/all.yaml"],
        &["--server", "nonsense", "job", "list"],
    ] {
        let output = tickwheel(args);
        assert_eq!(
            output.status.code(),
            Some(2),
            "{args:?}: {}",
            stderr(&output)
        );
        assert_eq!(stdout(&output), "", "{args:?}");
        assert_ne!(stderr(&output), "", "{args:?}");
    }
}

#[test]
fn nobody_answering_ends_with_5() {
    let output = tickwheel(&["--server", &nowhere(), "job", "list"]);
    assert_eq!(output.status.code(), Some(5), "{}", stderr(&output));
}

#[test]
fn an_expression_is_explained_in_its_zone_as_json() {
    let output = tickwheel(&[
        "cron",
        "explain",
        "30 2 * * *",
        "--tz",
        "Europe/Berlin",
        "--after",
        "2026-03-28T12:00:00Z",
        "-n",
        "2",
        "-o",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let answer: serde_json::Value = serde_json::from_str(&stdout(&output)).unwrap();
    let due: Vec<_> = answer["next"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["due"].as_str().unwrap())
        .collect();
    assert_eq!(
        due,
        ["2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"]
    );
}

#[test]
fn the_effective_configuration_is_toml() {
    let output = tickwheel(&[
        "tracker",
        "--print-config",
        "--redis",
        "redis://:hunter2@db:6379",
    ]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    let table: toml::Table = toml::from_str(&text).unwrap();
    assert_eq!(table["redis"]["url"].as_str(), Some("redis://:***@db:6379"));
    assert!(!text.contains("hunter2"));
}

#[test]
fn the_schema_of_files_needs_no_server_and_is_the_published_one() {
    let output = tickwheel(&["schema"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let published = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/tickwheel.schema.json");
    assert_eq!(stdout(&output), std::fs::read_to_string(published).unwrap());
}

#[test]
fn jobs_are_applied_by_a_command_of_its_own() {
    let output = tickwheel(&["job", "apply", "-f", "x.yaml"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("tickwheel apply -f x.yaml"),
        "{}",
        stderr(&output)
    );
}
