//! `tickwheel import` as a program: what it prints of each source in `tests/importing/`, what it reports, its exit codes, and that
//! `tickwheel apply` reads what it prints.
//!
//! `TICKWHEEL_BLESS=1 cargo nextest run -p tickwheel-cli --test importing` writes the expected files anew.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// A source, how it is imported, and the exit code.
const SOURCES: &[(&str, &str, i32)] = &[
    ("user.crontab", "crontab", 1),
    ("system.crontab", "crontab --system --group system", 1),
    (
        "cronjobs.yaml",
        "cronjob --namespace apps --handler start-pod",
        1,
    ),
    (
        "dump.sql",
        "xxl-job --time-zone Asia/Shanghai --namespace shop",
        1,
    ),
    ("bare.sql", "xxl-job --group demo", 0),
    (
        "table.csv",
        "xxl-job --time-zone Asia/Shanghai --group mail",
        1,
    ),
];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/importing")
}

fn tickwheel(args: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_tickwheel"))
        .args(args)
        .env_remove("TICKWHEEL_SERVER")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // One that refuses its arguments reads nothing.
    drop(child.stdin.take().unwrap().write_all(input));
    child.wait_with_output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// What is written is what stands in the file, which a blessing writes.
fn compare(file: &Path, written: &str) {
    if std::env::var_os("TICKWHEEL_BLESS").is_some() {
        std::fs::write(file, written).unwrap();
    }
    let expected = std::fs::read_to_string(file).unwrap_or_default();
    assert_eq!(written, expected, "{}", file.display());
}

#[test]
fn each_source_becomes_the_documents_and_the_report_that_are_expected() {
    for (source, args, code) in SOURCES {
        let path = folder().join(source);
        let mut line = vec!["import"];
        line.extend(args.split(' '));
        line.push(path.to_str().unwrap());
        let output = tickwheel(&line, b"");
        assert_eq!(output.status.code(), Some(*code), "{source}");
        compare(
            &folder().join(format!("{source}.documents")),
            &text(&output.stdout),
        );
        compare(
            &folder().join(format!("{source}.report")),
            &text(&output.stderr),
        );
    }
}

#[test]
fn what_is_printed_is_read_by_apply() {
    let nobody = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    for (source, _, _) in SOURCES {
        let documents = std::fs::read(folder().join(format!("{source}.documents"))).unwrap();
        let output = tickwheel(&["apply", "-f", "-", "--server", &nobody], &documents);
        // Mistakes end with 2, before anybody is asked.
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(5), "{source}: {said}");
    }
}

#[test]
fn a_source_may_come_on_standard_input_and_the_report_go_to_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let report = folder.path().join("report.json");
    let args = [
        "import",
        "crontab",
        "-",
        "--report",
        report.to_str().unwrap(),
    ];
    let output = tickwheel(&args, b"@reboot x\n0 1 * * * y\n");
    assert_eq!(output.status.code(), Some(1));
    let told: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(&report).unwrap()).unwrap();
    assert_eq!(told["not_imported"], 1);
    assert_eq!(told["imported_with_differences"], 1);
    let entries = told["entries"].as_array().unwrap();
    assert_eq!(entries[0]["outcome"], "not_imported");
    assert!(
        entries[0]["reasons"][0]
            .as_str()
            .unwrap()
            .starts_with("@reboot has no due time")
    );
    assert_eq!(entries[1]["name"], "default/y");
    let first = &entries[1]["differences"][0];
    for key in ["about", "was", "now", "why", "do"] {
        assert!(first[key].is_string(), "{key}: {first}");
    }
}

#[test]
fn what_is_no_source_ends_with_2_and_prints_nothing() {
    for (args, input) in [
        (&["import", "crontab", "-"][..], &b"# nothing\n"[..]),
        (&["import", "crontab", "-"], b"\xff\xfe"),
        (&["import", "cronjob", "/nowhere/at/all.yaml"], b""),
        (
            &["import", "xxl-job", "-"],
            b"INSERT INTO other VALUES (1);",
        ),
        (
            &["import", "crontab", "-", "--time-zone", "Mars/Olympus"],
            b"@daily x\n",
        ),
        (
            &["import", "crontab", "-", "--namespace", "a/b"],
            b"@daily x\n",
        ),
        (&["import", "cronjob", "-", "--system"], b""),
        (
            &["import", "crontab", "-", "--server", "http://h:1"],
            b"@daily x\n",
        ),
    ] {
        let output = tickwheel(args, input);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{args:?}: {said}");
        assert_eq!(text(&output.stdout), "", "{args:?}");
    }
}
