//! Setting the subscriber of the process.
use super::TelemetrySubscriber;
use std::sync::{Mutex, PoisonError};

/// Whose the subscriber of the process is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Installed {
    /// Ours, since now.
    Ours,
    /// Ours, installed before.
    AlreadyOurs,
    /// Another's: add a [`TelemetryLayer`](super::TelemetryLayer) to it, or the events of `tracing` do not come to us.
    Foreign,
}

/// Installs a [`TelemetrySubscriber`] for the process, unless it has a subscriber.
///
/// Later runtimes share it: it decides nothing, the table of outputs does.
pub fn install() -> Installed {
    static OURS: Mutex<bool> = Mutex::new(false);
    let mut ours = OURS.lock().unwrap_or_else(PoisonError::into_inner);
    if *ours {
        return Installed::AlreadyOurs;
    }
    *ours = tracing::subscriber::set_global_default(TelemetrySubscriber::new()).is_ok();
    if *ours {
        Installed::Ours
    } else {
        Installed::Foreign
    }
}
