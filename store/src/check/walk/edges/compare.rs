//! Asks the other side of each edge.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tickwheel_core::id::JobName;

use super::Edge;
use crate::check::facts::JobFacts;
use crate::check::read::JOBS_STEP;
use crate::check::rules;
use crate::check::walk::Walk;
use crate::error::Error;

/// After this a registration or a deletion that a tracker has begun is over: what is still wrong then is wrong.
const SETTLED: Duration = Duration::from_millis(1_500);

/// What the two sides of an edge say.
fn follows(follower: &JobFacts, upstream: &JobName, on: &str) -> bool {
    follower.follows() == Some((upstream.as_str(), on))
}

fn tells(upstream: &JobFacts, follower: &JobName, on: &str) -> bool {
    let mut all = upstream.followers();
    all.any(|told| told == (follower.as_str(), on))
}

impl Walk<'_> {
    /// Edges that only one side has.
    pub(in crate::check::walk) async fn edges(&mut self) -> Result<(), Error> {
        let edges = std::mem::take(&mut self.edges);
        let gone = self.unmatched(edges.told, follows).await?;
        let untold = self.unmatched(edges.followed, tells).await?;
        if gone.is_empty() && untold.is_empty() {
            return Ok(());
        }
        tokio::time::sleep(SETTLED).await;
        for edge in self.unmatched(gone, follows).await? {
            if let Some(mut job) = self.job(&edge.job).await?
                && tells(&job, &edge.other, &edge.on)
            {
                job.gone.push(edge.other);
                self.checked.add(rules::of_job(&job));
            }
        }
        for edge in self.unmatched(untold, tells).await? {
            if let Some(mut job) = self.job(&edge.job).await?
                && follows(&job, &edge.other, &edge.on)
            {
                job.untold = true;
                self.checked.add(rules::of_job(&job));
            }
        }
        Ok(())
    }

    /// Those of `edges` that the other side does not have.
    async fn unmatched(
        &mut self,
        edges: BTreeSet<Edge>,
        has: fn(&JobFacts, &JobName, &str) -> bool,
    ) -> Result<BTreeSet<Edge>, Error> {
        let mut by_owner: BTreeMap<_, BTreeMap<JobName, Vec<Edge>>> = BTreeMap::new();
        for edge in edges {
            let owner = self.store.partition_of_job(&edge.other);
            let others = by_owner.entry(owner).or_default();
            others.entry(edge.other.clone()).or_default().push(edge);
        }
        let mut left = BTreeSet::new();
        for (owner, mut others) in by_owner {
            let names: Vec<JobName> = others.keys().cloned().collect();
            for few in names.chunks(JOBS_STEP) {
                let read = match self.timed(self.store.check_jobs(owner, few)).await {
                    // A key of another type than ours: the walk of its own partition names it, and this one goes on.
                    Err(Error::Damaged { .. }) => continue,
                    read => read?,
                };
                for other in read {
                    let edges = others.remove(&other.name).unwrap_or_default();
                    let missing = |edge: &Edge| !has(&other, &edge.job, &edge.on);
                    left.extend(edges.into_iter().filter(missing));
                }
            }
        }
        Ok(left)
    }

    async fn job(&mut self, job: &JobName) -> Result<Option<JobFacts>, Error> {
        let named = std::slice::from_ref(job);
        let call = self.store.check_jobs(self.partition, named);
        Ok(self.timed(call).await?.pop())
    }
}
