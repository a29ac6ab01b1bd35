//! Placements that this tracker has met: what they are, and which of them a turn of a partition is told about.
//!
//! A placement never changes, so its content is read once. Which placements a partition needs is known from what waits in it and from what was claimed
//! there lately: a placement that a tracker never met costs its first context one more turn.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use parking_lot::Mutex;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::routing::{Placement, PlacementId};
use tickwheel_store::record::Queue;
use tickwheel_store::wheel::Pinned;
use tickwheel_store::{Seldom, Store};
use tokio::time::Instant;

use crate::metrics::measure;

/// Contents kept; with more, reading begins anew.
const KNOWN_MAX: usize = 4_096;
/// Placements that one turn is told about.
const OFFERED_MAX: usize = 64;
/// A queue with a placement is offered this long after something of it was last seen.
const RECENT: Duration = Duration::from_secs(60);
/// A placement that the partition does not have is looked for again after this.
const MISSING: Duration = Duration::from_secs(2);

/// One that is not there stays away: it is said once in a while.
static GONE: LazyLock<Seldom> = LazyLock::new(|| Seldom::every(Duration::from_mins(10)));
static UNREAD: LazyLock<Seldom> = LazyLock::new(Seldom::default);

/// What is known of a placement.
#[derive(Debug, Clone)]
enum Known {
    Content(Arc<Placement>),
    /// The partition did not have it then.
    MissingSince(Instant),
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Placements {
    known: Mutex<HashMap<PlacementId, Known>>,
    recent: Mutex<HashMap<PartitionId, HashMap<Queue, Instant>>>,
    /// Of the last turn of each partition: workers for which parts of a placement wait.
    pinned: Mutex<HashMap<PartitionId, Vec<Pinned>>>,
}

impl Placements {
    /// The content of a placement, if it was read.
    pub(crate) fn get(&self, id: &PlacementId) -> Option<Arc<Placement>> {
        match self.known.lock().get(id) {
            Some(Known::Content(placement)) => Some(Arc::clone(placement)),
            Some(Known::MissingSince(_)) | None => None,
        }
    }

    /// Whether it was looked for and is not there.
    pub(crate) fn is_missing(&self, id: &PlacementId) -> bool {
        let now = Instant::now();
        matches!(self.known.lock().get(id), Some(Known::MissingSince(at)) if now.duration_since(*at) < MISSING)
    }

    /// Reads those of `placements` that are not known.
    pub(crate) async fn learn(
        &self,
        store: &Store,
        partition: PartitionId,
        placements: &[PlacementId],
    ) {
        let unknown: Vec<PlacementId> = placements
            .iter()
            .filter(|id| self.get(id).is_none() && !self.is_missing(id))
            .copied()
            .collect();
        if unknown.is_empty() {
            return;
        }
        let read = match store.placements(partition, &unknown).await {
            Ok(read) => read,
            Err(error) => {
                if let Some(kept_back) = UNREAD.say(&error.to_string()) {
                    tracing::warn!(%partition, %error, kept_back, "placements were not read; their contexts wait");
                }
                measure::store_error(&error);
                return;
            }
        };
        let mut known = self.known.lock();
        if known.len() + unknown.len() > KNOWN_MAX {
            known.clear();
        }
        for (id, placement) in unknown.into_iter().zip(read) {
            let content = match placement {
                Some(placement) => Known::Content(Arc::new(placement)),
                None => {
                    if let Some(kept_back) = GONE.say(&format!("{partition} {id}")) {
                        tracing::warn!(%partition, placement = %id, kept_back, "a placement is not there; its contexts wait");
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
        let mut queues = queues.filter(|queue| queue.placement.is_some()).peekable();
        if queues.peek().is_none() {
            return;
        }
        let mut recent = self.recent.lock();
        let of_partition = recent.entry(partition).or_default();
        for queue in queues {
            of_partition.insert(queue.offered(), now);
        }
    }

    /// Parts of placements wait in the partition for these workers.
    pub(crate) fn pin(&self, partition: PartitionId, pinned: &[Pinned]) {
        let of_placements = || pinned.iter().filter(|one| one.queue.placement.is_some());
        let mut all = self.pinned.lock();
        if of_placements().next().is_none() {
            all.remove(&partition);
        } else {
            all.insert(partition, of_placements().cloned().collect());
        }
    }

    /// For which workers parts of placements wait in the partition.
    pub(crate) fn pinned(&self, partition: PartitionId) -> Vec<Pinned> {
        let all = self.pinned.lock();
        all.get(&partition).cloned().unwrap_or_default()
    }

    /// The queues that the next turn of the partition is told about: of those that somebody `takes` from, the ones met last.
    pub(crate) fn recent(
        &self,
        partition: PartitionId,
        now: Instant,
        takes: impl Fn(&Queue) -> bool,
    ) -> Vec<Queue> {
        let mut recent = self.recent.lock();
        let Some(of_partition) = recent.get_mut(&partition) else {
            return Vec::new();
        };
        of_partition.retain(|_, at| now.duration_since(*at) < RECENT);
        let taken = of_partition.iter().filter(|(queue, _)| takes(queue));
        let mut queues: Vec<(&Queue, &Instant)> = taken.collect();
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
        let (placements, partition) = (Placements::default(), PartitionId::default());
        let plain: Queue = "g h".parse().unwrap();
        placements.met(partition, [&plain, &queue(1)].into_iter(), Instant::now());
        assert_eq!(
            placements.recent(partition, Instant::now(), |_| true),
            [queue(1)]
        );
        tokio::time::advance(RECENT / 2).await;
        placements.met(partition, [&queue(2)].into_iter(), Instant::now());
        tokio::time::advance(RECENT / 2).await;
        assert_eq!(
            placements.recent(partition, Instant::now(), |_| true),
            [queue(2)]
        );
        assert_eq!(
            placements.recent(PartitionId::new(1).unwrap(), Instant::now(), |_| true),
            []
        );
    }

    #[tokio::test(start_paused = true)]
    async fn of_too_many_the_last_ones_are_offered() {
        let (placements, partition) = (Placements::default(), PartitionId::default());
        for number in 0..OFFERED_MAX + 10 {
            placements.met(partition, [&queue(number)].into_iter(), Instant::now());
            tokio::time::advance(Duration::from_millis(1)).await;
        }
        let offered = placements.recent(partition, Instant::now(), |_| true);
        assert_eq!(offered.len(), OFFERED_MAX);
        assert_eq!(offered.first(), Some(&queue(10)));
        // However many nobody takes from, those that somebody does are offered.
        let first = |other: &Queue| *other == queue(0);
        assert_eq!(
            placements.recent(partition, Instant::now(), first),
            [queue(0)]
        );
    }
}
