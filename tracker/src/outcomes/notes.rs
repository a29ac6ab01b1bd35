//! What attempts say while they run: log lines and progress, written in the background.
//!
//! A note is refused once its attempt has ended, so a settlement waits for the notes of its context that are on their way.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use tickwheel_core::id::{ContextId, WorkerId};
use tickwheel_core::limits::{LOG_BYTES_MAX, LOG_LINE_BYTES_MAX, LOG_LINES_MAX};
use tickwheel_core::partition::PartitionId;
use tickwheel_proto::convert::level_from_wire;
use tickwheel_proto::v1::{LogLine, Progress};
use tickwheel_store::context::{Line, Note, Noted, Progress as StoredProgress};
use tickwheel_store::lease::{AttemptRef, Holding};
use tokio::sync::Notify;
use tonic::Status;

use crate::engine::Engine;
use crate::lock::lock;
use crate::metrics::measure;
use crate::outcomes::settle::Reported;
use crate::sessions::intake;
use crate::sessions::{Session, Slot};

/// Writes under way at once; what comes on top waits, and gets fatter.
const WRITES_MAX: usize = 256;
/// Attempts whose notes wait; of more nothing is kept.
const WAITING_MAX: usize = 20_000;
/// Bytes that wait; what comes on top is lost, and the log tells how many lines.
const WAITING_BYTES_MAX: usize = 32 << 20;

/// Whom a note is about, and who says it.
type Key = (ContextId, u32, WorkerId);

/// The notes on their way into Redis.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    waiting: Mutex<Waiting>,
    pending: Mutex<HashMap<ContextId, u32>>,
    written: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    notes: HashMap<Key, Note>,
    order: VecDeque<Key>,
    /// What each takes of what its session may have in flight.
    slots: HashMap<Key, Slot>,
    bytes: usize,
    writers: usize,
}

impl Waiting {
    /// Takes over what an attempt said. `false`: too many wait.
    fn add(&mut self, key: &Key, said: Note) -> bool {
        if !self.notes.contains_key(key) {
            if self.notes.len() >= WAITING_MAX {
                return false;
            }
            self.order.push_back(key.clone());
        }
        let note = self.notes.entry(key.clone()).or_default();
        if said.progress.is_some() {
            note.progress = said.progress;
        }
        let (before, fits) = (weight(note), self.bytes < WAITING_BYTES_MAX);
        if fits {
            // What was lost meanwhile stands in front of all that waits: the newest lines are those that stay.
            note.lost = note.lost.saturating_add(said.lost);
            note.lines.extend(said.lines);
            keep_newest(note);
        } else {
            let lines = u64::try_from(said.lines.len()).unwrap_or(u64::MAX);
            note.lost = note.lost.saturating_add(said.lost).saturating_add(lines);
            measure::notes_dropped(said.lines.len());
        }
        self.bytes = (self.bytes + weight(note)).saturating_sub(before);
        true
    }

    fn next(&mut self) -> Option<(Key, Note)> {
        let key = self.order.pop_front()?;
        let note = self.notes.remove(&key)?;
        self.bytes = self.bytes.saturating_sub(weight(&note));
        Some((key, note))
    }
}

fn weight(note: &Note) -> usize {
    note.lines.iter().map(|line| line.text.len()).sum()
}

/// Of a burst the oldest lines are lost.
fn keep_newest(note: &mut Note) {
    let mut bytes = 0;
    let newest = note.lines.iter().rev().take(LOG_LINES_MAX);
    let kept = newest.take_while(|line| {
        bytes += line.text.len();
        bytes <= LOG_BYTES_MAX
    });
    let lost = note.lines.len() - kept.count();
    if lost > 0 {
        note.lines.drain(..lost);
        note.lost = note
            .lost
            .saturating_add(u64::try_from(lost).unwrap_or(u64::MAX));
        measure::notes_dropped(lost);
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
    for ((context, attempt), said) in by_attempt(log, progress) {
        let context = match intake::context(engine, &context) {
            Ok(context) => context,
            Err(why) => {
                session.fault("note", why);
                session.is_sound()?;
                continue;
            }
        };
        let key = (context, attempt, session.worker.clone());
        let mut waiting = lock(&engine.notes.waiting);
        let merged = waiting.notes.contains_key(&key);
        let lines = said.lines.len();
        if !waiting.add(&key, said) {
            measure::notes_dropped(lines);
            continue;
        }
        if merged {
            continue;
        }
        waiting.slots.insert(key.clone(), session.in_flight.begin());
        engine.notes.begin(&key.0);
        if waiting.writers < WRITES_MAX {
            waiting.writers += 1;
            drop(waiting);
            let engine_of_task = Arc::clone(engine);
            engine.tasks.spawn(write_all(engine_of_task));
        }
    }
    Ok(())
}

/// Writes what waits until nothing does.
async fn write_all(engine: Arc<Engine>) {
    loop {
        let next = {
            let mut waiting = lock(&engine.notes.waiting);
            let next = waiting.next().map(|(key, note)| {
                let slot = waiting.slots.remove(&key);
                (key, note, slot)
            });
            if next.is_none() {
                waiting.writers -= 1;
            }
            next
        };
        let Some(((context, attempt, worker), note, slot)) = next else {
            return;
        };
        let holding = Holding {
            attempt: AttemptRef {
                context,
                attempt: attempt.into(),
            },
            worker,
        };
        match engine.store.note(&holding, &note).await {
            Ok(Noted::Written { dropped }) => measure::notes_dropped(dropped),
            Ok(Noted::Stale) => measure::stale("note"),
            Ok(Noted::Foreign) => measure::foreign("note", 1),
            Err(error) => {
                measure::notes_dropped(note.lines.len());
                measure::store_error(&error);
            }
        }
        engine.notes.end(&holding.attempt.context);
        drop(slot);
    }
}

/// What a frame says, by attempt. Of a burst of one the oldest lines are lost, never those of another.
fn by_attempt(log: Vec<LogLine>, progress: Vec<Progress>) -> HashMap<(String, u32), Note> {
    let mut notes: HashMap<(String, u32), Note> = HashMap::new();
    for mut line in log {
        let end = line.line.floor_char_boundary(LOG_LINE_BYTES_MAX);
        line.line.truncate(end);
        let note = notes.entry((line.context_id, line.attempt)).or_default();
        note.lost = note.lost.saturating_add(line.lost);
        note.lines.push(Line {
            level: level_from_wire(line.level),
            age_ms: line.age_ms,
            text: line.line,
        });
    }
    for note in notes.values_mut() {
        keep_newest(note);
    }
    for step in progress {
        let percent = u8::try_from(step.percent.min(100)).unwrap_or(100);
        let step_to = StoredProgress {
            percent,
            message: step.message,
        };
        let note = notes.entry((step.context_id, step.attempt)).or_default();
        note.progress = Some(step_to);
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

#[cfg(test)]
mod tests {
    use super::*;

    fn line(context: &str, number: usize) -> LogLine {
        LogLine {
            context_id: context.to_owned(),
            attempt: 1,
            line: number.to_string(),
            ..LogLine::default()
        }
    }

    #[test]
    fn a_burst_loses_its_oldest_lines_and_none_of_others() {
        let mut log: Vec<LogLine> = (0..1_500).map(|number| line("1.2.a-1", number)).collect();
        log.push(line("1.2.a-2", 7));
        let notes = by_attempt(log, Vec::new());
        let burst = &notes[&("1.2.a-1".to_owned(), 1)];
        assert_eq!((burst.lines.len(), burst.lost), (1_000, 500));
        assert_eq!(burst.lines[999].text, "1499");
        let other = &notes[&("1.2.a-2".to_owned(), 1)];
        assert_eq!((other.lines.len(), other.lost), (1, 0));
    }

    fn key(context: &str) -> Key {
        (
            context.parse().unwrap(),
            1,
            WorkerId::new("w-12345678").unwrap(),
        )
    }

    fn said(text: &str, count: usize) -> Note {
        let line = Line {
            text: text.to_owned(),
            ..Line::default()
        };
        Note {
            lines: vec![line; count],
            ..Note::default()
        }
    }

    #[test]
    fn what_waits_for_a_write_gets_fatter_within_its_bounds() {
        let key = key("1.2.a-1");
        let mut waiting = Waiting::default();
        assert!(waiting.add(&key, said("old", 900)));
        assert!(waiting.add(&key, said("new", 200)));
        let (_, note) = waiting.next().unwrap();
        assert_eq!((note.lines.len(), note.lost), (1_000, 100));
        assert_eq!(note.lines[799].text, "old");
        assert_eq!(note.lines[800].text, "new");
        assert_eq!((waiting.bytes, waiting.next().is_none()), (0, true));
    }

    #[test]
    fn lines_beyond_what_may_wait_are_counted_as_lost() {
        let mut waiting = Waiting::default();
        let long = "x".repeat(1_000);
        for number in 0..40 {
            let key = key(&format!("1.2.a-{number}"));
            assert!(waiting.add(&key, said(&long, 1_000)));
        }
        let mut sums = (0, 0);
        while let Some((_, note)) = waiting.next() {
            sums = (sums.0 + note.lines.len(), sums.1 + note.lost);
        }
        assert_eq!(sums, (34_000, 6_000));
        assert_eq!(waiting.bytes, 0);
    }
}
