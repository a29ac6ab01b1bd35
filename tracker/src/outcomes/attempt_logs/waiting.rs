//! Notes that wait for a write: they get fatter, within bounds in number and bytes.

use std::collections::{HashMap, VecDeque};

use tickwheel_core::bounds::{LOG_BYTES_MAX, LOG_LINE_BYTES_MAX, LOG_LINES_MAX};
use tickwheel_core::id::{ContextId, WorkerId};
use tickwheel_proto::convert::level_from_wire;
use tickwheel_proto::v1::{LogLine, Progress};
use tickwheel_store::context::{AttemptLog, Line, Progress as StoredProgress};

use crate::metrics::measure;
use crate::sessions::Slot;

/// Writes under way at once; what comes on top waits, and gets fatter.
const WRITES_MAX: usize = 256;
/// Attempts whose notes wait; of more nothing is kept.
const WAITING_MAX: usize = 20_000;
/// Bytes that wait; what comes on top is lost, and the log tells how many lines.
const WAITING_BYTES_MAX: usize = 32 << 20;

/// Whom a note is about, and who says it.
pub(super) type Key = (ContextId, u32, WorkerId);

/// A note whose turn has come.
pub(super) struct Next {
    pub(super) key: Key,
    pub(super) note: AttemptLog,
    pub(super) slot: Option<Slot>,
}

/// What became of a note that was added.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added {
    /// It waits; nothing of this attempt did.
    First,
    /// It is a part of what waited already.
    Merged,
    /// Too many wait.
    Dropped,
}

#[derive(Debug, Default)]
pub(super) struct Waiting {
    notes: HashMap<Key, AttemptLog>,
    order: VecDeque<Key>,
    /// What each takes of what its session may have in flight.
    slots: HashMap<Key, Slot>,
    bytes: usize,
    writers: usize,
}

impl Waiting {
    /// Takes over what an attempt said.
    pub(super) fn add(&mut self, key: &Key, said: AttemptLog) -> Added {
        let first = !self.notes.contains_key(key);
        if first {
            if self.notes.len() >= WAITING_MAX {
                measure::notes_dropped(said.lines.len());
                return Added::Dropped;
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
        if first { Added::First } else { Added::Merged }
    }

    /// The note of this attempt takes a place of what its session may have in flight.
    pub(super) fn hold(&mut self, key: &Key, slot: Slot) {
        self.slots.insert(key.clone(), slot);
    }

    /// One more may write now.
    pub(super) fn begin_writer(&mut self) -> bool {
        let may = self.writers < WRITES_MAX;
        self.writers += usize::from(may);
        may
    }

    /// The next note to write; without any, one writer less is under way.
    pub(super) fn next_or_end(&mut self) -> Option<Next> {
        let Some((key, note)) = self.next() else {
            self.writers -= 1;
            return None;
        };
        let slot = self.slots.remove(&key);
        Some(Next { key, note, slot })
    }

    fn next(&mut self) -> Option<(Key, AttemptLog)> {
        let key = self.order.pop_front()?;
        let note = self.notes.remove(&key)?;
        self.bytes = self.bytes.saturating_sub(weight(&note));
        Some((key, note))
    }
}

fn weight(note: &AttemptLog) -> usize {
    note.lines.iter().map(|line| line.text.len()).sum()
}

/// Of a burst the oldest lines are lost.
fn keep_newest(note: &mut AttemptLog) {
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

/// What a frame says, by attempt. Of a burst of one the oldest lines are lost, never those of another.
pub(super) fn by_attempt(
    log: Vec<LogLine>,
    progress: Vec<Progress>,
) -> HashMap<(String, u32), AttemptLog> {
    let mut notes: HashMap<(String, u32), AttemptLog> = HashMap::new();
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

    fn said(text: &str, count: usize) -> AttemptLog {
        let line = Line {
            text: text.to_owned(),
            ..Line::default()
        };
        AttemptLog {
            lines: vec![line; count],
            ..AttemptLog::default()
        }
    }

    #[test]
    fn what_waits_for_a_write_gets_fatter_within_its_bounds() {
        let key = key("1.2.a-1");
        let mut waiting = Waiting::default();
        assert_eq!(waiting.add(&key, said("old", 900)), Added::First);
        assert_eq!(waiting.add(&key, said("new", 200)), Added::Merged);
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
            assert_eq!(waiting.add(&key, said(&long, 1_000)), Added::First);
        }
        let mut sums = (0, 0);
        while let Some((_, note)) = waiting.next() {
            sums = (sums.0 + note.lines.len(), sums.1 + note.lost);
        }
        assert_eq!(sums, (34_000, 6_000));
        assert_eq!(waiting.bytes, 0);
    }
}
