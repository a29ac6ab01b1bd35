//! wheel/turn, contexts: what is due is claimed or waits in its ready set, in the order of priorities.

use crate::call::{Offer, Part, T, Turned, ready_score};
use crate::harness::{fresh, partition};

/// Ids of the claims, in order.
fn claimed(turned: &Turned) -> Vec<&str> {
    turned
        .claims
        .iter()
        .map(|(_, member)| member.split(' ').next().unwrap())
        .collect()
}

/// Workers of the claims, in order.
fn workers(turned: &Turned) -> Vec<&str> {
    turned
        .claims
        .iter()
        .map(|(worker, _)| worker.as_str())
        .collect()
}

#[tokio::test]
async fn a_due_context_is_claimed_and_a_second_turn_finds_nothing() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["+5", "a-1", "g h 2 t=700 a body", ""],
            ["+6", "a-2", "g h 2 - x", ""],
        ],
    )
    .await;
    assert_eq!(
        part.turn(T + 4, 10, &[("w", "g", 9, "h")]).await,
        Turned {
            next: Some(T + 5),
            ..Turned::default()
        }
    );
    let turned = part.turn(T + 5, 10, &[("w", "g", 9, "h")]).await;
    let claim = (
        "w".to_owned(),
        "3.1000005.a-1 1:0 g h 2 t=700 a body".to_owned(),
    );
    assert_eq!(
        turned,
        Turned {
            next: Some(T + 6),
            claims: vec![claim],
            ..Turned::default()
        }
    );
    let state = part.state().await;
    assert_eq!(state.keys(), ["held", "wheel"]);
    assert_eq!(
        state.hash("held"),
        [(
            "3.1000005.a-1",
            "1:0 w 1000005 1002005 1000705 - g h 2 t=700 a body"
        )]
    );
    assert_eq!(
        state.zset("wheel"),
        [("3.1000006.a-2 0:0 g h 2 - x", T + 6), ("!reap", T + 705)]
    );
    assert_eq!(
        part.turn(T + 5, 10, &[("w", "g", 9, "h")]).await,
        Turned {
            next: Some(T + 6),
            ..Turned::default()
        }
    );
    assert_eq!(part.state().await, state);
}

#[tokio::test]
async fn the_next_lease_scan_is_at_the_end_of_the_first_lease_or_timeout() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["+0", "a-1", "g h 2 t=90000 x", ""],
            ["+10", "a-2", "g h 2 - x", ""],
            ["+20", "a-3", "g h 2 t=300 x", ""],
        ],
    )
    .await;
    for (now, scan) in [(T, T + 2_000), (T + 10, T + 2_000), (T + 20, T + 320)] {
        part.turn(now, 10, &[("w", "g", 9, "h")]).await;
        assert_eq!(
            part.state()
                .await
                .zset("wheel")
                .iter()
                .find(|(entry, _)| *entry == "!reap"),
            Some(&("!reap", scan))
        );
    }
    let turned = part.turn(T + 320, 10, &[]).await;
    assert!(turned.scan, "the entry asks for a scan");
    assert_eq!(
        turned.next,
        Some(T + 1_320),
        "until it is done, the next tracker is asked a second later"
    );
}

#[tokio::test]
async fn without_a_permit_it_waits_in_its_ready_set() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["+1", "a-1", "g h 2 - x", ""],
            ["+2", "a-2", "g h 3 - x", ""],
            ["+3", "a-3", "k h 2 - x", ""],
        ],
    )
    .await;
    let offers: [&[Offer<'_>]; 3] = [
        &[],
        &[("w", "g", 0, "h")],
        &[("w", "g", 5, "other"), ("v", "other", 5, "h")],
    ];
    for offers in offers {
        let turned = part.turn(T + 3, 10, offers).await;
        assert_eq!(
            turned.backlog,
            [("g h".to_owned(), 2), ("k h".to_owned(), 1)].into()
        );
        assert!(turned.claims.is_empty() && turned.next.is_none());
        let state = part.state().await;
        assert_eq!(state.keys(), ["backlog", "ready:g:h", "ready:k:h"]);
        let ready = [
            ("3.1000002.a-2 0:0 g h 3 - x", ready_score(3, T + 2)),
            ("3.1000001.a-1 0:0 g h 2 - x", ready_score(2, T + 1)),
        ];
        assert_eq!(state.zset("ready:g:h"), ready);
        assert_eq!(state.zset("backlog"), [("g h", 0), ("k h", 0)]);
    }
    let turned = part
        .turn(T + 4, 10, &[("w", "g", 5, "h"), ("v", "k", 5, "h")])
        .await;
    assert_eq!((turned.claims.len(), turned.backlog.len()), (3, 0));
    assert_eq!(part.state().await.keys(), ["held", "wheel"]);
}

#[tokio::test]
async fn priority_decides_between_handlers_between_fresh_and_waiting_and_then_the_due_time() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["1", "a-1", "g h 2 - x", ""],
            ["2", "a-2", "g i 2 - x", ""],
            ["3", "a-3", "g h 1 - x", ""],
        ],
    )
    .await;
    part.submit(
        T,
        &[
            ["+1", "b-1", "g i 4 - x", ""],
            ["+2", "b-2", "g h 3 - x", ""],
            ["+3", "b-3", "g i 0 - x", ""],
        ],
    )
    .await;
    let turned = part.turn(T + 9, 10, &[("w", "g", 3, "h,i")]).await;
    assert_eq!(
        claimed(&turned),
        ["3.1000001.b-1", "3.1000002.b-2", "3.1.a-1"]
    );
    assert_eq!(
        turned.backlog,
        [("g h".to_owned(), 1), ("g i".to_owned(), 2)].into()
    );
    let turned = part.turn(T + 9, 10, &[("w", "g", 2, "h,i")]).await;
    assert_eq!(claimed(&turned), ["3.2.a-2", "3.3.a-3"]);
}

#[tokio::test]
async fn fresh_contexts_with_too_few_permits_are_claimed_by_priority() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["+1", "a-1", "g h 0 - x", ""],
            ["+2", "a-2", "g h 4 - x", ""],
            ["+3", "a-3", "g i 0 - x", ""],
        ],
    )
    .await;
    // Enough permits in all, but only one of a worker with handler h.
    let turned = part
        .turn(T + 9, 10, &[("v", "g", 7, "i"), ("w", "g", 1, "h")])
        .await;
    assert_eq!(turned.backlog, [("g h".to_owned(), 1)].into());
    let mut ids = claimed(&turned);
    ids.sort_unstable();
    assert_eq!(ids, ["3.1000002.a-2", "3.1000003.a-3"]);
}

#[tokio::test]
async fn permits_go_round_the_workers_and_none_gets_more_than_it_offered() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let unique: Vec<String> = (0..8).map(|i| format!("a-{i}")).collect();
    let contexts: Vec<[&str; 4]> = unique
        .iter()
        .map(|unique| ["+0", unique, "g h 2 - x", ""])
        .collect();
    part.submit(T, &contexts).await;
    let turned = part
        .turn(
            T,
            10,
            &[
                ("u", "g", 1, "h"),
                ("v", "g", 3, "h,i"),
                ("w", "g", 2, "i,h"),
            ],
        )
        .await;
    assert_eq!(workers(&turned), ["u", "v", "w", "v", "w", "v"]);
    assert_eq!(turned.backlog, [("g h".to_owned(), 2)].into());
}

#[tokio::test]
async fn a_context_avoids_its_last_worker_unless_there_is_no_other() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["+0", "a-1", "g h 2 a=u x", ""],
            ["+0", "a-2", "g h 2 a=u x", ""],
            ["+0", "a-3", "g h 2 l=5,a=u x", ""],
        ],
    )
    .await;
    let turned = part
        .turn(T, 10, &[("u", "g", 5, "h"), ("v", "g", 2, "h")])
        .await;
    assert_eq!(workers(&turned), ["v", "v", "u"]);
}

#[tokio::test]
async fn groups_do_not_wait_for_each_other() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["+0", "a-1", "g h 2 - x", ""],
            ["+0", "a-2", "g h 2 - x", ""],
        ],
    )
    .await;
    part.submit(
        T,
        &[
            ["+1", "b-1", "k h 0 - x", ""],
            ["+1", "b-2", "g h 4 - x", ""],
        ],
    )
    .await;
    let turned = part
        .turn(T + 1, 10, &[("w", "k", 1, "h"), ("v", "g", 1, "h")])
        .await;
    let mut claims = turned.claims;
    claims.sort();
    assert_eq!(
        claims[0],
        ("v".to_owned(), "3.1000001.b-2 1:0 g h 4 - x".to_owned())
    );
    assert_eq!(
        claims[1],
        ("w".to_owned(), "3.1000001.b-1 1:0 k h 0 - x".to_owned())
    );
}

#[tokio::test]
async fn the_limit_bounds_what_is_taken_and_what_is_claimed() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let unique: Vec<String> = (0..5).map(|i| format!("a-{i}")).collect();
    let contexts: Vec<[&str; 4]> = unique
        .iter()
        .map(|unique| ["+1", unique, "g h 2 - x", ""])
        .collect();
    part.submit(T, &contexts).await;
    part.submit(
        T,
        &[
            ["+0", "b-1", "g h 2 - x", ""],
            ["+0", "b-2", "g h 2 - x", ""],
            ["+0", "b-3", "g h 2 - x", ""],
        ],
    )
    .await;
    let turned = part.turn(T + 1, 2, &[("w", "g", 9, "h")]).await;
    assert_eq!(
        (turned.claims.len(), turned.more, turned.next),
        (2, true, Some(T + 1))
    );
    assert_eq!(claimed(&turned), ["3.1000000.b-1", "3.1000000.b-2"]);
    assert_eq!(turned.backlog, [("g h".to_owned(), 3)].into());
    let turned = part.turn(T + 1, 9, &[("w", "g", 9, "h")]).await;
    assert_eq!((turned.claims.len(), turned.more), (6, false));
}

#[tokio::test]
async fn a_retry_keeps_its_attempt_number_and_leaves_the_retry_hash() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.hold("3.5.a-1", "4:2", "b=f:100:100:0,r=9").await;
    assert_eq!(
        part.settle(T, &[["3.5.a-1", "4", "failed", "0 0 no"]])
            .await,
        "R"
    );
    let state = part.state().await;
    assert_eq!(state.hash("retry"), [("3.5.a-1", "1000100")]);
    assert_eq!(
        state.zset("wheel"),
        [("3.5.a-1 4:3 g h 2 b=f:100:100:0,r=9 body", T + 100)]
    );
    let turned = part.turn(T + 100, 9, &[("w", "g", 9, "h")]).await;
    assert_eq!(
        turned.claims[0].1,
        "3.5.a-1 5:3 g h 2 b=f:100:100:0,r=9 body"
    );
    let kept = ["attempted", "attempts:3.5.a-1", "held", "wheel"];
    assert_eq!(part.state().await.keys(), kept);
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["1", "a-1", "g h 2 - x", ""],
            ["+1", "a-2", "g h 2 - x", ""],
        ],
    )
    .await;
    let args = ["", "2000", "10", "1", "w", "g", "5", "h"];
    let changes = [
        (1, "-1", "now_ms"),
        (2, "99", "lease_ms"),
        (2, "3600001", "lease_ms"),
        (3, "0", "limit"),
        (3, "1001", "limit"),
        (4, "-1", "workers"),
        (4, "1001", "workers"),
        (4, "2", "workers"),
    ];
    test.assert_refused("wheel/turn", partition(3), &args, &changes)
        .await;
}

#[tokio::test]
async fn workers_of_one_program_are_offered_in_their_order_with_their_handlers_sent_once() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for handler in ["long-name", "other-name", "third"] {
        let rest = format!("g {handler} 2 - x");
        let names: Vec<String> = (0..4).map(|i| format!("{}-{i}", &handler[..1])).collect();
        let contexts: Vec<[&str; 4]> = names
            .iter()
            .map(|name| ["+0", name.as_str(), &rest, ""])
            .collect();
        part.submit(T, &contexts).await;
    }
    let offers = [
        ("a", "g", 2, "long-name,other-name"),
        ("b", "g", 2, "third,long-name"),
        ("c", "g", 2, "=1"),
        ("d", "other", 2, "=1"),
        ("e", "g", 1, "=9"),
    ];
    let turned = part.turn(T, 1_000, &offers).await;
    let mut of: Vec<(String, String)> = Vec::new();
    for (worker, member) in &turned.claims {
        of.push((worker.clone(), member.split(' ').nth(3).unwrap().to_owned()));
    }
    let taken = |worker: &str| of.iter().filter(|(of, _)| of == worker).count();
    assert_eq!([taken("a"), taken("b"), taken("c")], [2, 2, 2], "{of:?}");
    assert_eq!(
        of.len(),
        6,
        "one of another group, and one without handlers, get nothing"
    );
    let first: Vec<&str> = of
        .iter()
        .filter(|(_, handler)| handler == "long-name")
        .map(|(worker, _)| worker.as_str())
        .collect();
    assert_eq!(
        &first[..3],
        ["a", "b", "c"],
        "in the order given, whoever offers the same"
    );
    assert!(
        of.iter()
            .all(|(worker, handler)| worker != "c" || handler != "third")
    );
}
