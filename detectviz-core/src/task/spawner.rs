//! Where tasks are spawned: the one place.
use super::{
    RuntimeId,
    count::{Count, Entry, Tracked},
};
use std::{
    fmt,
    future::Future,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};
use tokio::task::JoinHandle;

/// Spawns tasks of one name in one set; made by [`Tasks::spawner`](super::Tasks::spawner).
///
/// # Clone
/// Clones are the same.
#[derive(Clone)]
pub struct Spawner {
    runtime: RuntimeId,
    entries: Arc<[Entry]>,
}

pin_project_lite::pin_project! {
    /// A future that is counted until it is dropped, and polled on behalf of its runtime.
    struct Counted<F> {
        #[pin]
        inner: F,
        runtime: RuntimeId,
        tracked: Tracked,
    }
}

// === impl Spawner ===

impl Spawner {
    pub(super) fn new(runtime: RuntimeId, counts: &[Arc<Count>], name: &'static str) -> Self {
        let entries = counts.iter().map(|count| Count::entry(count, name));
        Self {
            runtime,
            entries: entries.collect(),
        }
    }

    /// Runs `future` on the current tokio runtime, as [`Tasks::spawn`](super::Tasks::spawn) does.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let counted = Counted {
            inner: future,
            runtime: self.runtime,
            tracked: Tracked::new(&self.entries),
        };
        #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
        tokio::spawn(counted)
    }

    pub(super) fn spawn_blocking<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> JoinHandle<T> {
        let tracked = Tracked::new(&self.entries);
        let runtime = self.runtime;
        #[expect(clippy::disallowed_methods, reason = "the one place that spawns")]
        tokio::task::spawn_blocking(move || {
            let _tracked = tracked;
            let _entered = runtime.enter();
            work()
        })
    }

    pub(super) fn spawn_thread(
        &self,
        name: &'static str,
        work: impl FnOnce() + Send + 'static,
    ) -> io::Result<()> {
        let tracked = Tracked::new(&self.entries);
        let runtime = self.runtime;
        std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                let _tracked = tracked;
                runtime.adopt_thread();
                work();
            })?;
        Ok(())
    }
}

impl fmt::Debug for Spawner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spawner")
            .field("runtime", &self.runtime)
            .finish_non_exhaustive()
    }
}

// === impl Counted ===

impl<F: Future> Future for Counted<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = this.runtime.enter();
        this.inner.poll(cx)
    }
}
