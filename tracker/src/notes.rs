//! What attempts say while they run: log lines and progress, written in the background.
//!
//! A note is refused once its attempt has ended, so a settlement waits for the notes of its context that are on their way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use tickwheel_core::id::ContextId;
use tickwheel_core::limits::{LOG_LINE_BYTES_MAX, SUBMIT_MAX};
use tickwheel_core::partition::PartitionId;
use tickwheel_proto::v1::{LogLine, Progress};
use tickwheel_store::context::{Noted, Progress as StoredProgress};
use tickwheel_store::lease::{AttemptRef, Holding};
use tokio::sync::{Notify, Semaphore};
use tonic::Status;

use crate::engine::Engine;
use crate::intake;
use crate::measure;
use crate::session::{Session, lock};
use crate::settle::Reported;

/// Writes under way at once; what comes on top is dropped and counted.
const NOTES_MAX: usize = 256;

/// The notes on their way into Redis.
#[derive(Debug)]
pub(crate) struct Notes {
    room: Arc<Semaphore>,
    pending: Mutex<HashMap<ContextId, u32>>,
    written: Notify,
}

impl Default for Notes {
    fn default() -> Self {
        Self {
            room: Arc::new(Semaphore::new(NOTES_MAX)),
            pending: Mutex::default(),
            written: Notify::new(),
        }
    }
}

impl Notes {
    fn begin(&self, context: &ContextId) {
        *lock(&self.pending).entry(context.clone()).or_default() += 1;
    }

    fn end(&self, context: &ContextId) {
        let mut pending = lock(&self.pending);
        if let Some(count) = pending.get_mut(context) {
            *count -= 1;
            if *count == 0 {
                pending.remove(context);
            }
        }
        drop(pending);
        self.written.notify_waiters();
    }

    fn are_pending(&self, context: &ContextId) -> bool {
        lock(&self.pending).contains_key(context)
    }

    /// Waits until no note of `context` is on its way. A write ends within the store's own time limit.
    async fn settled(&self, context: &ContextId) {
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
}

/// Writes log lines and progress that the worker of `session` tells of its attempts, in the background.
///
/// # Errors
/// The status that ends the stream, when too many of its items could not be read.
pub(crate) fn note(
    engine: &Arc<Engine>,
    session: &Arc<Session>,
    (log, progress): (Vec<LogLine>, Vec<Progress>),
) -> Result<(), Status> {
    for ((context, attempt), (lines, progress)) in by_attempt(log, progress) {
        let context = match intake::context(engine, &context) {
            Ok(context) => context,
            Err(why) => {
                session.fault("note", why);
                session.is_sound()?;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&engine.notes.room).try_acquire_owned() else {
            measure::notes_dropped(lines.len());
            continue;
        };
        engine.notes.begin(&context);
        let slot = session.in_flight.begin();
        let engine_of_task = Arc::clone(engine);
        let holding = Holding {
            attempt: AttemptRef {
                context,
                attempt: attempt.into(),
            },
            worker: session.worker.clone(),
        };
        engine.tasks.spawn(async move {
            let store = &engine_of_task.store;
            match store.note(&holding, &lines, progress.as_ref()).await {
                Ok(Noted::Written) => {}
                Ok(Noted::Stale) => measure::stale("note"),
                Ok(Noted::Foreign) => measure::foreign("note", 1),
                Err(error) => measure::store_error(&error),
            }
            engine_of_task.notes.end(&holding.attempt.context);
            drop((permit, slot));
        });
    }
    Ok(())
}

type Said = (Vec<String>, Option<StoredProgress>);

fn by_attempt(log: Vec<LogLine>, progress: Vec<Progress>) -> HashMap<(String, u32), Said> {
    let mut notes: HashMap<(String, u32), Said> = HashMap::new();
    for mut line in log.into_iter().take(SUBMIT_MAX) {
        if line.line.len() > LOG_LINE_BYTES_MAX {
            let end = (0..=LOG_LINE_BYTES_MAX)
                .rev()
                .find(|end| line.line.is_char_boundary(*end));
            line.line.truncate(end.unwrap_or(0));
        }
        notes
            .entry((line.context_id, line.attempt))
            .or_default()
            .0
            .push(line.line);
    }
    for step in progress {
        let percent = u8::try_from(step.percent.min(100)).unwrap_or(100);
        let step_to = StoredProgress {
            percent,
            message: step.message,
        };
        notes.entry((step.context_id, step.attempt)).or_default().1 = Some(step_to);
    }
    notes
}

/// Settles `reports`; those whose context has notes on their way follow when these are written.
pub(crate) fn settle_after(
    engine: &Arc<Engine>,
    partition: PartitionId,
    mut reports: Vec<Reported>,
) {
    if !lock(&engine.notes.pending).is_empty() {
        let waits =
            |report: &mut Reported| engine.notes.are_pending(&report.settlement.attempt.context);
        for report in reports.extract_if(.., waits) {
            let engine_of_task = Arc::clone(engine);
            engine.tasks.spawn(async move {
                engine_of_task
                    .notes
                    .settled(&report.settlement.attempt.context)
                    .await;
                engine_of_task.settle(partition, vec![report]);
            });
        }
    }
    engine.settle(partition, reports);
}
