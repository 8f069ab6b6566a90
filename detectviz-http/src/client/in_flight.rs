//! How many calls are under way, and the moment when none is.
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::Notify;

/// Counts calls.
///
/// # Clone
/// Clones are the same count.
#[derive(Clone, Debug, Default)]
pub(super) struct InFlight(Arc<Count>);

/// One call, until dropped.
#[derive(Debug)]
pub(super) struct Flight(InFlight);

#[derive(Debug, Default)]
struct Count {
    calls: AtomicUsize,
    none: Notify,
}

// === impl InFlight ===

impl InFlight {
    pub(super) fn start(&self) -> Flight {
        self.0.calls.fetch_add(1, Ordering::Relaxed);
        Flight(self.clone())
    }

    pub(super) fn len(&self) -> usize {
        self.0.calls.load(Ordering::Acquire)
    }

    /// Waits for a moment without calls.
    pub(super) async fn none(&self) {
        loop {
            let landed = self.0.none.notified();
            if self.len() == 0 {
                return;
            }
            landed.await;
        }
    }
}

// === impl Flight ===

impl Drop for Flight {
    fn drop(&mut self) {
        if self.0.0.calls.fetch_sub(1, Ordering::Release) == 1 {
            self.0.0.none.notify_waiters();
        }
    }
}
