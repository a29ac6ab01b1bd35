//! lease/reap: leases that ran out, workers that are gone, timeouts and graces.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::call::{Part, T, field, ready_score, text, texts};
use crate::harness::{fresh, partition};
use tickwheel_store::lease::AttemptRef;

const ID: &str = "3.900.a-1";

/// Why an attempt failed that was never taken up.
const SILENT: &str = "its lease ran out: its worker was silent for 2.0 s (does a handler block its loop? docs/guides/blocking.md)";

#[tokio::test]
async fn a_lease_that_ran_out_is_taken_back_and_its_worker_avoided() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "1:0", "l=500,a=v").await;
    assert_eq!(
        part.reap(T + 1_999, &[]).await,
        (vec![], "0".to_owned(), vec![])
    );
    assert_eq!(
        part.state().await.zset("wheel"),
        [("!reap", T + 2_249)],
        "scans are apart"
    );
    let lost = vec![format!("{ID} 1 w RETRYING")];
    assert_eq!(
        part.reap(T + 2_000, &[]).await,
        (lost, "0".to_owned(), vec![])
    );
    let state = part.state().await;
    let kept = ["attempted", "attempts:3.900.a-1"];
    assert_eq!(state.keys()[..2], kept);
    assert_eq!(state.keys()[2..], ["backlog", "ready:g:h", "stats"]);
    assert_eq!(
        state.zset("ready:g:h"),
        [(
            "3.900.a-1 1:1 g h 2 l=500,a=w,o=1 body",
            ready_score(2, 900)
        )]
    );
    assert_eq!(state.field("stats", "reaped"), "1");
    assert_eq!(
        part.reap(T + 2_000, &[]).await,
        (vec![], "0".to_owned(), vec![])
    );
    assert_eq!(part.state().await, state);
}

#[tokio::test]
async fn the_leases_of_an_evicted_worker_end_now() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["1", "a-1", "g h 2 - x", ""],
            ["2", "a-2", "g h 2 - x", ""],
            ["3", "a-3", "g h 2 - x", ""],
        ],
    )
    .await;
    part.turn(
        T,
        9,
        &[("u", "g", 1, "h"), ("v", "g", 1, "h"), ("w", "g", 1, "h")],
    )
    .await;
    let (mut lost, _, _) = part.reap(T + 1, &["u", "w", "x"]).await;
    lost.sort();
    assert_eq!(lost, ["3.1.a-1 1 u RETRYING", "3.3.a-3 1 w RETRYING"]);
    let state = part.state().await;
    assert_eq!(state.hash("held").len(), 1);
    assert_eq!(state.zset("wheel"), [("!reap", T + 2_000)]);
    assert_eq!(
        part.settle(
            T,
            &[
                ["3.1.a-1", "1", "succeeded", ""],
                ["3.2.a-2", "1", "succeeded", ""]
            ]
        )
        .await,
        "GS"
    );
}

#[tokio::test]
async fn a_timeout_is_told_then_given_its_grace_and_then_fenced() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[["+0", "a-1", "g h 2 t=700,g=300,l=90000,b=f:50:50:0 x", ""]],
    )
    .await;
    part.turn(T, 9, &[("w", "g", 1, "h")]).await;
    let id = "3.1000000.a-1";
    part.renew(T, &[[id, "1"]]).await;
    assert_eq!(part.reap(T + 699, &[]).await.2.len(), 0);
    assert_eq!(
        part.reap(T + 700, &[]).await,
        (vec![], "0".to_owned(), vec![format!("w {id} 1 TIMED_OUT")])
    );
    let state = part.state().await;
    assert!(
        state.field("held", id).contains(" TIMED_OUT@1001000 "),
        "{state:?}"
    );
    assert_eq!(state.zset("wheel"), [("!reap", T + 1_000)]);
    assert_eq!(
        part.reap(T + 999, &[]).await,
        (vec![], "0".to_owned(), vec![])
    );
    assert_eq!(
        part.reap(T + 1_000, &[]).await,
        (vec![], "1".to_owned(), vec![format!("w {id} 1 FENCED")])
    );
    let state = part.state().await;
    assert_eq!(state.keys()[2..], ["retry", "wheel"]);
    assert_eq!(
        state.zset("wheel")[0].0,
        format!("{id} 1:1 g h 2 t=700,g=300,l=90000,b=f:50:50:0 x")
    );
    let claims = part.turn(T + 2_000, 9, &[("w", "g", 1, "h")]).await.claims;
    assert_eq!(claims.len(), 1);
    assert!(
        part.state().await.field("held", id).contains(" 1002700 - "),
        "each attempt has its own time"
    );
}

#[tokio::test]
async fn a_cancelled_attempt_ends_with_its_grace() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold(ID, "1:0", "g=300").await;
    assert_eq!(part.cancel(T, ID).await[0], "RUNNING");
    assert_eq!(part.reap(T + 299, &[]).await.1, "0");
    assert_eq!(
        part.reap(T + 300, &[]).await,
        (vec![], "1".to_owned(), vec![format!("w {ID} 1 FENCED")])
    );
    assert_eq!(
        part.state().await.ends(),
        [(ID, "cancelled", "did not end within its grace")]
    );
    part.hold(ID, "1:0", "g=9000").await;
    part.cancel(T, ID).await;
    assert_eq!(
        part.reap(T + 2_000, &[]).await.0,
        [format!("{ID} 1 w SETTLED")]
    );
    assert_eq!(
        part.state().await.ends()[1].1,
        "cancelled",
        "a cancelled context whose lease runs out is not retried"
    );
}

#[tokio::test]
async fn used_up_attempts_end_among_the_dead() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["1", "a-1", "g h 2 r=2 x", ""],
            ["1", "a-2", "g h 2 x=1 x", ""],
        ],
    )
    .await;
    for step in 0..3 {
        part.turn(T + step * 5_000, 9, &[("w", "g", 9, "h")]).await;
        part.reap(T + step * 5_000 + 2_000, &[]).await;
    }
    let state = part.state().await;
    let mut ends = state.ends();
    ends.sort_unstable();
    assert_eq!(
        ends,
        [("3.1.a-1", "failed", SILENT), ("3.1.a-2", "failed", SILENT)]
    );
    assert_eq!(
        state.zset("dead"),
        [
            (
                &*format!(
                    "3.1.a-2\tfailed\t1\tw\t1000000\t1002000\t{SILENT}\tg\th\t1\n1 g h 2 x=1 x"
                ),
                T + 2_000
            ),
            (
                &*format!(
                    "3.1.a-1\tfailed\t2\tw\t1005000\t1007000\t{SILENT}\tg\th\t2\n2 g h 2 r=2,a=w,o=1 x"
                ),
                T + 7_000
            )
        ]
    );
}

#[tokio::test]
async fn a_context_that_three_workers_were_lost_with_is_taken_for_the_cause() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(T, &[["1", "a-1", "g h 2 r=50,b=f:0:0:0 x", ""]])
        .await;
    let mut now = T;
    let lose = async |now: u64, worker: &str| {
        part.turn(now, 9, &[(worker, "g", 9, "h")]).await;
        part.reap(now + 1, &[worker]).await.0
    };
    assert_eq!(lose(now, "u").await, ["3.1.a-1 1 u RETRYING"]);
    assert_eq!(lose(now + 10, "v").await, ["3.1.a-1 2 v RETRYING"]);
    // A worker that lives to report an end of it clears it.
    now += 20;
    part.turn(now, 9, &[("w", "g", 9, "h")]).await;
    part.settle(now, &[["3.1.a-1", "3", "failed", "0 0 no"]])
        .await;
    assert_eq!(
        part.state().await.zset("ready:g:h")[0].0,
        "3.1.a-1 3:3 g h 2 r=50,b=f:0:0:0,a=v x"
    );
    for (step, worker) in [(1_u64, "u"), (2, "v")] {
        lose(now + 10 * step, worker).await;
    }
    assert_eq!(lose(now + 30, "w").await, ["3.1.a-1 6 w SETTLED"]);
    let state = part.state().await;
    let (id, end, message) = state.ends()[0];
    assert_eq!((id, end), ("3.1.a-1", "failed"));
    assert!(message.contains("taken for the cause"), "{message}");
    let (claimed, ended) = (now + 30, now + 31);
    let record = format!("3.1.a-1\tfailed\t6\tw\t{claimed}\t{ended}\t{message}\tg\th\t6");
    let dead = format!("{record}\n6 g h 2 r=50,b=f:0:0:0,a=v,o=2 x");
    assert_eq!(state.zset("dead"), [(dead.as_str(), ended)]);
}

#[tokio::test]
async fn the_next_scan_is_at_the_first_end_but_not_at_once_and_not_after_a_dispatch_lease() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for (expires, scan) in [
        (T + 10, T + 250),
        (T + 900, T + 900),
        (T + 60_000, T + 2_000),
    ] {
        let value = format!("1:0 w {T} {expires} 0 - g h 2 - body");
        test.command(&["HSET", &part.key("held"), ID, &value]).await;
        part.reap(T, &[]).await;
        assert_eq!(part.state().await.zset("wheel"), [("!reap", scan)]);
    }
    test.command(&["DEL", &part.key("held")]).await;
    part.reap(T, &[]).await;
    assert!(
        part.state().await.keys().is_empty(),
        "nothing runs, nothing is scanned"
    );
}

#[tokio::test]
async fn many_are_looked_at_page_by_page_and_each_once() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let fill = format!(
        "for i = 1, 3000 do redis.call('HSET', KEYS[1], '3.5.a-' .. i, '1:0 w {T} ' .. ({T} + i) .. ' 0 - g h 2 - x') end"
    );
    test.text(&["EVAL", &fill, "1", &part.key("held")]).await;
    let now = (T + 1_500).to_string();
    let (mut cursor, mut soonest, mut lost, mut pages) =
        ("0".to_owned(), String::new(), BTreeSet::new(), 0);
    loop {
        let reply = part
            .call(
                "lease/reap",
                "REAPED",
                &[&now, &cursor, "100", &soonest, "0", "2000", "0"],
            )
            .await;
        (cursor, soonest) = (
            text(field(&reply, "cursor")),
            text(field(&reply, "soonest")),
        );
        for one in texts(field(&reply, "lost")) {
            assert!(
                lost.insert(one.split(' ').next().unwrap().to_owned()),
                "{one} twice"
            );
        }
        pages += 1;
        if cursor == "0" {
            break;
        }
        assert!(
            part.state().await.zset("wheel").is_empty(),
            "only the last page arms the next scan"
        );
    }
    assert!(
        pages > 10 && lost.len() == 1_500,
        "{pages} pages, {} lost",
        lost.len()
    );
    let state = part.state().await;
    assert_eq!(
        (state.hash("held").len(), state.zset("ready:g:h").len()),
        (1_500, 1_500)
    );
    assert_eq!(
        (soonest.as_str(), state.zset("wheel")),
        ("1001501", vec![("!reap", T + 1_750)])
    );
}

#[tokio::test]
async fn the_store_walks_all_pages() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let fill = "for i = 1, 1400 do redis.call('HSET', KEYS[1], '3.5.a-' .. i, '1:0 w-1 1 2 0 - g h 2 r=1 x') end
                redis.call('HSET', KEYS[1], '3.6.b-1', '1:0 w-2 1 9000000000000000 0 - g h 2 r=5 x')";
    test.text(&["EVAL", fill, "1", &part.key("held")]).await;
    let reaped = test
        .store
        .reap(
            partition(3),
            &["w-2".parse().unwrap()],
            Duration::from_secs(2),
            0,
        )
        .await
        .unwrap();
    assert_eq!(reaped.lost.len(), 1_401);
    let retrying: Vec<_> = reaped.lost.iter().filter(|lost| lost.retrying).collect();
    assert_eq!(retrying.len(), 1);
    assert_eq!(
        retrying[0].attempt,
        AttemptRef {
            context: "3.6.b-1".parse().unwrap(),
            attempt: 1.into()
        }
    );
    assert_eq!(part.state().await.zset("dead").len(), 1_400);
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    Part::new(&test).hold(ID, "1:0", "-").await;
    let args = ["9000000000000", "0", "100", "", "0", "2000", "1", "w"];
    let changes = [
        (1, "-1", "now_ms"),
        (2, "", "cursor"),
        (2, "x", "cursor"),
        (3, "0", "page"),
        (3, "1001", "page"),
        (4, "x", "soonest"),
        (5, "1000000", "random"),
        (6, "99", "lease_ms"),
        (7, "2", "workers"),
        (7, "1001", "workers"),
    ];
    test.assert_refused("lease/reap", partition(3), &args, &changes)
        .await;
}
