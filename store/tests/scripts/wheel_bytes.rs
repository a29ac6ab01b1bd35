//! wheel/turn with the largest bodies: one call claims as much as one of them has, and lets less expire, and all of them come in the end.

use crate::call::{Offer, Part, T};
use crate::harness::fresh;

const BODY: usize = 262_144;
/// What one call claims before it stops.
const CALL: usize = 262_144;

async fn drain(part: Part<'_>, now: u64, expected: usize) {
    let mut claimed = 0;
    while claimed < expected {
        let turned = part
            .turn(
                now,
                1_000,
                &[("w", "g", 1_000, "h,i"), ("v", "g", 1_000, "h")],
            )
            .await;
        let bytes: usize = turned.claims.iter().map(|(_, member)| member.len()).sum();
        assert!(
            bytes <= CALL + BODY && !turned.claims.is_empty(),
            "{bytes} bytes, {claimed} of {expected} claimed"
        );
        claimed += turned.claims.len();
        let ends: Vec<[&str; 4]> = turned
            .claims
            .iter()
            .map(|(_, member)| [head(member), "1", "succeeded", ""])
            .collect();
        assert_eq!(part.settle(now, &ends).await, "S".repeat(ends.len()));
    }
    assert_eq!(claimed, expected);
    assert!(
        part.state()
            .await
            .keys()
            .iter()
            .all(|key| ["events", "wheel"].contains(key))
    );
}

fn head(member: &str) -> &str {
    member.split(' ').next().unwrap()
}

async fn fill(part: Part<'_>, when: &str, large: usize, small: usize) {
    let rests = ["h", "i"].map(|handler| format!("g {handler} 2 - {}", "x".repeat(BODY)));
    for i in 0..large {
        part.submit(T, &[[when, &format!("a-{i}"), &rests[i % 2], ""]])
            .await;
    }
    for i in 0..small {
        part.submit(T, &[[when, &format!("b-{i}"), "g h 2 - x", ""]])
            .await;
    }
}

#[tokio::test]
async fn ready_contexts_are_claimed_in_portions() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    fill(part, "+0", 40, 100).await;
    drain(part, T, 140).await;
}

#[tokio::test]
async fn due_contexts_are_taken_from_the_wheel_in_portions() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    fill(part, "+5", 40, 100).await;
    let turned = part.turn(T + 5, 1_000, &[]).await;
    assert!(turned.more, "more are due than one call takes");
    assert_eq!(
        turned.backlog.values().sum::<u64>(),
        8,
        "the first page tells how large they are"
    );
    drain(part, T + 5, 140).await;
}

#[tokio::test]
async fn large_contexts_expire_in_portions() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let rest = format!("g h 2 s=1 {}", "x".repeat(BODY / 8));
    for i in 0..30 {
        part.submit(T, &[["+0", &format!("a-{i:02}"), &rest, ""]])
            .await;
    }
    let mut calls = Vec::new();
    loop {
        let before = part.state().await.ends().len();
        let turned = part.turn(T + 1, 1_000, &[]).await;
        calls.push(part.state().await.ends().len() - before);
        if !turned.more {
            break;
        }
    }
    assert_eq!(calls.len(), 15, "{calls:?}");
    assert!(calls.iter().all(|ended| *ended == 2), "{calls:?}");
    assert!(!part.state().await.keys().contains(&"wheel"));
}

/// How many of a hundred that were due at `when`, with a start deadline of 1 ms, expire in each turn.
async fn portions(part: Part<'_>, when: &str, workers: &[Offer<'_>]) -> Vec<usize> {
    let texts: Vec<String> = (0..100).map(|i| format!("a-{i:02}")).collect();
    let contexts: Vec<[&str; 4]> = texts
        .iter()
        .map(|unique| [when, unique, "g h 2 s=1 x", ""])
        .collect();
    part.submit(T, &contexts).await;
    let mut portions = Vec::new();
    loop {
        let before = part.state().await.ends().len();
        let turned = part.turn(T + 10, 1_000, workers).await;
        assert!(turned.claims.is_empty(), "claimed behind its deadline");
        portions.push(part.state().await.ends().len() - before);
        if !turned.more {
            break;
        }
    }
    assert!(!part.state().await.keys().contains(&"wheel"));
    portions
}

#[tokio::test]
async fn small_contexts_expire_in_portions_too_and_nobody_claims_the_rest_meanwhile() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    // Those that wait, and those that a turn finds due together with their deadlines.
    for when in ["+0", "+5"] {
        for workers in [&[][..], &[("w", "g", 900, "h")][..]] {
            let portions = portions(part, when, workers).await;
            assert_eq!(portions, [32, 32, 32, 4], "{when}");
        }
    }
}

#[tokio::test]
async fn many_ready_sets_are_merged_in_order() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let handlers: Vec<String> = (0..40).map(|i| format!("h{i}")).collect();
    let mut contexts = Vec::new();
    for i in 0..800_usize {
        contexts.push([
            format!("{}", 1_000 + (i * 7_919) % 800),
            format!("a-{i}"),
            format!("g {} {} - x", handlers[i % 40], i % 5),
        ]);
    }
    let contexts: Vec<[&str; 4]> = contexts
        .iter()
        .map(|[when, unique, rest]| [when.as_str(), unique, rest, ""])
        .collect();
    part.submit(T, &contexts).await;
    let mut order = Vec::new();
    for permits in [1, 99, 300, 400] {
        let turned = part
            .turn(T, 1_000, &[("w", "g", permits, &handlers.join(","))])
            .await;
        order.extend(turned.claims.iter().map(|(_, member)| {
            let fields: Vec<&str> = member.split(' ').collect();
            (
                std::cmp::Reverse(fields[4].to_owned()),
                fields[0].split('.').nth(1).unwrap().to_owned(),
            )
        }));
    }
    assert_eq!(order.len(), 800);
    assert!(order.is_sorted(), "priorities first, then due times");
}
