//! The handle of a timer.
use super::{Entry, TimeoutAt, shared::Shared};
use crate::{clock, origin::Origin, task::Tasks};
use std::{fmt, future::Future, sync::Arc, time::Instant};

/// Wakes calls whose deadline has passed.
///
/// It is driven by a task, which the first deadline that is waited for starts in its tokio runtime; when that runtime is shut
/// down, the next one that waits starts another. It follows the clock of the runtime that drives it, also a paused one.
///
/// # Clone
/// Clones are the same timer. When the last one and the last [`Entry`] are dropped, the task ends.
#[derive(Clone)]
pub struct Timer {
    inner: Arc<Handles>,
}

/// Shared by the handles, and not by the entries.
struct Handles(Arc<Shared>);

// === impl Timer ===

impl Timer {
    /// A timer whose driver nobody waits for.
    #[must_use]
    pub fn new() -> Self {
        Self::build(None)
    }

    /// A timer whose driver is one of `tasks`: told to end, it does so as soon as nobody waits.
    #[must_use]
    pub fn with_tasks(tasks: &Tasks) -> Self {
        Self::build(Some(tasks))
    }

    /// A place for one deadline, not armed. Needs no runtime.
    #[must_use]
    #[inline]
    pub fn entry(&self) -> Entry {
        Entry::new(&self.inner.0)
    }

    /// Bounds `future` by `deadline`. As tokio's function of this name, but the clock is not read, and nothing is registered
    /// before the future has been pending.
    pub fn timeout_at<F: Future>(&self, deadline: Instant, future: F) -> TimeoutAt<F> {
        TimeoutAt::new(self.entry(), deadline, future)
    }

    /// How many deadlines are waited for at this moment. It looks at each.
    #[must_use]
    pub fn len(&self) -> usize {
        self.inner.0.armed()
    }

    /// Whether nobody waits.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many deadlines there is room for.
    #[cfg(test)]
    pub(super) fn capacity(&self) -> usize {
        self.inner.0.capacity()
    }

    /// Whether a task drives it at this moment.
    pub(super) fn is_driven(&self) -> bool {
        self.inner.0.is_driven()
    }

    fn build(tasks: Option<&Tasks>) -> Self {
        let origin = Origin::new(clock::now());
        Self {
            inner: Arc::new(Handles(Shared::new(origin, tasks))),
        }
    }
}

impl Default for Timer {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer")
            .field("armed", &self.len())
            .field("driven", &self.inner.0.is_driven())
            .finish_non_exhaustive()
    }
}

// === impl Handles ===

impl Drop for Handles {
    fn drop(&mut self) {
        self.0.close();
    }
}
