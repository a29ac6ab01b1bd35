//! context/ends: who of those that are waited for has ended.

use crate::call::{Part, T};
use crate::harness::{fresh, partition};
use tickwheel_core::id::ContextId;
use tickwheel_store::context::{EndsCursor, EventMark};

fn ids(names: &[&str]) -> Vec<ContextId> {
    names.iter().map(|name| name.parse().unwrap()).collect()
}

#[tokio::test]
async fn ends_are_told_once_each_look_begins_where_the_last_one_did() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let place = partition(3);
    let waited = ids(&["3.900.a", "3.900.b", "3.900.c"]);
    let (unset, start) = (EventMark::default(), EndsCursor::default());
    let first = test
        .store
        .ends(place, &unset, &start, &waited)
        .await
        .unwrap();
    assert!(!first.newest.is_unset() && first.ended.is_empty());
    for name in ["3.900.a", "3.900.b", "3.900.x"] {
        part.hold(name, "1:0", "-").await;
    }
    part.settle(T, &[["3.900.x", "1", "succeeded", ""]]).await;
    let begun = test
        .store
        .ends(place, &unset, &start, &waited)
        .await
        .unwrap();
    assert!(begun.newest != first.newest && begun.ended.is_empty());
    part.settle(T, &[["3.900.a", "1", "succeeded", ""]]).await;
    part.settle(T, &[["3.900.b", "1", "fatal", "0 0 no"]]).await;
    let looked = test.store.ends(place, &begun.newest, &start, &waited);
    let mut looked = looked.await.unwrap();
    looked.ended.sort();
    assert_eq!(looked.ended, ids(&["3.900.a", "3.900.b"]));
    assert!(looked.cursor.is_over());
    let after = test.store.ends(place, &looked.newest, &start, &waited);
    let after = after.await.unwrap();
    assert_eq!(
        (after.newest == looked.newest, after.ended.len()),
        (true, 0)
    );
}

#[tokio::test]
async fn a_look_at_nothing_new_costs_two_commands_and_a_long_one_goes_in_steps() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let place = partition(3);
    let events = part.key("events");
    let add = async |number: u32| {
        let record = format!("3.900.e-{number}\tsucceeded\t1\tw\t{T}\t{T}\t");
        test.text(&["XADD", &events, "*", "s", &record]).await
    };
    let begin = add(0).await;
    let waited: Vec<String> = (0..1_000)
        .map(|number| format!("3.900.e-{number}"))
        .collect();
    let waited = ids(&waited.iter().map(String::as_str).collect::<Vec<_>>());
    let mut args = vec![begin.as_str(), "", "1000"];
    args.extend(waited.iter().map(ContextId::as_str));
    assert!(test.cost("context/ends", place, &args).await <= 2);
    let (unset, mut cursor) = (EventMark::default(), EndsCursor::default());
    let begun = test.store.ends(place, &unset, &cursor, &waited);
    let since = begun.await.unwrap().newest;
    for number in 1..150 {
        add(number).await;
    }
    let (mut ended, mut steps) = (0, 0);
    loop {
        let step = test.store.ends(place, &since, &cursor, &waited);
        let step = step.await.unwrap();
        ended += step.ended.len();
        steps += 1;
        cursor = step.cursor;
        if cursor.is_over() {
            break;
        }
    }
    assert_eq!((ended, steps), (149, 3));
}

#[tokio::test]
async fn arguments_are_checked() {
    let Some(test) = fresh().await else { return };
    let args = ["1-0", "", "1", "3.900.a"];
    let changes = [
        (1, "x", "since"),
        (2, "x", "cursor"),
        (3, "1001", "count"),
        (3, "2", "contexts"),
    ];
    test.assert_refused("context/ends", partition(3), &args, &changes)
        .await;
}
