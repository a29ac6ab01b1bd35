//! The chain of a job with a delay: only the end of a scheduled firing arms it, and what is armed never moves later (W4).

use crate::call::{Part, T};
use crate::harness::fresh;

const W: (&str, &str, u64, &str) = ("w", "g", 50, "h");

/// Ends a run that was claimed as failed for good.
async fn fail(part: &Part<'_>, now: u64, id: &str, attempt: &str) {
    let settled = part.settle(now, &[[id, attempt, "fatal", "0 0 no"]]).await;
    assert_eq!(settled, "S");
}

async fn run_again(part: &Part<'_>, now: u64, runs: &[(&str, u64)]) -> String {
    let (now, count) = (now.to_string(), runs.len().to_string());
    let mut args = vec![now, count];
    args.extend(
        runs.iter()
            .flat_map(|(id, ended)| [(*id).to_owned(), ended.to_string()]),
    );
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    part.answer("context/retry", &args).await[1].clone()
}

async fn armed(part: &Part<'_>) -> Option<u64> {
    let state = part.state().await;
    let wheel = state.zset("wheel");
    wheel
        .iter()
        .find(|(entry, _)| *entry == "@d/j")
        .map(|(_, at)| *at)
}

#[tokio::test]
async fn an_old_run_that_runs_again_leaves_the_chain_as_it_is() {
    for (kind, overlap, limit) in [
        ("fixed_delay", "discard", ""),
        ("fixed_delay", "parallel", "2"),
        ("fixed_delay", "queue", "5"),
        ("fixed_delay", "queue_one", ""),
    ] {
        let Some(test) = fresh().await else { return };
        let part = Part::new(&test);
        let fields = [
            ("kind", kind),
            ("period", "1000"),
            ("overlap", overlap),
            ("overlap_limit", limit),
            ("misfire", "skip"),
            ("tolerance", "60000"),
        ];
        part.put_job("d/j", T, &fields).await;
        let (first, mut ended, mut attempt) = (format!("3.{T}.f@d/j"), T + 10, 1);
        part.turn(T, 9, &[W]).await;
        fail(&part, ended, &first, "1").await;
        assert_eq!(armed(&part).await, Some(T + 1_010));
        // Each 0.8 s for 8 s: what follows is fired as if nobody ran the old one again.
        let mut fired = 0;
        for step in 1..=10 {
            let now = T + 800 * step;
            let verdict = run_again(&part, now, &[(&first, ended)]).await;
            let turned = part.turn(now, 9, &[W]).await;
            fired += turned.counts[0] + turned.counts[1];
            let chain = armed(&part).await;
            if verdict == "R" {
                attempt += 1;
                ended = now + 50;
                fail(&part, ended, &first, &attempt.to_string()).await;
                if chain.is_some() {
                    assert_eq!(armed(&part).await, chain, "{kind} {overlap} {step}");
                }
            }
            // What waited for it in the queue of the job.
            part.turn(now + 55, 9, &[W]).await;
            for (id, value) in part.state().await.hash("held") {
                let attempt = value.split(':').next().unwrap();
                fail(&part, now + 60, id, attempt).await;
            }
            assert!(armed(&part).await.is_some(), "{kind} {overlap} {step}");
        }
        assert!(fired >= 5, "{kind} {overlap}: {fired}");
    }
}

#[tokio::test]
async fn many_old_runs_at_once_do_not_move_the_chain() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let fields = [
        ("kind", "fixed_delay"),
        ("period", "1000"),
        ("overlap", "parallel"),
        ("overlap_limit", "50"),
        ("tolerance", "60000"),
    ];
    part.put_job("d/j", T, &fields).await;
    let mut dead = Vec::new();
    for _ in 0..6 {
        let at = armed(&part).await.unwrap();
        let claims = part.turn(at, 9, &[W]).await.claims;
        let id = claims[0].1.split(' ').next().unwrap().to_owned();
        fail(&part, at + 10, &id, "1").await;
        dead.push((id, at + 10));
    }
    let next = armed(&part).await.unwrap();
    let runs: Vec<(&str, u64)> = dead.iter().map(|(id, at)| (id.as_str(), *at)).collect();
    assert_eq!(run_again(&part, next - 500, &runs).await, "RRRRRR");
    assert_eq!(part.turn(next - 500, 9, &[W]).await.claims.len(), 6);
    for (number, (id, _)) in (0_u64..).zip(&dead) {
        let outcome = if number % 2 == 0 {
            "succeeded"
        } else {
            "fatal"
        };
        let payload = if number % 2 == 0 { "" } else { "0 0 no" };
        let at = next - 400 + number;
        assert_eq!(part.settle(at, &[[id, "2", outcome, payload]]).await, "S");
        assert_eq!(armed(&part).await, Some(next));
    }
}

#[tokio::test]
async fn a_new_revision_while_an_old_run_runs_again_keeps_the_chain() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let fields = [
        ("kind", "fixed_delay"),
        ("period", "1000"),
        ("overlap", "parallel"),
        ("overlap_limit", "3"),
        ("revision", "1"),
        ("misfire_limit", "1"),
        ("followers", ""),
    ];
    part.put_job("d/j", T, &fields).await;
    part.turn(T, 9, &[W]).await;
    let first = format!("3.{T}.f@d/j");
    fail(&part, T + 10, &first, "1").await;
    assert_eq!(run_again(&part, T + 20, &[(&first, T + 10)]).await, "R");
    part.turn(T + 20, 9, &[W]).await;
    let now = (T + 30).to_string();
    let due = (T + 1_030).to_string();
    let mut args = vec![
        now.as_str(),
        "d/j",
        "other",
        "spec",
        due.as_str(),
        "0",
        "",
        "",
    ];
    let state = part.state().await;
    for field in [
        "kind",
        "period",
        "anchor",
        "start_at",
        "end_at",
        "max_runs",
        "jitter",
        "misfire",
        "misfire_limit",
        "tolerance",
        "catch_up",
        "overlap",
        "overlap_limit",
        "tmpl",
        "ledger_limit",
        "runs_limit",
        "after",
        "followed_by",
    ] {
        let fields = &state.hashes["job:d/j"];
        args.extend([field, fields.get(field).map_or("", String::as_str)]);
    }
    assert_eq!(part.answer("job/apply", &args).await[..2], ["UPDATED", "2"]);
    assert_eq!(armed(&part).await, Some(T + 1_030));
    fail(&part, T + 40, &first, "2").await;
    assert_eq!(armed(&part).await, Some(T + 1_030));
}
