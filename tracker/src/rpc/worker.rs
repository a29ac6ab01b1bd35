//! The workers' side of a tracker: one stream for each worker, read here and written by whoever has a frame for it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, TryStreamExt};
use tickwheel_core::limits::{BODY_BYTES_MAX, LOG_LINE_BYTES_MAX, RESULT_BYTES_MAX};
use tickwheel_proto::v1::worker_service_server::WorkerService;
use tickwheel_proto::v1::{TrackerMessage, Welcome, WorkerMessage};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::engine::Engine;
use crate::membership::roster;
use crate::seldom::Seldom;
use crate::sessions::intake;
use crate::sessions::{FRAMES_MAX, Frame, Session, checked};

/// A worker introduces itself within this.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// An attempt that runs longer is announced, so that its dispatch lease becomes a running one.
const ACCEPT_AFTER: Duration = Duration::from_millis(500);

/// Lines of workers that come, and of those that go: a crowd that does nothing else fills no disk.
static CAME: Seldom = Seldom::new(LINE_EVERY);
static WENT: Seldom = Seldom::new(LINE_EVERY);
const LINE_EVERY: Duration = Duration::from_millis(150);

/// The worker service of one tracker.
#[derive(Debug, Clone)]
pub(crate) struct Workers {
    engine: Arc<Engine>,
}

impl Workers {
    pub(crate) fn new(engine: Arc<Engine>) -> Self {
        Self { engine }
    }
}

#[tonic::async_trait]
impl WorkerService for Workers {
    type SessionStream = Pin<Box<dyn Stream<Item = Frame> + Send>>;

    async fn session(
        &self,
        request: Request<Streaming<WorkerMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let (sender, receiver) = mpsc::channel(FRAMES_MAX);
        // The answer's headers go out at once, so that a worker may wait for them before its Hello.
        accept(Arc::clone(&self.engine), request.into_inner(), sender);
        Ok(Response::new(Box::pin(ReceiverStream::new(receiver))))
    }
}

/// Serves a stream in a task of its own; it ends with an error when the worker did not introduce itself as it should.
pub(crate) fn accept(
    engine: Arc<Engine>,
    incoming: impl Stream<Item = Result<WorkerMessage, Status>> + Send + Unpin + 'static,
    sender: mpsc::Sender<Frame>,
) {
    tokio::spawn(async move {
        if let Err(status) = serve(engine, incoming, sender.clone()).await {
            sender.send(Err(status)).await.ok();
        }
    });
}

async fn serve(
    engine: Arc<Engine>,
    mut incoming: impl Stream<Item = Result<WorkerMessage, Status>> + Unpin,
    frames: mpsc::Sender<Frame>,
) -> Result<(), Status> {
    let first = tokio::time::timeout(HELLO_TIMEOUT, incoming.try_next()).await;
    let first = first.map_err(|_| Status::deadline_exceeded("no Hello within 5 s"))??;
    let mut first =
        first.ok_or_else(|| Status::invalid_argument("the stream ended before its Hello"))?;
    let hello = first
        .hello
        .take()
        .ok_or_else(|| Status::invalid_argument("the first message is a Hello"))?;
    let (profile, group, hello) = checked(hello)?;
    let worker = profile.id.clone();
    let in_flight = engine.sessions.in_flight();
    let session = Session::new(profile, group.clone(), hello, (frames, in_flight));
    let session = Arc::new(session);
    let welcome = welcome(&engine);
    if session
        .send(TrackerMessage {
            welcome: Some(welcome),
            ..TrackerMessage::default()
        })
        .is_err()
    {
        return Ok(());
    }
    if let Some(older) = engine.sessions.insert(Arc::clone(&session)) {
        older.end(Status::already_exists(
            "a newer stream of this worker took over",
        ));
    }
    if let Some(kept_back) = CAME.next(Instant::now()) {
        tracing::info!(%worker, %group, handlers = %session.handlers(), permits = session.hello.permits, kept_back, "worker connected");
    }
    let (ended, refused) = read_all(&engine, &session, (first, incoming)).await;
    if engine.sessions.remove(&session) {
        let drained = session.is_draining();
        if let Some(kept_back) = WENT.next(Instant::now()) {
            tracing::info!(%worker, drained, stream = ended, kept_back, "worker disconnected");
        }
        tokio::spawn(roster::gone(Arc::clone(&engine), group, worker, drained));
    }
    refused.map_or(Ok(()), Err)
}

/// Takes frame after frame, each when there is room for what it may bring; how the stream ended, and the status when this side ended it.
async fn read_all(
    engine: &Arc<Engine>,
    session: &Arc<Session>,
    (first, mut incoming): (
        WorkerMessage,
        impl Stream<Item = Result<WorkerMessage, Status>> + Unpin,
    ),
) -> (&'static str, Option<Status>) {
    let mut next = Some(first);
    while let Some(message) = next {
        if let Err(status) = intake::take(engine, session, message) {
            return ("refused", Some(status));
        }
        session.in_flight.room().await;
        next = match incoming.try_next().await {
            Ok(message) => message,
            // Its sender learns which bound it broke.
            Err(status) if status.code() == Code::InvalidArgument => {
                return ("refused", Some(status));
            }
            Err(_) => return ("broken", None),
        };
    }
    ("closed", None)
}

fn welcome(engine: &Engine) -> Welcome {
    let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    Welcome {
        tracker_id: engine.tracker_id.as_str().to_owned(),
        roster: Some(roster::roster(engine)),
        beat_interval_ms: millis(engine.config.beat_interval),
        lease_ms: millis(engine.config.dispatch_lease),
        body_bytes_max: BODY_BYTES_MAX as u64,
        result_bytes_max: RESULT_BYTES_MAX as u64,
        log_line_bytes_max: LOG_LINE_BYTES_MAX as u64,
        accept_after_ms: millis(ACCEPT_AFTER.min(engine.config.dispatch_lease / 4)),
    }
}
