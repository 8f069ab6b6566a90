//! The buffer of one thread in one sink, and how a thread finds its own.
use super::{buffer::Buffer, handoff::Sink};
use crate::telemetry::logs::buf::Buf;
use std::{
    cell::RefCell,
    mem,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};
use tracing::Level;

thread_local! {
    static LOCAL: Local = const { Local::new() };
}

/// Lines of one thread that wait for the writer.
#[derive(Debug, Default)]
pub(super) struct Shard {
    buffer: Mutex<Buffer>,
    ended: AtomicBool,
}

/// Why a thread cannot use its own buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NotOwn {
    /// It is writing a line already, and logs another within that.
    Busy,
    /// It is ending, and has no buffers any more.
    Ending,
}

/// The shards of this thread; when it ends, each is left to its sink.
struct Local {
    shards: RefCell<Vec<Mine>>,
    /// Lines that were logged within another line, after which they come.
    nested: RefCell<Vec<Nested>>,
}

struct Mine {
    sink: Weak<Sink>,
    shard: Arc<Shard>,
}

struct Nested {
    sink: Arc<Sink>,
    level: Level,
    line: Buf,
}

/// Hands on what was nested, when dropped.
struct Settle<'a>(&'a Local);

/// Gives `write` the buffer of the current thread in `sink`, locked.
#[inline]
pub(super) fn with_own<R>(
    sink: &Arc<Sink>,
    write: impl FnOnce(&mut Buffer) -> R,
) -> Result<R, NotOwn> {
    let result = LOCAL.try_with(|local| {
        // Declared first, so that it is dropped last: then nothing is borrowed or locked any more.
        let _settle;
        let mut shards = local.shards.try_borrow_mut().map_err(|_| NotOwn::Busy)?;
        _settle = Settle(local);
        let at = match place(&shards, sink) {
            Some(at) => at,
            None => add(&mut shards, sink),
        };
        Ok(write(&mut shards[at].shard.lock()))
    });
    result.unwrap_or(Err(NotOwn::Ending))
}

/// Keeps a line until the one that the thread is writing has ended.
pub(super) fn nest(sink: &Arc<Sink>, level: Level, write: impl FnOnce(&mut Buf)) {
    let _ = LOCAL.try_with(|local| {
        // What is logged within this line comes after it.
        let place = local.nested.borrow().len();
        let mut line = Buf::new();
        write(&mut line);
        let nested = Nested {
            sink: sink.clone(),
            level,
            line,
        };
        local.nested.borrow_mut().insert(place, nested);
    });
}

/// Whether the thread is writing a line, and holds the lock of a buffer for it.
pub(super) fn is_writing() -> bool {
    LOCAL
        .try_with(|local| local.shards.try_borrow().is_err())
        .unwrap_or(false)
}

#[inline]
fn place(shards: &[Mine], sink: &Arc<Sink>) -> Option<usize> {
    let is_own = |mine: &Mine| std::ptr::eq(mine.sink.as_ptr(), Arc::as_ptr(sink));
    shards.iter().position(is_own)
}

#[cold]
fn add(shards: &mut Vec<Mine>, sink: &Arc<Sink>) -> usize {
    shards.retain(|mine| mine.sink.strong_count() > 0);
    shards.push(Mine {
        sink: Arc::downgrade(sink),
        shard: sink.join(),
    });
    shards.len() - 1
}

// === impl Shard ===

impl Shard {
    #[inline]
    pub(super) fn lock(&self) -> MutexGuard<'_, Buffer> {
        self.buffer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody can add a line any more.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::Acquire)
    }
}

// === impl Local ===

impl Local {
    const fn new() -> Self {
        Self {
            shards: RefCell::new(Vec::new()),
            nested: RefCell::new(Vec::new()),
        }
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        for mine in self.shards.get_mut().drain(..) {
            mine.shard.ended.store(true, Ordering::Release);
            if let Some(sink) = mine.sink.upgrade() {
                sink.tidy();
            }
        }
    }
}

// === impl Settle ===

impl Drop for Settle<'_> {
    #[inline]
    fn drop(&mut self) {
        if !self.0.nested.borrow().is_empty() {
            settle(self.0);
        }
    }
}

#[cold]
fn settle(local: &Local) {
    let nested = mem::take(&mut *local.nested.borrow_mut());
    for Nested { sink, level, line } in nested {
        sink.push(level, line.as_slice());
    }
}
