//! What is going on, as the commands show it that watch.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::Value;

use crate::cluster::{Cluster, until};

fn overview(cluster: &Cluster) -> Value {
    serde_json::from_str(&cluster.run(&["overview", "-o", "json"])).unwrap()
}

#[test]
fn the_overview_counts_trackers_and_the_workers_of_the_other_one() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    until("both trackers and the worker are counted", || {
        let shown = overview(&cluster);
        let workers = shown["groups"][0]["workers"].as_u64();
        let trackers = shown["totals"]["trackers"].as_u64();
        let is_so = (trackers, workers) == (Some(2), Some(1));
        is_so.then_some(()).ok_or_else(|| shown.to_string())
    });
    let text = cluster.run(&["overview"]);
    assert!(
        text.contains("trackers") && text.contains("default"),
        "{text}"
    );
}

/// A command that goes on, whose lines come one by one.
struct Going {
    child: Child,
    lines: Receiver<String>,
}

impl Going {
    fn start(cluster: &Cluster, args: &[&str]) -> Self {
        let server = format!("http://127.0.0.1:{}", cluster.grpc[1]);
        let mut child = Command::new(env!("CARGO_BIN_EXE_tickwheel"))
            .args(args)
            .env("TICKWHEEL_SERVER", server)
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in out.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Self { child, lines }
    }
}

impl Drop for Going {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

#[test]
fn runs_are_shown_as_they_end_and_chosen_by_how() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let wrong = cluster.output(&["tail", "--state", "running"]);
    assert_eq!(wrong.status.code(), Some(2));
    let all = Going::start(&cluster, &["tail", "-o", "json"]);
    let failed = Going::start(
        &cluster,
        &["tail", "-o", "json", "--state", "failed", "-n", "1"],
    );
    // Until both watch, nothing is told of what ends.
    let mut ended = Vec::new();
    let first = loop {
        let id = cluster.id_of(&["submit", "echo", "--body", "1"]);
        ended.push(id);
        if let Ok(line) = all.lines.recv_timeout(Duration::from_secs(1)) {
            break serde_json::from_str::<Value>(&line).unwrap();
        }
    };
    assert!(ended.iter().any(|id| first["id"] == **id), "{first}");
    assert_eq!(
        (&first["state"], &first["handler"]),
        (&Value::from("succeeded"), &Value::from("echo"))
    );
    let mut failed_run = failed.lines.try_recv();
    while failed_run.is_err() {
        cluster.id_of(&[
            "submit",
            "fail_sometimes",
            "--body",
            "{\"times\": 9}",
            "--retries",
            "0",
        ]);
        failed_run = failed
            .lines
            .recv_timeout(Duration::from_secs(1))
            .map_err(|_| std::sync::mpsc::TryRecvError::Empty);
    }
    let run: Value = serde_json::from_str(&failed_run.unwrap()).unwrap();
    assert_eq!(run["state"], "failed");
}

#[test]
fn a_log_is_followed_to_its_end_and_an_unknown_one_is_a_failure() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let id = cluster.id_of(&["submit", "log_progress", "--delay", "2s"]);
    let followed = cluster.run(&["run", "logs", "-f", &id, "-o", "json"]);
    let whole = cluster.run(&["run", "logs", &id, "-o", "json"]);
    assert_eq!(followed, whole);
    for command in [
        &["run", "logs", "0.5.none"][..],
        &["run", "logs", "-f", "0.5.none"],
    ] {
        assert_eq!(cluster.output(command).status.code(), Some(4));
    }
}

#[test]
fn what_is_shown_again_and_again_has_no_escapes_in_a_pipe() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let text = cluster.run(&["top", "-n", "2"]);
    assert_eq!(text.matches("scheduled").count(), 2, "{text}");
    assert!(!text.contains('\u{1b}'), "{text}");
    let lines = cluster.run(&["top", "-n", "2", "-o", "json"]);
    let times: Vec<u64> = lines
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["time_ms"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert!(times.len() == 2 && times[0] < times[1], "{times:?}");
}
