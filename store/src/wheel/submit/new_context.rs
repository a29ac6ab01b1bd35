//! A context to create, and what becomes of it.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tickwheel_core::id::{ContextId, DedupKey, Namespace};
use tickwheel_core::partition::PartitionId;
use tickwheel_core::routing::Placement;
use tickwheel_core::time::TimestampMs;

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
