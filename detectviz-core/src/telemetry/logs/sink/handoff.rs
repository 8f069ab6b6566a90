//! What the threads that log and the one that writes share.
use super::{
    budget::Budget,
    buffer::{Buffer, Pushed},
    counts::Counts,
    flush::Flush,
    shard::{NotOwn, Shard, is_writing, nest, with_own},
};
use crate::telemetry::logs::buf::Buf;
use std::{
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, Thread},
    time::Duration,
};
use tracing::Level;

/// Where the lines of one runtime wait for its writer.
#[derive(Debug)]
pub(in super::super) struct Sink {
    shards: Mutex<Vec<Arc<Shard>>>,
    /// For lines of threads that are ending.
    last: Arc<Shard>,
    pub(super) budget: Budget,
    pub(super) counts: Counts,
    pub(super) flush: Flush,
    pub(super) writer: OnceLock<Thread>,
    /// Whether the writer will look again by itself; when not, the next line wakes it.
    pub(super) awake: AtomicBool,
    /// Whether the writer was told not to wait.
    pub(super) urgent: AtomicBool,
    /// Whether the writer was told to end, and whether it takes no more lines.
    pub(super) closing: AtomicBool,
    pub(super) closed: AtomicBool,
}

// === impl Sink ===

impl Sink {
    /// A sink where at most `limit` bytes wait.
    pub(in super::super) fn new(limit: usize) -> Self {
        Self {
            shards: Mutex::default(),
            last: Arc::default(),
            budget: Budget::new(limit),
            counts: Counts::default(),
            flush: Flush::default(),
            writer: OnceLock::new(),
            awake: AtomicBool::new(true),
            urgent: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    pub(in super::super) fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Takes a whole line, or drops and counts it.
    pub(in super::super) fn push(self: &Arc<Self>, level: Level, line: &[u8]) {
        self.write(level, |out| out.put(line));
    }

    /// Lets `write` append a whole line to the buffer of the thread, or drops and counts it. The buffer is locked
    /// meanwhile, but for the writer only.
    #[inline]
    pub(in super::super) fn write(self: &Arc<Self>, level: Level, write: impl FnOnce(&mut Buf)) {
        let mut write = Some(write);
        let mut push = |buffer: &mut Buffer| match write.take() {
            // Inside the lock: the writer closes before it looks for the last time.
            Some(write) if !self.closed.load(Ordering::Acquire) => {
                buffer.push(level, &self.budget, write)
            }
            _ => Pushed::Dropped,
        };
        let pushed = match with_own(self, &mut push) {
            Ok(pushed) => pushed,
            Err(NotOwn::Ending) => push(&mut self.last.lock()),
            Err(NotOwn::Busy) => {
                nest(self, level, |line| {
                    write.into_iter().for_each(|write| write(line))
                });
                return;
            }
        };
        self.look_after(level, pushed);
    }

    /// Counts what was dropped, and wakes the writer where that is due.
    #[inline]
    fn look_after(&self, level: Level, pushed: Pushed) {
        let urgent = match pushed {
            Pushed::Dropped => {
                self.counts.add_dropped(level);
                return;
            }
            Pushed::Waits { reserved } => {
                level <= Level::WARN || (reserved && self.budget.is_half_taken())
            }
        };
        if urgent {
            self.hurry();
        } else if !self.awake.load(Ordering::SeqCst) && !self.awake.swap(true, Ordering::SeqCst) {
            self.unpark();
        }
    }

    /// Waits until the lines that were pushed before are written, for at most `within`. Returns whether they are.
    pub(in super::super) fn flush(&self, within: Duration) -> bool {
        let is_writer = self
            .writer
            .get()
            .is_some_and(|w| w.id() == thread::current().id());
        if is_writer || is_writing() {
            return false;
        }
        let asked = self.flush.ask();
        self.urgent.store(true, Ordering::SeqCst);
        self.unpark();
        self.flush.wait(asked, within)
    }

    /// Lets the writer write what is there and end.
    pub(in super::super) fn close(&self) {
        self.closing.store(true, Ordering::SeqCst);
        self.hurry();
    }

    /// A shard for a thread that has none yet.
    pub(super) fn join(&self) -> Arc<Shard> {
        let shard = Arc::<Shard>::default();
        self.list().push(shard.clone());
        shard
    }

    /// Forgets the shards of ended threads that hold nothing.
    pub(super) fn tidy(&self) {
        self.list()
            .retain(|shard| !shard.has_ended() || !shard.lock().is_empty());
    }

    /// Every shard there is now, into `out`.
    pub(super) fn collect(&self, out: &mut Vec<Arc<Shard>>) {
        out.extend(self.list().iter().cloned());
        out.push(self.last.clone());
    }

    pub(super) fn has_lines(&self) -> bool {
        self.list().iter().any(|shard| !shard.lock().is_empty()) || !self.last.lock().is_empty()
    }

    #[cfg(test)]
    pub(super) fn shards(&self) -> usize {
        self.list().len()
    }

    fn hurry(&self) {
        if !self.urgent.swap(true, Ordering::SeqCst) {
            self.unpark();
        }
    }

    fn unpark(&self) {
        if let Some(writer) = self.writer.get() {
            writer.unpark();
        }
    }

    fn list(&self) -> MutexGuard<'_, Vec<Arc<Shard>>> {
        self.shards.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
