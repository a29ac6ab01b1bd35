//! SIGTERM drains a worker that `run`s. Alone in its binary: a signal meets the whole process.
#![cfg(unix)]

use std::sync::Arc;

use tickwheel_worker::testing::{TrackerDouble, assignment};
use tickwheel_worker::{Context, Worker};
use tokio::process::Command;
use tokio::sync::Semaphore;

#[tokio::test]
async fn sigterm_drains_a_running_worker() {
    let tracker = TrackerDouble::start().await.unwrap();
    let gate = Arc::new(Semaphore::new(0));
    let opened = Arc::clone(&gate);
    let worker = Worker::builder(tracker.url()).handle("wait", move |_: Context, (): ()| {
        let gate = Arc::clone(&opened);
        async move {
            gate.acquire().await?.forget();
            Ok(())
        }
    });
    let run = tokio::spawn(worker.run());
    tracker.connected().await.unwrap();
    let mark = assignment("mark", "unknown", "");
    tracker
        .dispatch(vec![assignment("c", "wait", ""), mark])
        .await
        .unwrap();
    tracker
        .wait_for(|heard| heard.rejected.first().cloned())
        .await
        .unwrap();
    let pid = std::process::id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &pid])
            .status()
            .await
            .unwrap()
            .success()
    );
    tracker
        .wait_for(|heard| (heard.draining > 0).then_some(()))
        .await
        .unwrap();
    gate.add_permits(1);
    let stopped = run.await.unwrap().unwrap();
    assert_eq!((stopped.stats.succeeded, stopped.unconfirmed), (1, 0));
}
