//! What became of the lines.
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::Level;

/// Lines written and dropped, by level, and failed writes. After a flush every line that was made is in one of them.
#[derive(Debug, Default)]
pub(in super::super) struct Counts {
    written: [AtomicU64; 5],
    dropped: [AtomicU64; 5],
    write_errors: AtomicU64,
}

// === impl Counts ===

impl Counts {
    pub(in super::super) fn written(&self, level: Level) -> u64 {
        self.written[index(level)].load(Ordering::Relaxed)
    }

    pub(in super::super) fn dropped(&self, level: Level) -> u64 {
        self.dropped[index(level)].load(Ordering::Relaxed)
    }

    pub(in super::super) fn write_errors(&self) -> u64 {
        self.write_errors.load(Ordering::Relaxed)
    }

    pub(in super::super) fn add_dropped(&self, level: Level) {
        self.dropped[index(level)].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_written(&self, level: Level) {
        self.written[index(level)].fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn add_write_error(&self) {
        self.write_errors.fetch_add(1, Ordering::Relaxed);
    }
}

fn index(level: Level) -> usize {
    match level {
        Level::ERROR => 0,
        Level::WARN => 1,
        Level::INFO => 2,
        Level::DEBUG => 3,
        Level::TRACE => 4,
    }
}
