//! Jobs that follow others: fired when a context that they follow has ended.

use std::sync::Arc;

use tickwheel_core::id::JobName;
use tickwheel_core::partition::PartitionId;
use tickwheel_core::run::ContextState;
use tickwheel_store::record::Upstream;
use tickwheel_store::wheel::{Fired, OutboxEntry};
use tickwheel_store::{Error, Store};
use tokio::time::Instant;
use tokio_util::task::TaskTracker;

use crate::failed_work::FailedWork;
use crate::metrics::measure;
use crate::seldom::{LINE_EVERY, Seldom, Unwritten};

/// Each end of a job may have followers.
static UNREAD: Seldom = Seldom::new(LINE_EVERY);

/// See the module.
#[derive(Debug)]
pub(crate) struct Outbox {
    store: Store,
    tasks: TaskTracker,
    failed: FailedWork<JobName>,
    unwritten: Unwritten,
}

impl Outbox {
    pub(crate) fn new(store: Store, tasks: TaskTracker) -> Arc<Self> {
        Arc::new(Self {
            store,
            tasks,
            failed: FailedWork::default(),
            unwritten: Unwritten::default(),
        })
    }

    /// Fires the followers of contexts that ended, then takes the entries out of the outbox, in the background. A crash between repeats the
    /// first, which is idempotent.
    pub(crate) fn deliver(self: &Arc<Self>, partition: PartitionId, entries: Vec<OutboxEntry>) {
        let outbox = Arc::clone(self);
        self.tasks.spawn(async move {
            crash_point!("before_outbox_fire");
            let mut delivered = Vec::with_capacity(entries.len());
            for entry in entries {
                if outbox.fire(&entry).await {
                    delivered.push(entry);
                }
            }
            crash_point!("between_outbox_fire_and_delivered");
            if let Err(error) = outbox.store.delivered(partition, &delivered).await {
                outbox.unwritten.count(&error, |unsaid| {
                    tracing::warn!(%partition, %error, unsaid, "an outbox was not cleared; its followers are asked again");
                });
            }
        });
    }

    /// Whether the follower has had what the entry is for.
    async fn fire(&self, entry: &OutboxEntry) -> bool {
        let follower = &entry.follower;
        if self.failed.rests(follower, Instant::now()) {
            return false;
        }
        let fired = match self.upstream(entry).await {
            Ok(upstream) => self.store.fire_after(follower, &upstream).await,
            Err(error) => Err(error),
        };
        let had = fired.map(|fired| match fired {
            Fired::Started(_)
            | Fired::Queued(_)
            | Fired::Duplicate(_)
            | Fired::Skipped(_)
            | Fired::NoJob => (),
        });
        let is_had = had.is_ok();
        if let Some((times, error)) = self.failed.ended(follower.clone(), had) {
            measure::store_error(&error);
            tracing::warn!(%follower, times, %error, "a follower was not fired; it is tried again");
        }
        is_had
    }

    /// What a follower is told of the end that it follows.
    async fn upstream(&self, entry: &OutboxEntry) -> Result<Upstream, Error> {
        let read = if entry.state == ContextState::Succeeded {
            Ok(None)
        } else {
            self.store.get_context(&entry.upstream).await
        };
        let error = match read {
            // One that runs again by now has no error any more.
            Ok(view) => view.map(|view| view.error).unwrap_or_default(),
            Err(error) if error.is_retryable() => return Err(error),
            // What cannot be read must not keep its follower from running.
            Err(error) => {
                if let Some(kept_back) = UNREAD.next(Instant::now()) {
                    tracing::warn!(follower = %entry.follower, %error, kept_back, "what a follower follows cannot be read");
                }
                String::new()
            }
        };
        Ok(Upstream {
            context: entry.upstream.clone(),
            state: entry.state,
            error,
        })
    }
}
