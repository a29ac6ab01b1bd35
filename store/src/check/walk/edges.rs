//! Jobs and those that follow them. The two lie in partitions of their own, so that they are read in two calls: where they disagree, both
//! are looked at again once a registration or a deletion that was under way is over.

mod compare;

use std::collections::BTreeSet;

use tickwheel_core::id::JobName;

use crate::check::facts::JobFacts;

/// That one job follows another one, as one of the two says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Edge {
    /// The job that says so.
    job: JobName,
    /// The other one.
    other: JobName,
    /// Of which ends.
    on: String,
}

/// Edges as the jobs of a partition have them.
#[derive(Debug, Default)]
pub(super) struct Edges {
    /// By the upstream, that is to tell.
    told: BTreeSet<Edge>,
    /// By the follower.
    followed: BTreeSet<Edge>,
}

impl Edges {
    pub(super) fn note(&mut self, job: &JobFacts) {
        let edge = |(other, on): (&str, &str)| {
            Some(Edge {
                job: job.name.clone(),
                other: JobName::new(other).ok()?,
                on: on.to_owned(),
            })
        };
        self.told.extend(job.followers().filter_map(edge));
        self.followed.extend(job.follows().and_then(edge));
    }
}
