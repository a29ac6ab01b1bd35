//! Parts that only certain workers may run: when these are gone, somebody has to notice.

use std::sync::Arc;

use tickwheel_core::id::{ContextId, WorkerId};
use tickwheel_store::wheel::PinnedParts;
use tickwheel_store::{Error, Store};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::failed_work::FailedWork;
use crate::metrics::measure;
use crate::seldom::{LINE_EVERY, Seldom};
use crate::sessions::Sessions;

/// Workers of one call.
const WORKERS_MAX: usize = 1_000;

/// One worker may have had parts of thousands of contexts.
static GIVEN_UP: Seldom = Seldom::new(LINE_EVERY);

/// See the module.
#[derive(Debug)]
pub(crate) struct LostParts {
    store: Store,
    sessions: Arc<Sessions>,
    tasks: TaskTracker,
    failed: FailedWork<ContextId>,
}

impl LostParts {
    pub(crate) fn new(store: Store, sessions: Arc<Sessions>, tasks: TaskTracker) -> Arc<Self> {
        Arc::new(Self {
            store,
            sessions,
            tasks,
            failed: FailedWork::default(),
        })
    }

    /// Gives up on the workers of `pinned` that live no more, in the background.
    pub(crate) fn look(self: &Arc<Self>, pinned: PinnedParts) {
        let root = pinned.root.clone();
        if self.failed.rests(&root, Instant::now()) {
            return;
        }
        let lost = Arc::clone(self);
        self.tasks.spawn(async move {
            let given_up = lost.give_up(pinned).await;
            if let Some((times, error)) = lost.failed.ended(root.clone(), given_up) {
                tracing::warn!(context = %root, times, %error, "parts of workers that may be gone are looked at again");
                measure::store_error(&error);
            }
        });
    }

    async fn give_up(&self, pinned: PinnedParts) -> Result<(), Error> {
        let mut gone: Vec<WorkerId> = pinned
            .workers
            .into_iter()
            .filter(|worker| self.sessions.get(worker).is_none())
            .collect();
        if gone.is_empty() {
            return Ok(());
        }
        for worker in self.store.list_workers(None).await? {
            gone.retain(|one| *one != worker.id);
        }
        for gone in gone.chunks(WORKERS_MAX) {
            let unpinned = self.store.unpin_fan(&pinned.root, gone).await?;
            if let Some(kept_back) = GIVEN_UP.next(Instant::now()) {
                tracing::warn!(context = %pinned.root, workers = gone.len(), failed = unpinned.failed, moved = unpinned.moved, kept_back,
                    "parts of workers that are gone");
            }
        }
        Ok(())
    }
}
