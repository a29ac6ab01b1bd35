//! Runs that end, wherever in the cluster: the partitions' events are read while somebody watches, once for all who do.
//!
//! Each partition is asked once a second; where this tracker settled something itself, a quarter of a second after it was asked last, or later where many watch. With
//! many partitions they are asked the less often, so that no more than [`ASKED_A_SECOND`] are asked in a second for what others settled.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use parking_lot::Mutex;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;
use tickwheel_store::context::{Tail, TailMark};
use tickwheel_store::{Error, Store};
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use super::crowd;
use super::ring::{Next, Place, Ring};
use super::source::Source;
use super::topic::RunsPoint;
use crate::metrics::measure;
use crate::outcomes::SettledIn;

/// Between two questions to a partition.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// The same when something ended that this tracker settled; no more often than those who watch are told something.
const ASK_SOON: Duration = Duration::from_millis(250);
/// What this tracker settles is looked at no more often: to be told of each would cost more than to ask for what ended.
const GATHER: Duration = Duration::from_millis(50);
/// Partitions that are asked in a second.
const ASKED_A_SECOND: u32 = 64;
/// Partitions that are asked at once.
const WAVE: usize = 64;
/// A ring begins with what ended so long before: whoever comes from another tracker goes on with it.
const BEFORE: Duration = Duration::from_secs(60);
/// The first look takes no longer, or Redis is away.
const FIRST_WITHIN: Duration = Duration::from_secs(5);
/// After a failure.
const RETRY: Duration = Duration::from_secs(1);

/// See the module.
#[derive(Debug)]
pub(crate) struct Runs {
    store: Store,
    /// How many looks were made since it began.
    source: Source<u64>,
    ring: Mutex<Ring>,
    /// Where this tracker settled something.
    settled: Arc<SettledIn>,
}

/// One partition.
struct Asked {
    partition: PartitionId,
    mark: TailMark,
    /// What ended before was told.
    until: TimestampMs,
    /// Its events cannot be read: `tickwheel store check` says why.
    is_damaged: bool,
    /// When it was asked last, and when it is asked next.
    last: Instant,
    next: Instant,
}

impl Runs {
    /// `news` is told of each look.
    pub(crate) fn new(store: Store, settled: Arc<SettledIn>, news: Arc<Notify>) -> Arc<Self> {
        Arc::new(Self {
            store,
            source: Source::new(news),
            ring: Mutex::new(Ring::new(rand::random(), TimestampMs::new(0))),
            settled,
        })
    }

    /// Watches: what ends after this returns is told by [`next`](Self::next). The receiver is told of each look.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when Redis does not answer.
    pub(crate) async fn watch(self: &Arc<Self>) -> Result<watch::Receiver<u64>, Error> {
        let runs = Arc::clone(self);
        let mut looks = self.source.watch(|| {
            tokio::spawn(runs.look_on());
        });
        let first = async { looks.wait_for(|looks| *looks > 0).await.is_ok() };
        if !timeout(FIRST_WITHIN, first).await.unwrap_or(false) {
            return Err(Error::Unavailable {
                reason: "what ends cannot be read now".to_owned(),
                source: None,
            });
        }
        Ok(looks)
    }

    /// Behind everything that has ended so far.
    pub(crate) fn newest(&self) -> Place {
        self.ring.lock().newest()
    }

    /// Where somebody goes on who knows so much; true when something between is missing.
    pub(crate) fn find(&self, known: RunsPoint) -> (Place, bool) {
        self.ring.lock().find(known)
    }

    /// What comes next at `place`, which moves behind it.
    pub(crate) fn next(&self, place: &mut Place) -> Option<Next> {
        self.ring.lock().next(place)
    }

    async fn look_on(self: Arc<Self>) {
        let mut all = loop {
            if self.source.is_left() {
                return;
            }
            match self.begin().await {
                Ok(all) => break all,
                Err(error) => {
                    measure::store_error(&error);
                    sleep(RETRY).await;
                }
            }
        };
        let mut looks = 0;
        while !self.source.is_left() {
            let now = Instant::now();
            self.hasten(&mut all);
            let due: Vec<usize> = (0..all.len())
                .filter(|at| all.get(*at).is_some_and(|one| one.next <= now))
                .collect();
            if due.is_empty() {
                let next = all.iter().map(|one| one.next).min();
                let next = next.unwrap_or(now + ASK_EVERY);
                tokio::select! {
                    () = sleep_until(next) => {}
                    () = async { sleep(GATHER).await; self.settled.told().await } => {}
                }
                continue;
            }
            let is_whole = self.look(&mut all, &due).await;
            // Nobody is told that it began until every partition was asked.
            if is_whole || looks > 0 {
                looks += 1;
                self.source.show(looks);
            }
        }
        if self.source.watchers() == 0 {
            self.settled.watch(false);
        }
    }

    /// Every partition, and a ring with what ended a minute ago.
    async fn begin(&self) -> Result<Vec<Asked>, Error> {
        let now = self.store.time().await?.as_u64();
        let before = u64::try_from(BEFORE.as_millis()).unwrap_or(u64::MAX);
        let since = TimestampMs::new(now.saturating_sub(before));
        *self.ring.lock() = Ring::new(rand::random(), since);
        self.settled.watch(true);
        let at = Instant::now();
        let asked = |partition| Asked {
            partition,
            mark: TailMark::at(since),
            until: since,
            is_damaged: false,
            last: at,
            next: at,
        };
        Ok(self.store.partitions().partitions().map(asked).collect())
    }

    /// Partitions in which this tracker settled something are asked soon.
    fn hasten(&self, all: &mut [Asked]) {
        let settled = self.settled.take();
        let soon = ASK_SOON.max(crowd::told_every(self.source.watchers()));
        if !settled.is_empty() {
            let hastened = all
                .iter_mut()
                .filter(|one| settled.contains(&one.partition));
            for one in hastened {
                one.next = one.next.min(one.last + soon);
            }
        }
    }

    /// Asks those of `all` that stand at `due`; false when one did not answer.
    async fn look(&self, all: &mut [Asked], due: &[usize]) -> bool {
        let count = u32::try_from(all.len()).unwrap_or(u32::MAX);
        let every = (ASK_EVERY * count / ASKED_A_SECOND).max(ASK_EVERY);
        let (mut ended, mut skipped, mut is_whole) = (Vec::new(), false, true);
        for wave in due.chunks(WAVE) {
            let asked = wave.iter().filter_map(|at| all.get(*at));
            let asked: Vec<_> = asked
                .map(|one| self.store.tail(one.partition, &one.mark))
                .collect();
            let answers = join_all(asked).await;
            let at = Instant::now();
            for (place, answer) in wave.iter().zip(answers) {
                let Some(one) = all.get_mut(*place) else {
                    continue;
                };
                (one.last, one.next) = (at, at + every);
                match answer {
                    Ok(tail) => {
                        skipped |= tail.skipped || tail.unreadable > 0;
                        let Tail { now, last, .. } = tail;
                        (one.until, one.mark, one.is_damaged) = (now, last, false);
                        ended.extend(tail.ended);
                    }
                    Err(error) => {
                        tracing::debug!(partition = %one.partition, %error, "what ended was not answered");
                        measure::store_error(&error);
                        if matches!(error, Error::Contract { .. } | Error::Damaged { .. }) {
                            // One partition holds up no other; that something is missing is told once.
                            skipped |= !one.is_damaged;
                            one.is_damaged = true;
                        } else {
                            is_whole = false;
                        }
                    }
                }
            }
        }
        let readable = all.iter().filter(|one| !one.is_damaged);
        let until = readable.map(|one| one.until).min().unwrap_or_default();
        self.ring.lock().push(ended, skipped, until);
        is_whole
    }
}
