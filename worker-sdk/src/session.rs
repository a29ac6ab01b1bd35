//! Keeps a stream to one tracker: connect, introduce, listen, and connect again.

mod end;
mod fleet;
mod outgoing;
mod reconnect_delay;
mod taken_over;

use std::sync::Arc;
use std::time::Duration;

use futures_util::Stream;
use tickwheel_proto::AUTHORIZATION_HEADER;
use tickwheel_proto::stranger::{knows_no_grpc, mistake};
use tickwheel_proto::trust::advice;
use tickwheel_proto::v1::worker_service_client::WorkerServiceClient;
use tickwheel_proto::v1::{TrackerMessage, Welcome, WorkerMessage};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep, timeout};
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status, Streaming};
use tracing::{debug, info};

use crate::bounds::{
    CONNECT_TIMEOUT, KEEPALIVE_INTERVAL, KEEPALIVE_TIMEOUT, MESSAGE_BYTES_MAX, RECONNECT_DELAY_MAX,
    WELCOME_TIMEOUT,
};
use crate::protocol::{Arrival, Connected, Connection};
use crate::shared::Shared;
use end::{Unreached, is_refusal};
use reconnect_delay::ReconnectDelay;
use taken_over::taken_over;

pub(crate) use fleet::keep_streams;

/// HTTP/2 windows: some frames of work and of confirmations on their way, and no more.
const STREAM_WINDOW_BYTES: u32 = 4 << 20;
const CONNECTION_WINDOW_BYTES: u32 = 8 << 20;

/// What a worker says it is, in the metadata of its streams.
const AGENT: &str = concat!("tickwheel-rust/", env!("CARGO_PKG_VERSION"));

/// How a connection ended.
#[derive(Debug)]
enum Over {
    /// No tracker answered; why.
    Unreachable(String),
    /// The tracker ended it, or the network did.
    Closed(Option<Status>),
    /// Another link reaches the same tracker.
    Superseded(String),
}

/// Connects to `url` until it is no longer wanted; returns the url.
async fn keep_stream(shared: Arc<Shared>, url: String, endpoint: Endpoint) -> String {
    let link = shared.protocol().link(&url);
    let (mut delay, mut unreached) = (ReconnectDelay::default(), Unreached::default());
    while shared.wants(&url) && !shared.protocol().is_ending() {
        let began = Instant::now();
        let worker_id = shared.identity.worker_id();
        let over = connect_once(&shared, link, &endpoint, &worker_id).await;
        shared
            .links_changed
            .send_modify(|changes| *changes = changes.wrapping_add(1));
        if shared.protocol().is_ending() {
            break;
        }
        if began.elapsed() > RECONNECT_DELAY_MAX {
            delay = ReconnectDelay::default();
        }
        let pause = match over {
            Over::Superseded(tracker_id) => {
                debug!(url, tracker_id, "another stream reaches this tracker");
                wait_while_reached(&shared, &tracker_id).await;
                RECONNECT_DELAY_MAX
            }
            Over::Closed(Some(status)) if status.code() == Code::AlreadyExists => {
                match taken_over(&shared, link, &worker_id).await {
                    Some(tracker_id) => {
                        wait_while_reached(&shared, &tracker_id).await;
                        RECONNECT_DELAY_MAX
                    }
                    None => delay.next(),
                }
            }
            Over::Closed(_) if shared.protocol().tracker_drained(link) => {
                RECONNECT_DELAY_MAX.min(delay.next() + RECONNECT_DELAY_MAX / 2)
            }
            Over::Closed(status) => delay.after(&url, status.as_ref()),
            Over::Unreachable(cause) => {
                unreached.say(&url, cause);
                delay.next()
            }
        };
        sleep(pause).await;
    }
    url
}

async fn wait_while_reached(shared: &Shared, tracker_id: &str) {
    let mut changes = shared.links_changed.subscribe();
    while shared.protocol().reaches(tracker_id) {
        if changes.changed().await.is_err() {
            return;
        }
    }
}

async fn connect_once(
    shared: &Arc<Shared>,
    link: usize,
    endpoint: &Endpoint,
    worker_id: &str,
) -> Over {
    // Before the connection: a file that is gone says so, and is looked for again.
    let shown = match shared.shows.credential.authorization() {
        Ok(shown) => shown,
        Err(reason) => return Over::Unreachable(reason),
    };
    let endpoint = match shared.shows.trust.secured(endpoint.clone()) {
        Ok(endpoint) => endpoint,
        Err(unfit) => {
            return Over::Unreachable(format!("{}: {}", unfit.setting, unfit.reason));
        }
    };
    let channel = match timeout(CONNECT_TIMEOUT, endpoint.connect()).await {
        Ok(Ok(channel)) => channel,
        Ok(Err(error)) => return Over::Unreachable(advised(&error)),
        Err(_) => return Over::Unreachable("the connection was not made in time".to_owned()),
    };
    let Some(Connected {
        connection,
        wake,
        stop,
        running,
    }) = shared.protocol().connect(link)
    else {
        return Over::Unreachable("the link is gone".to_owned());
    };
    let hello = shared.hello(worker_id.to_owned(), running);
    let outgoing = outgoing::frames(Arc::clone(shared), connection, wake, hello);
    let mut request = Request::new(outgoing);
    if let Some(shown) = shown {
        request.metadata_mut().insert(AUTHORIZATION_HEADER, shown);
    }
    let mut client = WorkerServiceClient::new(channel).max_decoding_message_size(MESSAGE_BYTES_MAX);
    let session = async {
        let welcomed = timeout(WELCOME_TIMEOUT, introduce(&mut client, request)).await;
        match welcomed {
            Ok(Ok((welcome, incoming))) => {
                Over::Closed(listen(shared, connection, welcome, incoming).await.err())
            }
            Ok(Err(status)) => match knows_no_grpc(status.message()) {
                Some(stranger) => Over::Unreachable(format!("{} ({stranger})", status.message())),
                None if is_refusal(status.code()) => Over::Closed(Some(status)),
                None => Over::Unreachable(said(&status)),
            },
            Err(_) => Over::Unreachable("no Welcome came in time".to_owned()),
        }
    };
    let over = tokio::select! {
        () = stop.cancelled() => Over::Superseded(shared.protocol().tracker_of(link).unwrap_or_default()),
        over = session => over,
    };
    shared.protocol().disconnect(connection, Instant::now());
    over
}

type Client = WorkerServiceClient<tonic::transport::Channel>;

/// The call, up to the tracker's first message.
async fn introduce(
    client: &mut Client,
    request: Request<impl Stream<Item = WorkerMessage> + Send + 'static>,
) -> Result<(TrackerMessage, Streaming<TrackerMessage>), Status> {
    let mut incoming = client.session(request).await?.into_inner();
    let first = incoming
        .message()
        .await?
        .ok_or_else(|| Status::aborted("the tracker ended the stream at once"))?;
    Ok((first, incoming))
}

/// Until the tracker ends the stream.
async fn listen(
    shared: &Arc<Shared>,
    connection: Connection,
    mut first: TrackerMessage,
    mut incoming: Streaming<TrackerMessage>,
) -> Result<(), Status> {
    let mut welcome: Welcome = first
        .welcome
        .take()
        .ok_or_else(|| Status::failed_precondition("the tracker's first message is no Welcome"))?;
    let roster = welcome.roster.take();
    shared
        .protocol()
        .welcome(connection, &welcome, Instant::now());
    shared
        .links_changed
        .send_modify(|changes| *changes = changes.wrapping_add(1));
    info!(
        tracker_id = welcome.tracker_id,
        worker_id = shared.identity.worker_id(),
        protocol = welcome.protocol,
        version = welcome.version,
        "stream to tracker is up"
    );
    if let Some(roster) = roster {
        shared.take_roster(&roster);
    }
    take(shared, connection, first);
    let mut heartbeat = interval(shared.protocol().settings().heartbeat_interval);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    heartbeat.reset();
    loop {
        tokio::select! {
            message = incoming.message() => match message? {
                Some(message) => take(shared, connection, message),
                None => return Ok(()),
            },
            _ = heartbeat.tick() => shared.protocol().heartbeat(connection),
        }
    }
}

fn take(shared: &Arc<Shared>, connection: Connection, mut message: TrackerMessage) {
    if let Some(roster) = message.roster.take() {
        shared.take_roster(&roster);
    }
    if !message.dispatch.is_empty() {
        crash_point!("after_receive");
    }
    if !message.confirm.is_empty() {
        crash_point!("before_confirmation");
    }
    let sink: Arc<dyn crate::attempt::Sink> = Arc::<Shared>::clone(shared);
    let arrival = Arrival {
        connection,
        registry: &shared.registry,
        sink: &sink,
        now: Instant::now(),
    };
    let starts = shared.protocol().take(message, arrival);
    shared.start(starts);
}

/// How a tracker is dialled; an error says what is wrong with the url.
pub(crate) fn endpoint(url: &str) -> Result<Endpoint, String> {
    if let Some(mistake) = mistake(url) {
        return Err(format!("\"{url}\": {mistake}"));
    }
    let endpoint = Endpoint::from_shared(url.to_owned())
        .map_err(|error| format!("\"{url}\": {}", with_source(&error)))?;
    let endpoint = endpoint
        .user_agent(AGENT)
        .map_err(|error| with_source(&error))?;
    Ok(endpoint
        .connect_timeout(CONNECT_TIMEOUT)
        .http2_keep_alive_interval(KEEPALIVE_INTERVAL)
        .keep_alive_timeout(KEEPALIVE_TIMEOUT)
        .keep_alive_while_idle(true)
        .tcp_nodelay(true)
        .tcp_keepalive(Some(Duration::from_secs(15)))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES))
}

/// What a status says, and its innermost cause.
fn said(status: &Status) -> String {
    let mut text = status.message().to_owned();
    let mut source = std::error::Error::source(status);
    while let Some(inner) = source {
        if inner.source().is_none() {
            text = format!("{text}: {inner}");
        }
        source = inner.source();
    }
    match std::error::Error::source(status).and_then(advice) {
        Some(advice) => format!("{text}: {advice}"),
        None => text,
    }
}

/// What went wrong, and what to do where it is a matter of TLS.
fn advised(error: &(dyn std::error::Error + 'static)) -> String {
    match advice(error) {
        Some(advice) => format!("{}: {advice}", with_source(error)),
        None => with_source(error),
    }
}

fn with_source(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(inner) = source {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        source = inner.source();
    }
    text
}
