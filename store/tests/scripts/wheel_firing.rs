//! wheel/turn, jobs: a due time becomes a context, the next one gets its place, and the ledger says what became of each.

use crate::call::{Part, T};
use crate::harness::{fresh, ms, name};
use tickwheel_reference::jitter::jitter_of;

const W: (&str, &str, u64, &str) = ("w", "g", 50, "h");

#[tokio::test]
async fn a_fixed_rate_fires_on_its_grid_and_is_armed_again() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job("d/j", T, &[("overlap", "parallel"), ("overlap_limit", "9")])
        .await;
    let turned = part.turn(T + 30, 9, &[W]).await;
    assert_eq!(
        turned.claims,
        [(
            "w".to_owned(),
            "3.1000000.f@d/j 1:0 g h 2 - body".to_owned()
        )]
    );
    assert_eq!((turned.counts, turned.next), ([1, 0, 0], Some(T + 1_000)));
    let state = part.state().await;
    assert_eq!(
        state.keys(),
        ["active:d/j", "held", "job:d/j", "ledger:d/j", "wheel"]
    );
    assert_eq!(
        state.zset("wheel"),
        [("@d/j", T + 1_000), ("!reap", T + 2_030)]
    );
    assert_eq!(
        (
            state.field("job:d/j", "next"),
            state.field("job:d/j", "last")
        ),
        ("1001000", "1000000")
    );
    assert_eq!(
        (
            state.field("job:d/j", "fired"),
            state.field("job:d/j", "state")
        ),
        ("1", "active")
    );
    assert_eq!(state.hash("active:d/j"), [("3.1000000.f@d/j", "s")]);
    assert_eq!(state.list("ledger:d/j"), ["1000000 F +30"]);
    assert!(part.turn(T + 30, 9, &[W]).await.claims.is_empty());
    assert_eq!(part.state().await, state);
}

#[tokio::test]
async fn a_cron_job_takes_its_plan_and_asks_for_more_before_it_runs_out() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let plan: Vec<String> = (1..=8).map(|i| (T + i * 100).to_string()).collect();
    let fields = [
        ("kind", "cron"),
        ("plan", &plan.join(" ")),
        ("overlap", "parallel"),
        ("overlap_limit", "99"),
    ];
    part.put_job("d/j", T, &fields).await;
    assert!(
        part.turn(T, 9, &[W]).await.plan == ["d/j"],
        "seven are left"
    );
    let state = part.state().await;
    assert_eq!(state.field("job:d/j", "plan"), plan[1..].join(" "));
    assert_eq!(state.zset("wheel")[0], ("@d/j", T + 100));
    let turned = part.turn(T + 800, 9, &[W]).await;
    assert_eq!(
        (turned.counts, turned.plan),
        ([8, 0, 0], vec!["d/j".to_owned()])
    );
    let state = part.state().await;
    assert_eq!(
        state.zset("wheel")[0],
        ("@d/j", T + 1_800),
        "it is offered for planning once a second"
    );
    assert_eq!(
        (
            state.field("job:d/j", "next"),
            state.field("job:d/j", "plan")
        ),
        ("", "")
    );
    let turned = part.turn(T + 1_800, 9, &[W]).await;
    assert_eq!(
        (turned.counts, turned.plan),
        ([0, 0, 0], vec!["d/j".to_owned()])
    );
    assert!(
        part.state()
            .await
            .zset("wheel")
            .contains(&("@d/j", T + 2_800))
    );
}

#[tokio::test]
async fn a_cron_job_behind_its_whole_plan_decides_nothing_before_it_is_planned() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job(
        "d/j",
        T,
        &[("kind", "cron"), ("plan", &(T + 100).to_string())],
    )
    .await;
    let turned = part.turn(T + 9_000, 9, &[W]).await;
    assert_eq!(
        (turned.counts, turned.plan),
        ([0, 0, 0], vec!["d/j".to_owned()])
    );
    let state = part.state().await;
    assert_eq!(state.zset("wheel"), [("@d/j", T + 10_000)]);
    assert_eq!(state.field("job:d/j", "next"), T.to_string());
    test.command(&["HSET", &part.key("job:d/j"), "plan_end", "1"])
        .await;
    assert_eq!(part.turn(T + 10_000, 9, &[W]).await.counts, [1, 0, 1]);
    let state = part.state().await;
    assert_eq!(
        state.list("ledger:d/j"),
        ["1000000 M misfire_collapsed", "1000100 F +9900"]
    );
    assert_eq!(
        (state.field("job:d/j", "state"), state.zset("wheel").len()),
        ("finished", 1)
    );
}

#[tokio::test]
async fn a_job_that_happens_once_uses_no_id_twice_when_it_is_registered_again() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let once = |created: &'static str| {
        [
            ("kind", "once"),
            ("period", ""),
            ("created_ms", created),
            ("overlap", "parallel"),
            ("overlap_limit", "9"),
        ]
    };
    part.put_job("d/once", T, &once("999000")).await;
    let turned = part.turn(T, 9, &[W]).await;
    assert_eq!(turned.claims[0].1, "3.1000000.f@d/once 1:0 g h 2 - body");
    // Deleted and registered again, twice, while the first context runs on.
    for created in ["1000002", "1000004"] {
        assert_eq!(
            part.answer("job/delete", &["", "d/once"]).await[0],
            "DELETED"
        );
        part.put_job("d/once", T, &once(created)).await;
        let turned = part.turn(T + 5, 9, &[W]).await;
        let id = format!("3.1000000.f{created}@d/once");
        assert_eq!(turned.claims[0].1, format!("{id} 1:0 g h 2 - body"));
        let state = part.state().await;
        assert_eq!(state.list("ledger:d/once"), [format!("1000000 F +5 {id}")]);
        assert!(state.hash("active:d/once").contains(&(id.as_str(), "s")));
    }
    assert_eq!(part.state().await.hash("held").len(), 3);
}

#[tokio::test]
async fn a_job_that_happens_once_is_finished_then() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job(
        "d/j",
        T,
        &[("kind", "once"), ("period", ""), ("jitter", "900")],
    )
    .await;
    let turned = part.turn(T, 9, &[W]).await;
    assert_eq!((turned.counts, turned.plan.len()), ([1, 0, 0], 0));
    let state = part.state().await;
    assert_eq!(
        (
            state.field("job:d/j", "state"),
            state.field("job:d/j", "next")
        ),
        ("finished", "")
    );
    assert_eq!(state.zset("wheel"), [("!reap", T + 2_000)]);
}

#[tokio::test]
async fn max_runs_and_end_at_finish_a_job() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let parallel = [
        ("overlap", "parallel"),
        ("overlap_limit", "99"),
        ("tolerance", "60000"),
    ];
    let runs = [("max_runs", "3"), ("fired", "1")];
    part.put_job("d/runs", T, &[&parallel[..], &runs].concat())
        .await;
    part.put_job(
        "d/end",
        T,
        &[&parallel[..], &[("end_at", "1002000")]].concat(),
    )
    .await;
    part.put_job(
        "d/after",
        T,
        &[&parallel[..], &[("end_at", "1002999")]].concat(),
    )
    .await;
    assert_eq!(part.turn(T + 9_000, 9, &[]).await.counts, [2 + 3 + 3, 0, 0]);
    let state = part.state().await;
    for job in ["runs", "end", "after"] {
        assert_eq!(
            state.field(&format!("job:d/{job}"), "state"),
            "finished",
            "{job}"
        );
        assert!(
            !state
                .zset("wheel")
                .iter()
                .any(|(entry, _)| entry.ends_with(job)),
            "{job}"
        );
    }
    assert_eq!(state.list("ledger:d/end").last(), Some(&"1002000 F +7000"));
}

#[tokio::test]
async fn a_delay_counts_from_the_end_of_the_firing() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for (word, jitter) in [("even", 0), ("jittered", 400)] {
        test.command(&[
            "DEL",
            &part.key("wheel"),
            &part.key("held"),
            &part.key("events"),
        ])
        .await;
        let job = format!("d/{word}");
        part.put_job(
            &job,
            T,
            &[
                ("kind", "fixed_delay"),
                ("period", "3000"),
                ("jitter", &jitter.to_string()),
            ],
        )
        .await;
        assert_eq!(part.turn(T + 10, 9, &[W]).await.claims.len(), 1);
        let state = part.state().await;
        assert_eq!(
            state.zset("wheel"),
            [("!reap", T + 2_010)],
            "no place in the wheel while it runs"
        );
        let id = format!("3.{T}.f@{job}");
        assert_eq!(
            part.settle(T + 50, &[[&id, "1", "succeeded", ""]]).await,
            "S"
        );
        let due = T + 3_050;
        let score = due + jitter_of(&name(&job), ms(due), jitter, 3_000);
        let state = part.state().await;
        assert!(
            state.zset("wheel").contains(&(&format!("@{job}"), score)),
            "{state:?}"
        );
        assert_eq!(state.field(&format!("job:{job}"), "next"), due.to_string());
        assert_eq!(part.turn(score, 9, &[W]).await.claims.len(), 1);
    }
}

#[tokio::test]
async fn a_delay_goes_on_behind_what_was_decided_also_when_the_clock_was_set_back() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let delay = [("kind", "fixed_delay"), ("period", "3000")];
    part.put_job("d/j", T, &delay).await;
    part.turn(T + 10, 9, &[W]).await;
    let first = ["3.1000000.f@d/j", "1", "succeeded", ""];
    assert_eq!(part.settle(T - 500_000, &[first]).await, "S");
    let state = part.state().await;
    assert_eq!(state.field("job:d/j", "next"), (T + 1).to_string());
    assert!(state.zset("wheel").contains(&("@d/j", T + 1)));
    // As after a pause that ended while the clock was behind.
    for (command, arguments) in [
        ("ZREM", &["wheel", "@d/j"][..]),
        ("HSET", &["job:d/j", "next", "500000"]),
    ] {
        let key = part.key(arguments[0]);
        let words = [&[command, key.as_str()], &arguments[1..]].concat();
        test.command(&words).await;
    }
    assert_eq!(
        part.answer("repair/job", &["500000", "d/j"]).await[0],
        "REPAIRED"
    );
    let state = part.state().await;
    assert_eq!(state.field("job:d/j", "next"), (T + 1).to_string());
    assert_eq!(state.field("job:d/j", "state"), "active");
}

#[tokio::test]
async fn a_delay_whose_firing_is_refused_or_missed_goes_on_by_itself() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job(
        "d/j",
        T,
        &[
            ("kind", "fixed_delay"),
            ("period", "3000"),
            ("misfire", "skip"),
        ],
    )
    .await;
    assert_eq!(part.fire(T, "d/j", "a-1").await[0], "STARTED");
    assert_eq!(part.turn(T, 9, &[]).await.counts, [0, 1, 0]);
    assert_eq!(part.turn(T + 9_000, 9, &[]).await.counts, [0, 0, 1]);
    let state = part.state().await;
    assert_eq!(state.zset("wheel"), [("@d/j", T + 12_000)]);
    let ledger = [
        "1000000 F +0 3.1000000.a-1@d/j",
        "1000000 S overlap_discard",
        "1003000 M misfire_skip",
    ];
    assert_eq!(state.list("ledger:d/j"), ledger);
}

#[tokio::test]
async fn a_delay_ends_with_its_last_run_or_its_end() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    part.put_job(
        "d/a",
        T,
        &[
            ("kind", "fixed_delay"),
            ("period", "3000"),
            ("max_runs", "1"),
        ],
    )
    .await;
    part.put_job(
        "d/b",
        T,
        &[
            ("kind", "fixed_delay"),
            ("period", "3000"),
            ("end_at", "1002000"),
        ],
    )
    .await;
    part.turn(T, 9, &[W]).await;
    let ends = [
        ["3.1000000.f@d/a", "1", "succeeded", ""],
        ["3.1000000.f@d/b", "1", "failed", "0 0 no"],
    ];
    assert_eq!(part.settle(T, &ends).await, "SR");
    assert_eq!(part.cancel(T, "3.1000000.f@d/b").await, ["ENDED"]);
    let state = part.state().await;
    for job in ["job:d/a", "job:d/b"] {
        assert_eq!(
            (state.field(job, "state"), state.field(job, "next")),
            ("finished", "")
        );
    }
    assert_eq!(state.zset("wheel"), [("!reap", T + 2_000)]);
}

#[tokio::test]
async fn jitter_moves_a_firing_by_what_core_says_and_never_past_the_next() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let fields = [
        ("jitter", "2500"),
        ("overlap", "parallel"),
        ("overlap_limit", "99"),
        ("period", "700"),
    ];
    part.put_job("d/j", T, &fields).await;
    let cron = [
        ("kind", "cron"),
        ("jitter", "300"),
        ("plan", "1000100 1003000 1003001"),
        ("plan_end", "1"),
    ];
    part.put_job("d/k", T, &[&cron[..], &fields[1..3]].concat())
        .await;
    let mut scores = [(T, T), (T, T)];
    for _ in 0..4 {
        let now = scores[0].1.min(scores[1].1);
        assert!(part.turn(now - 1, 9, &[]).await.counts[0] == 0);
        part.turn(now, 9, &[]).await;
        let state = part.state().await;
        let due: u64 = state.field("job:d/j", "next").parse().unwrap();
        scores[0] = (due, due + jitter_of(&name("d/j"), ms(due), 2_500, 700));
        assert!(
            state.zset("wheel").contains(&("@d/j", scores[0].1)),
            "{state:?}"
        );
        if let Ok(due) = state.field("job:d/k", "next").parse() {
            let gap = [(T, 100), (1_000_100, 2_900), (1_003_000, 1), (1_003_001, 0)]
                .into_iter()
                .find(|(one, _)| *one == due)
                .unwrap()
                .1;
            scores[1] = (due, due + jitter_of(&name("d/k"), ms(due), 300, gap));
            assert!(
                state.zset("wheel").contains(&("@d/k", scores[1].1)),
                "{state:?}"
            );
        } else {
            scores[1].1 = u64::MAX;
        }
    }
}

#[tokio::test]
async fn a_paused_or_deleted_job_does_not_fire() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    for state in ["paused", "finished", "deleting"] {
        part.put_job("d/j", T, &[("state", state)]).await;
        test.command(&["ZADD", &part.key("wheel"), &T.to_string(), "@d/gone"])
            .await;
        let turned = part.turn(T, 9, &[W]).await;
        assert_eq!((turned.counts, turned.next), ([0, 0, 0], None));
        assert_eq!(part.state().await.keys(), ["job:d/j"]);
    }
}

#[tokio::test]
async fn one_turn_decides_at_most_its_limit_of_due_times_and_the_rest_stays_due() {
    let Some(test) = fresh().await else { return };
    let part = Part::new(&test);
    let fields = [
        ("overlap", "parallel"),
        ("overlap_limit", "9999"),
        ("misfire", "fire_all"),
        ("misfire_limit", "1000"),
        ("period", "10"),
    ];
    for job in ["d/a", "d/b", "d/c"] {
        part.put_job(job, T, &fields).await;
    }
    let mut fired = 0;
    for (limit, most) in [(40, 40), (150, 150), (1_000, 300), (1_000, 300)] {
        let turned = part.turn(T + 50_000, limit, &[]).await;
        assert!(turned.counts[0] <= most, "{turned:?}");
        assert!(
            turned.more && turned.next.unwrap() <= T + 50_000,
            "{turned:?}"
        );
        fired += turned.counts[0];
    }
    assert_eq!(fired, 40 + 150 + 300 + 300);
    while part.turn(T + 50_000, 1_000, &[]).await.more {}
    let state = part.state().await;
    assert_eq!(
        state.zset("ready:g:h").len(),
        3 * 1_501,
        "1,000 late ones each, and those within the tolerance"
    );
    for job in ["d/a", "d/b", "d/c"] {
        let ledger = state.list(&format!("ledger:{job}"));
        assert!(
            ledger.len() <= 1_032 && ledger.last() == Some(&"1050000 F +0"),
            "{:?}",
            ledger.last()
        );
    }
}
