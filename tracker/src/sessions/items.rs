//! Items of a frame that name a context or an attempt of it, as every kind of them does.

use tickwheel_core::error::Violation;
use tickwheel_core::id::ContextId;
use tickwheel_core::partition::PartitionCount;
use tickwheel_proto::v1::AttemptRef as WireRef;
use tickwheel_store::lease::AttemptRef;
use tonic::Status;

use super::session::Session;

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

/// The attempt that an item of the stream names; nothing when there can be none.
///
/// # Errors
/// The status that ends the stream, when too many of its items could not be read.
pub(crate) fn attempt(
    partitions: PartitionCount,
    session: &Session,
    item: &'static str,
    wire: &WireRef,
) -> Result<Option<AttemptRef>, Status> {
    let named = context(partitions, &wire.context_id);
    let attempt = named.map(|context| AttemptRef {
        context,
        attempt: wire.attempt.into(),
    });
    attempt.map(Some).or_else(|why| {
        session.fault(item, why);
        session.is_sound().map(|()| None)
    })
}
