//! Group commit for one kind of operation on one partition: what arrives while a call is under way goes into the next call.
//!
//! An idle partition is written at once, a busy one in batches as large as the traffic makes them; between small batches that follow each
//! other without pause a partition rests (`pace.rs`).

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use super::pace::Pace;

/// Items of one call. A settlement costs Redis about 4 microseconds, so a call stays near 2 ms.
const BATCH_MAX: usize = 500;
/// A call of this many items is not rested from: its fixed cost is small beside theirs.
const FAT: usize = 50;
/// The timer knows no shorter sleep.
const REST_MIN: Duration = Duration::from_millis(1);

#[derive(Debug)]
struct Pending<T> {
    items: Vec<T>,
    flushing: bool,
    /// No call before this.
    rested: Instant,
    /// Items that came, and those of them whose call has ended.
    came: u64,
    written: u64,
}

/// Collects items and writes them in batches, one batch at a time.
#[derive(Debug)]
pub(crate) struct Coalescer<T> {
    pending: Arc<Mutex<Pending<T>>>,
    /// Calls under way over all coalescers of a tracker: few, so that batches of many partitions grow together.
    calls: Arc<Semaphore>,
    /// Of the calls of this kind, over all partitions.
    pace: Arc<Mutex<Pace>>,
}

impl<T: Send + 'static> Coalescer<T> {
    pub(crate) fn new(calls: Arc<Semaphore>, pace: Arc<Mutex<Pace>>) -> Self {
        Self {
            pending: Arc::new(Mutex::new(Pending {
                items: Vec::new(),
                flushing: false,
                rested: Instant::now(),
                came: 0,
                written: 0,
            })),
            calls,
            pace,
        }
    }

    /// How many items came so far; a later [`Coalescer::has_written`] tells whether their calls have ended.
    pub(crate) fn mark(&self) -> u64 {
        self.pending.lock().came
    }

    /// Whether everything that came before `mark` was written, or failed to be.
    pub(crate) fn has_written(&self, mark: u64) -> bool {
        self.pending.lock().written >= mark
    }

    /// Adds items; `write` is called, on a task of `tasks`, with batches in their order until nothing is pending.
    pub(crate) fn push<F, W>(
        &self,
        items: impl IntoIterator<Item = T>,
        tasks: &TaskTracker,
        write: W,
    ) where
        F: Future<Output = ()> + Send,
        W: Fn(Vec<T>) -> F + Send + Sync + 'static,
    {
        {
            let mut pending = self.pending.lock();
            let before = pending.items.len();
            pending.items.extend(items);
            pending.came += (pending.items.len() - before) as u64;
            if pending.flushing || pending.items.is_empty() {
                return;
            }
            pending.flushing = true;
        }
        let (pending, calls) = (Arc::clone(&self.pending), Arc::clone(&self.calls));
        let pace = Arc::clone(&self.pace);
        tasks.spawn(async move {
            loop {
                let rested = pending.lock().rested;
                if rested > Instant::now() {
                    tokio::time::sleep_until(rested).await;
                }
                // The semaphore is never closed.
                let permit = calls.acquire().await.ok();
                let batch = {
                    let mut pending = pending.lock();
                    if pending.items.is_empty() {
                        pending.flushing = false;
                        return;
                    }
                    if pending.items.len() > BATCH_MAX {
                        let rest = pending.items.split_off(BATCH_MAX);
                        std::mem::replace(&mut pending.items, rest)
                    } else {
                        std::mem::take(&mut pending.items)
                    }
                };
                let (began, size) = (Instant::now(), batch.len());
                write(batch).await;
                drop(permit);
                let now = Instant::now();
                let rested = pace.lock().next(now, now - began);
                let mut pending = pending.lock();
                pending.written += size as u64;
                if size < FAT && rested - now >= REST_MIN {
                    pending.rested = rested;
                }
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_arrives_during_a_call_goes_into_the_next_one() {
        let coalescer = Coalescer::new(
            Arc::new(Semaphore::new(1)),
            Arc::new(Mutex::new(Pace::new(Instant::now()))),
        );
        let tasks = TaskTracker::new();
        let (batches, gate) = (
            Arc::new(Mutex::new(Vec::new())),
            Arc::new(Semaphore::new(0)),
        );
        let write = {
            let (batches, gate) = (Arc::clone(&batches), Arc::clone(&gate));
            move |batch: Vec<u32>| {
                let (batches, gate) = (Arc::clone(&batches), Arc::clone(&gate));
                async move {
                    gate.acquire().await.unwrap().forget();
                    batches.lock().push(batch);
                }
            }
        };
        coalescer.push([1], &tasks, write.clone());
        tokio::task::yield_now().await;
        coalescer.push([2], &tasks, write.clone());
        coalescer.push([3, 4], &tasks, write);
        let mark = coalescer.mark();
        assert!(!coalescer.has_written(mark));
        gate.add_permits(2);
        tasks.close();
        tasks.wait().await;
        assert!(coalescer.has_written(mark));
        assert_eq!(*batches.lock(), vec![vec![1], vec![2, 3, 4]]);
    }
}
