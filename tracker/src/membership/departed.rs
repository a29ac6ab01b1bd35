//! Trackers that died: what they had claimed and not delivered goes back as soon as their workers say what they hold.
//!
//! A worker notices a dead tracker first: its stream breaks. It announces everything it holds, and names the tracker. Whoever hears it takes
//! the tracker off the roster, so that its partitions are turned by others at once, and a moment later gives back what was claimed for
//! this worker there and never announced. A tracker that is alive after all signs in again with its next beat.
//!
//! A worker may be wrong, or lie. So its word is a reason to look: the tracker is taken off when it cannot be reached from here either, or
//! when it has not beaten in time, which the script tells. However many words come, each tracker is looked at by one task, once in a second.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tickwheel_core::id::{TrackerId, WorkerId};
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;
use tickwheel_store::Error;
use tickwheel_store::roster::TrackerSign;
use tokio::time::Instant;

use super::{reach, roster};
use crate::engine::Engine;
use crate::lock::lock;
use crate::metrics::measure;

/// What a worker announced to another tracker before it named the lost one is in Redis within this.
const ANNOUNCED_WITHIN: Duration = Duration::from_millis(450);
/// Its workers lose a tracker within moments; their words are gathered for so long, so that one scan serves all of them.
const GATHER: Duration = Duration::from_millis(50);
/// A tracker that was named is looked at this often.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Workers of one call.
const WORKERS_MAX: usize = 1_000;
/// Departures that are remembered, the newest.
const REMEMBERED_MAX: usize = 16;

/// A tracker that left the roster.
#[derive(Debug, Clone)]
struct Departure {
    tracker: TrackerId,
    /// What it turned.
    partitions: Vec<PartitionId>,
    /// Redis' clock when this tracker knew.
    at: TimestampMs,
}

/// Who left lately.
#[derive(Debug, Default)]
pub(crate) struct Departed {
    newest: Mutex<VecDeque<Departure>>,
    /// Workers that missed a tracker and whose claims were not looked at yet; an entry means that somebody will.
    missing: Mutex<HashMap<TrackerId, BTreeSet<WorkerId>>>,
}

impl Departed {
    /// `tracker` is no longer on the roster.
    pub(crate) fn note(&self, tracker: TrackerId, partitions: Vec<PartitionId>, at: TimestampMs) {
        let mut newest = lock(&self.newest);
        newest.retain(|known| known.tracker != tracker);
        newest.push_back(Departure {
            tracker,
            partitions,
            at,
        });
        if newest.len() > REMEMBERED_MAX {
            newest.pop_front();
        }
    }

    /// Adds a worker that missed `tracker`; true for the first, who has to look.
    fn join(&self, tracker: &TrackerId, worker: WorkerId) -> bool {
        let mut missing = lock(&self.missing);
        let first = !missing.contains_key(tracker);
        let workers = missing.entry(tracker.clone()).or_default();
        workers.insert(worker);
        first
    }

    /// The workers that joined since; without any, the entry is gone and the next one is the first again.
    fn gathered(&self, tracker: &TrackerId) -> BTreeSet<WorkerId> {
        let mut missing = lock(&self.missing);
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
        let mut missing = lock(&self.missing);
        missing
            .get_mut(tracker)
            .map(std::mem::take)
            .unwrap_or_default()
    }

    fn get(&self, tracker: &TrackerId) -> Option<Departure> {
        let newest = lock(&self.newest);
        newest
            .iter()
            .find(|known| known.tracker == *tracker)
            .cloned()
    }
}

/// `worker` lost its stream to `tracker`, and has announced what it holds. Does what follows in the background; a tracker that was never seen
/// on the roster has claimed nothing that could be found.
pub(crate) fn missed(engine: &Arc<Engine>, worker: WorkerId, tracker: TrackerId) {
    let known = sign(engine, &tracker).is_some() || engine.departed.get(&tracker).is_some();
    if tracker != engine.tracker_id && known && engine.departed.join(&tracker, worker) {
        tokio::spawn(look_into(Arc::clone(engine), tracker));
    }
}

/// The sign of a tracker that is on the roster.
fn sign(engine: &Engine, tracker: &TrackerId) -> Option<TrackerSign> {
    let on_roster = engine.roster.load();
    on_roster.iter().find(|sign| sign.id == *tracker).cloned()
}

/// Looks until no worker names the tracker any more. Errors are logged: leases repair what is not done here.
async fn look_into(engine: Arc<Engine>, tracker: TrackerId) {
    let mut again = Instant::now();
    loop {
        let mut workers = engine.departed.gathered(&tracker);
        if workers.is_empty() {
            return;
        }
        // Those that name it while this goes on are asked for below, or by the next round.
        if let Err(error) = take_off(&engine, (&workers, &tracker), &mut again).await {
            tracing::warn!(%tracker, %error, "a tracker that workers lost stays on the roster until its sign expires");
            measure::store_error(&error);
        }
        if sign(&engine, &tracker).is_some() {
            // It lives: who named it holds nothing that has to be given back.
            tokio::time::sleep_until(again).await;
            continue;
        }
        tokio::time::sleep(GATHER).await;
        workers.append(&mut engine.departed.taken(&tracker));
        // What they announced here is in Redis for certain, however slow this machine is.
        engine.announcements_written().await;
        tokio::time::sleep(ANNOUNCED_WITHIN).await;
        let workers: Vec<WorkerId> = workers.into_iter().collect();
        if let Err(error) = give_back(&engine, &workers, &tracker).await {
            tracing::warn!(%tracker, %error, "a dead tracker's claims wait for the ends of their leases");
            measure::store_error(&error);
        }
    }
}

/// Takes the tracker off the roster if it is gone. `again` is when it may be looked at the next time.
async fn take_off(
    engine: &Engine,
    (workers, tracker): (&BTreeSet<WorkerId>, &TrackerId),
    again: &mut Instant,
) -> Result<(), Error> {
    let Some(sign) = sign(engine, tracker) else {
        return Ok(());
    };
    tokio::time::sleep_until(*again).await;
    *again = Instant::now() + LOOK_EVERY;
    // A fifth of a beat for its way to Redis.
    let overdue = engine.config.beat_interval * 6 / 5;
    let gone = engine.probes && reach::is_gone(&sign.url).await;
    let (worker, named_by) = (workers.first(), workers.len());
    tracing::info!(%tracker, worker = worker.map(WorkerId::as_str), named_by, unreachable = gone, "workers lost this tracker");
    let silent = if gone { Duration::ZERO } else { overdue };
    forget(engine, &sign, silent).await?;
    if !gone && self::sign(engine, tracker).is_some() {
        // Its last sign may be of a moment before its end.
        tokio::time::sleep(overdue).await;
        forget(engine, &sign, overdue).await?;
    }
    Ok(())
}

/// Takes a tracker off whose last sign is older than `silent`, and reads the roster anew.
async fn forget(engine: &Engine, sign: &TrackerSign, silent: Duration) -> Result<(), Error> {
    let ttl = engine.config.beat_ttl();
    engine.store.retire(Some(sign), (silent, ttl), &[]).await?;
    let beaten = engine.store.beat(None, ttl, &[]).await?;
    roster::adopt(engine, beaten.live, beaten.now);
    Ok(())
}

async fn give_back(
    engine: &Engine,
    workers: &[WorkerId],
    tracker: &TrackerId,
) -> Result<(), Error> {
    let Some(departure) = engine.departed.get(tracker) else {
        return Ok(());
    };
    let made = (departure.at, engine.config.dispatch_lease);
    let owned = engine.owned();
    let mut mine = departure.partitions;
    mine.retain(|partition| owned.contains(partition));
    for partition in mine {
        for workers in workers.chunks(WORKERS_MAX) {
            let given_back = engine.store.reclaim(partition, workers, made).await?;
            if !given_back.is_empty() {
                let count = given_back.len();
                tracing::info!(%partition, %tracker, count, "claims of a dead tracker are ready again");
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn worker(name: &str) -> WorkerId {
        name.parse().unwrap()
    }

    #[test]
    fn the_first_to_miss_a_tracker_looks_for_all() {
        let (departed, tracker) = (Departed::default(), TrackerId::of_incarnation(7));
        assert!(departed.join(&tracker, worker("a-00000001")));
        assert!(!departed.join(&tracker, worker("b-00000001")));
        assert_eq!(departed.gathered(&tracker).len(), 2);
        // Whoever comes while the first one looks is found by its next round.
        assert!(!departed.join(&tracker, worker("c-00000001")));
        let later = departed.gathered(&tracker);
        assert_eq!(later, [worker("c-00000001")].into());
        assert!(departed.gathered(&tracker).is_empty());
        assert!(departed.join(&tracker, worker("d-00000001")));
    }

    #[test]
    fn the_newest_departures_are_remembered_and_a_later_one_replaces_an_earlier() {
        let departed = Departed::default();
        for number in 0..20_u64 {
            let at = TimestampMs::new(number);
            departed.note(TrackerId::of_incarnation(number), Vec::new(), at);
        }
        assert!(departed.get(&TrackerId::of_incarnation(3)).is_none());
        let last = TrackerId::of_incarnation(19);
        departed.note(last.clone(), Vec::new(), TimestampMs::new(77));
        assert_eq!(
            departed.get(&last).map(|known| known.at),
            Some(TimestampMs::new(77))
        );
        assert_eq!(lock(&departed.newest).len(), REMEMBERED_MAX);
    }
}
