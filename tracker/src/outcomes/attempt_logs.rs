//! What attempts say while they run: log lines and progress, written in the background.

mod waiting;

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use tickwheel_core::id::ContextId;
use tickwheel_proto::v1::{LogLine, Progress};
use tickwheel_store::Store;
use tickwheel_store::context::Appended;
use tickwheel_store::lease::{AttemptRef, Holding};
use tokio::sync::Notify;
use tokio_util::task::TaskTracker;
use tonic::Status;

use crate::metrics::measure;
use crate::sessions::{Session, items};
use waiting::{Added, Next, Waiting, by_attempt};

/// The notes on their way into Redis.
#[derive(Debug)]
pub(crate) struct AttemptLogs {
    store: Store,
    tasks: TaskTracker,
    waiting: Mutex<Waiting>,
    pending: Mutex<HashMap<ContextId, u32>>,
    written: Notify,
}

impl AttemptLogs {
    pub(crate) fn new(store: Store, tasks: TaskTracker) -> Arc<Self> {
        Arc::new(Self {
            store,
            tasks,
            waiting: Mutex::default(),
            pending: Mutex::default(),
            written: Notify::new(),
        })
    }

    fn begin(&self, context: &ContextId) {
        *self.pending.lock().entry(context.clone()).or_default() += 1;
    }

    fn end(&self, context: &ContextId) {
        let mut pending = self.pending.lock();
        if let Some(count) = pending.get_mut(context) {
            *count -= 1;
            if *count == 0 {
                pending.remove(context);
            }
        }
        drop(pending);
        self.written.notify_waiters();
    }

    /// Whether no note at all is on its way.
    pub(super) fn are_all_written(&self) -> bool {
        self.pending.lock().is_empty()
    }

    /// Whether a note of `context` is on its way.
    pub(super) fn are_pending(&self, context: &ContextId) -> bool {
        self.pending.lock().contains_key(context)
    }

    /// Waits until no note of `context` is on its way. A write ends within the store's own time limit.
    pub(super) async fn written(&self, context: &ContextId) {
        loop {
            let written = self.written.notified();
            tokio::pin!(written);
            // Registered before the check, so that a write that ends in between is not missed.
            written.as_mut().enable();
            if !self.are_pending(context) {
                return;
            }
            written.await;
        }
    }

    /// Writes log lines and progress that the worker of `session` tells of its attempts, in the background.
    ///
    /// # Errors
    /// The status that ends the stream, when too many of its items could not be read.
    pub(crate) fn note(
        self: &Arc<Self>,
        session: &Arc<Session>,
        log: Vec<LogLine>,
        progress: Vec<Progress>,
    ) -> Result<(), Status> {
        for ((context, attempt), said) in by_attempt(log, progress) {
            let context = match items::context(self.store.partitions(), &context) {
                Ok(context) => context,
                Err(why) => {
                    session.fault("note", why);
                    session.is_sound()?;
                    continue;
                }
            };
            let key = (context, attempt, session.worker.clone());
            let mut waiting = self.waiting.lock();
            if waiting.add(&key, said) != Added::First {
                continue;
            }
            waiting.hold(&key, session.in_flight.begin());
            self.begin(&key.0);
            if waiting.begin_writer() {
                drop(waiting);
                let notes = Arc::clone(self);
                self.tasks.spawn(async move { notes.write_all().await });
            }
        }
        Ok(())
    }

    /// Writes what waits until nothing does.
    async fn write_all(&self) {
        loop {
            let next = self.waiting.lock().next_or_end();
            let Some(Next { key, note, slot }) = next else {
                return;
            };
            let (context, attempt, worker) = key;
            let holding = Holding {
                attempt: AttemptRef {
                    context,
                    attempt: attempt.into(),
                },
                worker,
            };
            match self.store.append_log(&holding, &note).await {
                Ok(Appended::Written { dropped }) => measure::notes_dropped(dropped),
                Ok(Appended::Stale) => measure::stale("note"),
                Ok(Appended::Foreign) => measure::foreign("note", 1),
                Err(error) => {
                    measure::notes_dropped(note.lines.len());
                    measure::store_error(&error);
                }
            }
            self.end(&holding.attempt.context);
            drop(slot);
        }
    }
}
