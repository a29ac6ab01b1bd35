//! Lets `once` jobs go that finished long ago: whoever registers one for each of their orders would fill Redis with them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tickwheel_core::partition::PartitionId;
use tickwheel_store::Store;

use crate::error::Error;
use crate::membership::Roster;
use crate::periodic::{Counts, Periodic};

/// Between two pages of a partition. A page has a hundred jobs, so that ten thousand are looked at within an hour, and that many may go.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Looks at the partitions that this tracker turns, a page of each in a round.
#[derive(Debug)]
pub(crate) struct OnceForgetting {
    store: Store,
    roster: Arc<Roster>,
    keep: Duration,
    /// Where the next page of a partition starts.
    next: BTreeMap<PartitionId, String>,
}

impl OnceForgetting {
    pub(crate) fn new(store: Store, roster: Arc<Roster>, keep: Duration) -> Self {
        Self {
            store,
            roster,
            keep,
            next: BTreeMap::new(),
        }
    }
}

impl Periodic for OnceForgetting {
    const TASK: &'static str = "once";

    fn every(&self) -> Duration {
        LOOK_EVERY
    }

    async fn run_once(&mut self) -> Counts {
        let mut counts = Counts::default();
        for partition in self.roster.owned() {
            let from = self.next.remove(&partition);
            let forgotten = forget(&self.store, partition, (self.keep, from.as_deref())).await;
            counts.add(forgotten.is_ok());
            match forgotten {
                Ok((jobs, next)) => {
                    if jobs > 0 {
                        tracing::info!(%partition, jobs, "`once` jobs that finished long ago are forgotten");
                    }
                    self.next.extend(next.map(|next| (partition, next)));
                }
                Err(error) => {
                    tracing::debug!(%partition, %error, "finished jobs of a partition were not looked at; from its first one next time");
                }
            }
        }
        counts
    }
}

/// Forgets those of a page of the jobs of `partition` that finished and that nothing happened to for `keep`; answers how many, and where the next
/// page starts. One that cannot be deleted keeps none behind it: a check names what is damaged.
///
/// # Errors
/// When the page cannot be read, or Redis does not answer; what is left is found again when its turn comes.
pub(crate) async fn forget(
    store: &Store,
    partition: PartitionId,
    (keep, from): (Duration, Option<&str>),
) -> Result<(u64, Option<String>), Error> {
    let page = store.jobs_over(partition, keep, from).await?;
    let (mut forgotten, mut left) = (0, Vec::new());
    for job in &page.jobs {
        match store.forget_job(job, page.before).await {
            Ok(true) => forgotten += 1,
            // It ran once more, or another tracker, or a person, was faster.
            Ok(false) | Err(tickwheel_store::Error::NotFound { .. }) => {}
            Err(
                error @ (tickwheel_store::Error::Damaged { .. }
                | tickwheel_store::Error::Contract { .. }),
            ) => {
                left.push((job, error));
            }
            Err(error) => return Err(error.into()),
        }
    }
    if let Some((job, error)) = left.first() {
        let count = left.len();
        tracing::warn!(%partition, %job, %error, count, "a finished `once` job was not forgotten");
    }
    Ok((forgotten, page.after))
}
