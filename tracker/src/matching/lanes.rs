//! Lanes that this tracker has met: what they are, and which of them a turn of a partition is told about.
//!
//! A lane never changes, so its content is read once. Which lanes a partition needs is known from what waits in it and from what was claimed
//! there lately: a lane that a tracker never met costs its first context one more turn.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use tickwheel_core::partition::PartitionId;
use tickwheel_core::routing::{Lane, LaneId};
use tickwheel_store::record::Queue;
use tickwheel_store::wheel::Pinned;
use tickwheel_store::{Seldom, Store};
use tokio::time::Instant;

use crate::lock::lock;
use crate::metrics::measure;

/// Contents kept; with more, reading begins anew.
const KNOWN_MAX: usize = 4_096;
/// Lanes that one turn is told about.
const OFFERED_MAX: usize = 64;
/// A queue with a lane is offered this long after something of it was last seen.
const RECENT: Duration = Duration::from_secs(60);
/// A lane that the partition does not have is looked for again after this.
const MISSING: Duration = Duration::from_secs(2);

/// One that is not there stays away: it is said once in a while.
static GONE: LazyLock<Seldom> = LazyLock::new(|| Seldom::every(Duration::from_mins(10)));

/// What is known of a lane.
#[derive(Debug, Clone)]
enum Known {
    Content(Arc<Lane>),
    /// The partition did not have it then.
    MissingSince(Instant),
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Lanes {
    known: Mutex<HashMap<LaneId, Known>>,
    recent: Mutex<HashMap<PartitionId, HashMap<Queue, Instant>>>,
    /// Of the last turn of each partition: workers for which parts of a lane wait.
    pinned: Mutex<HashMap<PartitionId, Vec<Pinned>>>,
}

impl Lanes {
    /// The content of a lane, if it was read.
    pub(crate) fn get(&self, id: &LaneId) -> Option<Arc<Lane>> {
        match lock(&self.known).get(id) {
            Some(Known::Content(lane)) => Some(Arc::clone(lane)),
            Some(Known::MissingSince(_)) | None => None,
        }
    }

    /// Whether it was looked for and is not there.
    pub(crate) fn is_missing(&self, id: &LaneId) -> bool {
        let now = Instant::now();
        matches!(lock(&self.known).get(id), Some(Known::MissingSince(at)) if now.duration_since(*at) < MISSING)
    }

    /// Reads those of `lanes` that are not known.
    pub(crate) async fn learn(&self, store: &Store, partition: PartitionId, lanes: &[LaneId]) {
        let unknown: Vec<LaneId> = lanes
            .iter()
            .filter(|id| self.get(id).is_none() && !self.is_missing(id))
            .copied()
            .collect();
        if unknown.is_empty() {
            return;
        }
        let read = match store.lanes(partition, &unknown).await {
            Ok(read) => read,
            Err(error) => {
                tracing::warn!(%partition, %error, "lanes were not read; their contexts wait");
                measure::store_error(&error);
                return;
            }
        };
        let mut known = lock(&self.known);
        if known.len() + unknown.len() > KNOWN_MAX {
            known.clear();
        }
        for (id, lane) in unknown.into_iter().zip(read) {
            let content = match lane {
                Some(lane) => Known::Content(Arc::new(lane)),
                None => {
                    if let Some(kept_back) = GONE.say(&format!("{partition} {id}")) {
                        tracing::warn!(%partition, lane = %id, kept_back, "a lane is not there; its contexts wait");
                    }
                    Known::MissingSince(Instant::now())
                }
            };
            known.insert(id, content);
        }
    }

    /// Something of these queues waits in the partition, or was claimed there.
    pub(crate) fn met<'a>(
        &self,
        partition: PartitionId,
        queues: impl Iterator<Item = &'a Queue>,
        now: Instant,
    ) {
        let mut queues = queues.filter(|queue| queue.lane.is_some()).peekable();
        if queues.peek().is_none() {
            return;
        }
        let mut recent = lock(&self.recent);
        let of_partition = recent.entry(partition).or_default();
        for queue in queues {
            of_partition.insert(queue.offered(), now);
        }
    }

    /// Parts of lanes wait in the partition for these workers.
    pub(crate) fn pin(&self, partition: PartitionId, pinned: &[Pinned]) {
        let of_lanes = || pinned.iter().filter(|one| one.queue.lane.is_some());
        let mut all = lock(&self.pinned);
        if of_lanes().next().is_none() {
            all.remove(&partition);
        } else {
            all.insert(partition, of_lanes().cloned().collect());
        }
    }

    /// For which workers parts of lanes wait in the partition.
    pub(crate) fn pinned(&self, partition: PartitionId) -> Vec<Pinned> {
        let all = lock(&self.pinned);
        all.get(&partition).cloned().unwrap_or_default()
    }

    /// The queues that the next turn of the partition is told about: those met last.
    pub(crate) fn recent(&self, partition: PartitionId, now: Instant) -> Vec<Queue> {
        let mut recent = lock(&self.recent);
        let Some(of_partition) = recent.get_mut(&partition) else {
            return Vec::new();
        };
        of_partition.retain(|_, at| now.duration_since(*at) < RECENT);
        let mut queues: Vec<(&Queue, &Instant)> = of_partition.iter().collect();
        if queues.len() > OFFERED_MAX {
            queues.sort_by_key(|(_, at)| std::cmp::Reverse(**at));
            queues.truncate(OFFERED_MAX);
        }
        let mut queues: Vec<Queue> = queues.into_iter().map(|(queue, _)| queue.clone()).collect();
        // In order, so that what a turn is told does not depend on chance.
        queues.sort_unstable();
        if of_partition.is_empty() {
            recent.remove(&partition);
        }
        queues
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue(number: usize) -> Queue {
        format!("g h c={number:010x}").parse().unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_not_met_for_a_while_is_not_offered() {
        let (lanes, partition) = (Lanes::default(), PartitionId::default());
        let plain: Queue = "g h".parse().unwrap();
        lanes.met(partition, [&plain, &queue(1)].into_iter(), Instant::now());
        assert_eq!(lanes.recent(partition, Instant::now()), [queue(1)]);
        tokio::time::advance(RECENT / 2).await;
        lanes.met(partition, [&queue(2)].into_iter(), Instant::now());
        tokio::time::advance(RECENT / 2).await;
        assert_eq!(lanes.recent(partition, Instant::now()), [queue(2)]);
        assert_eq!(
            lanes.recent(PartitionId::new(1).unwrap(), Instant::now()),
            []
        );
    }

    #[tokio::test(start_paused = true)]
    async fn of_too_many_the_last_ones_are_offered() {
        let (lanes, partition) = (Lanes::default(), PartitionId::default());
        for number in 0..OFFERED_MAX + 10 {
            lanes.met(partition, [&queue(number)].into_iter(), Instant::now());
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        let offered = lanes.recent(partition, Instant::now());
        assert_eq!(offered.len(), OFFERED_MAX);
        assert_eq!(offered.first(), Some(&queue(10)));
    }
}
