//! The scripts of jobs and contexts on a Redis Cluster of one node: no key of another slot is touched.

use std::process::Command;
use std::time::Duration;

use crate::harness::{Harness, Server, job, ms, name, note, or_skip, partition};
use tickwheel_core::id::{ContextId, JobName, WorkerId};
use tickwheel_core::job::{AfterOn, Trigger};
use tickwheel_core::run::ContextState;
use tickwheel_store::Store;
use tickwheel_store::context::{Appended, ContextFilter};
use tickwheel_store::job::{Deleted, JobState, Plan, PlanGuard, PlanOutcome};
use tickwheel_store::lease::{AttemptRef, Holding};

const FAR: u64 = 5_000_000_000_000;

fn cli(server: &Server, words: &[&str]) -> String {
    let output = Command::new("redis-cli")
        .args(["-c", "-p", &server.port.to_string()])
        .args(words)
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn inspect(server: &Server, script: &str, words: &[&str]) -> String {
    let function = format!("tickwheel_{script}");
    cli(server, &[&["fcall_ro", &function, "1"], words].concat())
}

/// A cluster of one node that has every slot.
async fn cluster() -> Option<(Harness, Server)> {
    let server = or_skip(Server::start(&[
        "--cluster-enabled",
        "yes",
        "--cluster-announce-ip",
        "127.0.0.1",
    ]))?;
    cli(&server, &["CLUSTER", "ADDSLOTSRANGE", "0", "16383"]);
    while !cli(&server, &["CLUSTER", "INFO"]).contains("cluster_state:ok") {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let url = format!("redis-cluster://127.0.0.1:{}", server.port);
    Some((Harness::open(&url, server.port, "tw", 4).await, server))
}

async fn live(store: &Store, id: &JobName) {
    let trigger = Trigger::Cron {
        expression: "@daily".to_owned(),
        time_zone: String::new(),
    };
    let far = Plan {
        dues: vec![ms(FAR)],
        end: false,
    };
    drop(
        store
            .apply_job(&job(id.as_str(), trigger), &far)
            .await
            .unwrap(),
    );
    let guard = PlanGuard {
        next: Some(ms(FAR)),
        last_planned: Some(ms(FAR)),
    };
    let plan = Plan {
        dues: vec![ms(FAR + 1)],
        end: false,
    };
    let planned = store
        .plan_job(id, 1, guard, &plan, Vec::new())
        .await
        .unwrap();
    assert_eq!(planned, PlanOutcome::Planned);
    assert_eq!(
        store.pause_job(id, "").await.unwrap().state,
        JobState::Paused
    );
    let view = store.resume_job(id, &far, Vec::new()).await.unwrap();
    assert_eq!(
        (view.state, view.next_due),
        (JobState::Active, Some(ms(FAR)))
    );
    store
        .add_follower(&name("a/0"), id, AfterOn::Ended)
        .await
        .unwrap();
    assert_eq!(store.ledger(id, 10).await.unwrap().items.len(), 1);
}

#[tokio::test]
async fn jobs_live_their_lives_in_their_slots() {
    let Some((test, server)) = cluster().await else {
        return;
    };
    let names: Vec<JobName> = (0..8).map(|number| name(&format!("a/{number}"))).collect();
    for id in &names {
        live(&test.store, id).await;
        let tag = format!("{{tw:{}}}", test.store.partition_of_job(id));
        let shown = inspect(&server, "job", &[&tag, id.as_str()]);
        assert!(shown.contains("\"exists\":true"), "{shown}");
    }
    assert_eq!(
        test.store.list_jobs("a/", None, 100).await.unwrap().len(),
        8
    );
    for id in &names {
        let deleted = test.store.delete_job(id).await.unwrap();
        assert_eq!(
            deleted,
            Deleted {
                cancelled: 0,
                running: 0
            }
        );
    }
}

#[tokio::test]
async fn contexts_are_read_retried_and_noted_in_their_slots() {
    let Some((test, server)) = cluster().await else {
        return;
    };
    let store = &test.store;
    for p in (0..4).map(partition) {
        let id: ContextId = format!("{p}.7.a-1").parse().unwrap();
        let dead = format!(
            "ZADD | dead | 9 | {id}\tfailed\t1\tw-1\t8\t9\tno\tdefault\twork\t1\n1 default work 2 - body"
        );
        test.seed(p, &[&dead]).await;
        assert_eq!(
            store.get_context(&id).await.unwrap().unwrap().state,
            ContextState::Failed
        );
        assert_eq!(
            store.retry_context(&id).await.unwrap().state,
            ContextState::Ready
        );
        let held = format!("HSET | held | {id} | 2:0 w-1 1 2 0 - default work 2 - body");
        test.seed(p, &[&held]).await;
        let two = Holding {
            attempt: AttemptRef {
                context: id.clone(),
                attempt: 2.into(),
            },
            worker: WorkerId::new("w-1").unwrap(),
        };
        let noted = store
            .append_log(&two, &note(&["line"], None))
            .await
            .unwrap();
        assert_eq!(noted, Appended::Written { dropped: 0 });
        let tag = format!("{{tw:{p}}}");
        for script in ["context", "explain"] {
            let shown = inspect(&server, script, &[&tag, id.as_str()]);
            assert!(shown.contains(id.as_str()), "{shown}");
        }
        for script in ["wheel", "partition"] {
            let shown = inspect(&server, script, &[&tag]);
            assert!(shown.contains(&format!("\"partition\":{p}")), "{shown}");
        }
    }
    let shown = inspect(&server, "worker", &["{tw}", "w-1"]);
    assert!(shown.contains("\"alive\":false"), "{shown}");
    let page = store
        .list_contexts(&ContextFilter::default(), "", 100)
        .await
        .unwrap();
    assert_eq!((page.items.len(), page.next.as_str()), (8, ""));
}
