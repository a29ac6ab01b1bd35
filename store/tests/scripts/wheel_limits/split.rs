//! Subtasks count under the limit of their group as other contexts do.

use crate::call::{Offer, Part, T, field, items, text, texts};
use crate::fan_pages::{PAGE, ROOT, split, succeed};
use crate::harness::fresh;

const LEAVES: Offer<'static> = ("w", "g", 100, "leaf");
/// The group has a bound.
const BOUND: &str = "limits\ng g c -";

/// The subtasks that a turn claims under the limit.
async fn claims(part: &Part<'_>) -> Vec<String> {
    let turned = part.turn_told(T, 100, &[LEAVES], BOUND).await;
    let ids = turned.claims.iter().map(|(_, member)| member.split(' '));
    ids.filter_map(|mut words| words.next().map(str::to_owned))
        .collect()
}

#[tokio::test]
async fn subtasks_run_as_many_at_once_as_their_group_may() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    // The root counts as well, for as long as it runs.
    let root = format!("1:0 w {T} {} 0g - g h 2 - body", T + 2000);
    let held = part.key("held");
    test.command(&["HSET", &held, ROOT, &root]).await;
    let answer = split(&part, &PAGE, &["a", "b", "c", "d", "e"]).await;
    assert_eq!(answer, ["TAKEN", "5"]);
    let shares = part.key("limit_shares");
    let granted = format!("1 3 0 {T} k");
    test.command(&["HSET", &shares, "g", &granted]).await;
    let of = |n: u32| format!("{ROOT}~{n}");
    assert_eq!(claims(&part).await, [of(0), of(1)]);
    let state = part.state().await;
    let held = state.field("held", &of(0));
    let counted = format!("1:0 w {T} {} 0g - g leaf ", T + 2000);
    assert!(held.starts_with(&counted), "{held}");
    assert!(claims(&part).await.is_empty(), "three run");
    succeed(&part, &[&of(1)]).await;
    assert_eq!(claims(&part).await, [of(2)]);
    succeed(&part, &[&of(0), &of(2)]).await;
    assert_eq!(claims(&part).await, [of(3), of(4)]);
    succeed(&part, &[&of(3), &of(4), ROOT]).await;
    assert_eq!(part.state().await.ends(), [(ROOT, "succeeded", "")]);
}

#[tokio::test]
async fn what_is_to_be_split_is_told_although_its_group_is_at_its_limit() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(
        T,
        &[
            ["+0", "a-1", "g leaf 2 - x", ""],
            ["+0", "a-2", "g h 2 m=1 y", ""],
        ],
    )
    .await;
    let shares = part.key("limit_shares");
    let full = format!("2 2 0 {T} k");
    test.command(&["HSET", &shares, "g", &full]).await;
    let now = T.to_string();
    let told = [&now, "2000", "100", "1", "w", "g", "9", "leaf", BOUND];
    let reply = part.call("wheel/turn", "TURNED", &told).await;
    assert_eq!(texts(field(&reply, "claims")), [""; 0], "the group is full");
    let opens = texts(field(&reply, "opens"));
    assert_eq!(opens, ["3.1000000.a-2 0:0 g h 2 m=1 "]);
}

#[tokio::test]
async fn what_is_not_used_is_looked_at_within_a_second_whatever_else_is_kept_longer() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.submit(T, &[["+0", "a-1", "g leaf 2 - x", ""]]).await;
    let (shares, wheel) = (part.key("limit_shares"), part.key("wheel"));
    let used = format!("1 5 0 {T} u");
    test.command(&["HSET", &shares, "g", &used]).await;
    // The look that is due now finds a share that is kept for ten seconds.
    test.command(&["ZADD", &wheel, &T.to_string(), "!limits"])
        .await;
    assert_eq!(claims(&part).await, ["3.1000000.a-1"]);
    let next = test.texts(&["ZSCORE", &wheel, "!limits"]).await;
    assert_eq!(next, [(T + 1_000).to_string()]);
}

#[tokio::test]
async fn what_a_repair_counted_anew_is_reported_by_the_next_turn() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let (held, shares) = (part.key("held"), part.key("limit_shares"));
    for number in 0..3 {
        let value = format!("1:0 w {T} {} 0g - g h 2 - body", T + 9_000);
        let id = format!("3.900.r-{number}");
        test.command(&["HSET", &held, &id, &value]).await;
    }
    let share = format!("1 1 0 {} k", T - 10);
    test.command(&["HSET", &shares, "g", &share]).await;
    let now = T.to_string();
    let repaired = part.answer("repair/limits", &[&now]).await;
    assert_eq!(repaired, ["REPAIRED", "3 run under g, 1 were counted"]);
    assert_eq!(part.answer("repair/limits", &[&now]).await, ["CLEAN"]);
    let args = [now.as_str(), "2000", "10", "0", "limits\ng g c -"];
    let reply = part.call("wheel/turn", "TURNED", &args).await;
    let reports = items(field(&reply, "reports"));
    let report = items(&reports[0]);
    assert_eq!(
        (text(field(&report, "limit")), text(field(&report, "holds"))),
        ("g".to_owned(), "3".to_owned()),
        "{reports:?}"
    );
}
