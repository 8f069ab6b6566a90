//! Waiting until the writer has been everywhere.
use std::{
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

/// Numbered requests to write everything, and the number up to which that is done.
#[derive(Debug, Default)]
pub(super) struct Flush {
    asked: AtomicU64,
    done: Mutex<u64>,
    changed: Condvar,
}

// === impl Flush ===

impl Flush {
    pub(super) fn ask(&self) -> u64 {
        self.asked.fetch_add(1, Ordering::SeqCst) + 1
    }

    pub(super) fn asked(&self) -> u64 {
        self.asked.load(Ordering::SeqCst)
    }

    pub(super) fn is_waited_for(&self) -> bool {
        *self.lock() < self.asked()
    }

    /// Everything that was there when `asked` was read is written.
    pub(super) fn done(&self, asked: u64) {
        let mut done = self.lock();
        if *done < asked {
            *done = asked;
            self.changed.notify_all();
        }
    }

    /// Whether the request `asked` was done `within` that time.
    pub(super) fn wait(&self, asked: u64, within: Duration) -> bool {
        let waited = self
            .changed
            .wait_timeout_while(self.lock(), within, |done| *done < asked);
        *waited.unwrap_or_else(PoisonError::into_inner).0 >= asked
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
