//! The workers' side of a tracker: one stream for each worker, read here and written by whoever has a frame for it.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{Stream, StreamExt as _, TryStreamExt};
use tickwheel_core::bounds::{
    BODY_BYTES_MAX, LEASE_MS_DEFAULT, LOG_LINE_BYTES_MAX, RESULT_BYTES_MAX,
};
use tickwheel_proto::protocol::CAPABILITIES;
use tickwheel_proto::v1::worker_service_server::WorkerService;
use tickwheel_proto::v1::{TrackerMessage, Welcome, WorkerMessage};
use tickwheel_proto::wire::bounds::{FRAME_BYTES_MAX, HELLO_RUNNING_MAX, ITEMS, QUESTIONS};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Code, Request, Response, Status, Streaming};

use crate::access::{Authority, Caller};
use crate::config::Config;
use crate::error::Error;
use crate::inbound::Inbound;
use crate::membership::{Drains, Evictions, Roster};
use crate::rpc::admission::{admit, is_worker};
use crate::seldom::Seldom;
use crate::sessions::{FRAMES_MAX, Frame, Session, Sessions, checked, spoken};

/// A worker introduces itself within this.
const HELLO_TIMEOUT: Duration = Duration::from_secs(5);
/// An attempt that runs longer is announced, so that its dispatch lease becomes a running one.
const ACCEPT_AFTER: Duration = Duration::from_millis(500);

/// A connection that is silent for so long gets a ping.
pub(crate) const PING: Duration = Duration::from_secs(3);
/// What gathers at a worker within this goes in one frame: a frame for each outcome costs both sides many times as much.
const FRAME_PAUSE: Duration = Duration::from_micros(200);

/// What a worker is told whose token is not good any more.
const EXPELLED: &str =
    "the token of this worker is not good any more: it was revoked, rotated or is over";

/// Lines of workers that come, and of those that go: a crowd that does nothing else fills no disk.
static CAME: Seldom = Seldom::new(LINE_EVERY);
static WENT: Seldom = Seldom::new(LINE_EVERY);
const LINE_EVERY: Duration = Duration::from_millis(150);

/// The workers' streams of one tracker.
#[derive(Debug)]
pub(crate) struct Streams {
    sessions: Arc<Sessions>,
    authority: Arc<Authority>,
    roster: Arc<Roster>,
    inbound: Inbound,
    evictions: Arc<Evictions>,
    drains: Arc<Drains>,
    /// What every worker is told when it comes, but for the roster.
    terms: Welcome,
}

/// The worker service of one tracker.
#[derive(Debug, Clone)]
pub(crate) struct Workers(pub(crate) Arc<Streams>);

#[tonic::async_trait]
impl WorkerService for Workers {
    type SessionStream = Pin<Box<dyn Stream<Item = Result<TrackerMessage, Status>> + Send>>;

    async fn session(
        &self,
        request: Request<Streaming<WorkerMessage>>,
    ) -> Result<Response<Self::SessionStream>, Status> {
        let caller = match request.extensions().get::<Caller>() {
            Some(caller) => caller.clone(),
            None => self.0.authority.nobody()?,
        };
        is_worker(&self.0.authority, &caller)?;
        let (sender, receiver) = mpsc::channel(FRAMES_MAX);
        // The answer's headers go out at once, so that a worker may wait for them before its Hello.
        self.0.accept(caller, request.into_inner(), sender);
        let frames = ReceiverStream::new(receiver).map(|frame| *frame);
        Ok(Response::new(Box::pin(frames)))
    }
}

impl Streams {
    /// Frames go to `inbound`; workers whose streams ended go to `evictions`.
    pub(crate) fn new(
        config: &Config,
        (sessions, authority): (Arc<Sessions>, Arc<Authority>),
        roster: Arc<Roster>,
        inbound: Inbound,
        (evictions, drains): (Arc<Evictions>, Arc<Drains>),
    ) -> Arc<Self> {
        let terms = terms(config, roster.own.id.as_str());
        Arc::new(Self {
            sessions,
            authority,
            roster,
            inbound,
            evictions,
            drains,
            terms,
        })
    }

    /// Serves a stream in a task of its own; it ends with an error when the worker did not introduce itself as it should.
    pub(crate) fn accept(
        self: &Arc<Self>,
        caller: Caller,
        incoming: impl Stream<Item = Result<WorkerMessage, Status>> + Send + Unpin + 'static,
        sender: mpsc::Sender<Frame>,
    ) {
        let streams = Arc::clone(self);
        tokio::spawn(async move {
            if let Err(status) = streams.serve(caller, incoming, sender.clone()).await {
                sender.send(Box::new(Err(status))).await.ok();
            }
        });
    }

    async fn serve(
        &self,
        caller: Caller,
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
        let protocol = spoken(&hello)?;
        let (profile, group, hello) = checked(hello)?;
        admit(&self.authority, &caller, &group, &hello)?;
        let worker = profile.id.clone();
        let in_flight = self.sessions.in_flight();
        let frames = (frames, in_flight);
        let session = Session::new(profile, group.clone(), hello, frames, caller);
        let session = Arc::new(session);
        let welcome = self.welcome(protocol);
        if session
            .send(TrackerMessage {
                welcome: Some(welcome),
                ..TrackerMessage::default()
            })
            .is_err()
        {
            return Ok(());
        }
        if let Some(older) = self.sessions.insert(Arc::clone(&session)) {
            older.end(Status::already_exists(
                "a newer stream of this worker took over",
            ));
        }
        self.drains.apply(&session);
        if let Some(kept_back) = CAME.next(Instant::now()) {
            tracing::info!(%worker, %group, handlers = %session.handlers().text(), permits = session.hello.permits, kept_back, "worker connected");
        }
        let (ended, refused) = self.read_all(&session, first, incoming).await;
        if self.sessions.remove(&session) {
            let drained = session.is_leaving();
            if let Some(kept_back) = WENT.next(Instant::now()) {
                tracing::info!(%worker, drained, stream = ended, kept_back, "worker disconnected");
            }
            let evictions = Arc::clone(&self.evictions);
            tokio::spawn(async move { evictions.gone(group, worker, drained).await });
        }
        refused.map_or(Ok(()), Err)
    }

    /// Takes frame after frame, each when there is room for what it may bring; how the stream ended, and the status when this side ended it.
    async fn read_all(
        &self,
        session: &Arc<Session>,
        first: WorkerMessage,
        mut incoming: impl Stream<Item = Result<WorkerMessage, Status>> + Unpin,
    ) -> (&'static str, Option<Status>) {
        let mut next = Some(first);
        while let Some(message) = next {
            if let Err(status) = self.inbound.take(session, message) {
                return ("refused", Some(status));
            }
            let heard = async {
                session.in_flight.room().await;
                incoming.try_next().await
            };
            next = match session.unless_expelled(heard).await {
                Some(Ok(message)) => message,
                // Its sender learns which bound it broke.
                Some(Err(status)) if is_answer(status.code()) => return ("refused", Some(status)),
                Some(Err(_)) => return ("broken", None),
                None => return ("expelled", Some(Error::Unauthenticated(EXPELLED).into())),
            };
        }
        ("closed", None)
    }

    fn welcome(&self, protocol: u32) -> Welcome {
        Welcome {
            roster: Some(self.roster.for_workers()),
            protocol,
            ..self.terms.clone()
        }
    }
}

/// Whether the code is of a status that this side gives to a frame; all others say that the stream broke.
fn is_answer(code: Code) -> bool {
    [Code::InvalidArgument, Code::ResourceExhausted].contains(&code)
}

/// What every worker of this tracker is told, but for the roster and what is spoken.
fn terms(config: &Config, tracker_id: &str) -> Welcome {
    let millis = |span: Duration| u64::try_from(span.as_millis()).unwrap_or(u64::MAX);
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    Welcome {
        tracker_id: tracker_id.to_owned(),
        roster: None,
        heartbeat_interval_ms: millis(config.heartbeat_interval),
        lease_ms: millis(config.dispatch_lease),
        body_bytes_max: BODY_BYTES_MAX as u64,
        result_bytes_max: RESULT_BYTES_MAX as u64,
        log_line_bytes_max: LOG_LINE_BYTES_MAX as u64,
        accept_after_ms: millis(ACCEPT_AFTER.min(config.dispatch_lease / 4)),
        protocol: 0,
        capabilities: CAPABILITIES.map(ToOwned::to_owned).into(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        frame_bytes_max: FRAME_BYTES_MAX as u64,
        frame_items_max: count(ITEMS),
        frame_questions_max: count(QUESTIONS),
        frame_pause_us: u64::try_from(FRAME_PAUSE.as_micros()).unwrap_or(u64::MAX),
        renew_lease_ms: LEASE_MS_DEFAULT,
        ping_ms: millis(PING),
        drain_deadline_ms: millis(config.drain_timeout),
        hello_running_max: count(HELLO_RUNNING_MAX),
    }
}
