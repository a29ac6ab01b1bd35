//! Calls that get fatter under load: what arrives while one is under way goes into the next one of its kind and partition.

mod coalesce;
mod lane;
mod pace;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tickwheel_core::partition::{PartitionCount, PartitionId};
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use coalesce::Coalescer;
pub(crate) use lane::{Lane, Lanes};
pub(crate) use pace::Pace;

/// Batched calls of a tracker under way at once. The pipeline hides the round trip; more would only make the batches smaller.
pub(crate) const CALLS_MAX: usize = 4;
/// Between two looks at whether something is written.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// What the batches of all kinds have in common.
#[derive(Debug, Clone)]
pub(crate) struct Calls {
    under_way: Arc<Semaphore>,
    partitions: PartitionCount,
    tasks: TaskTracker,
}

impl Calls {
    /// On the partitions of one store; writing is done by tasks of `tasks`.
    pub(crate) fn new(partitions: PartitionCount, tasks: TaskTracker) -> Self {
        Self {
            under_way: Arc::new(Semaphore::new(CALLS_MAX)),
            partitions,
            tasks,
        }
    }

    /// The batches of one kind.
    pub(crate) fn batches<T: Send + 'static>(&self) -> Batches<T> {
        let pace = Arc::new(Mutex::new(Pace::new(Instant::now())));
        let coalescer = |_| Coalescer::new(Arc::clone(&self.under_way), Arc::clone(&pace));
        Batches {
            by_partition: self.partitions.partitions().map(coalescer).collect(),
            tasks: self.tasks.clone(),
        }
    }
}

/// The batches of one kind, one after the other on each partition.
#[derive(Debug)]
pub(crate) struct Batches<T> {
    by_partition: Vec<Coalescer<T>>,
    tasks: TaskTracker,
}

impl<T: Send + 'static> Batches<T> {
    /// Adds items; `write` is called in the background, with batches in their order until nothing of the partition is pending.
    pub(crate) fn push<F, W>(
        &self,
        partition: PartitionId,
        items: impl IntoIterator<Item = T>,
        write: W,
    ) where
        F: Future<Output = ()> + Send,
        W: Fn(Vec<T>) -> F + Send + Sync + 'static,
    {
        if let Some(coalescer) = self.by_partition.get(usize::from(partition.as_u16())) {
            coalescer.push(items, &self.tasks, write);
        }
    }

    /// Waits until everything that came so far is written, or its call has failed.
    pub(crate) async fn written(&self) {
        for coalescer in &self.by_partition {
            let mark = coalescer.mark();
            while !coalescer.has_written(mark) {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        }
    }
}
