//! A tracker without sockets: what a simulation runs, with workers and callers in its own process.
//!
//! Turning, dispatch, settling, planning, the roster and the services for callers are those of [`Tracker`](crate::Tracker); only the
//! listeners and the connection to Redis are the caller's.

use std::sync::Arc;

use futures::{Stream, StreamExt as _};
use tickwheel_core::id::TrackerId;
use tickwheel_proto::v1::scheduler_service_server::SchedulerService;
use tickwheel_proto::v1::{TrackerMessage, WorkerMessage};
use tickwheel_store::roster::LiveTracker;
use tickwheel_store::setup::Server;
use tickwheel_store::{Heard, Store};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::access::Caller;
use crate::config::{Access, Config};
use crate::health::Health;
use crate::periodic::Periodic;
use crate::rpc::api::ApiContext;
use crate::rpc::scheduler::Scheduler;
use crate::rpc::worker::Streams;
use crate::sessions::FRAMES_MAX;
use crate::wiring::{Surroundings, Wired, wire};

/// A tracker inside another program.
#[derive(Debug)]
pub struct Embedded {
    streams: Arc<Streams>,
    api: Arc<ApiContext>,
    stop: CancellationToken,
    tasks: Vec<JoinHandle<()>>,
}

impl Embedded {
    /// Starts turning. `incarnation` is a number that no other start has, `url` what workers are told of it, `heard` what comes over the
    /// wake channels of all partitions.
    ///
    /// Must be called inside a tokio runtime.
    pub async fn start(
        config: &Config,
        store: Store,
        (incarnation, url): (u64, String),
        heard: mpsc::Receiver<Heard>,
    ) -> Self {
        let own = LiveTracker {
            id: TrackerId::of_incarnation(incarnation),
            url,
        };
        let around = Surroundings {
            store,
            own,
            incarnation,
            server: Server::none(),
            health: Arc::new(Health::new()),
            // Its peers have no sockets.
            probes: false,
        };
        // Nobody comes in from elsewhere.
        let config = Config {
            access: Access::open(),
            ..config.clone()
        };
        let Wired {
            mut heartbeat,
            turner,
            streams,
            api,
            ..
        } = wire(&config, around);
        let stop = CancellationToken::new();
        heartbeat.run_once().await;
        let tasks = vec![
            tokio::spawn(heartbeat.run(stop.clone())),
            tokio::spawn(turner.run(heard, stop.clone())),
        ];
        Self {
            streams,
            api,
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
        self.streams.accept(Caller::anybody(), incoming, sender);
        ReceiverStream::new(receiver).map(|frame| *frame)
    }

    /// The service for callers.
    #[must_use]
    pub fn scheduler(&self) -> impl SchedulerService + use<> {
        Scheduler::new(Arc::clone(&self.api))
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
