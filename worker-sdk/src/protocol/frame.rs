//! The next frame of a stream: everything that waits for it, up to the bounds of a frame, and the credit.
//!
//! A stream asks when its transport takes a frame, so frames get fatter by themselves under load.

use tickwheel_proto::v1::{AttemptRef, Credit, Progress, WorkerMessage};
use tokio::time::Instant;

use super::link::{InFlight, WaitState};
use super::{Connection, Phase, Protocol};
use crate::attempt::{CancelReason, later};
use crate::bounds::{CONFIRM_PATIENCE, CREDIT_PAUSE};

/// What a stream does next.
#[derive(Debug)]
pub(crate) enum Next {
    Send(Box<WorkerMessage>),
    /// Until it is woken, or until this instant.
    Wait(Option<Instant>),
    End,
}

/// What is left of a frame.
pub(super) struct Room {
    bytes: usize,
    whole: usize,
}

impl Room {
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            bytes,
            whole: bytes,
        }
    }

    /// An item too great for what is left ends the frame, unless it is the first.
    pub(super) fn take(&mut self, bytes: usize) -> bool {
        let fits = bytes <= self.bytes || self.bytes == self.whole;
        self.bytes = self
            .bytes
            .saturating_sub(if fits { bytes } else { self.bytes });
        fits
    }

    /// Whether half of a frame is left: questions leave the rest to what is said without being asked.
    pub(super) fn has_half(&self) -> bool {
        self.bytes >= self.whole / 2
    }
}

impl Protocol {
    /// What this connection sends next.
    pub(crate) fn frame(&mut self, connection: Connection, now: Instant) -> Next {
        let index = connection.link;
        let Some(link) = self.links.get_mut(index).filter(|link| link.is(connection)) else {
            return Next::End;
        };
        if !link.is_live() {
            link.wait_state = WaitState::Idle;
            return if self.phase == Phase::Ending {
                Next::End
            } else {
                Next::Wait(None)
            };
        }
        let heartbeat_due = std::mem::take(&mut link.heartbeat_due);
        let mut frame = Box::new(WorkerMessage::default());
        if heartbeat_due {
            frame.heartbeat = Some(self.heartbeat_frame(index));
        }
        let mut said = heartbeat_due;
        if !self
            .links
            .get(index)
            .is_none_or(|link| link.queue.is_empty())
        {
            let mut room = Room::new(self.settings.frame.bytes);
            self.fill_calls(index, &mut frame, &mut room, now);
            self.fill_refusals(index, &mut frame);
            frame.renew = self.fill_running(index, now);
            self.fill_progress(index, &mut frame, &mut room);
            self.fill_log(index, &mut frame, &mut room, now);
            self.fill_settlements(index, &mut frame, &mut room, now);
            self.fill_lost(index, &mut frame);
            said |= !frame.is_silent();
        }
        self.seal(index, frame, said, now)
    }

    /// Adds the credit, and decides whether the frame is worth sending.
    fn seal(
        &mut self,
        index: usize,
        mut frame: Box<WorkerMessage>,
        said: bool,
        now: Instant,
    ) -> Next {
        let free = self.free();
        let draining = self.phase != Phase::Serving;
        let ending = self.phase == Phase::Ending;
        let units = self.resources.units();
        let Some(link) = self.links.get_mut(index) else {
            return Next::End;
        };
        let line = u64::from(free) + link.received;
        if !said && link.drain_sent == draining {
            if link.credit_sent.is_some_and(|(sent, _)| sent == line) {
                if ending && link.queue.is_empty() {
                    return Next::End;
                }
                link.wait_state = WaitState::Idle;
                return Next::Wait(None);
            }
            let pause = link.credit_sent.map(|(_, at)| later(at, CREDIT_PAUSE));
            if let Some(until) = pause.filter(|until| *until > now) {
                link.wait_state = WaitState::Credit;
                return Next::Wait(Some(until));
            }
        }
        if link.units_sent.as_ref() != Some(&units) {
            link.units_sent = Some(units.clone());
            frame.units = Some(units);
        }
        link.credit_sent = Some((line, now));
        link.drain_sent = draining;
        link.wait_state = WaitState::Awake;
        frame.draining = draining;
        frame.credit = Some(Credit {
            free,
            received: link.received,
        });
        Next::Send(frame)
    }

    fn fill_refusals(&mut self, index: usize, frame: &mut WorkerMessage) {
        let most = self.settings.frame.items;
        let queue = self.queue(Some(index));
        let count = queue.rejected.len().min(most);
        frame.rejected = queue.rejected.drain(..count).collect();
    }

    /// Attempts that still run, those first that no tracker was told of. Their lease counts anew when a tracker has answered.
    fn fill_running(&mut self, index: usize, now: Instant) -> Vec<AttemptRef> {
        let mut refs = Vec::new();
        let mut again = None;
        while refs.len() < self.settings.frame.items {
            let queue = self.queue(Some(index));
            let first = queue.accepted.pop_front();
            if first.is_some() {
                crash_point!("before_accept");
            }
            let Some(key) = first.or_else(|| queue.renew.pop_front()) else {
                break;
            };
            let Some(running) = self.running.get_mut(&key) else {
                continue;
            };
            running.queued = false;
            running.announced_on = Some(index);
            let pause = running.lease / 3;
            running.renew_at = match running.unanswered_since {
                Some(_) => later(now, pause.min(CONFIRM_PATIENCE)),
                None => later(now, pause),
            };
            running.unanswered_since.get_or_insert(now);
            again = again.into_iter().chain([running.renew_at]).min();
            if running.attempt.cancel.reason() != Some(CancelReason::Fenced) {
                refs.push(key.to_ref());
            }
        }
        if let Some(again) = again {
            self.wake_timer(again);
        }
        refs
    }

    /// Only when everything this worker holds was said: a tracker concludes from it what the lost one did not deliver.
    fn fill_lost(&mut self, index: usize, frame: &mut WorkerMessage) {
        let queue = self.queue(Some(index));
        if queue.has_told_all() {
            frame.lost_trackers = queue.lost.drain(..).collect();
        }
    }

    fn fill_progress(&mut self, index: usize, frame: &mut WorkerMessage, room: &mut Room) {
        let most = self.settings.frame.items;
        while frame.progress.len() < most {
            let Some(key) = self.queue(Some(index)).progress.front().cloned() else {
                break;
            };
            if let Some(running) = self.running.get_mut(&key) {
                let bytes = running
                    .progress
                    .as_ref()
                    .map_or(0, |(_, message)| message.len());
                if !room.take(bytes + key.context.len()) {
                    break;
                }
                running.progress_queued = false;
                if let Some((percent, message)) = running.progress.take() {
                    let AttemptRef {
                        context_id,
                        attempt,
                    } = key.to_ref();
                    frame.progress.push(Progress {
                        context_id,
                        attempt,
                        percent,
                        message,
                    });
                }
            }
            self.queue(Some(index)).progress.pop_front();
        }
        let parting = &mut self.queue(Some(index)).parting;
        while frame.progress.len() < most {
            let fits = parting
                .front()
                .is_some_and(|said| room.take(said.message.len() + said.context_id.len()));
            let Some(said) = fits.then(|| parting.pop_front()).flatten() else {
                break;
            };
            frame.progress.push(said);
        }
    }

    fn fill_log(&mut self, index: usize, frame: &mut WorkerMessage, room: &mut Room, now: Instant) {
        let most = self.settings.frame.items;
        let queue = self.queue(Some(index));
        while frame.log.len() < most {
            let fits = queue
                .log
                .front()
                .is_some_and(|(line, _)| room.take(line.line.len() + line.context_id.len()));
            let Some(line) = fits.then(|| queue.pop_log(now)).flatten() else {
                break;
            };
            frame.log.push(line);
        }
    }

    /// Only when all log lines and last words went: what comes after its attempt's settlement would be refused.
    fn fill_settlements(
        &mut self,
        index: usize,
        frame: &mut WorkerMessage,
        room: &mut Room,
        now: Instant,
    ) {
        let most = self.settings.frame.items;
        let Self { links, spool, .. } = self;
        let Some(link) = links
            .get_mut(index)
            .filter(|link| link.queue.log.is_empty() && link.queue.parting.is_empty())
        else {
            return;
        };
        let confirmed_by = later(now, CONFIRM_PATIENCE);
        while frame.settle.len() < most {
            let Some(key) = link.queue.settle.front() else {
                break;
            };
            let bytes = spool.get(key).map_or(0, |kept| kept.weight());
            if !room.take(bytes + key.context.len()) {
                break;
            }
            let Some(key) = link.queue.settle.pop_front() else {
                break;
            };
            let Some(kept) = spool.send(&key, index) else {
                continue;
            };
            frame.settle.push(kept.settlement.clone());
            link.in_flight.push_back(InFlight {
                key,
                sending: kept.sending,
                since: now,
                rounds: 0,
            });
        }
        if !frame.settle.is_empty() {
            self.wake_timer(confirmed_by);
        }
    }
}

/// Whether a frame says nothing yet.
trait Silent {
    fn is_silent(&self) -> bool;
}

impl Silent for WorkerMessage {
    fn is_silent(&self) -> bool {
        self.rejected.is_empty()
            && self.renew.is_empty()
            && self.progress.is_empty()
            && self.log.is_empty()
            && self.settle.is_empty()
            && self.split.is_empty()
            && self.fetch.is_empty()
            && self.lost_trackers.is_empty()
    }
}
