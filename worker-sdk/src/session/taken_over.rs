//! A stream that its tracker ended because a newer one has the same id.

use std::sync::Arc;

use tokio::time::{Instant, timeout};
use tracing::warn;

use crate::bounds::TAKEN_OVER_WAIT;
use crate::shared::Shared;

/// Whose the newer stream is: of this worker, by another url of the same tracker, or of another process. Two processes with one id would end
/// each other's streams for ever, so this one, which was there first, goes by another id from now on. What it runs belongs to the id it had,
/// and is lost to it. Answers with the tracker where the stream is this worker's own.
pub(super) async fn taken_over(
    shared: &Arc<Shared>,
    link: usize,
    worker_id: &str,
) -> Option<String> {
    let tracker = shared.protocol().tracker_of(link);
    if let Some(tracker) = tracker
        && timeout(TAKEN_OVER_WAIT, until_reached(shared, &tracker))
            .await
            .is_ok()
    {
        return Some(tracker);
    }
    if let Some(other) = shared.identity.change_from(worker_id) {
        warn!(
            worker_id,
            other,
            "another process goes by the id of this worker, which takes another one; is there a copy of it, as of a snapshot? What it runs is \
             given to others"
        );
        shared.protocol().begin_anew(Instant::now());
    }
    None
}

/// Until a live stream reaches this tracker.
async fn until_reached(shared: &Shared, tracker: &str) {
    let mut changes = shared.links_changed.subscribe();
    while !shared.protocol().reaches(tracker) {
        if changes.changed().await.is_err() {
            return;
        }
    }
}
