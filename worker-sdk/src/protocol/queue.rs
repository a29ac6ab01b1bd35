//! What is to be said over one link.

use std::collections::VecDeque;

use tickwheel_proto::v1::{LogLine, Progress, Rejection};
use tokio::time::Instant;

use super::call::CallKey;
use crate::attempt::AttemptKey;
use crate::bounds::{LOG_QUEUE_BYTES_MAX, LOG_QUEUE_LINES_MAX, PARTING_MAX};

/// Keys refer to attempts and outcomes of the protocol; one that has changed its place meanwhile is skipped.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    /// To be renewed for the first time.
    pub(crate) accepted: VecDeque<AttemptKey>,
    pub(crate) renew: VecDeque<AttemptKey>,
    pub(crate) progress: VecDeque<AttemptKey>,
    /// What attempts said last before they ended; their settlements wait behind it.
    pub(crate) parting: VecDeque<Progress>,
    pub(crate) settle: VecDeque<AttemptKey>,
    pub(crate) rejected: VecDeque<Rejection>,
    /// Trackers whose streams broke; told when everything else was.
    pub(crate) lost: VecDeque<String>,
    /// Each with when it was said.
    pub(crate) log: VecDeque<(LogLine, Instant)>,
    pub(crate) calls: VecDeque<CallKey>,
    log_bytes: usize,
}

impl Queue {
    pub(crate) fn is_empty(&self) -> bool {
        self.accepted.is_empty()
            && self.renew.is_empty()
            && self.progress.is_empty()
            && self.parting.is_empty()
            && self.settle.is_empty()
            && self.rejected.is_empty()
            && self.lost.is_empty()
            && self.log.is_empty()
            && self.calls.is_empty()
    }

    /// True when nothing waits that says what this worker holds.
    pub(crate) fn has_told_all(&self) -> bool {
        self.accepted.is_empty() && self.renew.is_empty() && self.settle.is_empty()
    }

    /// Keeps the newest, which most likely find their context still held.
    pub(crate) fn push_parting(&mut self, progress: Progress) {
        if self.parting.len() >= PARTING_MAX {
            self.parting.pop_front();
        }
        self.parting.push_back(progress);
    }

    /// `false`: the queue is full, the line is dropped.
    pub(crate) fn push_log(&mut self, line: LogLine, said: Instant) -> bool {
        let bytes = line.line.len();
        if self.log.len() >= LOG_QUEUE_LINES_MAX || self.log_bytes + bytes > LOG_QUEUE_BYTES_MAX {
            return false;
        }
        self.log_bytes += bytes;
        self.log.push_back((line, said));
        true
    }

    /// The oldest line, with its age at `now`.
    pub(crate) fn pop_log(&mut self, now: Instant) -> Option<LogLine> {
        let (mut line, said) = self.log.pop_front()?;
        self.log_bytes -= line.line.len();
        let age = now.saturating_duration_since(said).as_millis();
        line.age_ms = u32::try_from(age).unwrap_or(u32::MAX);
        Some(line)
    }

    /// Takes over what another link could not say.
    /// Returns the number of log lines that found no room.
    pub(crate) fn absorb(&mut self, other: Self) -> u64 {
        self.accepted.extend(other.accepted);
        self.renew.extend(other.renew);
        self.progress.extend(other.progress);
        for progress in other.parting {
            self.push_parting(progress);
        }
        self.settle.extend(other.settle);
        self.rejected.extend(other.rejected);
        self.lost.extend(other.lost);
        self.calls.extend(other.calls);
        let mut dropped = 0;
        for (line, said) in other.log {
            dropped += u64::from(!self.push_log(line, said));
        }
        dropped
    }
}
