//! The live trackers, as the last heartbeat told: the ranking of partitions follows from them, and workers are told of them.

use std::sync::Arc;

use arc_swap::ArcSwap;
use tickwheel_core::id::TrackerId;
use tickwheel_core::partition::{self, PartitionCount, PartitionId};
use tickwheel_core::time::TimestampMs;
use tickwheel_proto::v1::{self, TrackerMessage};
use tickwheel_store::roster::LiveTracker;
use tokio::sync::Notify;

use super::departures::{Departure, Departures};
use crate::sessions::Sessions;

/// See the module.
#[derive(Debug)]
pub(crate) struct Roster {
    /// This tracker.
    pub(crate) own: LiveTracker,
    partitions: PartitionCount,
    sessions: Arc<Sessions>,
    live: ArcSwap<Vec<LiveTracker>>,
    departures: Departures,
    /// Told when other trackers are alive than before.
    pub(crate) changed: Notify,
}

impl Roster {
    /// Nobody is known yet. `sessions` are told of changes.
    pub(crate) fn new(
        own: LiveTracker,
        partitions: PartitionCount,
        sessions: Arc<Sessions>,
    ) -> Arc<Self> {
        Arc::new(Self {
            own,
            partitions,
            sessions,
            live: ArcSwap::default(),
            departures: Departures::default(),
            changed: Notify::new(),
        })
    }

    /// The live trackers.
    pub(crate) fn live(&self) -> Arc<Vec<LiveTracker>> {
        self.live.load_full()
    }

    /// A tracker that is on the roster.
    pub(super) fn find(&self, tracker: &TrackerId) -> Option<LiveTracker> {
        let live = self.live.load();
        live.iter().find(|one| one.id == *tracker).cloned()
    }

    /// What a tracker that left lately turned.
    pub(super) fn departure(&self, tracker: &TrackerId) -> Option<Departure> {
        self.departures.get(tracker)
    }

    /// The partitions that this tracker turns.
    pub(crate) fn owned(&self) -> Vec<PartitionId> {
        self.turned_by(&self.own.id)
    }

    /// The partitions that `tracker` turns, by the present roster.
    fn turned_by(&self, tracker: &TrackerId) -> Vec<PartitionId> {
        let live = self.live.load();
        let mut ids: Vec<TrackerId> = live.iter().map(|tracker| tracker.id.clone()).collect();
        if !ids.contains(&self.own.id) {
            ids.push(self.own.id.clone());
        }
        let owned = |partition: &PartitionId| partition::owner(*partition, &ids) == Some(tracker);
        self.partitions.partitions().filter(owned).collect()
    }

    /// Takes over who is alive, as Redis said at `now` of its clock.
    pub(super) fn adopt(&self, live: Vec<LiveTracker>, now: TimestampMs) {
        let known = self.live.load();
        if **known == live {
            return;
        }
        tracing::info!(trackers = live.len(), "the roster of trackers changed");
        for gone in known
            .iter()
            .filter(|tracker| live.iter().all(|other| other.id != tracker.id))
        {
            self.departures.note(Departure {
                tracker: gone.id.clone(),
                partitions: self.turned_by(&gone.id),
                at: now,
            });
        }
        self.live.store(Arc::new(live));
        self.changed.notify_one();
        self.sessions.tell_all(|| TrackerMessage {
            roster: Some(self.for_workers()),
            ..TrackerMessage::default()
        });
    }

    /// The live trackers, for a worker.
    pub(crate) fn for_workers(&self) -> v1::Roster {
        let live = self.live.load();
        let mut tracker_urls: Vec<String> =
            live.iter().map(|tracker| tracker.url.clone()).collect();
        if !tracker_urls.contains(&self.own.url) {
            tracker_urls.push(self.own.url.clone());
        }
        v1::Roster { tracker_urls }
    }
}
