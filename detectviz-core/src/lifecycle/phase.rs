//! Where the process stands in its life, readable from the request path.
use std::{
    fmt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU8, Ordering},
    },
    time::Instant,
};
use tokio::sync::watch;

/// A step of a service's life. Later ones compare greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Phase {
    /// Parts are being started; not ready.
    Starting,
    /// Every part has started.
    Serving,
    /// Told to end: readiness fails, and new work is still accepted while the load balancers take note.
    PreStop,
    /// No new work is accepted; what was accepted is finished.
    Draining,
    /// Parts release what they hold.
    Stopping,
    /// Nothing is left to do.
    Stopped,
}

/// Follows the phase of one runtime.
///
/// # Clone
/// Clones follow the same runtime.
#[derive(Clone)]
pub struct PhaseWatch {
    shared: Arc<Shared>,
}

/// Sets the phase that the [`PhaseWatch`]es of one runtime see. The lifecycle holds one; a test makes its own.
pub struct PhaseControl {
    shared: Arc<Shared>,
}

struct Shared {
    current: AtomicU8,
    drain_until: OnceLock<Instant>,
    changed: watch::Sender<Phase>,
}

// === impl Phase ===

impl Phase {
    const ALL: [Self; 6] = [
        Self::Starting,
        Self::Serving,
        Self::PreStop,
        Self::Draining,
        Self::Stopping,
        Self::Stopped,
    ];

    /// The phase in lower case, for logs.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Serving => "serving",
            Self::PreStop => "pre-stop",
            Self::Draining => "draining",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl PhaseWatch ===

impl PhaseWatch {
    /// The phase now: one relaxed atomic load.
    #[must_use]
    pub fn current(&self) -> Phase {
        self.shared.current()
    }

    /// Whether the process was told to end: [`Phase::PreStop`] or later.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.current() >= Phase::PreStop
    }

    /// When the drain will be cut; known from [`Phase::PreStop`] on, `None` before.
    ///
    /// A server closes what is still open a little earlier, so that it, and not the cut, has the last word.
    #[must_use]
    pub fn drain_until(&self) -> Option<Instant> {
        self.shared.drain_until.get().copied()
    }

    /// Waits until `phase` or a later one is reached. Never returns when the lifecycle is dropped before that.
    ///
    /// # Cancel safety
    /// Nothing is lost when the future is dropped.
    pub async fn reached(&self, phase: Phase) {
        let mut changes = self.shared.changed.subscribe();
        if changes.wait_for(|now| *now >= phase).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl fmt::Debug for PhaseWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PhaseWatch").field(&self.current()).finish()
    }
}

// === impl PhaseControl ===

impl PhaseControl {
    /// Begins in [`Phase::Starting`].
    #[must_use]
    pub fn new() -> Self {
        Self {
            shared: Arc::new(Shared {
                current: AtomicU8::new(Phase::Starting as u8),
                drain_until: OnceLock::new(),
                changed: watch::Sender::new(Phase::Starting),
            }),
        }
    }

    /// A watch on this control.
    #[must_use]
    pub fn watch(&self) -> PhaseWatch {
        PhaseWatch {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Moves on to `phase`. Time does not run backwards: an earlier phase than the current one changes nothing.
    pub fn advance(&self, phase: Phase) {
        self.shared.changed.send_if_modified(|now| {
            let later = phase > *now;
            if later {
                *now = phase;
                self.shared.current.store(phase as u8, Ordering::Release);
            }
            later
        });
    }

    /// Says when the drain will be cut; the first call counts. To be called before [`Phase::PreStop`] is announced.
    pub fn drain_until(&self, deadline: Instant) {
        // A second shutdown of the same life does not exist, so a later call has nothing to add.
        let _first_counts = self.shared.drain_until.set(deadline);
    }
}

impl Default for PhaseControl {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for PhaseControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PhaseControl")
            .field(&self.shared.current())
            .finish()
    }
}

// === impl Shared ===

impl Shared {
    fn current(&self) -> Phase {
        Phase::ALL[usize::from(self.current.load(Ordering::Relaxed)).min(Phase::ALL.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_phase_is_reached_at_or_after_it_and_never_left_backwards() {
        let control = PhaseControl::new();
        let watch = control.watch();
        assert_eq!(
            (watch.current(), watch.is_ending()),
            (Phase::Starting, false)
        );
        control.advance(Phase::Draining);
        watch.reached(Phase::PreStop).await;
        control.advance(Phase::Serving);
        assert_eq!(
            (watch.current(), watch.is_ending()),
            (Phase::Draining, true)
        );
    }

    #[tokio::test]
    async fn a_waiter_is_woken_when_the_phase_comes() {
        let control = PhaseControl::new();
        let watch = control.watch();
        let mut reached = tokio_test_poll(watch.reached(Phase::PreStop));
        assert!(reached().is_pending());
        control.advance(Phase::Serving);
        assert!(reached().is_pending());
        control.advance(Phase::PreStop);
        assert!(reached().is_ready());
    }

    fn tokio_test_poll<F: Future>(future: F) -> impl FnMut() -> std::task::Poll<F::Output> {
        let mut future = Box::pin(future);
        move || {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            future.as_mut().poll(&mut context)
        }
    }
}
