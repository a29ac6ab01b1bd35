//! Something that is looked after only while somebody watches it.

use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

/// What is shown to those who watch, and whether a task sees to it.
#[derive(Debug)]
pub(crate) struct Source<T> {
    shown: watch::Sender<T>,
    is_tended: Mutex<bool>,
    /// Told of whatever is shown.
    news: Arc<Notify>,
}

impl<T: Clone + Default + Send + Sync + 'static> Source<T> {
    /// One that tells `news` of whatever it shows.
    pub(crate) fn new(news: Arc<Notify>) -> Self {
        Self {
            shown: watch::Sender::default(),
            is_tended: Mutex::new(false),
            news,
        }
    }

    /// Watches from now on; the first who does has `tend` called, which begins a task. Where somebody does already, what is shown now counts
    /// as new.
    pub(crate) fn watch(&self, tend: impl FnOnce()) -> watch::Receiver<T> {
        let mut is_tended = self.is_tended.lock();
        let mut receiver = self.shown.subscribe();
        if *is_tended {
            receiver.mark_changed();
        } else {
            *is_tended = true;
            self.shown.send_replace(T::default());
            receiver.mark_unchanged();
            tend();
        }
        receiver
    }

    /// Whether the task may end, as nobody watches; it has to, then.
    pub(crate) fn is_left(&self) -> bool {
        let mut is_tended = self.is_tended.lock();
        let is_left = self.shown.receiver_count() == 0;
        if is_left {
            *is_tended = false;
        }
        is_left
    }

    /// How many watch.
    pub(crate) fn watchers(&self) -> usize {
        self.shown.receiver_count()
    }

    /// What is shown now.
    pub(crate) fn shown(&self) -> T {
        self.shown.borrow().clone()
    }

    pub(crate) fn show(&self, what: T) {
        self.shown.send_replace(what);
        self.news.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_begins_with_the_first_and_ends_with_the_last_who_watches() {
        let source = Source::<u32>::new(Arc::default());
        let mut begun = 0;
        let first = source.watch(|| begun += 1);
        source.show(5);
        let second = source.watch(|| begun += 10);
        assert!(second.has_changed().unwrap() && source.watchers() == 2);
        assert_eq!((*second.borrow(), begun), (5, 1));
        drop(first);
        assert!(!source.is_left());
        drop(second);
        assert!(source.is_left() && source.watchers() == 0);
        let third = source.watch(|| begun += 100);
        // What the task before had shown is old.
        assert_eq!(
            (*third.borrow(), third.has_changed().unwrap(), begun),
            (0, false, 101)
        );
    }
}
