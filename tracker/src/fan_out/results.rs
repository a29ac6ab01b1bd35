//! What reduces read: the results of the subtasks of their context, page by page.

use std::sync::Arc;

use tickwheel_core::bounds::RESULTS_PAGE_MAX;
use tickwheel_core::id::WorkerId;
use tickwheel_proto::v1::{FetchResults, ResultsPage, SubtaskResult, TrackerMessage};
use tickwheel_store::Store;
use tickwheel_store::fan::Results;
use tickwheel_store::lease::{AttemptRef, Holding};
use tokio::sync::Semaphore;
use tokio_util::task::TaskTracker;

use crate::metrics::measure;
use crate::sessions::{Session, items};

/// Pages that are read at once, each of up to a mebibyte.
const READS_MAX: usize = 4;

/// See the module.
#[derive(Debug)]
pub(crate) struct ResultPages {
    store: Store,
    tasks: TaskTracker,
    reading: Semaphore,
}

impl ResultPages {
    pub(crate) fn new(store: Store, tasks: TaskTracker) -> Arc<Self> {
        Arc::new(Self {
            store,
            tasks,
            reading: Semaphore::new(READS_MAX),
        })
    }

    /// Answers a reduce with a page of results, in the background; when Redis does not answer it asks again.
    pub(crate) fn fetch(self: &Arc<Self>, session: &Arc<Session>, wire: FetchResults) {
        let (pages, session) = (Arc::clone(self), Arc::clone(session));
        let slot = session.in_flight.begin();
        self.tasks.spawn(async move {
            // Few pages of one worker are in memory: the next is read when the ones before are on their way.
            let _few = session.fetching.acquire().await.ok();
            let limit = if wire.limit == 0 {
                RESULTS_PAGE_MAX
            } else {
                wire.limit.min(RESULTS_PAGE_MAX)
            };
            let mut page = ResultsPage {
                context_id: wire.context_id,
                attempt: wire.attempt,
                cursor: wire.cursor,
                ..ResultsPage::default()
            };
            match pages.read(&session.worker, &page, limit).await {
                Ok((results, next)) => (page.results, page.next) = (results, next),
                Err(error) => page.error = error,
            }
            session
                .send(TrackerMessage {
                    results: vec![page],
                    ..TrackerMessage::default()
                })
                .ok();
            session.sent_soon().await;
            drop(slot);
        });
    }

    /// The results of a page, and where the next one begins.
    async fn read(
        &self,
        worker: &WorkerId,
        asked: &ResultsPage,
        limit: u32,
    ) -> Result<(Vec<SubtaskResult>, u64), String> {
        let context = items::context(self.store.partitions(), &asked.context_id)?;
        let reduce = Holding {
            attempt: AttemptRef {
                context,
                attempt: asked.attempt.into(),
            },
            worker: worker.clone(),
        };
        // One call at a time for each permit of this semaphore: a page may have a mebibyte.
        let _permit = self.reading.acquire().await.ok();
        match self.store.fan_results(&reduce, asked.cursor, limit).await {
            Ok(Results::Page(page)) => {
                Ok((page.results.into_iter().map(result).collect(), page.next))
            }
            Ok(Results::Stale) => Err("the attempt does not hold its context any more".to_owned()),
            Ok(Results::Foreign) => {
                measure::foreign("fetch", 1);
                Err("another worker holds the attempt".to_owned())
            }
            Err(error) => {
                measure::store_error(&error);
                Err(error.to_string())
            }
        }
    }
}

fn result(result: tickwheel_store::fan::SubtaskResult) -> SubtaskResult {
    let (succeeded, result_bytes, error) = match result.end {
        Ok(bytes) => (true, bytes, String::new()),
        Err(error) => (false, bytes::Bytes::new(), error),
    };
    SubtaskResult {
        index: result.index,
        succeeded,
        result: result_bytes,
        error,
    }
}
