//! Keys of another type than ours make room: each call that meets one fails, again and again.

use std::collections::HashMap;
use std::time::Duration;

use parking_lot::Mutex;
use tickwheel_core::partition::PartitionId;
use tickwheel_store::{Error, Store};
use tokio::time::Instant;

/// Between two looks at all keys of a partition: the look takes a SCAN of the store.
const LOOK_AGAIN: Duration = Duration::from_secs(3);

/// See the module.
#[derive(Debug)]
pub(crate) struct Room {
    store: Store,
    looks: Looks,
}

impl Room {
    pub(crate) fn new(store: Store) -> Self {
        Self {
            store,
            looks: Looks::default(),
        }
    }

    /// A call of `partition` failed with `error`: where a record or a key was damaged, what has the place of a key of ours is moved, in the
    /// background.
    pub(crate) fn failed(&self, partition: PartitionId, error: &Error) {
        if !matches!(error, Error::Damaged { .. }) || !self.looks.is_due(partition, Instant::now())
        {
            return;
        }
        let store = self.store.clone();
        // Nothing is lost with it: a tracker that stops leaves it to the next one whose call fails.
        tokio::spawn(async move {
            if let Err(error) = store.make_room(partition).await {
                tracing::warn!(%partition, %error, "keys of a wrong type were not looked for");
            }
        });
    }
}

/// When each partition was looked at.
#[derive(Debug, Default)]
struct Looks(Mutex<HashMap<PartitionId, Instant>>);

impl Looks {
    /// Whether the partition is to be looked at now; it is taken down then.
    fn is_due(&self, partition: PartitionId, now: Instant) -> bool {
        let mut looked = self.0.lock();
        let due = looked
            .get(&partition)
            .is_none_or(|last| now.saturating_duration_since(*last) >= LOOK_AGAIN);
        if due {
            looked.insert(partition, now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_partition_is_looked_at_once_in_a_while_and_each_for_itself() {
        let (looks, now) = (Looks::default(), Instant::now());
        let [first, second] = [0, 1].map(|number| PartitionId::new(number).unwrap());
        assert!(looks.is_due(first, now));
        assert!(looks.is_due(second, now));
        let before = LOOK_AGAIN.saturating_sub(Duration::from_millis(1));
        assert!(!looks.is_due(first, now + before));
        assert!(looks.is_due(first, now + LOOK_AGAIN));
        assert!(!looks.is_due(first, now + LOOK_AGAIN));
    }
}
