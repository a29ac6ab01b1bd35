//! The streams between workers and trackers: frames in order, late, sometimes twice; they break with their processes and by themselves.

use std::time::Duration;

use tickwheel_proto::v1::{TrackerMessage, WorkerMessage};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::{ReceiverStream, UnboundedReceiverStream};
use tokio_util::sync::CancellationToken;
use tonic::Status;

use crate::trackers;
use crate::world::{Node, stream_between, while_frozen, with};

/// Frames on the way.
const FRAMES: usize = 1_000;

/// A worker's ends of a stream.
pub(crate) struct Ends {
    pub(crate) out: mpsc::UnboundedSender<WorkerMessage>,
    pub(crate) incoming: UnboundedReceiverStream<TrackerMessage>,
}

/// Opens a stream. `None` when the tracker cannot be reached.
pub(crate) fn open(worker: Node, tracker: Node) -> Option<Ends> {
    let embedded = trackers::find(tracker)?;
    let broken = stream_between(worker, tracker);
    let (out, to_tracker) = mpsc::unbounded_channel();
    let (tracker_sends, tracker_hears) = mpsc::channel(FRAMES);
    let (worker_sends, incoming) = mpsc::unbounded_channel();
    let from_tracker = embedded.session(ReceiverStream::new(tracker_hears));
    tokio::spawn(until(
        broken.clone(),
        carry_reports(to_tracker, tracker_sends, (worker, tracker)),
    ));
    tokio::spawn(until(
        broken,
        carry_work(from_tracker, worker_sends, (worker, tracker)),
    ));
    Some(Ends {
        out,
        incoming: UnboundedReceiverStream::new(incoming),
    })
}

async fn until(broken: CancellationToken, carry: impl Future<Output = ()>) {
    // When one direction ends, so does the other.
    broken.run_until_cancelled(carry).await;
    broken.cancel();
}

/// When a frame that is sent now arrives, not before the one before it.
fn arrival(before: &mut Instant) -> Instant {
    let delay = with(|world| {
        let weather = world.weather;
        let slow = if world.rng.permille(weather.slow) {
            world.rng.below(4_000)
        } else {
            0
        };
        world.rng.below(weather.delay_ms + 1) + slow
    });
    *before = (*before).max(Instant::now() + Duration::from_millis(delay));
    *before
}

async fn carry_reports(
    mut from: mpsc::UnboundedReceiver<WorkerMessage>,
    to: mpsc::Sender<Result<WorkerMessage, Status>>,
    (worker, tracker): (Node, Node),
) {
    let mut before = Instant::now();
    while let Some(frame) = from.recv().await {
        sleep_until(arrival(&mut before)).await;
        while_frozen(worker).await;
        while_frozen(tracker).await;
        let twice = with(|world| world.rng.permille(world.weather.doubled));
        if twice {
            let again = WorkerMessage {
                settle: frame.settle.clone(),
                renew: frame.renew.clone(),
                ..WorkerMessage::default()
            };
            to.send(Ok(again)).await.ok();
        }
        if to.send(Ok(frame)).await.is_err() {
            return;
        }
    }
}

async fn carry_work(
    mut from: impl futures::Stream<Item = Result<TrackerMessage, Status>> + Unpin,
    to: mpsc::UnboundedSender<TrackerMessage>,
    (worker, tracker): (Node, Node),
) {
    let mut before = Instant::now();
    while let Some(Ok(frame)) = from.next().await {
        sleep_until(arrival(&mut before)).await;
        while_frozen(tracker).await;
        while_frozen(worker).await;
        if to.send(frame).is_err() {
            return;
        }
    }
}
