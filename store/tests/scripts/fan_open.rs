//! Contexts that are split as their job's model says: broadcast, sharding, indexed; and what a check and a repair make of them.

use std::collections::BTreeMap;

use tickwheel_core::id::ContextId;

use crate::call::{Offer, Part, T, field, ready_score, text, texts};
use crate::harness::{Harness, fresh};
use tickwheel_store::check::{Kind, Pace};
use tickwheel_store::fan::SubtaskState;

const ROOT: &str = "3.900.a-1";
const WAITING: &str = "3.900.a-1 0:0 g h 2";

/// Model, options, reduce, total, parallelism, quorum, max_failed, wanted, success.
struct Opening<'a> {
    model: &'a str,
    options: &'a str,
    reduce: &'a str,
    rules: [&'a str; 6],
}

const BROADCAST: Opening<'static> = Opening {
    model: "broadcast",
    options: "2 b=f:0:0:0,p=b:3",
    reduce: "",
    rules: ["3", "0", "3", "", "", ""],
};
const SHARDING: Opening<'static> = Opening {
    model: "sharding",
    options: "2 b=f:0:0:0,p=s:3",
    rules: ["3", "0", "", "", "", ""],
    ..BROADCAST
};
const INDEXED: Opening<'static> = Opening {
    model: "indexed",
    options: "2 b=f:0:0:0,p=i:5",
    rules: ["5", "2", "", "", "", ""],
    ..BROADCAST
};

/// A context that waits to be split, with these options besides.
async fn wait(part: &Part<'_>, options: &str) {
    let member = format!("{ROOT} 0:0 g h 2 {options}m=1 body");
    let score = ready_score(2, 900).to_string();
    let (ready, backlog) = (part.key("ready:g:!fan"), part.key("backlog"));
    part.test.command(&["ZADD", &ready, &score, &member]).await;
    part.test.command(&["ZADD", &backlog, "0", "g !fan"]).await;
}

async fn open(part: &Part<'_>, opening: &Opening<'_>, parts: &[&str]) -> Vec<String> {
    let now = T.to_string();
    let mut args = vec![
        now.as_str(),
        WAITING,
        opening.model,
        opening.options,
        opening.reduce,
        "ended",
    ];
    args.extend(opening.rules);
    args.extend(parts);
    part.answer("fan/open", &args).await
}

/// Worker and subtask of each claim.
async fn claims(part: &Part<'_>, offers: &[Offer<'_>]) -> Vec<(String, String)> {
    let claims = part.turn(T, 1_000, offers).await.claims;
    let head =
        |(worker, member): (String, String)| (worker, member.split(' ').next().unwrap().to_owned());
    claims.into_iter().map(head).collect()
}

fn claimed(worker: &str, n: u32) -> (String, String) {
    (worker.to_owned(), format!("{ROOT}~{n}"))
}

async fn succeed(part: &Part<'_>, numbers: &[u32]) {
    let ids: Vec<String> = numbers.iter().map(|n| format!("{ROOT}~{n}")).collect();
    let ended: Vec<[&str; 4]> = ids
        .iter()
        .map(|id| [id.as_str(), "1", "succeeded", ""])
        .collect();
    assert_eq!(part.settle(T, &ended).await, "S".repeat(numbers.len()));
}

async fn fan(part: &Part<'_>) -> BTreeMap<String, String> {
    part.state()
        .await
        .hashes
        .remove(&format!("fan:{ROOT}"))
        .unwrap_or_default()
}

async fn kinds(test: &Harness) -> Vec<Kind> {
    let checked = test.store.check(Pace { rest: 0.0 }).await.unwrap();
    checked.findings.iter().map(|found| found.kind).collect()
}

#[tokio::test]
async fn a_due_context_of_a_model_waits_apart_until_a_tracker_splits_it_once() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(T - 200_000, &[["999950", "b-1", "g h 2 m=1 body", ""]])
        .await;
    let reply = part
        .call(
            "wheel/turn",
            "TURNED",
            &[&T.to_string(), "2000", "10", "1", "w", "g", "9", "h"],
        )
        .await;
    let told = |name: &str| texts(field(&reply, name));
    assert!(told("claims").is_empty(), "nobody runs it as it is");
    assert_eq!(told("opens"), ["3.999950.b-1 0:0 g h 2 m=1 "]);
    assert_eq!(kinds(&test).await, []);
    wait(&part, "").await;
    assert_eq!(open(&part, &INDEXED, &[]).await, ["OPENED"]);
    assert_eq!(open(&part, &INDEXED, &[]).await, ["GONE"]);
    assert_eq!(kinds(&test).await, []);
}

#[tokio::test]
async fn what_parts_returned_is_kept_behind_the_end_of_their_root() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    wait(&part, "r=1,").await;
    open(&part, &BROADCAST, &["w1", "0 ", "w2", "1 ", "w3", "2 "]).await;
    let workers = ["w1", "w2", "w3"].map(|worker| (worker, "g", 9, "h"));
    assert_eq!(claims(&part, &workers).await.len(), 3);
    let long = format!("{{\n{}", "long ".repeat(1_000));
    for (n, result) in [(0, "two words"), (1, ""), (2, &long)] {
        let id = format!("{ROOT}~{n}");
        let ended = [[id.as_str(), "1", "succeeded", result]];
        part.settle(T, &ended).await;
    }
    let root: ContextId = ROOT.parse().unwrap();
    let read = test
        .store
        .list_subtasks(&root, SubtaskState::Succeeded, ("", 100));
    let (fan, parts) = read.await.unwrap().unwrap();
    assert!(fan.has_ended());
    assert_eq!((fan.total, fan.succeeded), (3, 3));
    let mut told: Vec<_> = parts
        .items
        .iter()
        .map(|part| {
            let worker = part.worker.as_ref().unwrap().to_string();
            let body = String::from_utf8(part.body.to_vec()).unwrap();
            (worker, part.result_bytes, body)
        })
        .collect();
    told.sort();
    let kept = |worker: &str, bytes: u64, body: &str| (worker.to_owned(), bytes, body.to_owned());
    let first = kept("w1", 9, "two words");
    let last = kept("w3", 5_002, &long[..1_024]);
    assert_eq!(told, [first, kept("w2", 0, ""), last]);
    assert_eq!(kinds(&test).await, []);
}

#[tokio::test]
async fn a_broadcast_runs_once_on_each_worker_and_fails_with_one_of_them() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    wait(&part, "r=1,").await;
    open(&part, &BROADCAST, &["w1", "0 ", "w2", "1 ", "w3", "2 "]).await;
    assert_eq!(kinds(&test).await, []);
    // A worker that came later, and each of the first only with its own part.
    let offers: [Offer<'_>; 3] = [
        ("w4", "g", 9, "h"),
        ("w1", "g", 9, "h"),
        ("w2", "g", 9, "h"),
    ];
    let mut claimed_now = claims(&part, &offers).await;
    claimed_now.sort();
    assert_eq!(claimed_now, [claimed("w1", 0), claimed("w2", 1)]);
    assert!(claims(&part, &offers).await.is_empty());
    succeed(&part, &[0]).await;
    // A failure is tried again on the same worker.
    let again = [[&format!("{ROOT}~1"), "1", "failed", "0 0 no"]];
    assert_eq!(
        part.settle(T, &again.map(|one| one.map(|text| text as &str)))
            .await,
        "R"
    );
    assert!(claims(&part, &[("w1", "g", 9, "h")]).await.is_empty());
    assert_eq!(
        claims(&part, &[("w2", "g", 9, "h")]).await,
        [claimed("w2", 1)]
    );
    // Its worker is lost: the part runs nowhere else; so does one that never started.
    part.reap(T, &["w2"]).await;
    assert_eq!(fan(&part).await["failed"], "1");
    let unpinned = part
        .answer("fan/unpin", &[&T.to_string(), ROOT, "w3"])
        .await;
    assert_eq!(unpinned, ["UNPINNED", "1", "0"]);
    let state = part.state().await;
    assert_eq!(state.ends().len(), 1);
    assert!(
        state.ends()[0]
            .2
            .starts_with("2 of 3 subtasks failed; 1: worker lost")
    );
    assert!(
        !state
            .keys()
            .iter()
            .any(|key| key.contains(":h:") && key.starts_with("parts"))
    );
    assert_eq!(kinds(&test).await, []);
}

#[tokio::test]
async fn a_quorum_of_a_broadcast_is_enough() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    wait(&part, "r=1,").await;
    let two = Opening {
        rules: ["3", "0", "2", "", "", ""],
        ..BROADCAST
    };
    open(&part, &two, &["w1", "0 ", "w1", "1 ", "w1", "2 "]).await;
    claims(&part, &[("w1", "g", 9, "h")]).await;
    part.settle(T, &[[&format!("{ROOT}~2"), "1", "fatal", "0 0 no"]])
        .await;
    succeed(&part, &[0]).await;
    assert!(part.state().await.ends().is_empty(), "all of them run");
    succeed(&part, &[1]).await;
    assert_eq!(part.state().await.ends(), [(ROOT, "succeeded", "")]);
}

#[tokio::test]
async fn the_shards_of_a_lost_worker_run_anywhere() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    wait(&part, "").await;
    open(
        &part,
        &SHARDING,
        &["w1", "0 1:x", "w1", "1 0:", "w2", "7 2:yz"],
    )
    .await;
    let turned = part.turn(T, 10, &[("w1", "g", 1, "h")]).await;
    assert_eq!(
        turned.claims[0].1,
        format!("{ROOT}~0 1:0 g h 2 b=f:0:0:0,p=s:3,w=w1 1:xbody")
    );
    let reply = part
        .answer("fan/unpin", &[&T.to_string(), ROOT, "w1"])
        .await;
    assert_eq!(reply, ["UNPINNED", "0", "1"]);
    part.reap(T, &["w1"]).await;
    assert_eq!(kinds(&test).await, []);
    let mut moved = claims(&part, &[("w2", "g", 9, "h")]).await;
    moved.sort();
    // What was its own comes back to it when it is refused; what was another's is for anybody.
    let ids = [0, 1, 7].map(|n| format!("{ROOT}~{n}"));
    let given = [[&*ids[0], "2"], [&*ids[1], "1"], [&*ids[2], "1"]];
    assert_eq!(part.release(T, &given).await, "3");
    let waits = part.state().await;
    let list = |of: &str| waits.lists[&format!("parts:h:{ROOT}{of}")].len();
    assert_eq!((list(""), list(":w2")), (2, 1));
    assert_eq!(kinds(&test).await, []);
    let mut again = claims(&part, &[("w2", "g", 9, "h")]).await;
    again.sort();
    assert_eq!(again, moved);
    assert_eq!(
        moved,
        [claimed("w2", 0), claimed("w2", 1), claimed("w2", 7)]
    );
    let ended =
        [("0", "3"), ("1", "2"), ("7", "2")].map(|(n, attempt)| (format!("{ROOT}~{n}"), attempt));
    for (id, attempt) in &ended {
        part.settle(T, &[[id, attempt, "succeeded", ""]]).await;
    }
    assert_eq!(part.state().await.ends(), [(ROOT, "succeeded", "")]);
}

#[tokio::test]
async fn indexes_are_made_as_they_are_claimed_and_so_many_at_once() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    wait(&part, "").await;
    open(&part, &INDEXED, &[]).await;
    let all: [Offer<'_>; 1] = [("w", "g", 9, "h")];
    assert_eq!(
        claims(&part, &all).await,
        [claimed("w", 0), claimed("w", 1)]
    );
    assert_eq!(kinds(&test).await, []);
    part.settle(T, &[[&format!("{ROOT}~0"), "1", "failed", "0 0 no"]])
        .await;
    assert_eq!(claims(&part, &all).await, [claimed("w", 0)]);
    succeed(&part, &[1]).await;
    assert_eq!(claims(&part, &all).await, [claimed("w", 2)]);
    part.settle(T, &[[&format!("{ROOT}~0"), "2", "succeeded", ""]])
        .await;
    succeed(&part, &[2]).await;
    assert_eq!(
        claims(&part, &all).await,
        [claimed("w", 3), claimed("w", 4)]
    );
    succeed(&part, &[3, 4]).await;
    let state = part.state().await;
    assert_eq!(state.ends(), [(ROOT, "succeeded", "")]);
    assert_eq!(state.keys(), ["events", "wheel"]);
}

#[tokio::test]
async fn a_rule_that_is_met_or_broken_stops_the_rest() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let all: [Offer<'_>; 1] = [("w", "g", 9, "h")];
    wait(&part, "").await;
    let first = Opening {
        rules: ["5", "2", "", "", "1", "0"],
        ..INDEXED
    };
    open(&part, &first, &[]).await;
    claims(&part, &all).await;
    succeed(&part, &[0]).await;
    assert!(
        part.state()
            .await
            .field("held", &format!("{ROOT}~1"))
            .contains("REQUESTED@")
    );
    assert!(claims(&part, &all).await.is_empty());
    part.settle(T, &[[&format!("{ROOT}~1"), "1", "cancelled", "0 0 told"]])
        .await;
    assert_eq!(part.state().await.ends(), [(ROOT, "succeeded", "")]);
    wait(&part, "r=1,").await;
    let few = Opening {
        rules: ["5", "2", "", "0", "", ""],
        ..INDEXED
    };
    open(&part, &few, &[]).await;
    claims(&part, &all).await;
    part.settle(T, &[[&format!("{ROOT}~1"), "1", "fatal", "0 0 no"]])
        .await;
    succeed(&part, &[0]).await;
    assert_eq!(
        part.state().await.ends()[1],
        (ROOT, "failed", "1 subtasks failed, 0 may; 1: no")
    );
}

#[tokio::test]
async fn what_cannot_be_split_uses_up_an_attempt() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    wait(&part, "r=2,b=f:0:0:0,").await;
    let now = T.to_string();
    let refuse = |waiting: &'static str| {
        let (part, now) = (&part, now.as_str());
        async move {
            part.answer("fan/refuse", &[now, waiting, "0", "quorum: too few"])
                .await
        }
    };
    assert_eq!(refuse(WAITING).await, ["RETRYING"]);
    assert_eq!(refuse(WAITING).await, ["GONE"]);
    assert_eq!(refuse("3.900.a-1 1:1 g h 2").await, ["SETTLED"]);
    assert_eq!(
        part.state().await.ends(),
        [(ROOT, "failed", "quorum: too few")]
    );
}

#[tokio::test]
async fn what_a_deleted_job_would_split_again_ends_at_once() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let member = "3.900.f@d/j 1:1 g h 2 r=9,m=1 body";
    let ready = part.key("ready:g:!fan");
    let score = ready_score(2, 900).to_string();
    test.command(&["ZADD", &ready, &score, member]).await;
    part.put_job("d/j", 9 * T, &[]).await;
    let now = T.to_string();
    let waiting = "3.900.f@d/j 1:1 g h 2";
    let refuse = [now.as_str(), waiting, "0", "job: it was deleted", "1"];
    assert_eq!(part.answer("fan/refuse", &refuse).await, ["GONE"]);
    let job = part.key("job:d/j");
    test.command(&["DEL", &job]).await;
    assert_eq!(part.answer("fan/refuse", &refuse).await, ["SETTLED"]);
    let ends = part.state().await;
    let ends = ends.ends();
    assert_eq!(ends, [("3.900.f@d/j", "failed", "job: it was deleted")]);
}

#[tokio::test]
async fn a_check_names_what_disagrees_and_a_repair_mends_it() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let hash = part.key(&format!("fan:{ROOT}"));
    let damages: [(&[&str], Kind); 5] = [
        (&["HSET", "fan", "out", "5"], Kind::FanCounts),
        (&["HSET", "fan", "total", "9"], Kind::FanCounts),
        (&["HSET", "fan", "succeeded", "3"], Kind::FanOver),
        (&["HDEL", "fans", ROOT], Kind::FanOrphan),
        (&["DEL", "fan"], Kind::FanOrphan),
    ];
    for (damage, kind) in damages {
        wait(&part, "r=1,").await;
        open(&part, &SHARDING, &["w1", "0 0:", "w1", "1 0:", "", "2 0:"]).await;
        claims(&part, &[("w1", "g", 1, "h")]).await;
        assert_eq!(kinds(&test).await, []);
        let mut words: Vec<&str> = damage.to_vec();
        let fans = part.key("fans");
        words[1] = if words[1] == "fan" { &hash } else { &fans };
        if kind == Kind::FanOver {
            // As if the last settlement had been half written.
            let parts = part.key(&format!("parts:h:{ROOT}"));
            let pinned = part.key(&format!("parts:h:{ROOT}:w1"));
            let held = part.key("held");
            test.command(&["DEL", &parts, &pinned, &held]).await;
            test.command(&["HSET", &hash, "out", "0", "pinned", "0"])
                .await;
            test.command(&["HDEL", &hash, "w:w1"]).await;
        }
        test.command(&words).await;
        let found = kinds(&test).await;
        assert!(found.contains(&kind), "{damage:?}: {found:?}");
        let repaired = test.store.repair(Pace { rest: 0.0 }).await.unwrap();
        assert!(repaired.after.is_clean(), "{damage:?}: {repaired:?}");
        for key in test.keys().await {
            test.command(&["DEL", &key]).await;
        }
    }
}

#[tokio::test]
async fn arguments_out_of_range_are_refused() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    wait(&part, "").await;
    let good = [
        "1",
        WAITING,
        "broadcast",
        "2 p=b:1",
        "",
        "ended",
        "1",
        "0",
        "1",
        "",
        "",
        "",
        "w1",
        "0 ",
    ];
    test.assert_refused(
        "fan/open",
        part.id,
        &good,
        &[
            (1, "x", "now_ms"),
            (2, ROOT, "waiting"),
            (3, "map", "model"),
            (4, "high", "options"),
            (5, "sum", "reduce"),
            (6, "later", "reduce_on"),
            (7, "2", "parts"),
            (8, "x", "parallelism"),
            (9, "few", "quorum"),
            (10, "-1", "max_failed"),
            (11, "x", "wanted"),
            (12, "a b", "success"),
            (14, "x ", "part"),
        ],
    )
    .await;
    test.assert_refused(
        "fan/refuse",
        part.id,
        &["1", WAITING, "0", "why", ""],
        &[
            (2, "", "waiting"),
            (3, "x", "random"),
            (4, "", "message"),
            (5, "2", "deleted"),
        ],
    )
    .await;
    test.assert_refused(
        "fan/list",
        part.id,
        &[ROOT, "", "", "10"],
        &[(1, "", "root"), (4, "0", "limit")],
    )
    .await;
    let none = part
        .call("fan/list", "NO_FAN", &[ROOT, "waiting", "", "1"])
        .await;
    assert_eq!(none.iter().map(text).count(), 0);
}
