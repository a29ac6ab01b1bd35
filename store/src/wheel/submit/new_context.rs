//! A context to create, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tickwheel_core::id::{ContextId, DedupKey, Namespace};
use tickwheel_core::partition::PartitionId;
use tickwheel_core::routing::Placement;
use tickwheel_core::time::TimestampMs;

/// What one script call carries, in contexts without much of a body: 250 take about 1 ms of Redis, which nobody else can use meanwhile.
pub const CALL_WEIGHT: usize = 250;
/// So many bytes cost as much as a context: Lua hashes each text that it makes, whole.
const WEIGHED_BYTES: usize = 512;
/// So many contexts stand for the placement of one: Redis needs two more for it, and the tracker that reads the condition the rest.
const PLACEMENT_WEIGHT: usize = 7;

/// When a submitted context is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// This long after Redis has it.
    Delay(Duration),
    /// At an instant; one that is past means at once.
    At(TimestampMs),
}

/// A context to create.
#[derive(Debug, Clone)]
pub struct NewContext {
    /// When it is due.
    pub when: When,
    /// As [`crate::record::Rest::encode`] gives it.
    pub rest: Bytes,
    /// Third part of its id; see [`ContextId::uniq`].
    pub uniq: String,
    /// Its namespace: part of its id, and of the name of its dedup key.
    pub namespace: Namespace,
    /// At most one context of this key within the keep time after its due time.
    pub dedup: Option<(DedupKey, Duration)>,
    /// Where it lies: for a dedup key, the key's partition.
    pub partition: PartitionId,
    /// The placement that its options name.
    pub placement: Option<Arc<Placement>>,
}

impl NewContext {
    /// What creating it costs Redis, in contexts without much of a body.
    #[must_use]
    pub fn weight(&self) -> usize {
        let placement = self.placement.as_ref().map_or(0, |_| PLACEMENT_WEIGHT);
        1 + self.rest.len() / WEIGHED_BYTES + placement
    }

    /// The third part of its id, with its namespace.
    pub(crate) fn unique(&self) -> String {
        format!("{}{}", self.uniq, self.namespace.suffix())
    }

    /// How long its dedup key is kept, and what that is called.
    pub(crate) fn dedup_arg(&self) -> Option<String> {
        let (key, keep) = self.dedup.as_ref()?;
        let (keep, suffix) = (keep.as_millis(), self.namespace.suffix());
        Some(format!("{keep} {}{suffix}", key.name()))
    }
}

/// What became of a [`NewContext`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmittedContext {
    /// Its id, or that of the context that has the dedup key.
    pub id: ContextId,
    /// True when the dedup key was taken.
    pub duplicate: bool,
}
