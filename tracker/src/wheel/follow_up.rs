//! What follows from a turn besides its claims, all of it in the background: plans, deliveries, splits, lost parts, shares of limits, leases
//! that are over.

use std::sync::Arc;

use tickwheel_core::partition::PartitionId;
use tickwheel_store::wheel::Turned;
use tokio::time::Instant;

use crate::fan_out::{Expansion, LostParts};
use crate::limits::Limits;
use crate::outcomes::{Outbox, Reaper};
use crate::planning::Planner;
use crate::redis_health::Outage;

/// Whoever is asked to do it.
#[derive(Debug)]
pub(crate) struct FollowUp {
    pub(crate) planner: Arc<Planner>,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) expansion: Arc<Expansion>,
    pub(crate) lost_parts: Arc<LostParts>,
    pub(crate) limits: Arc<Limits>,
    pub(crate) outage: Arc<Outage>,
    pub(crate) reaper: Arc<Reaper>,
}

impl FollowUp {
    /// Asks them for what a turn of `partition` found to do, and takes from it what nobody else looks at.
    pub(super) fn begin(&self, partition: PartitionId, turned: &mut Turned) {
        for job in turned.plan.drain(..) {
            self.planner.replan(job, turned.now);
        }
        if !turned.outbox.is_empty() {
            let entries = std::mem::take(&mut turned.outbox);
            self.outbox.deliver(partition, entries);
        }
        for waiting in &turned.opens {
            self.expansion.expand(waiting.clone());
        }
        for pinned in turned.looks.drain(..) {
            self.lost_parts.look(pinned);
        }
        if !turned.reports.is_empty() {
            self.limits.share(partition, turned.reports.clone());
        }
        let mut queues = turned.backlog.iter();
        if queues.any(|(queue, _)| queue.stopped.is_some()) {
            self.limits.activate();
        }
        if turned.scan && self.outage.grace(Instant::now()).is_none() {
            self.reaper.reap(partition, Vec::new());
        }
    }
}
