//! What a list is made of, and where it is looked for.

use tickwheel_core::partition::PartitionId;

use super::filter::ContextFilter;
use super::section::Section;
use crate::store::Store;

/// What is listed.
#[derive(Debug)]
pub(crate) struct Plan<'a> {
    pub(super) filter: &'a ContextFilter,
    pub(super) sections: Vec<Section>,
    /// Bodies of the dead stay where they are.
    pub(super) heads: bool,
    pub(super) partitions: Vec<PartitionId>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(
        store: &Store,
        filter: &'a ContextFilter,
        sections: Vec<Section>,
        heads: bool,
    ) -> Self {
        let of_job = filter.job.as_ref().map(|job| store.partition_of_job(job));
        let all = store.partitions.partitions();
        Self {
            filter,
            sections,
            heads,
            partitions: all
                .filter(|one| of_job.is_none_or(|only| only == *one))
                .collect(),
        }
    }
}
