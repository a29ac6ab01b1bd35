//! Trackers that died: what they had claimed and not delivered goes back as soon as their workers say what they hold.
//!
//! A worker notices a dead tracker first: its stream breaks. It announces everything it holds, and names the tracker. Whoever hears it takes
//! the tracker off the roster, so that its partitions are turned by others at once, and a moment later gives back what was claimed for
//! this worker there and never announced. A tracker that is alive after all signs in again with its next heartbeat.
//!
//! A worker may be wrong, or lie. So its word is a reason to look: the tracker is taken off when it cannot be reached from here either, or
//! when it gave no heartbeat in time, which the script tells. However many words come, each tracker is looked at by one task, once in a second.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use tickwheel_core::id::{TrackerId, WorkerId};
use tickwheel_store::roster::{LiveTracker, Silence};
use tickwheel_store::{Error, Store};
use tokio::time::Instant;

use super::reach;
use super::roster::Roster;
use crate::config::Config;
use crate::metrics::measure;
use crate::outcomes::Renewals;

/// What a worker announced to another tracker before it named the lost one is in Redis within this.
const ANNOUNCED_WITHIN: Duration = Duration::from_millis(450);
/// Its workers lose a tracker within moments; their words are gathered for so long, so that one scan serves all of them.
const GATHER: Duration = Duration::from_millis(50);
/// A tracker that was named is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Workers of one call.
const WORKERS_MAX: usize = 1_000;

/// Workers that missed a tracker and whose claims were not looked at yet; an entry means that somebody will.
#[derive(Debug, Default)]
struct Missing(Mutex<HashMap<TrackerId, BTreeSet<WorkerId>>>);

impl Missing {
    /// Adds a worker that missed `tracker`; true for the first, who has to look.
    fn join(&self, tracker: &TrackerId, worker: WorkerId) -> bool {
        let mut missing = self.0.lock();
        let first = !missing.contains_key(tracker);
        let workers = missing.entry(tracker.clone()).or_default();
        workers.insert(worker);
        first
    }

    /// The workers that joined since; without any, the entry is gone and the next one is the first again.
    fn gathered(&self, tracker: &TrackerId) -> BTreeSet<WorkerId> {
        let mut missing = self.0.lock();
        let workers = missing
            .get_mut(tracker)
            .map(std::mem::take)
            .unwrap_or_default();
        if workers.is_empty() {
            missing.remove(tracker);
        }
        workers
    }

    /// The workers that joined since, while somebody goes on to look.
    fn taken(&self, tracker: &TrackerId) -> BTreeSet<WorkerId> {
        let mut missing = self.0.lock();
        missing
            .get_mut(tracker)
            .map(std::mem::take)
            .unwrap_or_default()
    }
}

/// See the module.
#[derive(Debug)]
pub(crate) struct LostTrackers {
    store: Store,
    roster: Arc<Roster>,
    renewals: Arc<Renewals>,
    /// Whether trackers that workers lost are dialled, to see whether they are there.
    probes: bool,
    heartbeat_interval: Duration,
    heartbeat_ttl: Duration,
    dispatch_lease: Duration,
    missing: Missing,
}

impl LostTrackers {
    /// `probes`: whether trackers are dialled, to see whether they are there.
    pub(crate) fn new(
        config: &Config,
        store: Store,
        roster: Arc<Roster>,
        renewals: Arc<Renewals>,
        probes: bool,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            roster,
            renewals,
            probes,
            heartbeat_interval: config.heartbeat_interval,
            heartbeat_ttl: config.heartbeat_ttl(),
            dispatch_lease: config.dispatch_lease,
            missing: Missing::default(),
        })
    }

    /// `worker` lost its stream to `tracker`, and has announced what it holds. Does what follows in the background; a tracker that was never
    /// seen on the roster has claimed nothing that could be found.
    pub(crate) fn missed(self: &Arc<Self>, worker: WorkerId, tracker: TrackerId) {
        let roster = &self.roster;
        let known = roster.find(&tracker).is_some() || roster.departure(&tracker).is_some();
        if tracker != roster.own.id && known && self.missing.join(&tracker, worker) {
            let lost = Arc::clone(self);
            tokio::spawn(async move { lost.look_into(tracker).await });
        }
    }

    /// Looks until no worker names the tracker any more. Errors are logged: leases repair what is not done here.
    async fn look_into(&self, tracker: TrackerId) {
        let mut again = Instant::now();
        loop {
            let mut workers = self.missing.gathered(&tracker);
            if workers.is_empty() {
                return;
            }
            // Those that name it while this goes on are asked for below, or by the next round.
            if let Err(error) = self.take_off(&workers, &tracker, &mut again).await {
                tracing::warn!(%tracker, %error, "a tracker that workers lost stays on the roster until its heartbeat expires");
                measure::store_error(&error);
            }
            if self.roster.find(&tracker).is_some() {
                // It lives: who named it holds nothing that has to be given back.
                tokio::time::sleep_until(again).await;
                continue;
            }
            tokio::time::sleep(GATHER).await;
            workers.append(&mut self.missing.taken(&tracker));
            // What they announced here is in Redis for certain, however slow this machine is.
            self.renewals.written().await;
            tokio::time::sleep(ANNOUNCED_WITHIN).await;
            let workers: Vec<WorkerId> = workers.into_iter().collect();
            if let Err(error) = self.give_back(&workers, &tracker).await {
                tracing::warn!(%tracker, %error, "a dead tracker's claims wait for the ends of their leases");
                measure::store_error(&error);
            }
        }
    }

    /// Takes the tracker off the roster if it is gone. `again` is when it may be looked at the next time.
    async fn take_off(
        &self,
        workers: &BTreeSet<WorkerId>,
        tracker: &TrackerId,
        again: &mut Instant,
    ) -> Result<(), Error> {
        let Some(live) = self.roster.find(tracker) else {
            return Ok(());
        };
        tokio::time::sleep_until(*again).await;
        *again = Instant::now() + LOOK_EVERY;
        // A fifth of a heartbeat for its way to Redis.
        let overdue = self.heartbeat_interval * 6 / 5;
        let gone = self.probes && reach::is_gone(&live.url).await;
        let (worker, named_by) = (workers.first(), workers.len());
        tracing::info!(%tracker, worker = worker.map(WorkerId::as_str), named_by, unreachable = gone, "workers lost this tracker");
        let silent = if gone { Duration::ZERO } else { overdue };
        self.forget(&live, silent).await?;
        if !gone && self.roster.find(tracker).is_some() {
            // Its last heartbeat may be of a moment before its end.
            tokio::time::sleep(overdue).await;
            self.forget(&live, overdue).await?;
        }
        Ok(())
    }

    /// Takes a tracker off whose last heartbeat is older than `silent`, and reads the roster anew.
    async fn forget(&self, tracker: &LiveTracker, silent: Duration) -> Result<(), Error> {
        let ttl = self.heartbeat_ttl;
        let silence = Silence {
            longer_than: silent,
            ttl,
        };
        self.store.retire(Some(tracker), silence, &[]).await?;
        let reply = self.store.heartbeat(None, ttl, &[]).await?;
        self.roster.adopt(reply.live, reply.now);
        Ok(())
    }

    async fn give_back(&self, workers: &[WorkerId], tracker: &TrackerId) -> Result<(), Error> {
        let Some(departure) = self.roster.departure(tracker) else {
            return Ok(());
        };
        let made = (departure.at, self.dispatch_lease);
        let owned = self.roster.owned();
        let mut mine = departure.partitions;
        mine.retain(|partition| owned.contains(partition));
        let (mut count, mut partitions) = (0, 0);
        for partition in mine {
            let before = count;
            for workers in workers.chunks(WORKERS_MAX) {
                let given_back = self.store.reclaim(partition, workers, made).await?;
                count += given_back.len();
            }
            partitions += usize::from(count > before);
        }
        if count > 0 {
            tracing::info!(%tracker, count, partitions, "claims of a dead tracker are ready again");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(name: &str) -> WorkerId {
        name.parse().unwrap()
    }

    #[test]
    fn the_first_to_miss_a_tracker_looks_for_all() {
        let (missing, tracker) = (Missing::default(), TrackerId::of_incarnation(7));
        assert!(missing.join(&tracker, worker("a-00000001")));
        assert!(!missing.join(&tracker, worker("b-00000001")));
        assert_eq!(missing.gathered(&tracker).len(), 2);
        // Whoever comes while the first one looks is found by its next round.
        assert!(!missing.join(&tracker, worker("c-00000001")));
        let later = missing.gathered(&tracker);
        assert_eq!(later, [worker("c-00000001")].into());
        assert!(missing.gathered(&tracker).is_empty());
        assert!(missing.join(&tracker, worker("d-00000001")));
    }
}
