//! How a part says that it broke while it ran.
use crate::error::BoxError;
use std::fmt;
use tokio::sync::mpsc;

/// Tells the lifecycle that a part cannot go on: the service is shut down in order and ends with exit code 70.
///
/// # Clone
/// Clones tell the same lifecycle.
#[derive(Clone)]
pub struct Failures {
    sender: mpsc::UnboundedSender<(String, BoxError)>,
}

/// Where the failures arrive.
#[derive(Debug)]
pub(super) struct FailureInbox {
    receiver: mpsc::UnboundedReceiver<(String, BoxError)>,
}

// === impl Failures ===

impl Failures {
    pub(super) fn channel() -> (Self, FailureInbox) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self { sender }, FailureInbox { receiver })
    }

    /// The part called `name` ended though nobody told it to. The first failure counts; once the service is ending, none
    /// does.
    pub fn fail(&self, name: impl Into<String>, error: impl Into<BoxError>) {
        let _already_ending = self.sender.send((name.into(), error.into()));
    }
}

impl fmt::Debug for Failures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failures").finish_non_exhaustive()
    }
}

// === impl FailureInbox ===

impl FailureInbox {
    /// Waits for a failure. Cancel safe.
    pub(super) async fn recv(&mut self) -> (String, BoxError) {
        match self.receiver.recv().await {
            Some(failure) => failure,
            None => std::future::pending().await,
        }
    }
}
