//! What a regression changes first, whatever the machine: Redis commands for each job, Redis CPU beside that of the same primitive operations,
//! bytes for each job, and commands while idle. `allocations.rs` counts what tracker and worker allocate.
//!
//! The limits stand above what is measured (docs/benchmarks.md), so that only a change of kind breaks them: a call for each job where there
//! was one for each batch, a second copy of the record, a poll.

use std::process::Command;

use anyhow::{Context as _, Result, bail, ensure};
use serde_json::Value;

/// Of a scenario whose figure is a time.
const RUNS: usize = 3;

/// Runs a scenario and answers its line.
fn run(arguments: &[&str]) -> Result<Value> {
    let output = Command::new(env!("CARGO_BIN_EXE_tickwheel-bench"))
        .args(arguments)
        .arg("--json")
        .output()?;
    ensure!(
        output.status.success(),
        "{arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().last().context("nothing was printed")?;
    Ok(serde_json::from_str(line)?)
}

fn at_most(line: &Value, field: &str, limit: f64) -> Result<()> {
    let value = line.get(field).and_then(Value::as_f64);
    let value = value.with_context(|| format!("{line} has no number {field}"))?;
    ensure!(
        value <= limit,
        "{field} is {value}, at most {limit} is allowed: {line}"
    );
    Ok(())
}

#[test]
fn a_batch_of_submissions_is_one_call() -> Result<()> {
    let line = run(&["submit", "--jobs", "10000"])?;
    at_most(&line, "redis_commands_per_job", 0.02)?;
    at_most(&line, "bytes_per_job", 300.0)?;
    at_most(&line, "lost", 0.0)
}

#[test]
fn a_drain_takes_and_settles_in_batches() -> Result<()> {
    let mut lines = Vec::new();
    // A busy machine only adds to what a job costs, and a regression is there each time: one good run is enough.
    for _ in 0..RUNS {
        let line = run(&["drain", "--jobs", "30000"])?;
        at_most(&line, "lost", 0.0)?;
        at_most(&line, "duplicates", 0.0)?;
        // How much of a job's CPU the floor is; both are measured in this run.
        let ratio = line.get("floor_ratio").and_then(Value::as_f64);
        let ratio = ratio.with_context(|| format!("{line} has no floor_ratio"))?;
        if ratio >= 0.2 && at_most(&line, "redis_commands_per_job", 0.2).is_ok() {
            return Ok(());
        }
        lines.push(line.to_string());
    }
    bail!(
        "each run took more than 0.2 commands, or more than 5 times the floor, for each job:\n{}",
        lines.join("\n")
    )
}

#[test]
fn an_idle_cluster_hardly_asks() -> Result<()> {
    let hardly_asks = || {
        let line = run(&["idle", "--jobs", "1000", "--seconds", "5"])?;
        at_most(&line, "redis_commands_per_s_per_tracker", 10.0)
    };
    // A sixth beat, or what is looked after every ten seconds, may fall into the five of one run; what is asked for each second is in both.
    hardly_asks().or_else(|_| hardly_asks())
}

#[test]
fn a_map_is_taken_and_its_results_are_read_in_pages() -> Result<()> {
    let line = run(&["mapreduce", "--subtasks", "10000"])?;
    at_most(&line, "redis_commands_per_job", 3.0)?;
    at_most(&line, "rss_growth_mib", 100.0)?;
    at_most(&line, "failed", 0.0)?;
    at_most(&line, "lost", 0.0)?;
    at_most(&line, "duplicates", 0.0)
}
