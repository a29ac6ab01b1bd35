//! A tracker without sockets: what a simulation runs, with workers and callers in its own process.
//!
//! Turning, dispatch, settling, planning, the roster and the services for callers are those of [`Tracker`](crate::Tracker); only the
//! listeners and the connection to Redis are the caller's.

use std::sync::Arc;

use futures::Stream;
use tickwheel_core::id::TrackerId;
use tickwheel_proto::v1::scheduler_service_server::SchedulerService;
use tickwheel_proto::v1::{TrackerMessage, WorkerMessage};
use tickwheel_store::setup::Server;
use tickwheel_store::{Heard, Store};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::config::Config;
use crate::engine::Engine;
use crate::http::health::Health;
use crate::membership::roster;
use crate::rpc::scheduler::Scheduler;
use crate::rpc::shared::Shared;
use crate::rpc::worker;
use crate::sessions::FRAMES_MAX;
use crate::wheel::turner::Turner;

/// A tracker inside another program.
#[derive(Debug)]
pub struct Embedded {
    engine: Arc<Engine>,
    shared: Arc<Shared>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Embedded {
    /// Starts turning. `incarnation` is a number that no other start has, `url` what workers are told of it, `heard` what comes over the
    /// wake channels of all partitions.
    ///
    /// Must be called inside a tokio runtime.
    pub async fn start(
        config: Config,
        store: Store,
        (incarnation, url): (u64, String),
        heard: mpsc::Receiver<Heard>,
    ) -> Self {
        let id = TrackerId::of_incarnation(incarnation);
        let mut engine = Engine::new(config, store, id, url);
        // Its peers have no sockets.
        engine.probes = false;
        let engine = Arc::new(engine);
        let shared = Shared::new(Arc::clone(&engine), incarnation, Server::none());
        let shared = Arc::new(shared);
        let (health, stop) = (Arc::new(Health::new()), CancellationToken::new());
        roster::beat(&engine, &health).await;
        let tasks = vec![
            tokio::spawn(roster::run(Arc::clone(&engine), health, stop.clone())),
            tokio::spawn(Turner::new(Arc::clone(&engine)).run(heard, stop.clone())),
        ];
        Self {
            engine,
            shared,
            stop,
            tasks,
        }
    }

    /// A worker's stream: what it says goes in, what it is told comes out.
    pub fn session<S>(
        &self,
        incoming: S,
    ) -> impl Stream<Item = Result<TrackerMessage, Status>> + Send + Unpin + use<S>
    where
        S: Stream<Item = Result<WorkerMessage, Status>> + Send + Unpin + 'static,
    {
        let (sender, receiver) = mpsc::channel(FRAMES_MAX);
        worker::accept(Arc::clone(&self.engine), incoming, sender);
        ReceiverStream::new(receiver)
    }

    /// The service for callers.
    #[must_use]
    pub fn scheduler(&self) -> impl SchedulerService + use<> {
        Scheduler::new(Arc::clone(&self.shared))
    }

    /// Turns no more and signs off, as a tracker that is asked to stop; what is under way goes on.
    pub fn wind_down(&self) {
        self.stop.cancel();
    }

    /// Ends the loops at once, as a process that dies. What is under way in other tasks must be cut off by whoever answers for the store
    /// and the streams.
    pub fn abort(&self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}
