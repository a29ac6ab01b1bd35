//! context/tail: what ended since an earlier call.

use tickwheel_core::time::TimestampMs;
use tickwheel_store::context::{Tail, TailMark};

use crate::call::{Part, T};
use crate::harness::{fresh, partition};

fn names(tail: &Tail) -> Vec<&str> {
    tail.ended
        .iter()
        .map(|settled| settled.id.as_str())
        .collect()
}

#[tokio::test]
async fn each_end_is_told_once_the_oldest_first() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let place = partition(3);
    let start = TailMark::at(TimestampMs::new(0));
    let none = test.store.tail(place, &start).await.unwrap();
    assert_eq!(
        (none.ended.len(), &none.last, none.skipped),
        (0, &start, false)
    );
    for name in ["a", "b", "c"] {
        part.hold(&format!("3.900.{name}"), "1:0", "-").await;
    }
    part.settle(T, &[["3.900.a", "1", "succeeded", ""]]).await;
    part.settle(T, &[["3.900.b", "1", "fatal", "0 0 it broke"]])
        .await;
    let first = test.store.tail(place, &start).await.unwrap();
    assert_eq!(names(&first), ["3.900.a", "3.900.b"]);
    assert_eq!(first.ended[1].message, "it broke");
    assert!(first.now.as_u64() > 0 && first.unreadable == 0);
    part.settle(T, &[["3.900.c", "1", "succeeded", ""]]).await;
    let events = part.key("events");
    test.text(&["XADD", &events, "*", "s", "nonsense\n\nmore"])
        .await;
    let second = test.store.tail(place, &first.last).await.unwrap();
    assert_eq!((names(&second), second.unreadable), (vec!["3.900.c"], 2));
    let third = test.store.tail(place, &second.last).await.unwrap();
    assert_eq!((third.ended.len(), third.last), (0, second.last));
}

#[tokio::test]
async fn what_is_too_much_for_one_call_is_skipped_and_said_to_be() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let events = part.key("events");
    let add = async |first: u32, count: u32| {
        let record = |number| format!("3.900.e-{number}\tsucceeded\t1\tw\t{T}\t{T}\t\tg\th\t0");
        let lines: Vec<String> = (first..first + count).map(record).collect();
        test.text(&["XADD", &events, "*", "s", &lines.join("\n")])
            .await;
    };
    let start = TailMark::at(TimestampMs::new(0));
    for number in 0..65 {
        add(number, 1).await;
    }
    let tail = test.store.tail(partition(3), &start).await.unwrap();
    assert!(tail.skipped);
    assert_eq!((tail.ended.len(), names(&tail)[0]), (64, "3.900.e-1"));
    // Great ones are few, and no more bytes than a page has.
    for number in 0..6 {
        add(1_000 * number, 400).await;
    }
    let great = test.store.tail(partition(3), &tail.last).await.unwrap();
    assert!(great.skipped && (1_200..=1_600).contains(&great.ended.len()));
    assert_eq!(great.ended.last().unwrap().id.as_str(), "3.900.e-5399");
    let args = ["0-0", ""];
    assert!(test.cost("context/tail", partition(3), &args).await <= 3);
    test.assert_refused(
        "context/tail",
        partition(3),
        &args,
        &[(1, "x", "since"), (1, "", "since")],
    )
    .await;
}
