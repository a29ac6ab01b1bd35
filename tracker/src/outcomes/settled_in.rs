//! In which partitions this tracker settled something just now, for those who watch ends.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;
use tickwheel_core::partition::PartitionId;
use tokio::sync::Notify;

/// See the module. It costs next to nothing while nobody watches.
#[derive(Debug, Default)]
pub(crate) struct SettledIn {
    is_watched: AtomicBool,
    partitions: Mutex<BTreeSet<PartitionId>>,
    told: Notify,
}

impl SettledIn {
    /// Something was settled there.
    pub(super) fn note(&self, partition: PartitionId) {
        if self.is_watched.load(Ordering::Relaxed) && self.partitions.lock().insert(partition) {
            self.told.notify_one();
        }
    }

    /// From now on somebody watches, or nobody does.
    pub(crate) fn watch(&self, is_watched: bool) {
        self.is_watched.store(is_watched, Ordering::Relaxed);
        self.partitions.lock().clear();
    }

    /// The partitions since this was asked last.
    pub(crate) fn take(&self) -> BTreeSet<PartitionId> {
        std::mem::take(&mut *self.partitions.lock())
    }

    /// Returns when something is settled in one that was not taken yet. Cancellation safe.
    pub(crate) async fn told(&self) {
        self.told.notified().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_are_noted_while_somebody_watches() {
        let settled = SettledIn::default();
        let partition = PartitionId::new(3).unwrap();
        settled.note(partition);
        assert!(settled.take().is_empty());
        settled.watch(true);
        settled.note(partition);
        settled.note(partition);
        assert_eq!(settled.take(), BTreeSet::from([partition]));
        assert!(settled.take().is_empty());
        settled.note(partition);
        settled.watch(false);
        assert!(settled.take().is_empty());
    }
}
