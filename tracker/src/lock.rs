//! The one way to lock plain data.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A lock of plain data: a panic elsewhere leaves nothing half-done in it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
