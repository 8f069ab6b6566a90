//! The word that export ends, and by when.
use crate::task::CancellationToken;
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

/// How an export loop learns that it ends. Cancelled tasks end at once.
#[derive(Clone, Debug)]
pub(super) struct Stop {
    deadline: watch::Receiver<Option<Instant>>,
    cancelled: CancellationToken,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pause {
    /// The wait is over, or was cut short for a last attempt.
    Over,
    /// There is no time for another attempt.
    End,
}

// === impl Stop ===

impl Stop {
    pub(super) fn new(
        deadline: watch::Receiver<Option<Instant>>,
        cancelled: CancellationToken,
    ) -> Self {
        Self {
            deadline,
            cancelled,
        }
    }

    /// By when all must have ended, once that is known.
    pub(super) fn deadline(&self) -> Option<Instant> {
        if self.cancelled.is_cancelled() {
            return Some(Instant::now());
        }
        *self.deadline.borrow()
    }

    /// Waits for the word that export ends.
    pub(super) async fn told(&mut self) {
        let told = async {
            // An error means that the exporter is gone, which says the same.
            let _ = self.deadline.wait_for(Option::is_some).await;
        };
        tokio::select! {
            () = self.cancelled.cancelled() => {}
            () = told => {}
        }
    }

    /// Waits until all must have ended.
    pub(super) async fn passed(&mut self) {
        self.told().await;
        if let Some(deadline) = self.deadline() {
            tokio::select! {
                () = self.cancelled.cancelled() => {}
                () = sleep_until(deadline) => {}
            }
        }
    }

    /// Waits until `until`. The word that export ends cuts the wait short, unless the server `asked` for it.
    pub(super) async fn pause(&mut self, until: Instant, asked: bool) -> Pause {
        if self.deadline().is_none() {
            tokio::select! {
                () = sleep_until(until) => return Pause::Over,
                () = self.told() => {}
            }
            if !asked && !self.cancelled.is_cancelled() {
                return Pause::Over;
            }
        }
        if self.deadline().is_none_or(|deadline| until >= deadline) {
            return Pause::End;
        }
        tokio::select! {
            () = sleep_until(until) => Pause::Over,
            () = self.passed() => Pause::End,
        }
    }
}
