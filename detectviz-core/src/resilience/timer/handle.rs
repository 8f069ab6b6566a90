//! The handle of a timer.
use super::{Entry, TimeoutAt, shared::Shared};
use crate::task::Tasks;
use std::{cell::RefCell, fmt, future::Future, sync::Arc, time::Instant};
use tokio::runtime::{Handle, Id};

thread_local! {
    /// What this thread uses for those who name no timer, by tokio runtime.
    static OF_RUNTIME: RefCell<Vec<(Id, Timer)>> = const { RefCell::new(Vec::new()) };
}

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

    /// A place in the timer of the current tokio runtime, which each of its threads has for itself.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(crate) fn entry_of_runtime() -> Entry {
        let id = Handle::current().id();
        let entry = OF_RUNTIME.try_with(|timers| {
            let mut timers = timers.try_borrow_mut().ok()?;
            if let Some((_, timer)) = timers.iter().find(|(of, _)| *of == id) {
                return Some(timer.entry());
            }
            // Whose runtime has ended is driven by nobody.
            timers.retain(|(_, timer)| timer.inner.0.is_driven());
            let timer = Self::new();
            let entry = timer.entry();
            timers.push((id, timer));
            Some(entry)
        });
        // A thread that is ending has none.
        entry.ok().flatten().unwrap_or_else(|| Self::new().entry())
    }

    fn build(tasks: Option<&Tasks>) -> Self {
        let origin = tokio::time::Instant::now().into_std();
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
