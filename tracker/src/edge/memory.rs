//! What messages may take in memory while they arrive and are answered.

use std::sync::Arc;

use tokio::sync::Semaphore;

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
}
