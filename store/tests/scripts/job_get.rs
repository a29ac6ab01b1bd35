//! job/get: jobs, their ledgers and their runs read back.

use crate::harness::{Harness, alone, fresh, job, ms, name, partition};
use tickwheel_core::job::Trigger;
use tickwheel_store::job::Plan;

async fn registered(test: &Harness, names: &[&str]) {
    for name in names {
        let spec = job(name, Trigger::Manual);
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
    }
}

#[tokio::test]
async fn jobs_are_listed_in_the_order_of_their_names_over_all_partitions() {
    let Some(test) = fresh().await else { return };
    let names = ["a/0", "a/1", "a/10", "a/2", "ab/1", "b/1", "default/x"];
    registered(&test, &names).await;
    let list = async |prefix: &str, after: Option<&str>, limit| {
        let after = after.map(name);
        let views = test
            .store
            .list_jobs(prefix, after.as_ref(), limit)
            .await
            .unwrap();
        views
            .iter()
            .map(|view| view.spec.name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(list("", None, 100).await, names);
    assert_eq!(list("a/", None, 100).await, ["a/0", "a/1", "a/10", "a/2"]);
    assert_eq!(list("a/1", None, 100).await, ["a/1", "a/10"]);
    assert_eq!(list("", None, 3).await, ["a/0", "a/1", "a/10"]);
    assert_eq!(list("", Some("a/10"), 3).await, ["a/2", "ab/1", "b/1"]);
    assert_eq!(list("a/", Some("a/1"), 9).await, ["a/10", "a/2"]);
    assert_eq!(list("b/", Some("a/1"), 9).await, ["b/1"]);
    assert_eq!(list("c", None, 9).await, Vec::<String>::new());
}

#[tokio::test]
async fn a_job_shows_what_it_has_under_way() {
    let Some(test) = fresh().await else { return };
    registered(&test, &["a/b"]).await;
    let id = format!("{}.7.f@a/b", test.store.partition_of_job(&name("a/b")));
    test.command(&["HSET", &test.job_key("a/b", "active:a/b"), &id, "s"])
        .await;
    test.command(&[
        "ZADD",
        &test.job_key("a/b", "queue:a/b"),
        "8",
        "0.8.f@a/b 0:0 default work 2 - ",
    ])
    .await;
    let view = test.store.get_job(&name("a/b")).await.unwrap().unwrap();
    assert_eq!((view.active, view.queued), (vec![id.parse().unwrap()], 1));
    assert_eq!(test.store.get_job(&name("a/c")).await.unwrap(), None);
    assert_eq!(test.store.ledger(&name("a/c"), 9).await.unwrap(), []);
}

#[tokio::test]
async fn the_runs_of_a_job_come_newest_first() {
    let Some(test) = fresh().await else { return };
    let key = test.job_key("a/b", "runs:a/b");
    for due in 1..=3 {
        test.command(&[
            "RPUSH",
            &key,
            &format!("0.{due}.f@a/b\tsucceeded\t1\t-\t0\t{due}\t\tdefault\twork\t0"),
        ])
        .await;
    }
    let runs = test.store.runs(&name("a/b"), 2).await.unwrap();
    assert_eq!(
        runs.iter().map(|run| run.ended).collect::<Vec<_>>(),
        [ms(3), ms(2)]
    );
    assert_eq!(test.store.runs(&name("a/b"), 0).await.unwrap(), []);
}

#[tokio::test]
async fn every_bad_argument_is_refused() {
    let Some(test) = fresh().await else { return };
    registered(&test, &["a/b"]).await;
    let p = test.store.partition_of_job(&name("a/b"));
    test.assert_refused(
        "job/get",
        p,
        &["a/b"],
        &[(1, "", "job"), (101, "x", "jobs")],
    )
    .await;
}

#[tokio::test]
async fn it_costs_the_same_however_much_is_active() {
    let Some((test, _server)) = alone().await else {
        return;
    };
    registered(&test, &["a/b"]).await;
    let p = partition(0);
    for size in [10_u32, 1_000, 100_000] {
        let fill = format!(
            "for i = 1, {size} do redis.call('HSET', KEYS[1], '0.' .. i .. '.x@a/b', 'm') end"
        );
        test.text(&["EVAL", &fill, "1", &test.key(p, "active:a/b")])
            .await;
        let cost = test.cost("job/get", p, &["a/b"]).await;
        assert!(cost <= 4, "{cost} commands with {size} active");
        assert!(
            test.store
                .get_job(&name("a/b"))
                .await
                .unwrap()
                .unwrap()
                .active
                .len()
                <= 1_000
        );
    }
}
