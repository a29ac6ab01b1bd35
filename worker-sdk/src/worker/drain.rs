//! The end of a worker: refuse, finish, give back, flush, close.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::stopped::Stopped;
use crate::attempt::CancelReason;
use crate::bounds::LEAK_SLACK;
use crate::protocol::{Phase, Protocol};
use crate::shared::Shared;

/// How long the streams may take to close once everything is said.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy)]
pub(super) struct Timeouts {
    /// For handlers to end by themselves.
    pub(super) drain: Duration,
    /// For outcomes to be confirmed after that.
    pub(super) flush: Duration,
}

/// Ends the worker. `hurry` cuts both waits short.
pub(super) async fn drain(
    shared: &Shared,
    timeouts: Timeouts,
    hurry: &CancellationToken,
    mut streams: JoinSet<()>,
) -> Stopped {
    shared.protocol().set_phase(Phase::Draining);
    info!(
        running = shared.protocol().running(),
        "draining: no new work is taken"
    );
    if !wait_until(shared, timeouts.drain, hurry, |protocol| {
        protocol.running() == 0
    })
    .await
    {
        let grace = shared.protocol().longest_grace();
        warn!(
            running = shared.protocol().running(),
            "the drain's time is used up: what runs is given back"
        );
        shared
            .protocol()
            .cancel_all(CancelReason::Draining, Instant::now());
        let given_up = grace.saturating_add(LEAK_SLACK * 2);
        wait_until(shared, given_up, hurry, |protocol| protocol.running() == 0).await;
    }
    wait_until(shared, timeouts.flush, hurry, |protocol| {
        protocol.unconfirmed() == 0
    })
    .await;
    shared.protocol().set_phase(Phase::Ending);
    if timeout(CLOSE_TIMEOUT, streams.join_next()).await.is_err() {
        streams.shutdown().await;
        shared.protocol().hang_up(Instant::now());
    }
    let stats = shared.protocol().stats();
    let (given_back, unconfirmed) = (stats.given_back, stats.unconfirmed);
    if unconfirmed > 0 {
        warn!(
            unconfirmed,
            "ended with outcomes no tracker has confirmed; their contexts will be repeated"
        );
    }
    info!(given_back, "the worker has ended");
    Stopped {
        stats,
        given_back,
        unconfirmed,
    }
}

/// `false`: it did not come true in time.
async fn wait_until(
    shared: &Shared,
    patience: Duration,
    hurry: &CancellationToken,
    done: impl Fn(&Protocol) -> bool,
) -> bool {
    let changed = shared.protocol().drained();
    let wait = async {
        while !done(&shared.protocol()) {
            changed.notified().await;
        }
    };
    tokio::select! {
        biased;
        waited = timeout(patience, wait) => waited.is_ok(),
        () = hurry.cancelled() => false,
    }
}
