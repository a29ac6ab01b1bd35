//! What one worker said and nobody can read is left out of a turn and counted: the others are claimed for (W7).

use crate::call::{Part, T, field, pairs, text, texts};
use crate::harness::fresh;

/// Worker and id of what a turn claimed, and how many offers, placements and workers of placements it left out.
async fn turn(part: &Part<'_>, now: u64, more: &[&str]) -> (Vec<(String, String)>, String) {
    let now = now.to_string();
    let mut args = vec![now.as_str(), "2000", "100"];
    args.extend(more);
    let reply = part.call("wheel/turn", "TURNED", &args).await;
    let id = |member: String| member.split(' ').next().unwrap().to_owned();
    let claims = texts(field(&reply, "claims"));
    let claims = pairs(&claims).map(|(worker, member)| (worker, id(member)));
    let unread = text(field(&reply, "unread"));
    let unread = if unread.is_empty() { "0" } else { &unread };
    (claims.collect(), unread.to_owned())
}

#[tokio::test]
async fn an_offer_that_cannot_be_read_stops_nobody_else() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let bad = [
        "many",
        "",
        "-1",
        "1.5",
        "1000001",
        "9 GPU=1",
        "9 gpu-mem MB=1",
        "9 gpu=1;x",
        "9++",
    ];
    for (round, bad) in (0..).zip(bad) {
        let (now, unique) = (T + 100 * round, format!("a-{round}"));
        part.submit(now, &[["+0", &unique, "g h 2 - x", ""]]).await;
        let offers = ["2", "liar", "g", bad, "h", "w", "g", "1", "h"];
        let (claims, unread) = turn(&part, now, &offers).await;
        let id = format!("3.{now}.{unique}");
        assert_eq!(claims, [("w".to_owned(), id)], "{bad}");
        assert_eq!(unread, "1", "{bad}");
    }
    let (_, unread) = turn(&part, 2 * T, &["1", "w", "g", "1+ gpu=1000", "h"]).await;
    assert_eq!(unread, "0");
}

#[tokio::test]
async fn figures_that_are_no_numbers_cost_their_worker_its_place_and_nobody_else() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let placement = "g h c=0123456789";
    let bad = [
        "1:NaN:1", "1:inf:1", "1:-inf:1", "1:nan:1", "1:0:inf", "1:1e30:1", "1::1", "1:5", "x",
        "7:0:1",
    ];
    for (mode, round) in ["least", "first", "count", "hash", "random"]
        .iter()
        .zip(0..)
    {
        for (step, bad) in (0..).zip(bad) {
            let now = T + 10_000 * round + 100 * step;
            let unique = format!("a-{round}{step}");
            part.submit(now, &[["+0", &unique, "g h 2 c=0123456789 x", ""]])
                .await;
            let workers = format!("{bad},2:4.5:0.25");
            let told = [
                "2", "liar", "g", "1", "h", "w", "g", "1", "h", "1", "1", placement, mode, &workers,
            ];
            let (claims, unread) = turn(&part, now, &told).await;
            let id = format!("3.{now}.{unique}");
            assert_eq!(claims, [("w".to_owned(), id)], "{mode} {bad}");
            assert_eq!(unread, "1", "{mode} {bad}");
        }
    }
}

#[tokio::test]
async fn of_an_offer_that_cannot_be_read_no_placement_waits() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(T, &[["+0", "a-1", "g h 2 c=0123456789 x", ""]])
        .await;
    let told = [
        "2",
        "liar",
        "g",
        "1 GPU=1",
        "h",
        "w",
        "g",
        "1",
        "h",
        "1",
        "1",
        "g h c=0123456789",
        "first",
        "1:0:0,2:1:0",
    ];
    let (claims, unread) = turn(&part, T, &told).await;
    assert_eq!(claims, [("w".to_owned(), format!("3.{T}.a-1"))]);
    assert_eq!(unread, "2", "its offer, and its place in the placement");
}

#[tokio::test]
async fn a_placement_that_cannot_be_read_waits_beside_others() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let bad = [
        ["g h", "least"],
        ["g h c=xyz", "least"],
        ["g h c=0123456789", "best"],
        ["g h c=0123456789", "least GPU=1"],
        ["g h c=0123456789", "least gpu"],
    ];
    for ([queue, mode], round) in bad.iter().zip(0..) {
        let (now, unique) = (T + 100 * round, format!("b-{round}"));
        part.submit(now, &[["+0", &unique, "g h 2 c=ffffffffff x", ""]])
            .await;
        let told = [
            "1",
            "w",
            "g",
            "9",
            "h",
            "1",
            "2",
            queue,
            mode,
            "1:0:1",
            "g h c=ffffffffff",
            "least",
            "1:0:1",
        ];
        let (claims, unread) = turn(&part, now, &told).await;
        assert_eq!(claims.len(), 1, "{queue} {mode}");
        assert_eq!(unread, "1", "{queue} {mode}");
    }
    // What is the caller's own mistake is still refused whole.
    let told = [
        "",
        "2000",
        "9",
        "1",
        "w",
        "g",
        "9",
        "h",
        "1",
        "2",
        "g h c=ffffffffff",
        "least",
        "1:0:1",
    ];
    let refused = test.eval("wheel/turn", part.id, &told).await.unwrap_err();
    assert!(refused.contains("BAD_ARG placements"), "{refused}");
}
