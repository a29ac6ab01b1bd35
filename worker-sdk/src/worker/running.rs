//! A worker that runs.

use std::sync::Arc;

use tokio::task::{JoinHandle, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::drain::{self, Timeouts};
use super::signals;
use super::stopped::Stopped;
use crate::attempt::CancelReason;
use crate::error::Error;
use crate::shared::Shared;
use crate::stats::Stats;
use crate::{load, session, stall, timer};

/// A worker that runs in the background. Dropping it ends the worker at once: handlers are told that they are fenced, and
/// their contexts are repeated elsewhere when their leases have run out. [`drain`](Self::drain) is the kind way.
#[derive(Debug)]
pub struct RunningWorker {
    shared: Arc<Shared>,
    drain: CancellationToken,
    hurry: CancellationToken,
    main: Option<JoinHandle<Stopped>>,
}

impl RunningWorker {
    pub(super) fn spawn(
        shared: Arc<Shared>,
        timeouts: Timeouts,
        shutdown: CancellationToken,
    ) -> Self {
        let (drain, hurry) = (CancellationToken::new(), CancellationToken::new());
        let main = tokio::spawn(serve(
            Arc::clone(&shared),
            timeouts,
            [drain.clone(), shutdown],
            hurry.clone(),
        ));
        Self {
            shared,
            drain,
            hurry,
            main: Some(main),
        }
    }

    /// Unique per process start. It changes only when trackers have a newer stream of another process that goes by the same one.
    #[must_use]
    pub fn id(&self) -> String {
        self.shared.identity.worker_id()
    }

    /// The worker's counters now.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.shared.protocol().stats()
    }

    /// Takes no more work, waits for what runs (up to the drain timeout) and for the confirmation of all outcomes, and ends.
    ///
    /// Not cancel safe: dropping the future drops the worker.
    ///
    /// # Errors
    /// [`Error::Ended`] when the worker had ended by a panic.
    pub async fn drain(self) -> Result<Stopped, Error> {
        self.drain.cancel();
        self.ended().await
    }

    /// Until the worker ends, by the token given to [`shutdown`](super::WorkerBuilder::shutdown).
    ///
    /// # Errors
    /// [`Error::Ended`] when the worker ended by a panic.
    pub async fn ended(mut self) -> Result<Stopped, Error> {
        self.join().await
    }

    /// Until the worker ends; a signal drains it, and a second one ends the drain.
    pub(super) async fn run(mut self) -> Result<Stopped, Error> {
        let mut signals = signals::Signals::listen().map_err(Error::Signals)?;
        let (drain, hurry) = (self.drain.clone(), self.hurry.clone());
        let watch = async {
            signals.next().await;
            tracing::info!("draining; a second signal ends it");
            drain.cancel();
            signals.next().await;
            hurry.cancel();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            stopped = self.join() => stopped,
            () = watch => Err(Error::invalid("signals", "the signal stream ended")),
        }
    }

    async fn join(&mut self) -> Result<Stopped, Error> {
        let Some(main) = self.main.as_mut() else {
            return Err(Error::invalid("worker", "it has ended already"));
        };
        let stopped = main.await.map_err(Error::Ended)?;
        self.main = None;
        Ok(stopped)
    }
}

impl Drop for RunningWorker {
    fn drop(&mut self) {
        if let Some(main) = self.main.take() {
            main.abort();
            let mut protocol = self.shared.protocol();
            protocol.cancel_all(CancelReason::Fenced, Instant::now());
            protocol.hang_up(Instant::now());
        }
    }
}

/// The worker's main task. Its helpers end with it.
async fn serve(
    shared: Arc<Shared>,
    timeouts: Timeouts,
    stops: [CancellationToken; 2],
    hurry: CancellationToken,
) -> Stopped {
    let mut helpers = JoinSet::new();
    helpers.spawn(timer::run(Arc::clone(&shared)));
    helpers.spawn(load::sample(Arc::clone(&shared)));
    helpers.spawn(stall::watch());
    let mut streams = JoinSet::new();
    streams.spawn(session::keep_streams(Arc::clone(&shared)));
    let [drain, shutdown] = stops;
    tokio::select! {
        () = drain.cancelled() => {}
        () = shutdown.cancelled() => {}
    }
    drain::drain(&shared, timeouts, &hurry, streams).await
}
