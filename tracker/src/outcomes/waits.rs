//! Callers that wait for the ends of contexts.
//!
//! However many wait, a partition is looked at four times a second, for all of its contexts together: the script goes through what ended
//! since the last look. What this tracker settles itself is told at once.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tickwheel_core::id::ContextId;
use tickwheel_core::partition::PartitionId;
use tickwheel_store::context::{EndsCursor, EventMark};
use tickwheel_store::{Error, Store};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::metrics::measure;

/// Callers that one tracker lets wait.
pub(crate) const WAITS_MAX: usize = 1_000;
/// Between two looks at a partition in which somebody waits for an end.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Steps of one look. Where more has ended meanwhile, everybody looks for himself.
const STEPS_MAX: usize = 8;

/// Who waits for a context.
#[derive(Debug, Default)]
struct Waited {
    told: Arc<Notify>,
    waits: usize,
}

/// One partition in which somebody waits.
#[derive(Debug, Default)]
struct Watched {
    contexts: HashMap<ContextId, Waited>,
    /// The newest event that was looked at.
    since: EventMark,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Waits {
    store: Store,
    room: Arc<Semaphore>,
    partitions: Mutex<HashMap<PartitionId, Watched>>,
}

/// A place in the line for one context; dropping it gives up.
#[derive(Debug)]
pub(crate) struct Wait {
    waits: Arc<Waits>,
    context: ContextId,
    told: Arc<Notify>,
    _room: OwnedSemaphorePermit,
}

impl Waits {
    pub(crate) fn new(store: Store) -> Arc<Self> {
        Arc::new(Self {
            store,
            room: Arc::new(Semaphore::new(WAITS_MAX)),
            partitions: Mutex::default(),
        })
    }

    /// Begins to wait for `context`: an end that comes after this is told by [`Wait::told`]. `None` when too many wait already.
    pub(crate) async fn begin(self: &Arc<Self>, context: &ContextId) -> Option<Wait> {
        let room = Arc::clone(&self.room).try_acquire_owned().ok()?;
        let (told, first) = self.join(context);
        let wait = Wait {
            waits: Arc::clone(self),
            context: context.clone(),
            told,
            _room: room,
        };
        if first {
            let partition = context.partition();
            // What ends from here on is behind the newest event of this look.
            if let Err(error) = self.look(partition).await {
                measure::store_error(&error);
            }
            let waits = Arc::clone(self);
            tokio::spawn(async move { waits.look_on(partition).await });
        }
        Some(wait)
    }

    /// `context` has ended: whoever waits for it is told.
    pub(crate) fn ended(&self, context: &ContextId) {
        let partitions = self.partitions.lock();
        let watched = partitions.get(&context.partition());
        if let Some(waited) = watched.and_then(|watched| watched.contexts.get(context)) {
            waited.told.notify_waiters();
        }
    }

    /// True for the first who waits in the partition, who has it looked at.
    fn join(&self, context: &ContextId) -> (Arc<Notify>, bool) {
        let mut partitions = self.partitions.lock();
        let first = !partitions.contains_key(&context.partition());
        let watched = partitions.entry(context.partition()).or_default();
        let waited = watched.contexts.entry(context.clone()).or_default();
        waited.waits += 1;
        (Arc::clone(&waited.told), first)
    }

    fn leave(&self, context: &ContextId) {
        let mut partitions = self.partitions.lock();
        let Some(watched) = partitions.get_mut(&context.partition()) else {
            return;
        };
        if let Some(waited) = watched.contexts.get_mut(context) {
            waited.waits -= 1;
            if waited.waits == 0 {
                watched.contexts.remove(context);
            }
        }
    }

    /// What the next look at a partition asks for; `None` ends the looking, as nobody waits there.
    fn asked(&self, partition: PartitionId) -> Option<(EventMark, Vec<ContextId>)> {
        let mut partitions = self.partitions.lock();
        let watched = partitions.get(&partition)?;
        if watched.contexts.is_empty() {
            partitions.remove(&partition);
            return None;
        }
        let contexts = watched.contexts.keys().cloned().collect();
        Some((watched.since.clone(), contexts))
    }

    /// Takes down how far a partition was looked at.
    fn seen(&self, partition: PartitionId, newest: EventMark) {
        if let Some(watched) = self.partitions.lock().get_mut(&partition) {
            watched.since = newest;
        }
    }

    async fn look_on(&self, partition: PartitionId) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if self.asked(partition).is_none() {
                return;
            }
            if let Err(error) = self.look(partition).await {
                measure::store_error(&error);
            }
        }
    }

    /// One look: tells those whose contexts have ended since the last one.
    async fn look(&self, partition: PartitionId) -> Result<(), Error> {
        let Some((since, contexts)) = self.asked(partition) else {
            return Ok(());
        };
        let (mut cursor, mut newest) = (EndsCursor::default(), EventMark::default());
        for step in 0..STEPS_MAX {
            let ends = self.store.ends(partition, &since, &cursor, &contexts);
            let ends = ends.await?;
            if step == 0 {
                newest = ends.newest;
            }
            for context in &ends.ended {
                self.ended(context);
            }
            cursor = ends.cursor;
            if cursor.is_over() {
                break;
            }
        }
        if !cursor.is_over() {
            self.tell_all(partition);
        }
        self.seen(partition, newest);
        if since.is_unset() {
            // The first look only learns where to begin: what ended before it is seen by who looks once more.
            self.tell_all(partition);
        }
        Ok(())
    }

    fn tell_all(&self, partition: PartitionId) {
        let partitions = self.partitions.lock();
        let contexts = partitions
            .get(&partition)
            .map(|watched| watched.contexts.values());
        for waited in contexts.into_iter().flatten() {
            waited.told.notify_waiters();
        }
    }
}

impl Wait {
    /// Ends when the context may have ended. It has to be enabled before the context is read, so that an end in between is not missed.
    pub(crate) fn told(&self) -> tokio::sync::futures::Notified<'_> {
        self.told.notified()
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        self.waits.leave(&self.context);
    }
}
