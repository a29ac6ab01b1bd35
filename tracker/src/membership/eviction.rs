//! Workers whose streams ended: forgotten, and their leases ended, when no tracker hears of them any more.

use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::id::{GroupName, WorkerId};
use tickwheel_store::Store;
use tickwheel_store::roster::Silence;
use tokio::time::Instant;

use super::roster::Roster;
use crate::config::Config;
use crate::metrics::measure;
use crate::outcomes::Reaper;
use crate::seldom::{LINE_EVERY, Seldom};
use crate::sessions::Sessions;

/// A worker whose stream broke is evicted when no tracker heard of it for this many heartbeat intervals.
const SILENT_HEARTBEATS: u32 = 2;

/// Thousands of workers may go at once.
static GONE: Seldom = Seldom::new(LINE_EVERY);
static NOT_EVICTED: Seldom = Seldom::new(LINE_EVERY);

/// See the module.
#[derive(Debug)]
pub(crate) struct Evictions {
    store: Store,
    heartbeat_interval: Duration,
    heartbeat_ttl: Duration,
    sessions: Arc<Sessions>,
    roster: Arc<Roster>,
    reaper: Arc<Reaper>,
}

impl Evictions {
    pub(crate) fn new(
        config: &Config,
        store: Store,
        sessions: Arc<Sessions>,
        roster: Arc<Roster>,
        reaper: Arc<Reaper>,
    ) -> Arc<Self> {
        Arc::new(Self {
            store,
            heartbeat_interval: config.heartbeat_interval,
            heartbeat_ttl: config.heartbeat_ttl(),
            sessions,
            roster,
            reaper,
        })
    }

    /// A worker's stream ended. When it said that it drains, it is forgotten at once; else when no tracker hears of it for two heartbeats. Its
    /// leases end with that, in the partitions of this tracker; the other trackers saw their streams end as well.
    pub(crate) async fn gone(&self, group: GroupName, worker: WorkerId, drained: bool) {
        let silent = if drained {
            Duration::ZERO
        } else {
            self.heartbeat_interval * SILENT_HEARTBEATS
        };
        // A heartbeat that was under way when the stream broke is written within one more interval.
        let patience = if drained {
            Duration::ZERO
        } else {
            silent + self.heartbeat_interval / 4
        };
        tokio::time::sleep(patience).await;
        if self.sessions.get(&worker).is_some() {
            return;
        }
        let workers = [(group, worker.clone())];
        let silence = Silence {
            longer_than: silent,
            ttl: self.heartbeat_ttl,
        };
        let retired = self.store.retire(None, silence, &workers);
        match retired.await {
            Ok(retired) if retired.contains(&worker) => {
                crash_point!("between_retire_and_reap");
                if let Some(kept_back) = GONE.next(Instant::now()) {
                    tracing::info!(%worker, drained, kept_back, "worker is gone; its leases end");
                }
                for partition in self.roster.owned() {
                    self.reaper.reap(partition, vec![worker.clone()]);
                }
            }
            Ok(_) => {}
            Err(error) => {
                if let Some(kept_back) = NOT_EVICTED.next(Instant::now()) {
                    tracing::warn!(%worker, %error, kept_back, "could not evict; its leases end by themselves");
                }
                measure::store_error(&error);
            }
        }
    }
}
