//! A part of a service that has a life of its own.
use crate::error::BoxError;
use async_trait::async_trait;

/// A part of a service that is started in order and stopped in reverse.
///
/// `build` made it without touching the outside world; [`start`](Self::start) is the first to bind, connect or spawn.
/// The lifecycle calls each method at most once and in this order: `start`, `drain`, `stop`. A component that failed to
/// start is stopped without a drain.
///
/// # Cancel safety
/// Each method is a future that the lifecycle drops when its share of the budget is spent. After that only `Drop` runs,
/// so whatever must not be left behind is released there.
///
/// # Errors
/// An error from `start` ends the start-up; errors from `drain` and `stop` are logged, and the rest still runs.
#[async_trait]
pub trait Component: Send + Sync + 'static {
    /// Binds, connects, spawns. Returns once the component does its work.
    async fn start(&self) -> Result<(), BoxError> {
        Ok(())
    }

    /// Takes no new work and finishes what was accepted. The lifecycle bounds it.
    async fn drain(&self) -> Result<(), BoxError> {
        Ok(())
    }

    /// Releases what `start` acquired, whether or not the drain was complete.
    async fn stop(&self) -> Result<(), BoxError> {
        Ok(())
    }
}
