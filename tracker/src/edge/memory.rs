//! What messages may take in memory while they arrive and are answered.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What large messages of all callers may take in memory together, from their first byte to their answer.
const MEMORY: usize = 256 << 20;
/// And those of one connection.
pub(super) const MEMORY_OF_CONNECTION: usize = 64 << 20;

/// Memory is set aside in pieces of one KiB.
pub(super) const fn permits(bytes: usize) -> usize {
    bytes.div_ceil(1_024)
}

/// The memory of one tracker for messages that arrive.
#[derive(Debug, Clone)]
pub(crate) struct Memory(pub(super) Arc<Semaphore>);

impl Memory {
    pub(crate) fn new() -> Self {
        Self(Arc::new(Semaphore::new(permits(MEMORY))))
    }

    /// Waits until there is room for so many bytes, at most all there is; it is given back when what is returned is dropped.
    pub(crate) async fn set_aside(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let count = u32::try_from(permits(bytes.min(MEMORY))).unwrap_or(u32::MAX);
        // Nobody closes it.
        Arc::clone(&self.0).acquire_many_owned(count).await.ok()
    }
}
