//! What a health check is.
use crate::error::BoxError;
use async_trait::async_trait;

/// Asks one dependency whether it is there.
///
/// A check runs in the background, never on behalf of a probe, and never twice at once.
///
/// # Cancel safety
/// The future is dropped when the check's timeout is over.
///
/// # Blocking
/// On a multi-threaded tokio runtime each run is polled on a thread of the blocking pool, so that a check which blocks
/// holds up nothing but itself: it fails at its timeout and is not run again until it has returned. A current-thread
/// runtime has no other thread to offer; there a blocking check stalls the runtime.
///
/// # Errors
/// An error or a panic is a failure. The error's text and those of its sources appear in `/readyz?verbose`, cut to 256
/// bytes: it must not hold a secret.
#[async_trait]
pub trait Check: Send + Sync + 'static {
    /// `Ok` when the dependency can be used.
    async fn check(&self) -> Result<(), BoxError>;
}
