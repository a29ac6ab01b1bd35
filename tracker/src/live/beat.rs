//! When those who watch are told something: all of them at once, and the less often the more there are.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep_until, timeout};

use super::crowd::{lines_of_each, second_of, told_every};
use super::overview::Snapshot;
use super::source::Source;

/// Between two looks whether anybody is left.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// One time that they are told.
#[derive(Debug, Clone, Default)]
pub(super) struct Beat {
    /// Which one it is; 0 before the first.
    pub(super) number: u64,
    /// How the cluster is.
    pub(super) now: Option<Arc<Snapshot>>,
    /// In which second it is, and how many lines each is told of in it.
    pub(super) second: u64,
    pub(super) lines: usize,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Beats {
    beats: Source<Beat>,
    now: Arc<Source<Option<Arc<Snapshot>>>>,
    /// Told of whatever is new.
    news: Arc<Notify>,
    since: Instant,
    number: AtomicU64,
}

impl Beats {
    /// Beats when there is something new in `now`, or of whatever else tells `news`.
    pub(super) fn new(now: Arc<Source<Option<Arc<Snapshot>>>>, news: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            beats: Source::new(Arc::default()),
            now,
            news,
            since: Instant::now(),
            number: AtomicU64::new(0),
        })
    }

    /// Waits for beats from now on.
    pub(super) fn watch(self: &Arc<Self>) -> watch::Receiver<Beat> {
        let mut receiver = self.beats.watch(|| {
            tokio::spawn(Arc::clone(self).go_on());
        });
        // Whoever comes between two of them is told at once what there is.
        receiver.mark_changed();
        receiver
    }

    async fn go_on(self: Arc<Self>) {
        let mut last = Instant::now();
        self.beat();
        while !self.beats.is_left() {
            if timeout(LOOK_EVERY, self.news.notified()).await.is_err() {
                continue;
            }
            sleep_until(last + told_every(self.beats.watchers())).await;
            last = Instant::now();
            self.beat();
        }
    }

    fn beat(&self) {
        self.beats.show(Beat {
            number: self.number.fetch_add(1, Ordering::Relaxed) + 1,
            // What nobody looks after is old.
            now: self.now.shown().filter(|_| self.now.watchers() > 0),
            second: second_of(self.since, Instant::now()),
            lines: lines_of_each(self.beats.watchers()),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn how_the_cluster_was_when_somebody_looked_is_not_told_later() {
        let news: Arc<Notify> = Arc::default();
        let now = Arc::new(Source::new(Arc::clone(&news)));
        let beats = Beats::new(Arc::clone(&now), Arc::clone(&news));
        let looks = now.watch(|| ());
        let mut told = beats.watch();
        now.show(Some(Arc::new(Snapshot::default())));
        told.wait_for(|beat| beat.now.is_some()).await.unwrap();
        drop(looks);
        news.notify_one();
        told.wait_for(|beat| beat.now.is_none()).await.unwrap();
    }
}
