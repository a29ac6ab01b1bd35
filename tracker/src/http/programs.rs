//! What requests of programs have in common, whatever they ask for: names, threads and memory of their own, an end in time.
//!
//! A request is looked at where it costs next to nothing; then its body is read and it is answered on the threads of calls: however much is
//! asked there, probes have their answers.

mod access;
mod body;
mod head;
mod respond;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{Instrument as _, Span};

use crate::edge::Memory;
pub(super) use access::{Asks, By, caller};
pub(super) use body::{Expected, Unread, read_body};
pub(super) use head::{asked_durability, is_json, once, request_id};
pub(super) use respond::respond;

/// An answer is there within this: before its connection's time is over, so that whoever asked is told.
const ANSWER_WITHIN: Duration = Duration::from_secs(18);
/// Requests under way when the tracker stops have so long.
const STOP_WITHIN: Duration = Duration::from_millis(500);

/// Where requests of programs are answered. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Programs {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    threads: Handle,
    memory: Memory,
    stop: CancellationToken,
    /// Begins the ids of requests; no other start has the same.
    start: u64,
    requests: AtomicU64,
}

/// Why a request has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unanswered {
    /// The tracker stops.
    Draining,
    /// It took too long; what was asked for may have been done.
    TooSlow,
    /// A defect, which is in the log.
    Broken,
}

impl Programs {
    /// Answers on `threads` until `stop`.
    pub(crate) fn new(threads: Handle, stop: CancellationToken) -> Self {
        Self {
            inner: Arc::new(Inner {
                threads,
                memory: Memory::new(),
                stop,
                start: rand::random(),
                requests: AtomicU64::new(0),
            }),
        }
    }

    /// A name for a request that has none.
    pub(super) fn make_id(&self) -> String {
        let count = self.inner.requests.fetch_add(1, Ordering::Relaxed);
        format!("{:016x}-{count}", self.inner.start)
    }

    /// Memory for large bodies.
    pub(super) fn memory(&self) -> &Memory {
        &self.inner.memory
    }

    /// What `answering` comes to, on other threads than this one, within `span`. It begins at once; dropping the future ends it.
    pub(super) fn answered<T: Send + 'static>(
        &self,
        answering: impl Future<Output = T> + Send + 'static,
        span: Span,
        id: &str,
    ) -> impl Future<Output = Result<T, Unanswered>> + Send {
        let answering = self.inner.threads.spawn(answering.instrument(span));
        // A caller that goes away ends its request.
        let answering = AbortOnDropHandle::new(answering);
        async move {
            tokio::select! {
                answered = answering => match answered {
                    Ok(answered) => Ok(answered),
                    // Its threads have ended with the tracker.
                    Err(error) if error.is_cancelled() => Err(Unanswered::Draining),
                    Err(error) => {
                        tracing::error!(%error, request_id = %id, "a request was not answered");
                        Err(Unanswered::Broken)
                    }
                },
                () = self.inner.stopped() => Err(Unanswered::Draining),
                () = tokio::time::sleep(ANSWER_WITHIN) => Err(Unanswered::TooSlow),
            }
        }
    }
}

impl Inner {
    /// Returns when requests under way have to end.
    async fn stopped(&self) {
        self.stop.cancelled().await;
        tokio::time::sleep(STOP_WITHIN).await;
    }
}
