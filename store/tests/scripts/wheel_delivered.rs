//! The outbox: the end of a context is offered to its followers until a tracker confirms that they were told.

use crate::call::{Part, T};
use crate::harness::{alone, fresh, partition};

const W: (&str, &str, u64, &str) = ("w", "g", 50, "h");

#[tokio::test]
async fn an_end_is_offered_to_the_followers_that_wait_for_it() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let followers = [
        ("followers", "d/ok:succeeded d/bad:failed d/any:ended"),
        ("overlap", "parallel"),
        ("overlap_limit", "9"),
    ];
    part.put_job(
        "d/j",
        9 * T,
        &[&followers[..], &[("tmpl", "g h 2 r=1 x")]].concat(),
    )
    .await;
    let told = [
        ("succeeded", "", vec!["d/any", "d/ok"], "succeeded"),
        ("failed", "0 0 no", vec!["d/any", "d/bad"], "failed"),
        ("timed_out", "0 0 no", vec!["d/any", "d/bad"], "timed_out"),
        ("cancelled", "0 0 no", vec!["d/any"], "cancelled"),
    ];
    for (step, (outcome, payload, followers, state)) in (0_u64..).zip(told) {
        let now = T + step * 10_000;
        let id = part.fire(now, "d/j", "a-1").await[1].clone();
        part.turn(now, 9, &[W]).await;
        assert_eq!(part.settle(now, &[[&id, "1", outcome, payload]]).await, "S");
        let expected: Vec<String> = followers
            .iter()
            .map(|follower| format!("{follower} {id} {state}"))
            .collect();
        for again in [0, 1_000, 2_000] {
            assert!(
                part.turn(now + again, 9, &[]).await.outbox == expected,
                "{outcome}"
            );
            assert!(
                part.turn(now + again, 9, &[]).await.outbox.is_empty(),
                "offered once a second"
            );
        }
        let args = [
            "2",
            &expected[0],
            expected.get(1).map_or("other", String::as_str),
        ];
        let removed = expected.len().to_string();
        assert_eq!(
            part.answer("wheel/delivered", &args).await,
            ["DELIVERED", removed.as_str()]
        );
        assert_eq!(
            part.answer("wheel/delivered", &args).await,
            ["DELIVERED", "0"]
        );
        assert!(part.turn(now + 9_000, 9, &[]).await.outbox.is_empty());
        assert!(
            !part
                .state()
                .await
                .zset("wheel")
                .iter()
                .any(|(entry, _)| entry.starts_with('&'))
        );
    }
}

#[tokio::test]
async fn jobs_of_other_namespaces_are_told_only_where_the_job_names_theirs() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let all = "d/own:ended e/x:ended ee/x:succeeded e/never:failed /x:ended";
    for (step, followed_by, told, untold) in [
        (0_u64, "", vec!["d/own"], 3),
        (1, "e", vec!["d/own", "e/x"], 5),
        (2, "a ee e b", vec!["d/own", "e/x", "ee/x"], 6),
        (3, "eee", vec!["d/own"], 9),
    ] {
        let now = T + step * 10_000;
        let fields = [
            ("followers", all),
            ("followed_by", followed_by),
            ("overlap", "parallel"),
            ("overlap_limit", "9"),
        ];
        part.put_job("d/j", 9 * T, &fields).await;
        let id = part.fire(now, "d/j", "a-1").await[1].clone();
        part.turn(now, 9, &[W]).await;
        let settled = part.settle(now, &[[&id, "1", "succeeded", ""]]).await;
        assert_eq!(settled, "S");
        let mut outbox = part.turn(now, 9, &[]).await.outbox;
        outbox.sort_unstable();
        let expected: Vec<String> = told
            .iter()
            .map(|follower| format!("{follower} {id} succeeded"))
            .collect();
        assert_eq!(outbox, expected, "followed_by `{followed_by}`");
        let stats = part.key("stats");
        let counted = test.text(&["HGET", &stats, "followers_untold"]).await;
        assert_eq!(counted, untold.to_string(), "followed_by `{followed_by}`");
        let count = expected.len().to_string();
        let args: Vec<&str> = [count.as_str()]
            .into_iter()
            .chain(expected.iter().map(String::as_str))
            .collect();
        drop(part.answer("wheel/delivered", &args).await);
    }
}

#[tokio::test]
async fn every_bad_argument_is_refused_before_the_first_write() {
    let Some(test) = fresh().await else { return };
    test.command(&["ZADD", &test.key(partition(3), "wheel"), "5", "&a b c"])
        .await;
    let changes = [
        (1, "0", "count"),
        (1, "1001", "count"),
        (1, "2", "entries"),
        (3, "x", "entries"),
    ];
    test.assert_refused("wheel/delivered", partition(3), &["1", "a b c"], &changes)
        .await;
}

#[tokio::test]
async fn it_is_one_command_however_full_the_wheel_is() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    let mut args = vec!["1000".to_owned()];
    args.extend((0..1_000).map(|i| format!("d/j 3.{i}.f@d/k succeeded")));
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    for size in [10_u32, 1_000, 100_000] {
        let fill = format!(
            "for i = 0, {size} do redis.call('ZADD', KEYS[1], i, '&d/j 3.' .. i .. '.f@d/k succeeded') end"
        );
        test.text(&["EVAL", &fill, "1", &test.key(partition(3), "wheel")])
            .await;
        assert_eq!(test.cost("wheel/delivered", partition(3), &args).await, 1);
    }
}
