//! wheel/fire: a context of a job outside its trigger.

use std::time::Duration;

use crate::call::{Part, T, ready_score};
use crate::harness::{Harness, alone, fresh, job, name, partition};
use tickwheel_core::id::DedupKey;
use tickwheel_core::job::{AfterOn, Overlap, Trigger};
use tickwheel_core::ledger::Reason;
use tickwheel_core::run::ContextState;
use tickwheel_store::job::Plan;
use tickwheel_store::record::Upstream;
use tickwheel_store::wheel::{Fire, Fired};

#[tokio::test]
async fn a_firing_is_ready_and_in_the_ledger_and_its_repeat_is_a_duplicate() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job(
        "d/j",
        9 * T,
        &[("overlap", "parallel"), ("overlap_limit", "5")],
    )
    .await;
    let args = ["1000000", "d/j", "999000", "a-1", "1", "own body", ""];
    assert_eq!(
        part.answer("wheel/fire", &args).await,
        ["STARTED", "3.999000.a-1@d/j"]
    );
    let state = part.state().await;
    assert_eq!(
        state.keys(),
        [
            "active:d/j",
            "backlog",
            "job:d/j",
            "ledger:d/j",
            "ready:g:h",
            "wheel"
        ]
    );
    assert_eq!(
        state.zset("ready:g:h"),
        [(
            "3.999000.a-1@d/j 0:0 g h 2 - own body",
            ready_score(2, 999_000)
        )]
    );
    assert_eq!(state.hash("active:d/j"), [("3.999000.a-1@d/j", "m")]);
    assert_eq!(
        state.list("ledger:d/j"),
        ["999000 F +1000 3.999000.a-1@d/j"]
    );
    assert_eq!(
        (
            state.field("job:d/j", "manual"),
            state.field("job:d/j", "fired")
        ),
        ("1", "0")
    );
    assert_eq!(
        state.zset("wheel"),
        [("@d/j", 9 * T)],
        "the trigger is untouched"
    );
    assert_eq!(
        part.answer("wheel/fire", &args).await,
        ["DUPLICATE", "3.999000.a-1@d/j"]
    );
    assert_eq!(part.state().await, state);
    part.turn(T, 9, &[("w", "g", 9, "h")]).await;
    let state = part.state().await;
    assert_eq!(
        part.answer("wheel/fire", &args).await,
        ["DUPLICATE", "3.999000.a-1@d/j"],
        "it runs"
    );
    assert_eq!(part.state().await, state);
}

#[tokio::test]
async fn a_queued_firing_is_known_by_its_id_too() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job(
        "d/j",
        9 * T,
        &[("overlap", "queue"), ("overlap_limit", "5")],
    )
    .await;
    assert_eq!(
        part.fire(T, "d/j", "a-1").await,
        ["STARTED", "3.1000000.a-1@d/j"]
    );
    for status in ["QUEUED", "DUPLICATE", "DUPLICATE"] {
        assert_eq!(
            part.fire(T, "d/j", "a-2").await,
            [status, "3.1000000.a-2@d/j"]
        );
        assert_eq!(
            part.state().await.zset("queue:d/j"),
            [("3.1000000.a-2@d/j 0:0 g h 2 - body", T)]
        );
    }
    assert_eq!(part.state().await.list("ledger:d/j").len(), 2);
}

#[tokio::test]
async fn a_refused_firing_leaves_a_record_and_no_dedup_key() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job("d/j", 9 * T, &[]).await;
    assert_eq!(part.fire(T, "d/j", "a-1").await[0], "STARTED");
    let args = ["1000000", "d/j", "", "a-2", "0", "", "5000 k"];
    for _ in 0..2 {
        assert_eq!(
            part.answer("wheel/fire", &args).await,
            ["SKIPPED", "overlap_discard"]
        );
    }
    let state = part.state().await;
    assert_eq!(
        state.list("ledger:d/j")[1..],
        ["1000000 S overlap_discard +0 3.1000000.a-2@d/j"; 2]
    );
    assert!(!state.strings.contains_key("dedup:k"));
    assert_eq!(part.fire(T, "d/none", "a-1").await, ["NO_JOB"]);
    test.command(&["HSET", &part.key("job:d/j"), "state", "deleting"])
        .await;
    assert_eq!(part.fire(T, "d/j", "a-9").await, ["NO_JOB"]);
}

#[tokio::test]
async fn a_follower_that_was_refused_stays_refused() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job("d/j", 9 * T, &[]).await;
    assert_eq!(part.fire(T, "d/j", "a-1").await[0], "STARTED");
    let offered = |now| [now, "d/j", "", "a12", "0", "", "5000 after/a12/d/j once"];
    let refused = ["SKIPPED", "overlap_discard"];
    assert_eq!(
        part.answer("wheel/fire", &offered("1000000")).await,
        refused
    );
    let before = test.dump().await;
    assert_eq!(
        part.answer("wheel/fire", &offered("1000001")).await,
        refused
    );
    assert_eq!(test.dump().await, before, "it is in the ledger once");
    part.turn(T, 9, &[("w", "g", 9, "h")]).await;
    let first = ["3.1000000.a-1@d/j", "1", "succeeded", ""];
    assert_eq!(part.settle(T, &[first]).await, "S");
    assert_eq!(
        part.answer("wheel/fire", &offered("1000002")).await,
        refused,
        "it does not start later"
    );
    // A submission with the same key is told the context, not the reason.
    let taken = part
        .submit(T, &[["+0", "b-1", "g h 2 - x", "5000 after/a12/d/j"]])
        .await;
    assert_eq!(taken, ["1", "3.1000000.a12@d/j"]);
}

#[tokio::test]
async fn a_dedup_key_fires_once_within_its_keep_time() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job(
        "d/j",
        9 * T,
        &[("overlap", "parallel"), ("overlap_limit", "5")],
    )
    .await;
    assert_eq!(
        part.answer(
            "wheel/fire",
            &["1000000", "d/j", "", "a-1", "0", "", "60000 k"]
        )
        .await[0],
        "STARTED"
    );
    let before = test.dump().await;
    let again = part
        .answer(
            "wheel/fire",
            &["1000007", "d/j", "", "a-2", "0", "", "60000 k"],
        )
        .await;
    assert_eq!(again, ["DUPLICATE", "3.1000000.a-1@d/j"]);
    assert_eq!(test.dump().await, before);
    let left: u64 = test
        .text(&["PTTL", &part.key("dedup:k")])
        .await
        .parse()
        .unwrap();
    assert!((1..=60_000).contains(&left));
}

#[tokio::test]
async fn a_paused_job_can_be_fired_by_hand() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job(
        "d/j",
        9 * T,
        &[("state", "paused"), ("tmpl", "g h 2 s=50 x")],
    )
    .await;
    assert_eq!(part.fire(T, "d/j", "a-1").await[0], "STARTED");
    assert!(
        part.state()
            .await
            .zset("wheel")
            .contains(&("#3.1000000.a-1@d/j g h 2", T + 50))
    );
}

/// Fires `d/j`, which waits, for an end of the job that it follows, and not for that of another.
async fn follow(test: &Harness) {
    let ended = |context: &str| Upstream {
        context: context.parse().unwrap(),
        state: ContextState::Failed,
        error: "boom, and k=v".to_owned(),
    };
    let upstream = ended("3.5.f@d/up");
    let Fired::Queued(second) = test
        .store
        .fire_after(&name("d/j"), &upstream)
        .await
        .unwrap()
    else {
        panic!("it waits")
    };
    assert!(second.as_str().contains(".a") && second.job() == Some(name("d/j")));
    assert_eq!(
        test.store
            .fire_after(&name("d/j"), &upstream)
            .await
            .unwrap(),
        Fired::Duplicate(second.clone())
    );
    let told = test.store.get_context(&second).await.unwrap().unwrap();
    assert_eq!(told.upstream, Some(upstream));
    let other = ended("3.5.f@d/other");
    assert_eq!(
        test.store.fire_after(&name("d/j"), &other).await.unwrap(),
        Fired::NoJob
    );
}

#[tokio::test]
async fn the_store_answers_with_what_became_of_it() {
    let Some(test) = fresh().await else { return };
    let follows = Trigger::After {
        job: name("d/up"),
        on: AfterOn::Ended,
    };
    let mut spec = job("d/j", follows);
    spec.overlap = Overlap::QueueOne;
    drop(
        test.store
            .apply_job(
                &spec,
                &Plan {
                    dues: Vec::new(),
                    end: true,
                },
            )
            .await
            .unwrap(),
    );
    let fire = |uniq: &str| Fire {
        uniq: uniq.to_owned(),
        due: None,
        body: None,
        dedup: Some((DedupKey::new(uniq).unwrap(), Duration::from_secs(60))),
    };
    let Fired::Started(first) = test
        .store
        .fire_job(&name("d/j"), fire("a-1"))
        .await
        .unwrap()
    else {
        panic!("it is ready")
    };
    assert_eq!(
        test.store
            .fire_job(&name("d/j"), fire("a-1"))
            .await
            .unwrap(),
        Fired::Duplicate(first.clone())
    );
    follow(&test).await;
    assert_eq!(
        test.store
            .fire_job(&name("d/j"), fire("a-3"))
            .await
            .unwrap(),
        Fired::Skipped(Reason::OverlapCollapsed)
    );
    assert_eq!(
        test.store
            .fire_job(&name("d/x"), fire("a-4"))
            .await
            .unwrap(),
        Fired::NoJob
    );
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job("d/j", 9 * T, &[]).await;
    let args = ["", "d/j", "", "a-1", "0", "", ""];
    let long = "x".repeat(129);
    let changes = [
        (1, "-1", "now_ms"),
        (2, "", "job"),
        (2, &long, "job"),
        (3, "x", "due_ms"),
        (4, "", "unique"),
        (5, "2", "own_body"),
        (7, "k", "dedup"),
        (9, "a b", "told"),
        (10, "x", "arguments"),
    ];
    test.assert_refused("wheel/fire", partition(3), &args, &changes)
        .await;
}

#[tokio::test]
async fn it_costs_what_its_header_says_however_much_waits() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let part = Part::new(&test);
    for size in [10_u32, 1_000, 100_000] {
        test.command(&["FLUSHALL"]).await;
        let fill = format!(
            "for i = 1, {size} do
               redis.call('ZADD', KEYS[1] .. 'ready:g:h', 3 * 2^43, '3.1.b-' .. i .. ' 0:0 g h 2 - ')
               redis.call('HSET', KEYS[1] .. 'active:d/j', '3.1.b-' .. i .. '@d/j', 'm')
             end
             redis.call('ZADD', KEYS[1] .. 'backlog', 0, 'g h')"
        );
        test.text(&["EVAL", &fill, "1", &part.key("")]).await;
        part.put_job(
            "d/j",
            9 * T,
            &[
                ("overlap", "queue"),
                ("overlap_limit", "9"),
                ("tmpl", "g h 2 s=60 x"),
            ],
        )
        .await;
        let cost = test
            .cost(
                "wheel/fire",
                part.id,
                &["", "d/j", "", "a-1", "0", "", "5000 k"],
            )
            .await;
        assert!(cost <= 60, "{cost} commands with {size} entries");
        println!("wheel/fire with {size} entries: {cost} commands");
    }
}
