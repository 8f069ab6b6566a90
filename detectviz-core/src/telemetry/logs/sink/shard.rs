//! The buffer of one thread in one sink, and how a thread finds its own.
use super::{
    buffer::{Buffer, Pushed},
    handoff::Sink,
};
use std::{
    cell::RefCell,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};

thread_local! {
    static LOCAL: RefCell<Local> = const { RefCell::new(Local(Vec::new())) };
}

/// Lines of one thread that wait for the writer.
#[derive(Debug, Default)]
pub(super) struct Shard {
    buffer: Mutex<Buffer>,
    ended: AtomicBool,
}

/// The shards of this thread; when it ends, each is left to its sink.
struct Local(Vec<Mine>);

struct Mine {
    sink: Weak<Sink>,
    shard: Arc<Shard>,
}

/// Gives `push` the buffer of the current thread in `sink`. `None` while the thread ends and has no buffers any more.
pub(super) fn with_own(
    sink: &Arc<Sink>,
    push: impl FnOnce(&mut Buffer) -> Pushed,
) -> Option<Pushed> {
    let result = LOCAL.try_with(|local| {
        let mut local = local.try_borrow_mut().ok()?;
        Some(push(&mut local.shard(sink).lock()))
    });
    result.ok().flatten()
}

// === impl Shard ===

impl Shard {
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
    fn shard(&mut self, sink: &Arc<Sink>) -> &Shard {
        let known = self
            .0
            .iter()
            .position(|mine| std::ptr::eq(mine.sink.as_ptr(), Arc::as_ptr(sink)));
        let at = known.unwrap_or_else(|| {
            self.0.retain(|mine| mine.sink.strong_count() > 0);
            self.0.push(Mine {
                sink: Arc::downgrade(sink),
                shard: sink.join(),
            });
            self.0.len() - 1
        });
        &self.0[at].shard
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        for mine in self.0.drain(..) {
            mine.shard.ended.store(true, Ordering::Release);
            if let Some(sink) = mine.sink.upgrade() {
                sink.tidy();
            }
        }
    }
}
