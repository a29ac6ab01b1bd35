//! One frame of a worker, taken apart: credit first, then outcomes, refusals, leases, notes.

use std::collections::BTreeMap;
use std::sync::Arc;

use tickwheel_core::id::ContextId;
use tickwheel_core::partition::{PartitionCount, PartitionId};
use tickwheel_proto::v1::{Settlement, WorkerMessage};
use tonic::Status;

use crate::dispatch::Refusals;
use crate::fan_out::{MapPages, ResultPages};
use crate::membership::LostTrackers;
use crate::outcomes::{self, AttemptLogs, Renewals, Reported, Settlements};
use crate::sessions::{Session, Sessions, items};

/// Trackers that one frame may name as lost.
const LOST_MAX: usize = 64;

/// Whoever takes what frames say.
#[derive(Debug)]
pub(crate) struct Inbound {
    pub(crate) partitions: PartitionCount,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) attempt_logs: Arc<AttemptLogs>,
    pub(crate) settlements: Arc<Settlements>,
    pub(crate) renewals: Arc<Renewals>,
    pub(crate) refusals: Refusals,
    pub(crate) map_pages: Arc<MapPages>,
    pub(crate) results: Arc<ResultPages>,
    pub(crate) lost_trackers: Arc<LostTrackers>,
}

impl Inbound {
    /// Takes one frame. Never waits: what has to be written is handed to those who gather it, and counts as in flight until it is.
    ///
    /// # Errors
    /// The status that ends the stream, when too many of its items could not be read.
    pub(crate) fn take(
        &self,
        session: &Arc<Session>,
        message: WorkerMessage,
    ) -> Result<(), Status> {
        if message.draining {
            session.set_draining();
        }
        if let Some(heartbeat) = message.heartbeat {
            session.heard(heartbeat);
        }
        // Before the settlements: what an attempt said last counts only while it holds its context.
        if !message.log.is_empty() || !message.progress.is_empty() {
            self.attempt_logs
                .note(session, message.log, message.progress)?;
        }
        if !message.settle.is_empty() {
            self.settle(session, message.settle)?;
        }
        if !message.split.is_empty() {
            self.map_pages.take(session, message.split)?;
        }
        for fetch in message.fetch {
            self.results.fetch(session, fetch);
        }
        let refused = !message.rejected.is_empty();
        for rejection in message.rejected {
            self.refusals.take(session, rejection)?;
        }
        if let Some(credit) = message.credit {
            let mut known = session.credit();
            known.update(credit.free, credit.received);
            let free = known.available() > 0;
            drop(known);
            session.heard_units(message.units, credit.received);
            if free {
                self.sessions.capacity.notify_one();
            }
        } else if refused {
            session.credit().exhaust();
        }
        for attempt in message.accepted.into_iter().chain(message.renew) {
            if let Some(attempt) = items::attempt(self.partitions, session, "renewal", &attempt)? {
                self.renewals.renew(session, attempt);
            }
        }
        // After what the worker holds.
        for tracker in message.lost_trackers.iter().take(LOST_MAX) {
            if let Ok(tracker) = tracker.parse() {
                self.lost_trackers.missed(session.worker.clone(), tracker);
            }
        }
        Ok(())
    }

    fn settle(&self, session: &Arc<Session>, settlements: Vec<Settlement>) -> Result<(), Status> {
        let mut by_partition: BTreeMap<PartitionId, Vec<Reported>> = BTreeMap::new();
        let mut unread = Vec::new();
        for wire in settlements {
            let read = match wire.context_id.parse::<ContextId>() {
                Err(wrong) => {
                    session.fault("settlement", &wrong);
                    Err(wrong.to_string())
                }
                // Of this cluster when it had more partitions, or an outcome of a later protocol: no nonsense, but nothing can come of it.
                Ok(_) => items::context(self.partitions, &wire.context_id)
                    .and_then(|context| outcomes::read(session, context, &wire))
                    .inspect_err(|why| session.passed_over("settlement", why)),
            };
            match read {
                Ok(reported) => {
                    let partition = reported.partition();
                    by_partition.entry(partition).or_default().push(reported);
                }
                Err(why) => unread.push((wire.context_id, wire.attempt, why)),
            }
        }
        // Each has its answer, or its worker would keep it, and send it again, for ever.
        outcomes::answer_refused(session, unread);
        for (partition, reports) in by_partition {
            self.settlements.settle(partition, reports);
        }
        session.is_sound()
    }
}
