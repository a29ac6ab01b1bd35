//! A tracker that does what a test says, over a real connection on the loopback interface.
//!
//! It keeps everything it hears, so it is for tests, not for long runs. By itself it greets workers, confirms what they
//! settle, prolongs their leases and takes what they map; all else is told by the test.

mod fan;
mod fans;
mod heard;
mod say;
mod service;
mod state;

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use parking_lot::Mutex;
use tickwheel_proto::v1::confirmation::Verdict;
use tickwheel_proto::v1::worker_service_server::WorkerServiceServer;
use tickwheel_proto::v1::{Assignment, Hello, Settlement, Welcome};
use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tokio_stream::wrappers::TcpListenerStream;
use tokio_util::task::AbortOnDropHandle;
use tonic::Status;
use tonic::transport::Server;

use fans::Fans;
use service::Service;
use state::{Inner, State};

pub use heard::Heard;

/// How long a wait for a worker's word lasts.
const PATIENCE: Duration = Duration::from_secs(20);

/// See the module's documentation. Dropping it closes its port and breaks its streams.
#[derive(Debug)]
pub struct TrackerDouble {
    state: Arc<State>,
    address: SocketAddr,
    _server: AbortOnDropHandle<()>,
}

impl TrackerDouble {
    /// A tracker with leases of 10 s, heartbeats of 1 s, and acceptance after 500 ms.
    ///
    /// # Errors
    /// When no loopback port is free.
    pub async fn start() -> io::Result<Self> {
        Self::start_with(Welcome::default()).await
    }

    /// A tracker with these terms; zeros and empty fields become those of [`start`](Self::start).
    ///
    /// # Errors
    /// When no loopback port is free.
    pub async fn start_with(mut welcome: Welcome) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let or = |value: u64, default: u64| if value == 0 { default } else { value };
        welcome.lease_ms = or(welcome.lease_ms, 10_000);
        welcome.heartbeat_interval_ms = or(welcome.heartbeat_interval_ms, 1_000);
        welcome.accept_after_ms = or(welcome.accept_after_ms, 500);
        if welcome.tracker_id.is_empty() {
            welcome.tracker_id = format!("trk-{}", address.port());
        }
        let verdict = Some(Verdict::Settled);
        let inner = Inner {
            heard: Heard::default(),
            welcome,
            renews: true,
            verdict,
            open: true,
            fans: Fans::default(),
            streams: Vec::new(),
        };
        let state = Arc::new(State {
            inner: Mutex::new(inner),
            changed: Notify::new(),
        });
        let service = WorkerServiceServer::new(Service(Arc::clone(&state)))
            .max_decoding_message_size(16 << 20);
        let server = tokio::spawn(async move {
            let served = Server::builder()
                .initial_stream_window_size(4 << 20)
                .initial_connection_window_size(8 << 20)
                .tcp_nodelay(true)
                .add_service(service)
                .serve_with_incoming(TcpListenerStream::new(listener))
                .await;
            if let Err(error) = served {
                tracing::error!(%error, "the tracker double ended");
            }
        });
        Ok(Self {
            state,
            address,
            _server: AbortOnDropHandle::new(server),
        })
    }

    /// For [`Worker::connect`](crate::Worker::connect).
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Everything heard so far.
    #[must_use]
    pub fn heard(&self) -> Heard {
        self.state.lock().heard.clone()
    }

    /// Waits until `look` finds in what was heard what it looks for.
    ///
    /// # Errors
    /// When it does not come within 20 s.
    pub async fn wait_for<T>(&self, look: impl Fn(&Heard) -> Option<T>) -> Result<T, Elapsed> {
        let wait = async {
            loop {
                let changed = self.state.changed.notified();
                tokio::pin!(changed);
                changed.as_mut().enable();
                if let Some(found) = look(&self.state.lock().heard) {
                    return found;
                }
                changed.await;
            }
        };
        timeout(PATIENCE, wait).await
    }

    /// Waits for a stream.
    ///
    /// # Errors
    /// When none comes within 20 s.
    pub async fn connected(&self) -> Result<Hello, Elapsed> {
        self.wait_for(|heard| {
            heard
                .hellos
                .last()
                .filter(|_| heard.open_streams > 0)
                .cloned()
        })
        .await
    }

    /// Waits for an outcome of this attempt.
    ///
    /// # Errors
    /// When none comes within 20 s.
    pub async fn settled(&self, context_id: &str, attempt: u32) -> Result<Settlement, Elapsed> {
        self.wait_for(|heard| heard.settlements(context_id, attempt).next().cloned())
            .await
    }

    /// From now on outcomes get this verdict; `None`: no confirmation.
    pub fn answer_with(&self, verdict: Option<Verdict>) {
        self.state.lock().verdict = verdict;
    }

    /// Whether leases are prolonged when workers ask for it. At first they are.
    pub fn set_renewing(&self, renews: bool) {
        self.state.lock().renews = renews;
    }

    /// Whether new streams are taken. Streams that are open stay.
    pub fn set_open(&self, open: bool) {
        self.state.lock().open = open;
    }

    /// Ends the newest stream with this status.
    ///
    /// # Errors
    /// When there is none.
    pub async fn end_stream(&self, status: Status) -> Result<(), Status> {
        let newest = self.state.lock().streams.last().cloned();
        let stream = newest.ok_or_else(|| Status::unavailable("no worker has a stream"))?;
        stream
            .to_worker
            .send(Err(status))
            .await
            .map_err(|_| Status::unavailable("the worker's stream is gone"))
    }

    /// Breaks all streams.
    pub fn break_streams(&self) {
        let streams = std::mem::take(&mut self.state.lock().streams);
        for stream in streams {
            stream.stop.cancel();
        }
    }
}

impl Drop for TrackerDouble {
    fn drop(&mut self) {
        self.set_open(false);
        self.break_streams();
    }
}

/// A first attempt with a dispatch lease of 2 s, a grace of 5 s, and no time-out.
#[must_use]
pub fn assignment(
    context_id: impl Into<String>,
    handler: impl Into<String>,
    body: impl Into<Bytes>,
) -> Assignment {
    Assignment {
        context_id: context_id.into(),
        attempt: 1,
        handler: handler.into(),
        body: body.into(),
        lease_ms: 2_000,
        cancel_grace_ms: 5_000,
        max_attempts: 3,
        ..Assignment::default()
    }
}
