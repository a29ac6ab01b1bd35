//! wheel/histogram: what a wheel has to come, in buckets of time.

use tickwheel_core::time::TimestampMs;
use tickwheel_store::wheel::{Bucket, Histogram, Kinds, Ring};

use crate::call::{Part, T};
use crate::harness::{Harness, fresh, partition};

/// A whole second, as `T` is.
async fn seen(test: &Harness, now: u64, ring: Ring, look: u32) -> Histogram {
    let now = TimestampMs::new(now);
    let seen = test.store.histogram(partition(3), now, ring, look);
    seen.await.unwrap()
}

async fn add(test: &Harness, part: &Part<'_>, at: u64, members: &[&str]) {
    let (wheel, at) = (part.key("wheel"), at.to_string());
    let mut words = vec!["ZADD", wheel.as_str()];
    members
        .iter()
        .for_each(|member| words.extend([at.as_str(), member]));
    test.command(&words).await;
}

#[tokio::test]
async fn each_entry_is_in_one_bucket_or_overdue_or_later() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let now = T - T % 1_000 + 500;
    assert_eq!(
        seen(&test, now, Ring::Second, 400).await,
        Histogram::default()
    );
    let second = now - 500;
    add(&test, &part, second - 1, &["3.900.a 0:0 g h 2 - x"]).await;
    add(&test, &part, now, &["@late"]).await;
    add(&test, &part, now + 1, &["@soon"]).await;
    add(&test, &part, second + 999, &["3.900.b 2:1 g h 2 - x"]).await;
    add(
        &test,
        &part,
        second + 1_000,
        &["3.900.c 0:0 g h 2 - x", "#3.900.d g h 2"],
    )
    .await;
    add(
        &test,
        &part,
        second + 59_999,
        &["!reap", "!limits", "&f 3.900.e failed"],
    )
    .await;
    add(&test, &part, second + 60_000, &["3.900.f 0:0 g h 2 - x"]).await;
    let wheel = seen(&test, now, Ring::Second, 400).await;
    assert_eq!((wheel.entries, wheel.overdue), (10, 2));
    assert_eq!((wheel.oldest.as_millis(), wheel.later()), (501, 1));
    let kinds = |place: usize| wheel.buckets[place].kinds.unwrap();
    let first = Kinds {
        jobs: 1,
        retries: 1,
        ..Kinds::default()
    };
    assert_eq!(kinds(0), first);
    let next = Kinds {
        runs: 1,
        deadlines: 1,
        ..Kinds::default()
    };
    assert_eq!(kinds(1), next);
    assert_eq!((kinds(59).upkeep, wheel.buckets[59].entries), (3, 3));
    assert_eq!(wheel.buckets[2], Bucket::default());
    // In wider ones they come together.
    let wheel = seen(&test, now, Ring::Day, 400).await;
    assert_eq!((wheel.buckets[0].entries, wheel.later()), (8, 0));
}

#[tokio::test]
async fn what_is_too_much_to_be_read_is_counted() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let now = T - T % 1_000;
    let many: Vec<String> = (0..900)
        .map(|n| format!("3.900.m{n} 0:0 g h 2 - x"))
        .collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    add(&test, &part, now + 1_500, &many).await;
    add(&test, &part, now + 2_500, &["@job"]).await;
    let wheel = seen(&test, now, Ring::Second, 100).await;
    assert_eq!(
        wheel.buckets[1],
        Bucket {
            entries: 900,
            kinds: None
        }
    );
    assert_eq!(wheel.buckets[2].kinds.unwrap().jobs, 1);
    // Great records are not read for that.
    let body = "x".repeat(200_000);
    let great = format!("3.900.great 0:0 g h 2 - {body}");
    add(&test, &part, now + 3_100, &[&great]).await;
    add(&test, &part, now + 4_100, &["@behind"]).await;
    let wheel = seen(&test, now, Ring::Second, 100).await;
    assert_eq!(wheel.buckets[3].kinds.unwrap().runs, 1);
    assert_eq!(
        wheel.buckets[4],
        Bucket {
            entries: 1,
            kinds: None
        }
    );
}

#[tokio::test]
async fn a_look_costs_as_many_commands_as_there_are_buckets() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let now = T - T % 1_000;
    let args = [
        now.to_string(),
        "1000".to_owned(),
        "60".to_owned(),
        "400".to_owned(),
    ];
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    // Nothing is left behind the last: nobody goes on counting.
    add(&test, &part, now + 100, &["@first"]).await;
    let cost = test.cost("wheel/histogram", partition(3), &args).await;
    assert!(cost < 10, "{cost} commands");
    for second in 0..61 {
        let members: Vec<String> = (0..6).map(|n| format!("@{second}/{n}")).collect();
        let members: Vec<&str> = members.iter().map(String::as_str).collect();
        add(&test, &part, now + second * 1_000 + 50, &members).await;
    }
    let cost = test.cost("wheel/histogram", partition(3), &args).await;
    assert!((120..190).contains(&cost), "{cost} commands");
}
