//! Workers that take no more work, because somebody said so: which they are lies in Redis, and each tracker reads it again when a heartbeat
//! tells that it changed. Whichever tracker was told, all know it within a heartbeat, and a tracker that dies in between takes nothing along.

use std::collections::HashSet;
use std::sync::Arc;

use parking_lot::Mutex;
use tickwheel_core::id::WorkerId;
use tickwheel_store::Store;

use crate::metrics::measure;
use crate::sessions::{Session, Sessions};

#[derive(Debug, Default)]
struct Known {
    workers: HashSet<WorkerId>,
    /// How often it had changed when it was read; `None` before that.
    changes: Option<u64>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Drains {
    store: Store,
    sessions: Arc<Sessions>,
    known: Mutex<Known>,
}

impl Drains {
    /// Nobody is known to be drained yet.
    pub(crate) fn new(store: Store, sessions: Arc<Sessions>) -> Arc<Self> {
        Arc::new(Self {
            store,
            sessions,
            known: Mutex::default(),
        })
    }

    /// A heartbeat told how often it has changed. False when it could not be read.
    pub(super) async fn heard(&self, changes: u64) -> bool {
        let known = self.known.lock().changes;
        if known == Some(changes) || known.is_none() && changes == 0 {
            return true;
        }
        let read = self.read().await;
        if read {
            self.known.lock().changes = Some(changes);
        }
        read
    }

    /// Reads who is drained; false when Redis does not answer, and then what is known goes on.
    pub(crate) async fn read(&self) -> bool {
        match self.store.drained_workers().await {
            Ok(drained) => {
                self.known.lock().workers = drained.into_keys().collect();
                for session in self.sessions.all() {
                    self.apply(&session);
                }
                self.sessions.capacity.notify_one();
                true
            }
            Err(error) => {
                tracing::debug!(%error, "it was not answered which workers are drained");
                measure::store_error(&error);
                false
            }
        }
    }

    /// Lets a stream be as its worker is: one that came is looked at behind its place among the others, so that none is missed.
    pub(crate) fn apply(&self, session: &Session) {
        session.set_drained(self.known.lock().workers.contains(&session.worker));
    }
}
