//! Deriving the wheel anew from the definitions of the jobs.

use fred::interfaces::SortedSetsInterface;
use fred::types::sorted_sets::ZSort;
use tickwheel_core::id::JobName;
use tickwheel_core::partition::PartitionId;

use super::{Repair, Repaired};
use crate::check::{Checked, Pace};
use crate::error::Error;
use crate::store::Store;

/// Names read in one step.
const NAMES_STEP: i64 = 500;

/// A job that was put into the wheel again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuiltJob {
    /// Which.
    pub job: JobName,
    /// What was done, in words.
    pub done: Vec<String>,
}

/// What a rebuild did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebuilt {
    /// Jobs that were looked at.
    pub jobs: u64,
    /// Those that were not as they should be.
    pub changed: Vec<RebuiltJob>,
    /// What the repair of everything else did.
    pub repairs: Vec<Repair>,
    /// The check after it.
    pub after: Checked,
}

impl Store {
    /// Gives every job its place in the wheel again, one script for each, then repairs everything that a check finds: the lease scan, the
    /// retry index, contexts that lost their place. Nothing that was decided fires again; due times that passed are left to the misfire
    /// policies. Safe on a live cluster, and a second call changes nothing.
    ///
    /// What only the wheel knew is lost with it: contexts that were submitted alone for later.
    ///
    /// # Errors
    /// [`Error::Unavailable`]: repeat.
    pub async fn rebuild(&self, pace: Pace) -> Result<Rebuilt, Error> {
        let (mut jobs, mut changed) = (0, Vec::new());
        for partition in self.partitions.partitions() {
            let mut after: Option<String> = None;
            loop {
                let names = self.rebuild_names(partition, after.as_deref()).await?;
                let Some(last) = names.last().cloned() else {
                    break;
                };
                for name in names {
                    // A name that is none is named by the check.
                    let Ok(job) = JobName::new(&name) else {
                        continue;
                    };
                    jobs += 1;
                    if let Repaired::Done(done) = self.repair_job(partition, &job, &[]).await? {
                        changed.push(RebuiltJob { job, done });
                    }
                }
                after = Some(last);
            }
        }
        let repaired = self.repair(pace).await?;
        Ok(Rebuilt {
            jobs,
            changed,
            repairs: repaired.repairs,
            after: repaired.after,
        })
    }

    async fn rebuild_names(
        &self,
        partition: PartitionId,
        after: Option<&str>,
    ) -> Result<Vec<String>, Error> {
        let from = after.map_or_else(|| "-".to_owned(), |after| format!("({after}"));
        let read = self
            .redis
            .plain()
            .zrange(
                self.keys.jobs(partition),
                from,
                "+".to_owned(),
                Some(ZSort::ByLex),
                false,
                Some((0, NAMES_STEP)),
                false,
            )
            .await;
        read.map_err(|error| Error::from_redis("zrange", error, ToOwned::to_owned))
    }
}
