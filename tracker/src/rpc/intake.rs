//! Small submissions of many callers go to Redis together.
//!
//! What certain contexts lie in is given: the partition of their dedup key, or of what a policy counts. They gather with others of that
//! partition. All others may lie anywhere, so they gather with each other, and their call goes to the next partition in turn.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tickwheel_core::partition::{PartitionCount, PartitionId};
use tickwheel_store::wheel::{CALL_WEIGHT, NewContext, SubmittedContext};
use tickwheel_store::{Error as StoreError, Store};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use crate::batches::{Lane, Lanes};
use crate::error::Error;

/// A request that weighs more is a call of its own, as it was before: it would leave little room for others.
const SMALL: usize = CALL_WEIGHT / 5;
/// Calls under way at once with contexts that may lie anywhere: one is on its way to Redis while another one's answer comes back.
const ANYWHERE_CALLS: usize = 2;
/// What waits and is under way, over all lanes, KiB; a context counts as one at least.
const ROOM_KIB: usize = 32 << 10;

/// Contexts of one request, which are written together or not at all.
type Request = (Vec<NewContext>, OwnedSemaphorePermit);
type Answer = Result<Vec<SubmittedContext>, StoreError>;

/// Where contexts of a request lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lies {
    /// All in this partition.
    In(PartitionId),
    /// Wherever this tracker puts them, together.
    Anywhere,
}

/// Submissions on their way to Redis.
#[derive(Debug)]
pub(crate) struct Intake {
    store: Arc<Store>,
    room: Arc<Semaphore>,
    by_partition: Vec<Lane<Request, Answer>>,
    anywhere: Lane<Request, Answer>,
    turns: Arc<Turns>,
    tasks: TaskTracker,
}

impl Intake {
    /// Writes to `store`.
    pub(crate) fn new(store: Store) -> Self {
        let tasks = TaskTracker::new();
        let lane = |calls| {
            let weight = CALL_WEIGHT;
            Lane::new(Lanes { calls, weight }, tasks.clone())
        };
        let partitions = store.partitions();
        Self {
            room: Arc::new(Semaphore::new(ROOM_KIB)),
            by_partition: partitions.partitions().map(|_| lane(1)).collect(),
            anywhere: lane(ANYWHERE_CALLS),
            turns: Arc::new(Turns::new(partitions)),
            store: Arc::new(store),
            tasks,
        }
    }

    /// Its calls: whoever stops waits for them.
    pub(crate) fn tasks(&self) -> TaskTracker {
        self.tasks.clone()
    }

    /// Whether contexts are few and small enough to go with those of others.
    pub(crate) fn takes(contexts: &[NewContext]) -> bool {
        let weight = contexts.iter().map(NewContext::weight).sum::<usize>();
        (1..=SMALL).contains(&weight)
    }

    /// Creates the contexts of one request, together with those of others where some wait. All of them are written, or none.
    ///
    /// Dropping the future leaves them out if their call has not begun, and changes nothing later; others do not notice either way.
    ///
    /// # Errors
    /// As of [`Store::submit`] for these contexts alone, never [`StoreError::Partly`]; [`Error::Busy`] when as much waits as may.
    pub(crate) async fn submit(
        &self,
        contexts: Vec<NewContext>,
        lies: Lies,
    ) -> Result<Vec<SubmittedContext>, Error> {
        let kib = u32::try_from(contexts.iter().map(kib).sum::<usize>()).unwrap_or(u32::MAX);
        let Ok(room) = Arc::clone(&self.room).try_acquire_many_owned(kib) else {
            let why = "as many submissions wait for redis as may: try again in a moment";
            return Err(Error::Busy(why.to_owned()));
        };
        let weight = contexts.iter().map(NewContext::weight).sum();
        let (store, turns) = (Arc::clone(&self.store), Arc::clone(&self.turns));
        let lane = match lies {
            Lies::Anywhere => Some(&self.anywhere),
            Lies::In(partition) => self.by_partition.get(usize::from(partition.as_u16())),
        };
        let Some(lane) = lane else {
            return Ok(self.store.submit(&contexts).await?);
        };
        let answer = lane.hand_in((contexts, room), weight, move |requests| {
            write(Arc::clone(&store), Arc::clone(&turns), lies, requests)
        });
        let gone = |_| StoreError::Unavailable {
            reason: "the call was given up".to_owned(),
            source: None,
        };
        Ok(answer.await.map_err(gone)??)
    }
}

async fn write(
    store: Arc<Store>,
    turns: Arc<Turns>,
    lies: Lies,
    requests: Vec<Request>,
) -> Vec<Answer> {
    let (contexts, _room): (Vec<Vec<NewContext>>, Vec<OwnedSemaphorePermit>) =
        requests.into_iter().unzip();
    match lies {
        Lies::In(partition) => store.submit_together(partition, contexts).await,
        Lies::Anywhere => {
            let at = turns.next();
            store.submit_together(at.partition, contexts).await
        }
    }
}

/// What a context takes of the room.
fn kib(context: &NewContext) -> usize {
    let placement = context.placement.as_ref();
    let placement = placement.map_or(0, |placement| placement.encode().len());
    1 + (context.rest.len() + placement) / 1_024
}

/// Which partition is next for contexts that may lie anywhere.
#[derive(Debug)]
struct Turns {
    next: AtomicUsize,
    /// Calls under way, by partition.
    under_way: Vec<(PartitionId, AtomicUsize)>,
}

/// A partition with a call under way, as long as this is there.
struct At {
    partition: PartitionId,
    turns: Arc<Turns>,
    place: usize,
}

impl Turns {
    fn new(partitions: PartitionCount) -> Self {
        let idle = |partition| (partition, AtomicUsize::new(0));
        Self {
            next: AtomicUsize::new(0),
            under_way: partitions.partitions().map(idle).collect(),
        }
    }

    /// The next one; those that have not answered yet are passed over, while others have: one that is out of reach takes one call in, not
    /// each that it is the turn for.
    fn next(self: &Arc<Self>) -> At {
        let count = self.under_way.len().max(1);
        let first = self.next.fetch_add(1, Ordering::Relaxed);
        let places = (0..count).map(|step| first.wrapping_add(step) % count);
        let is_idle = |place: &usize| {
            let one = self.under_way.get(*place);
            one.is_some_and(|(_, calls)| calls.load(Ordering::Relaxed) == 0)
        };
        let place = places.into_iter().find(is_idle).unwrap_or(first % count);
        let mut partition = PartitionId::default();
        if let Some((there, calls)) = self.under_way.get(place) {
            partition = *there;
            calls.fetch_add(1, Ordering::Relaxed);
        }
        At {
            partition,
            turns: Arc::clone(self),
            place,
        }
    }
}

impl Drop for At {
    fn drop(&mut self) {
        if let Some((_, calls)) = self.turns.under_way.get(self.place) {
            calls.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
