//! What handlers say: logs, progress, and their end.

use std::time::Duration;

use tickwheel_proto::v1::{LogLine, Progress, rejection};
use tokio::time::Instant;

use super::{Phase, Protocol};
use crate::attempt::{Attempt, AttemptKey, CancelReason, Ended, LogLevel, Said, later};
use crate::bounds::{ERROR_TYPE_BYTES_MAX, PROGRESS_PAUSE, clip, clipped};
use crate::outcome::Outcome;

impl Protocol {
    /// The attempt's task has ended: its permit is free.
    pub(crate) fn finish(&mut self, attempt: &Attempt, ended: Ended) {
        let Some((key, running)) = self.running.remove_entry(&attempt.key) else {
            // It was given up as leaked; only now its thread is free.
            self.stats.leaked = self.stats.leaked.saturating_sub(1);
            return;
        };
        self.drop_calls(&key);
        self.resources.give_back(&attempt.requires, attempt.arrived);
        if let Some(line) = attempt.dropped_lines() {
            let last = Said {
                level: LogLevel::Warn,
                at: Instant::now(),
                line,
            };
            self.push_log(running.link, &key, last);
        }
        // The lease may have been lost after the handler's last step.
        let fenced = attempt.cancel.reason() == Some(CancelReason::Fenced);
        match ended {
            Ended::With(outcome) if !fenced => {
                let took = attempt.arrived.elapsed();
                self.note_response(took);
                if let Some((percent, message)) = running.progress {
                    self.push_parting(running.link, &key, percent, message);
                }
                self.settle(key, outcome, (running.link, took), attempt.error_type());
            }
            Ended::GivenBack if !fenced => {
                self.stats.given_back += 1;
                let link = self.route(running.link);
                self.refuse(link, &key, rejection::Reason::Draining, String::new());
            }
            Ended::With(_) | Ended::GivenBack | Ended::Dropped => {}
        }
        self.wake_for_credit();
        if self.running.is_empty() {
            self.tell_drained();
        }
    }

    /// The last ones count most.
    fn note_response(&mut self, took: Duration) {
        const NEWEST: f32 = 0.2;
        let took_ms = took.as_secs_f32() * 1_000.0;
        self.response_ms = Some(match self.response_ms {
            Some(before) => (took_ms - before).mul_add(NEWEST, before),
            None => took_ms,
        });
    }

    /// Keeps the outcome and queues it for a tracker.
    fn settle(
        &mut self,
        key: AttemptKey,
        outcome: Outcome,
        (link, ran): (usize, Duration),
        error_type: &str,
    ) {
        let outcome = outcome.within(self.settings.result_bytes_max);
        match &outcome {
            Outcome::Succeeded(_) => self.stats.succeeded += 1,
            Outcome::Failed(_) | Outcome::Fatal(_) | Outcome::RetryAfter(..) => {
                self.stats.failed += 1;
            }
            Outcome::Cancelled => self.stats.cancelled += 1,
            Outcome::TimedOut => self.stats.timed_out += 1,
        }
        let mut settlement = outcome.into_wire(&key, ran);
        if !settlement.error.is_empty() {
            clip(error_type, ERROR_TYPE_BYTES_MAX).clone_into(&mut settlement.error_type);
        }
        self.spool.keep(key.clone(), settlement, link);
        let target = self.route(link);
        self.queue(target).settle.push_back(key);
        if let Some(target) = target {
            self.wake(target);
        }
    }

    /// A handler holds on to its thread: its attempt ends without it.
    pub(super) fn give_up(&mut self, attempt: &Attempt, reason: CancelReason) {
        let ended = match reason {
            CancelReason::Requested | CancelReason::Replaced => Ended::With(Outcome::Cancelled),
            CancelReason::TimedOut => Ended::With(Outcome::TimedOut),
            CancelReason::Draining => Ended::GivenBack,
            CancelReason::Fenced => Ended::Dropped,
        };
        self.finish(attempt, ended);
        self.stats.leaked += 1;
    }

    /// `false`: no room, the line is dropped.
    pub(crate) fn log(&mut self, attempt: &Attempt, said: Said) -> bool {
        let Some(running) = self.running.get(&attempt.key) else {
            return false;
        };
        let link = running.link;
        self.push_log(link, &attempt.key, said)
    }

    fn push_log(&mut self, link: usize, key: &AttemptKey, said: Said) -> bool {
        let target = self.route(link);
        let line = LogLine {
            context_id: String::from(&*key.context),
            attempt: key.attempt,
            line: clipped(said.line, self.settings.log_line_bytes_max),
            level: said.level.to_wire().into(),
            ..LogLine::default()
        };
        let taken = self.queue(target).push_log(line, said.at);
        self.stats.log_lines_dropped += u64::from(!taken);
        if let Some(target) = target {
            self.wake(target);
        }
        taken
    }

    /// What an attempt said last about its progress, within the pause since it said something before.
    fn push_parting(&mut self, link: usize, key: &AttemptKey, percent: u32, message: String) {
        let target = self.route(link);
        self.queue(target).push_parting(Progress {
            context_id: String::from(&*key.context),
            attempt: key.attempt,
            percent,
            message,
        });
    }

    pub(crate) fn progress(
        &mut self,
        attempt: &Attempt,
        percent: u32,
        message: String,
        now: Instant,
    ) {
        let Some(running) = self.running.get_mut(&attempt.key) else {
            return;
        };
        running.progress = Some((percent, message));
        if running.progress_queued {
            return;
        }
        if running.progress_after > now {
            let at = running.progress_after;
            self.wake_timer(at);
        } else {
            self.queue_progress(&attempt.key, now);
        }
    }

    pub(super) fn queue_progress(&mut self, key: &AttemptKey, now: Instant) {
        let Some(running) = self.running.get_mut(key) else {
            return;
        };
        running.progress_queued = true;
        running.progress_after = later(now, PROGRESS_PAUSE);
        let link = running.link;
        let target = self.route(link);
        self.queue(target).progress.push_back(key.clone());
        if let Some(target) = target {
            self.wake(target);
        }
    }

    pub(super) fn tell_drained(&self) {
        if self.phase != Phase::Serving {
            self.drained.notify_one();
        }
    }
}
