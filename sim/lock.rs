//! Locks.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A lock whose data is never left half changed, so that a panic elsewhere does not spoil it.
pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
