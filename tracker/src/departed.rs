//! Trackers that died: what they had claimed and not delivered goes back as soon as their workers say what they hold.
//!
//! A worker notices a dead tracker first: its stream breaks. It announces everything it holds, and names the tracker. Whoever hears it takes
//! the tracker off the roster, so that its partitions are turned by others at once, and a moment later gives back what was claimed for
//! this worker there and never announced. A tracker that is alive after all signs in again with its next beat.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tickwheel_core::id::{TrackerId, WorkerId};
use tickwheel_core::partition::PartitionId;
use tickwheel_core::time::TimestampMs;
use tickwheel_store::Error;

use crate::engine::Engine;
use crate::session::lock;
use crate::{measure, roster};

/// What a worker announced before it named the tracker is in Redis within this; what is not, waits for the end of its dispatch lease.
const ANNOUNCED_WITHIN: Duration = Duration::from_millis(500);
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
    if let Err(error) = give_back(&engine, &worker, &tracker).await {
        tracing::warn!(%worker, %tracker, %error, "a dead tracker's claims wait for the ends of their leases");
        measure::store_error(&error);
    }
}

async fn give_back(
    engine: &Arc<Engine>,
    worker: &WorkerId,
    tracker: &TrackerId,
) -> Result<(), Error> {
    if *tracker == engine.tracker_id {
        return Ok(());
    }
    let on_roster = engine.roster.load();
    let sign = on_roster.iter().find(|sign| sign.id == *tracker).cloned();
    if let Some(sign) = sign {
        tracing::info!(%worker, %tracker, "a worker lost this tracker: it is taken off the roster");
        let ttl = engine.config.beat_ttl();
        engine
            .store
            .retire(Some(&sign), (Duration::ZERO, ttl), &[])
            .await?;
        let (now, live) = engine.store.beat(None, ttl, &[]).await?;
        roster::adopt(engine, live, now);
    }
    let Some(departure) = engine.departed.get(tracker) else {
        return Ok(());
    };
    tokio::time::sleep(ANNOUNCED_WITHIN).await;
    let made = (departure.at, engine.config.dispatch_lease);
    let owned = engine.owned();
    for partition in departure.partitions {
        if !owned.contains(&partition) {
            continue;
        }
        let given_back = engine.store.reclaim(partition, worker, made).await?;
        if !given_back.is_empty() {
            let count = given_back.len();
            tracing::info!(%partition, %worker, %tracker, count, "claims of a dead tracker are ready again");
        }
    }
    Ok(())
}
