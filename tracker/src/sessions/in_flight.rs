//! What a worker reported and what is not done yet: settlements, renewals, notes and the like that wait for Redis.
//!
//! A stream is read on only while few of its items wait, so that a worker that reports faster than Redis writes is held up by its own
//! connection (HTTP/2's flow control), not by this tracker's memory. Over all streams there is a bound as well; below a small number of its
//! own a stream is read in any case, so that one that floods does not hold up the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

/// Items of one stream: a few frames of a worker at full speed.
const OF_STREAM: usize = 4_096;
/// Items of all streams of a tracker.
const OF_ALL: usize = 65_536;
/// A stream with fewer is read whatever the others have.
const ALWAYS: usize = 64;

/// The items of one stream.
#[derive(Debug, Default)]
pub(crate) struct InFlight {
    count: AtomicUsize,
    done: Notify,
    /// Those of all streams.
    all: Arc<AtomicUsize>,
}

/// One item on its way; it counts until this is dropped.
#[derive(Debug)]
pub(crate) struct Slot(Arc<InFlight>);

impl InFlight {
    /// None yet; `all` counts those of every stream.
    pub(crate) fn new(all: Arc<AtomicUsize>) -> Self {
        Self {
            all,
            ..Self::default()
        }
    }

    /// Counts one item.
    pub(crate) fn begin(self: &Arc<Self>) -> Slot {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.all.fetch_add(1, Ordering::Relaxed);
        Slot(Arc::clone(self))
    }

    /// How many items are on their way.
    pub(crate) fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    fn has_room(&self) -> bool {
        let own = self.count();
        own < ALWAYS || (own < OF_STREAM && self.all.load(Ordering::Relaxed) < OF_ALL)
    }

    /// Waits until the next frame may be read. Dropping it loses nothing.
    pub(crate) async fn room(&self) {
        while !self.has_room() {
            let done = self.done.notified();
            tokio::pin!(done);
            // Registered before the check, so that an item that ends in between is not missed.
            done.as_mut().enable();
            if self.has_room() {
                return;
            }
            done.await;
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
        self.0.all.fetch_sub(1, Ordering::Relaxed);
        // Only the reader of the stream waits. What it has itself on the way lets it go on at the latest: each item ends.
        self.0.done.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn a_stream_is_read_on_when_some_of_its_items_are_done() {
        let stream: Arc<InFlight> = Arc::default();
        let mut slots: Vec<Slot> = (1..OF_STREAM).map(|_| stream.begin()).collect();
        assert!(stream.room().now_or_never().is_some());
        slots.push(stream.begin());
        assert_eq!(stream.count(), OF_STREAM);
        let room = stream.room();
        tokio::pin!(room);
        assert!(room.as_mut().now_or_never().is_none());
        slots.pop();
        assert!(room.now_or_never().is_some());
        drop(slots);
        assert_eq!(stream.count(), 0);
    }

    #[test]
    fn others_that_flood_do_not_hold_up_a_stream_with_few_items() {
        let all: Arc<AtomicUsize> = Arc::default();
        let flood = Arc::new(InFlight::new(Arc::clone(&all)));
        let calm = Arc::new(InFlight::new(all));
        let flooding: Vec<Slot> = (0..OF_ALL).map(|_| flood.begin()).collect();
        let few: Vec<Slot> = (1..ALWAYS).map(|_| calm.begin()).collect();
        assert!(calm.room().now_or_never().is_some());
        let one_more = calm.begin();
        assert!(calm.room().now_or_never().is_none());
        drop(flooding);
        assert!(calm.room().now_or_never().is_some());
        drop((few, one_more));
    }
}
