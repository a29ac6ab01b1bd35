//! Numbers that no script writes, in each place of each record: no call fails for one, and what cannot be used is put aside.

use std::collections::BTreeSet;
use std::time::Duration;

use tickwheel_core::id::{AttemptNo, ContextId, JobName};
use tickwheel_store::Error;
use tickwheel_store::context::ContextFilter;
use tickwheel_store::dead::DeadFilter;
use tickwheel_store::lease::{AttemptRef, Holding, Outcome, Renewal, Settlement, Verdict};
use tickwheel_store::repair::Repaired;

use crate::call::{Offer, Part, T};
use crate::damage::good::{FAST, Good, HOUR, claim, command, good, options, submit};
use crate::garbage::{lists_of_contexts, names, prepared, table, turns};
use crate::harness::{Harness, alone, fresh, partition};

const HUGE: [&str; 3] = [
    "100000000000000000000",
    "18446744073709551615",
    "9007199254740993",
];

/// Records with `$N` where a number belongs, as commands to a good partition; `$R` is a context that runs and has subtasks, `$W` one that
/// waits for its next attempt.
#[expect(clippy::too_many_lines, reason = "a table")]
fn rows() -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for counts in ["$N:0", "1:$N"] {
        rows.push(format!(
            "HSET|B:held|0.5.h-1|{counts} w-1 5 9 0 - default work 2 - body"
        ));
        rows.push(format!(
            "HSET|B:held|$R~0|{counts} w-1 5 9 0 - default work 2 p=m:0 body"
        ));
        rows.push(format!(
            "ZADD|B:wheel|5|0.5.h-1 {counts} default work 2 - body"
        ));
        rows.push(format!(
            "ZADD|B:queue:a/queue|5|0.5.h-1@a/queue {counts} default work 2 - body"
        ));
        rows.push(format!(
            "ZADD|B:ready:default:work|35184372088837|0.5.h-1 {counts} default work 2 - body"
        ));
        rows.push(format!("RPUSH|B:parts:work:$R|1 {counts} item"));
        rows.push(format!(
            "HSET|B:fan:$R|root|{counts} default work 2 - body|by|w-1 5"
        ));
    }
    for lease in [
        "$N 9 0 -",
        "5 $N 0 -",
        "5 9 $N -",
        "5 9 0 REQUESTED@$N",
        "5 9 0 TIMED_OUT@$N",
    ] {
        rows.push(format!(
            "HSET|B:held|0.5.h-1|1:0 w-1 {lease} default work 2 - body"
        ));
        rows.push(format!(
            "HSET|B:held|0.5.h-1@a/queue|1:0 w-1 {lease} default work 2 - body"
        ));
        rows.push(format!(
            "HSET|B:held|$R~0|1:0 w-1 {lease} default work 2 - body"
        ));
    }
    for option in [
        "l=$N",
        "t=$N",
        "g=$N",
        "r=$N",
        "s=$N",
        "d=$N",
        "b=e:$N:$N:1",
        "o=$N",
        "p=m:$N",
        "n=$N",
        "h=$N",
        "k=acme,v=$N",
    ] {
        rows.push(format!(
            "HSET|B:held|0.5.h-1|1:0 w-1 5 9 0 - default work 2 {option} body"
        ));
        rows.push(format!(
            "ZADD|B:wheel|5|0.5.h-1 0:0 default work 2 {option} body"
        ));
        rows.push(format!("ZADD|B:dead|6|0.5.h-1\tfailed\t1\tw-1\t5\t6\tm\tdefault\twork\t1\n1 default work 2 {option} body"));
    }
    for record in [
        "$N\tw-1\t5\t6\tm\tg\th\t0",
        "1\tw-1\tN\t6\tm\tg\th\t0",
        "1\tw-1\t5\tN\tm\tg\th\t0",
        "1\tw-1\t5\t6\tm\tg\th\tN",
    ] {
        rows.push(format!("XADD|B:events|*|s|0.5.h-1\tfailed\t{record}"));
        rows.push(format!(
            "RPUSH|B:runs:a/queue|0.5.h-1@a/queue\tfailed\t{record}"
        ));
        rows.push(format!(
            "ZADD|B:dead|6|0.5.h-1\tfailed\t{record}\n1 g h 2 - body"
        ));
    }
    rows.push("ZADD|B:dead|6|0.5.h-1\tfailed\t1\tw-1\t5\t6\tm\tg\th\t0\nN g h 2 - body".to_owned());
    for record in ["$N F +1", "5 F +$N", "5-9xN M misfire_skip", "5 R $N"] {
        rows.push(format!("RPUSH|B:ledger:a/queue|{record}"));
    }
    for field in [
        "round",
        "created_ms",
        "total",
        "succeeded",
        "failed",
        "out",
        "later",
        "parallelism",
        "quorum",
        "max_failed",
        "wanted",
        "next_index",
        "pinned",
        "m:0",
    ] {
        rows.push(format!("HSET|B:fan:$R|{field}|$N"));
    }
    rows.push("RPUSH|B:results:$R|$N s x".to_owned());
    for row in [
        "RPUSH|B:attempts:$R|$N w-1 5 6 failed x|1 w-1 $N 6 failed x|1 w-1 5 $N failed x",
        "RPUSH|B:split:$R|$N f 1 w-1 5 6 x|0 f $N w-1 5 6 x",
        "RPUSH|B:log:$R|$N 1 0 0|5 $N 0 0|5 1 $N 0|5 1 0 $N",
        "SET|B:progress:$R|$N x",
    ] {
        let key = row.split('|').nth(1).unwrap();
        rows.push(format!("{row};PEXPIRE|{key}|3600000"));
    }
    for share in ["$N 9 0 5 k", "0 $N 0 5 k", "0 9 $N 5 k", "0 9 0 $N k"] {
        rows.push(format!("HSET|B:limit_shares|default|{share}"));
    }
    for one in [
        "RPUSH|B:limit_released|$N default",
        "HSET|B:limit_waiting|default|$N",
        "HSET|B:fair|0.5.h-1|$N",
        "HSET|B:retry|$W|$N",
        "ZADD|B:tags:default|$N|acme",
    ] {
        rows.push(one.to_owned());
    }
    for field in ["!l", "!r", "!d", "!l default"] {
        rows.push(format!("HSET|B:traces|{field}|$N"));
    }
    for value in ["$N 0 0 0", "5 $N 0 0", "5 0 $N 0", "5 0 0 $N"] {
        rows.push(format!("HSET|B:traces|l $R|{value}"));
    }
    rows.push("HSET|B:traces|r $R|$N|s $R|$N".to_owned());
    rows
}

async fn damage(test: &Harness, row: &str) {
    for one in row.split(';') {
        command(test, one).await;
    }
}

/// What trackers call for the contexts of a partition, those of others among them.
async fn calls(test: &Harness, good: &Good) -> Result<(), Error> {
    let p = partition(0);
    turns(test, p, true).await?;
    submit(test, 0, ("n-1", "mine"), &options(|_| {})).await;
    let mine = claim(test, "mine", 1).await.remove(0);
    let holding = |id: &str, attempt: u32| Holding {
        attempt: AttemptRef {
            context: id.parse().unwrap(),
            attempt: AttemptNo::new(attempt),
        },
        worker: "w-1".parse().unwrap(),
    };
    let root = &good.running;
    let mut held = vec![holding("0.5.h-1", 1), holding("0.5.h-1@a/queue", 1)];
    if let Ok(part) = format!("{root}~0").parse::<ContextId>() {
        held.push(holding(part.as_str(), 1));
    }
    held.push(mine.holding());
    let renewed = test.store.renew(p, &held).await?;
    assert!(
        matches!(renewed.last(), Some(Renewal::Kept(_))),
        "{renewed:?}"
    );
    let settle = |holding: &Holding, outcome: Outcome| Settlement {
        attempt: holding.attempt.clone(),
        worker: holding.worker.clone(),
        outcome,
        random: 0,
    };
    let settlements: Vec<_> = held
        .iter()
        .map(|holding| settle(holding, Outcome::Failed("no".to_owned())))
        .collect();
    let settled = test.store.settle(p, &settlements).await?;
    let mine = settled.last();
    assert!(
        matches!(mine, Some(Verdict::Retrying | Verdict::Settled)),
        "{settled:?}"
    );
    let _ = test.store.release(p, &held).await?;
    test.store
        .fates(
            p,
            &held
                .iter()
                .map(|one| one.attempt.clone())
                .collect::<Vec<_>>(),
        )
        .await?;
    turns(test, p, false).await?;
    drop(test.store.cancel_context(&root.parse().unwrap()).await?);
    let workers = ["w-1".parse().unwrap()];
    let lease = Duration::from_secs(3_000);
    test.store.reap(p, &workers, lease, 0).await?;
    turns(test, p, true).await?;
    let ended = [("0.5.h-1", "6"), (good.dead.as_str(), "6")];
    let mut args = vec!["", "2"];
    args.extend(ended.iter().flat_map(|(id, at)| [*id, *at]));
    test.eval("context/retry", p, &args).await.unwrap();
    Ok(())
}

#[tokio::test]
async fn a_number_that_no_script_writes_fails_no_call_and_is_put_aside() {
    let Some((test, _server, _)) = prepared().await else {
        return;
    };
    let job: JobName = "a/queue".parse().unwrap();
    let mut wrong = Vec::new();
    for row in rows() {
        for huge in HUGE {
            test.command(&["FLUSHALL"]).await;
            let good = good(&test).await;
            let root = &good.running;
            for one in [
                format!("HSET|B:fans|{root}|map"),
                format!(
                    "HSET|B:fan:{root}|model|map|state|open|round|1|created_ms|5|total|2|out|1|group|default|handlers|work|t:work|default work 2 - "
                ),
                format!("RPUSH|B:parts:work:{root}|1 0:0 item"),
                format!(
                    "HSET|B:held|{root}~0|1:0 w-1 5 9000000000000 0 - default work 2 p=m:0 body"
                ),
                format!("ZADD|B:backlog|0|default work /{root}"),
            ] {
                command(&test, &one).await;
            }
            let text = row
                .replace("$N", huge)
                .replace("$R", root)
                .replace("$W", &good.retrying);
            damage(&test, &text).await;
            lists_of_contexts(&test, &job).await;
            test.store.check(FAST).await.unwrap();
            if let Err(error) = calls(&test, &good).await {
                wrong.push(format!("{text}: {error:?}"));
                continue;
            }
            lists_of_contexts(&test, &job).await;
            test.store.check(FAST).await.unwrap();
            let repairs = test.store.repair(FAST).await.unwrap();
            let left = repairs
                .repairs
                .iter()
                .any(|one| one.outcome == Repaired::Left);
            if !repairs.after.is_clean() || left {
                wrong.push(format!("{text}: {:#?}", repairs.after.findings));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of them:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[tokio::test]
async fn attempts_that_nobody_could_read_do_not_reach_the_history() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let huge = HUGE[0];
    part.hold("3.7.a-1", &format!("{huge}:0"), "r=1").await;
    part.hold("3.7.a-2", &format!("1:{huge}"), "r=1").await;
    part.hold("3.7.a-3", "4294967295:4294967295", "r=1").await;
    part.hold("3.7.a-4", "4294967296:0", "r=9").await;
    part.reap(T + 5_000, &[]).await;
    let state = part.state().await;
    assert_eq!(state.list("quarantine").len(), 3);
    let dead = test.store.list_dead(&DeadFilter::default(), "", 10).await;
    let dead = dead.unwrap();
    assert_eq!((dead.items.len(), dead.unreadable), (1, 0));
    assert_eq!(dead.items[0].failures, u32::MAX);
    let listed = test
        .store
        .list_contexts(&ContextFilter::default(), "", 10)
        .await;
    let listed = listed.unwrap();
    assert_eq!(listed.unreadable, 0);
    let offer: Offer<'_> = ("w", "g", 50, "h");
    assert_eq!(part.turn(T + 5_000, 10, &[offer]).await.claims.len(), 0);
}

#[tokio::test]
async fn one_attempt_whose_cancellation_cannot_be_read_fails_no_batch() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let good = good(&test).await;
    let next = test.now().await + HOUR;
    for bad in ["what", "REQUESTED@", "@5", "REQUESTED@5x"] {
        command(
            &test,
            &format!("HSET|B:held|0.5.h-1|1:0 w-1 5 {next} 0 {bad} default work 2 - body"),
        )
        .await;
        calls(&test, &good).await.unwrap();
        assert_eq!(
            test.text(&["HLEN", &test.key(partition(0), "held")]).await,
            "0",
            "{bad}"
        );
    }
}

#[test]
fn every_kind_of_key_of_the_page_has_garbage() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/keyspace.md");
    let page = std::fs::read_to_string(page).unwrap();
    let kinds = |tag: &str| -> BTreeSet<String> {
        let rows = page.lines().filter_map(|line| line.strip_prefix(tag));
        rows.map(|row| row.split([':', '`', '<']).next().unwrap().to_owned())
            .collect()
    };
    let name = |text: &str| text.parse().unwrap();
    let good = Good {
        scheduled: name("0.5.a-1"),
        retrying: name("0.5.a-2"),
        ready: name("0.5.a-3"),
        running: name("0.5.a-4"),
        running_of_job: name("0.5.a-5"),
        queued: name("0.5.a-6"),
        dead: name("0.5.a-7"),
        next: 5,
    };
    let names = names(&good);
    let of = |garbage: Vec<table::Garbage>| -> BTreeSet<String> {
        let kinds = garbage.iter().map(|one| one.key.split(':').next());
        kinds.map(|kind| kind.unwrap().to_owned()).collect()
    };
    let missing = |tag: &str, known: &BTreeSet<String>| -> Vec<String> {
        kinds(tag)
            .into_iter()
            .filter(|kind| !known.contains(kind))
            .collect()
    };
    assert!(kinds("| `{tw:p}:").len() > 30);
    for garbage in [
        table::of_partition("", &names),
        table::wrong_types_of_partition("", &names),
    ] {
        assert_eq!(missing("| `{tw:p}:", &of(garbage)), [""; 0]);
    }
    // A store whose identity cannot be read is refused, and a person looks at it.
    let refused = ["epoch", "incarnations", "meta"];
    for garbage in [
        table::of_cluster("", &names),
        table::wrong_types_of_cluster("", &names),
    ] {
        assert_eq!(missing("| `{tw}:", &of(garbage)), refused);
    }
}
