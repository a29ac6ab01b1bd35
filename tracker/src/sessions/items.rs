//! Items of a frame that name a context, as every kind of them does.

use tickwheel_core::error::Violation;
use tickwheel_core::id::ContextId;
use tickwheel_core::partition::PartitionCount;

/// Whether a cluster with so many partitions may have this context.
pub(crate) fn has(partitions: PartitionCount, context: &ContextId) -> bool {
    context.partition().as_u16() < partitions.as_u16()
}

/// The context of this id, when a cluster with so many partitions may have it; else why not.
pub(crate) fn context(partitions: PartitionCount, id: &str) -> Result<ContextId, String> {
    let context: ContextId = id.parse().map_err(|wrong: Violation| wrong.to_string())?;
    if has(partitions, &context) {
        return Ok(context);
    }
    Err(format!(
        "`{context}`: this cluster has {partitions} partitions"
    ))
}
