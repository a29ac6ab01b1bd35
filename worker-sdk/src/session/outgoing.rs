//! The worker's side of a stream: frames of the protocol, built when the transport asks for one.

use std::sync::Arc;

use futures_util::Stream;
use futures_util::stream::{self, StreamExt};
use tickwheel_proto::v1::WorkerMessage;
use tokio::sync::Notify;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep_until};

use crate::protocol::{Connection, Next};
use crate::shared::Shared;

/// The Hello, then frames until the connection is over.
pub(super) fn frames(
    shared: Arc<Shared>,
    connection: Connection,
    wake: Arc<Notify>,
    hello: WorkerMessage,
) -> impl Stream<Item = WorkerMessage> + Send + 'static {
    let frames = stream::unfold((shared, wake), move |(shared, wake)| async move {
        loop {
            let next = shared.protocol().frame(connection, Instant::now());
            match next {
                Next::Send(frame) => {
                    about_to_send(&frame);
                    return Some((*frame, (shared, wake)));
                }
                Next::End => return None,
                Next::Wait(None) => wake.notified().await,
                Next::Wait(Some(until)) => {
                    tokio::select! {
                        () = wake.notified() => {}
                        () = sleep_until(until) => {}
                    }
                }
            }
            // Attempts that are ready to end have their turn first, and go into the same frame.
            yield_now().await;
        }
    });
    stream::once(std::future::ready(hello)).chain(frames)
}

fn about_to_send(frame: &WorkerMessage) {
    if !frame.renew.is_empty() {
        crash_point!("before_renew");
    }
    if !frame.settle.is_empty() {
        crash_point!("before_report");
    }
}
