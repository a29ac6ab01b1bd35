//! What a new definition plans: where it comes from, and whom it wakes.

use tickwheel_core::job::Trigger;
use tickwheel_reference::jitter::jitter_of;
use tickwheel_store::Heard;
use tickwheel_store::job::JobState;

use super::{DAY, FAR, entry, nightly, plan};
use crate::harness::{fresh, job, ms, name};

#[tokio::test]
async fn a_cron_job_without_a_plan_is_offered_for_planning_at_once() {
    let Some(test) = fresh().await else { return };
    let before = test.now().await;
    drop(
        test.store
            .apply_job(&job("a/b", nightly()), &plan(&[]))
            .await
            .unwrap(),
    );
    let score: u64 = entry(&test, "a/b").await.parse().unwrap();
    assert!((before..before + 60_000).contains(&score));
}

#[tokio::test]
async fn a_delay_is_left_to_the_end_of_the_firing_that_is_under_way() {
    let Some(test) = fresh().await else { return };
    for (place, running) in [("active:a/b", true), ("queue:a/b", false)] {
        let mut spec = job("a/b", Trigger::FixedDelay { delay_ms: 1_000 });
        spec.description = place.to_owned();
        drop(test.store.apply_job(&spec, &plan(&[FAR])).await.unwrap());
        test.command(&[
            "HSET",
            &test.job_key("a/b", "job:a/b"),
            "last",
            &FAR.to_string(),
        ])
        .await;
        let id = format!("{}.{FAR}.f@a/b", test.store.partition_of_job(&spec.name));
        if running {
            test.command(&["HSET", &test.job_key("a/b", place), &id, "s"])
                .await;
        } else {
            test.command(&[
                "ZADD",
                &test.job_key("a/b", place),
                &FAR.to_string(),
                &format!("{id} 0:0 default work 2 - "),
            ])
            .await;
        }
        spec.description.push('!');
        assert_eq!(
            test.store
                .apply_job(&spec, &plan(&[FAR + 9]))
                .await
                .unwrap()
                .next_due,
            None,
            "{place}"
        );
        assert_eq!(
            test.store.get_job(&spec.name).await.unwrap().unwrap().state,
            JobState::Active
        );
        assert_eq!(entry(&test, "a/b").await, "");
        test.command(&[
            "DEL",
            &test.job_key("a/b", place),
            &test.job_key("a/b", "job:a/b"),
        ])
        .await;
    }
}

#[tokio::test]
async fn jitter_is_that_of_the_rules() {
    let Some(test) = fresh().await else { return };
    let mut spec = job("a/b", nightly());
    spec.jitter_ms = 60_000;
    drop(
        test.store
            .apply_job(&spec, &plan(&[FAR, FAR + DAY]))
            .await
            .unwrap(),
    );
    let jitter = jitter_of(&spec.name, ms(FAR), 60_000, DAY);
    assert_eq!(entry(&test, "a/b").await, (FAR + jitter).to_string());
    spec.description = "the last one has none".to_owned();
    drop(test.store.apply_job(&spec, &plan(&[FAR])).await.unwrap());
    assert_eq!(entry(&test, "a/b").await, FAR.to_string());
    spec.trigger = Trigger::FixedRate {
        period_ms: 500,
        anchor_ms: None,
    };
    drop(test.store.apply_job(&spec, &plan(&[FAR])).await.unwrap());
    assert_eq!(
        entry(&test, "a/b").await,
        (FAR + jitter_of(&spec.name, ms(FAR), 60_000, 500)).to_string()
    );
}

#[tokio::test]
async fn only_an_entry_that_is_the_earliest_wakes_the_trackers() {
    let Some(test) = fresh().await else { return };
    let p = test.store.partition_of_job(&name("a/b"));
    let channel = test.key(p, "wake");
    let mut heard = test
        .store
        .redis()
        .subscribe(vec![channel.clone()])
        .await
        .unwrap();
    test.command(&["ZADD", &test.key(p, "wheel"), &FAR.to_string(), "!reap"])
        .await;
    let mut spec = job("a/b", nightly());
    drop(
        test.store
            .apply_job(&spec, &plan(&[FAR + 1]))
            .await
            .unwrap(),
    );
    spec.description = "earlier".to_owned();
    drop(
        test.store
            .apply_job(&spec, &plan(&[FAR - 1]))
            .await
            .unwrap(),
    );
    let message = loop {
        match heard.recv().await.unwrap() {
            Heard::Gap => {}
            message @ Heard::Message(..) => break message,
        }
    };
    assert_eq!(message, Heard::Message(channel, format!("due {}", FAR - 1)));
}
