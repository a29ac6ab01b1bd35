//! Trackers that died: what they had claimed and not delivered goes back as soon as their workers say what they hold.
//!
//! A worker notices a dead tracker first: its stream breaks. It announces everything it holds, and names the tracker. Whoever hears it takes
//! the tracker off the roster, so that its partitions are turned by others at once, and a moment later gives back what was claimed for
//! this worker there and never announced. A tracker that is alive after all signs in again with its next beat.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tickwheel_core::id::{TrackerId, WorkerId};
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;
use tickwheel_store::Error;

use crate::engine::Engine;
use crate::session::lock;
use crate::{measure, roster};

/// What a worker announced to another tracker before it named the lost one is in Redis within this.
const ANNOUNCED_WITHIN: Duration = Duration::from_millis(450);
/// Its workers lose a tracker within moments; their words are gathered for so long, so that one scan serves all of them.
const GATHER: Duration = Duration::from_millis(50);
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
    missing: Mutex<HashMap<TrackerId, Vec<WorkerId>>>,
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
        missing.entry(tracker.clone()).or_default().push(worker);
        first
    }

    /// The workers that joined since; without any, the entry is gone and the next one is the first again.
    fn gathered(&self, tracker: &TrackerId) -> Vec<WorkerId> {
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

    fn get(&self, tracker: &TrackerId) -> Option<Departure> {
        let newest = lock(&self.newest);
        newest
            .iter()
            .find(|known| known.tracker == *tracker)
            .cloned()
    }
}

/// `worker` lost its stream to `tracker`, and has announced what it holds. Errors are logged: leases repair what is not done here.
pub(crate) async fn missed(engine: Arc<Engine>, worker: WorkerId, tracker: TrackerId) {
    if tracker == engine.tracker_id {
        return;
    }
    if let Err(error) = take_off(&engine, &worker, &tracker).await {
        tracing::warn!(%worker, %tracker, %error, "a dead tracker stays on the roster until its sign expires");
        measure::store_error(&error);
    }
    // Whom nobody ever saw on the roster has claimed nothing that could be found.
    if engine.departed.get(&tracker).is_none() || !engine.departed.join(&tracker, worker) {
        return;
    }
    loop {
        tokio::time::sleep(GATHER).await;
        let workers = engine.departed.gathered(&tracker);
        if workers.is_empty() {
            return;
        }
        // What it announced here is in Redis for certain, however slow this machine is.
        engine.announcements_written().await;
        tokio::time::sleep(ANNOUNCED_WITHIN).await;
        if let Err(error) = give_back(&engine, &workers, &tracker).await {
            tracing::warn!(%tracker, %error, "a dead tracker's claims wait for the ends of their leases");
            measure::store_error(&error);
        }
    }
}

async fn take_off(engine: &Engine, worker: &WorkerId, tracker: &TrackerId) -> Result<(), Error> {
    let on_roster = engine.roster.load();
    let Some(sign) = on_roster.iter().find(|sign| sign.id == *tracker).cloned() else {
        return Ok(());
    };
    tracing::info!(%worker, %tracker, "a worker lost this tracker: it is taken off the roster");
    let ttl = engine.config.beat_ttl();
    let signs = (Duration::ZERO, ttl);
    engine.store.retire(Some(&sign), signs, &[]).await?;
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
        assert_eq!(departed.gathered(&tracker), [worker("c-00000001")]);
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
