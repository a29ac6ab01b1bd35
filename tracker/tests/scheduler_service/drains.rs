//! Workers that take no more work because somebody said so, whichever tracker has their streams.

use std::time::Duration;

use tickwheel_proto::v1;
use tickwheel_proto::v1::ContextState;
use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_proto::v1::settlement::Outcome;
use tickwheel_tracker::Config;
use tonic::Code;

use crate::guarded::{guarded, within, word};
use crate::harness::{Caller, configured, refused, serving, submission};
use crate::workers::{Worker, hello, settlement};

const LIMIT: Duration = Duration::from_secs(20);

fn quick() -> Option<Config> {
    Some(Config {
        heartbeat_interval: Duration::from_millis(400),
        ..configured()?
    })
}

fn of(id: &str) -> v1::WorkerRef {
    v1::WorkerRef { id: id.to_owned() }
}

async fn listed(caller: &mut Caller, id: &str) -> Option<v1::Worker> {
    let all = v1::ListWorkersRequest::default();
    let all = caller.rpc.list_workers(all).await.unwrap().into_inner();
    all.workers.into_iter().find(|worker| worker.id == id)
}

/// Waits until the worker is listed; it says that it lives from now on.
async fn known(caller: &mut Caller, worker: &Worker, id: &str) {
    worker.keep_beating();
    let wait = async {
        while listed(caller, id).await.is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(LIMIT, wait).await.unwrap();
}

/// Submits contexts until one waits because nobody takes it: its id.
async fn untaken(caller: &mut Caller) -> String {
    let wait = async {
        loop {
            let submitted = caller.submit(vec![submission(0)]).await.unwrap();
            let id = submitted.first().unwrap().id.clone();
            loop {
                let context = caller.context(&id).await.unwrap();
                if context.state() == ContextState::Running {
                    break;
                }
                if context.waiting_reason.starts_with("no worker offers it") {
                    return id;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        }
    };
    tokio::time::timeout(LIMIT, wait).await.unwrap()
}

#[tokio::test]
async fn a_drained_worker_keeps_what_it_runs_and_gets_nothing_new_whoever_was_told() {
    let Some(config) = quick() else { return };
    let mut told = serving(config.clone()).await;
    let mut has_stream = serving(config).await;
    let id = "w-00000001";
    let mut worker = Worker::connect(&has_stream, hello("w")).await.unwrap();
    known(&mut told, &worker, id).await;
    has_stream.submit(vec![submission(0)]).await.unwrap();
    let runs = worker.assignment().await;

    let drained = told.rpc.drain_worker(of(id)).await.unwrap().into_inner();
    assert!(drained.drained_ms > 0, "{drained:?}");
    let waits = untaken(&mut has_stream).await;
    // It is so for a stream that comes later as well, and once more changes nothing.
    let settle = settlement(&runs.context_id, runs.attempt, Outcome::Succeeded);
    assert_eq!(worker.verdicts(vec![settle]).await, [Verdict::Settled]);
    let mut worker = Worker::connect(&has_stream, hello("w")).await.unwrap();
    known(&mut told, &worker, id).await;
    let again = told.rpc.drain_worker(of(id)).await.unwrap().into_inner();
    assert_eq!(again.drained_ms, drained.drained_ms);
    let listed = listed(&mut has_stream, id).await.unwrap();
    assert_eq!(listed.drained_ms, drained.drained_ms);
    let state = has_stream.context(&waits).await.unwrap().state();
    assert_ne!(state, ContextState::Running);
    assert!(worker.dispatched.is_empty());

    let takes = told.rpc.undrain_worker(of(id)).await.unwrap().into_inner();
    assert_eq!(takes.drained_ms, 0);
    let mut given = worker.assignment().await;
    while given.context_id != waits {
        given = worker.assignment().await;
    }
}

#[tokio::test]
async fn a_tracker_that_starts_later_knows_who_is_drained() {
    let Some(config) = quick() else { return };
    let mut told = serving(config.clone()).await;
    let worker = Worker::connect(&told, hello("w")).await.unwrap();
    known(&mut told, &worker, "w-00000001").await;
    told.rpc.drain_worker(of("w-00000001")).await.unwrap();
    drop((told, worker));
    let mut later = serving(config).await;
    let worker = Worker::connect(&later, hello("w")).await.unwrap();
    untaken(&mut later).await;
    assert!(worker.dispatched.is_empty());
}

#[tokio::test]
async fn a_worker_that_is_not_there_is_not_found_and_a_name_that_is_none_refused() {
    let Some(mut caller) = crate::harness::caller().await else {
        return;
    };
    refused(
        caller.rpc.drain_worker(of("nobody-1")).await,
        Code::NotFound,
    );
    refused(
        caller.rpc.undrain_worker(of("nobody-1")).await,
        Code::NotFound,
    );
    let wrong = caller.rpc.drain_worker(of("no body")).await;
    assert_eq!(refused(wrong, Code::InvalidArgument)[0].field, "id");
}

#[tokio::test]
async fn a_worker_is_drained_by_operators_of_its_group_and_it_is_written_down() {
    let Some(guarded) = guarded().await else {
        return;
    };
    let id = crate::access_workers::listed(&guarded).await;
    let other = guarded.make(within(v1::Role::Operator, "*", "other")).await;
    let status = guarded.api(&other).drain_worker(of(&id)).await.unwrap_err();
    assert_eq!(word(&status), "NOT_FOUND");
    let own = guarded.make(within(v1::Role::Operator, "*", "g")).await;
    let drained = guarded.api(&own).drain_worker(of(&id)).await.unwrap();
    assert!(drained.into_inner().drained_ms > 0);
    let events = guarded
        .audit(|events| {
            events
                .iter()
                .any(|event| event.method == "DrainWorker" && event.result == "OK")
        })
        .await;
    let done = events
        .iter()
        .find(|event| event.method == "DrainWorker" && event.result == "OK");
    assert_eq!(done.unwrap().objects, [format!("worker {id}")]);
}
